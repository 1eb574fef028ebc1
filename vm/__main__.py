# SPDX-License-Identifier: GPL-2.0-or-later
"""`python3 vm ARGUMENTS` is what run-tests.sh calls."""

import sys

if sys.version_info < (3, 9):
    sys.exit("run-tests.sh: cannot run with Python %d.%d (3.9 or later works)"
             % sys.version_info[:2])

import bytecode  # noqa: E402 - after the check

bytecode.keep_in(sys._xoptions.get("bytecode"))

from launcher.main import main  # noqa: E402 - compiled into that folder

sys.exit(main(sys.argv[1:]))
