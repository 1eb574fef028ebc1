# SPDX-License-Identifier: GPL-2.0-or-later
"""The launcher's errors; each ends in a message and an exit status, never in a traceback."""

from __future__ import annotations


class UsageError(Exception):
    """The command line asks for something that cannot be (exit status 2)."""


class InfraError(Exception):
    """The machinery failed before a verdict was possible (exit status 3)."""


class GuestDied(Exception):
    """The guest ended, fell silent, or spoke nonsense. `how` is one word for programs to read."""

    def __init__(self, how: str, message: str) -> None:
        super().__init__(message)
        self.how = how
