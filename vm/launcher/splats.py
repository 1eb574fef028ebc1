# SPDX-License-Identifier: GPL-2.0-or-later
"""Recognises what a kernel says when something is wrong with it, as it says it."""

from __future__ import annotations

import os
import re
from typing import List, NamedTuple, Optional, Pattern, Tuple

from launcher.errors import InfraError

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# "[   12.345678] " with or without the "[ T123]" that CONFIG_PRINTK_CALLER adds.
STAMP = re.compile(r"^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[CT]\d+\])? ?")
MARK = "bulkhead: "


class Splat(NamedTuple):
    """One complaint of the kernel. `mark` is how many results init had marked in the log before."""

    kind: str
    text: str
    fatal: bool
    mark: int


class Complaint(NamedTuple):
    """A line of vm/splats."""

    kind: str
    fatal: bool
    regex: Pattern[str]


def _lines(name: str) -> List[str]:
    path = os.path.join(FOLDER, name)
    try:
        with open(path, encoding="utf-8") as file:
            return [line.rstrip("\n") for line in file if line.strip() and line[0] != "#"]
    except OSError as error:
        raise InfraError(f"cannot read \"{path}\": {error.strerror}") from None


def load(name: str = "splats") -> List[Complaint]:
    """The patterns: "KIND fatal|survivable REGEX" a line. None at all is an error, not a pass."""
    patterns = []
    for line in _lines(name):
        kind, weight, regex = line.split(None, 2)
        patterns.append(Complaint(kind, weight == "fatal", re.compile(regex)))
    if not patterns:
        raise InfraError(f"cannot judge the kernel's log: \"{name}\" has no patterns")
    return patterns


def load_allowed(name: str = "splats.allow") -> List[Pattern[str]]:
    """What is known and harmless: "REGEX  # REASON" a line; one without a reason is an error."""
    allowed = []
    for line in _lines(name):
        regex, _, reason = line.partition("  # ")
        if not reason.strip():
            raise InfraError(f"cannot allow \"{regex}\" in \"{name}\": no reason is given")
        allowed.append(re.compile(regex))
    return allowed


class Watcher:
    """Follows one guest's console."""

    def __init__(self, tables: Tuple[List[Complaint], List[Pattern[str]]]) -> None:
        self._patterns, self._allowed = tables
        self.marks = 0          # results that init has marked since the last restart()
        self.done = ""          # the last job whose end init has marked

    def restart(self) -> None:
        """A new job begins; its results are counted from zero."""
        self.marks = 0

    def feed(self, line: str) -> Optional[Splat]:
        """Takes one line of console; returns the complaint that it is, if it is one."""
        text = STAMP.sub("", line)
        if text.startswith(MARK):
            self._take_mark(text[len(MARK):])
            return None
        for pattern in self._patterns:
            if pattern.regex.search(text):
                if any(allowed.search(text) for allowed in self._allowed):
                    return None
                return Splat(pattern.kind, text.strip(), pattern.fatal, self.marks)
        return None

    def _take_mark(self, text: str) -> None:
        if text.startswith("done "):
            self.done = text[5:].strip()
        else:
            self.marks += 1
