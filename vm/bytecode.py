# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps the compiled modules of the launcher out of its own folder, which may be read-only or
shared. Python's pycache_prefix alone would do it for the standard library, too, and a first run
would compile that anew.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import FileFinder, SourceFileLoader
from types import CodeType
from typing import Optional


def keep_in(folder: Optional[str]) -> None:
    """From now on modules beside this one are compiled into FOLDER; if None, nowhere."""
    home = os.path.dirname(__file__)

    class Loader(SourceFileLoader):
        """Looks for bytecode, and leaves it, in FOLDER; what the module itself imports is not
        loaded here."""

        def get_code(self, fullname: str) -> Optional[CodeType]:
            """The module's code object."""
            others, sys.pycache_prefix = sys.pycache_prefix, folder
            try:
                return super().get_code(fullname)
            finally:
                sys.pycache_prefix = others

    def finder(path: str) -> FileFinder:
        if not path.startswith(home):
            raise ImportError
        return FileFinder(path, (Loader, [".py"]))

    sys.dont_write_bytecode = folder is None
    sys.path_hooks.insert(0, finder)
    sys.path_importer_cache.clear()
