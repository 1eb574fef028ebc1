# SPDX-License-Identifier: GPL-2.0-or-later
"""A strict reader of KTAP version 1: whatever the grammar does not allow is an error.

The grammar is that of the kernel's documentation (dev-tools/ktap) and, where that leaves room,
what tools/testing/kunit/kunit_parser.py takes for a result, a plan and a header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"(ok|not ok) ([0-9]+) (- )?([^#]*?)( # .*)?$")
DIRECTIVE = re.compile(r" # (SKIP|TODO|XFAIL|TIMEOUT|ERROR|FAIL)( .*)?$")
PLAN = re.compile(r"1\.\.([0-9]+)( # SKIP .*)?$")


class KtapError(Exception):
    """A line that does not follow the grammar."""


@dataclass
class Test:
    """A result line, with the subtests that stood above it."""

    ok: bool
    name: str
    directive: str
    subtests: list[Test] = field(default_factory=list)


class Reader:
    """Reads a document, or with a deeper indent the subtests of one test."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.at = 0

    def peek(self, indent: str) -> str | None:
        """The next line at this depth, None when it is shallower or there is none."""
        if self.at >= len(self.lines) or not self.lines[self.at].startswith(indent):
            return None
        return self.lines[self.at][len(indent):]

    def take(self, indent: str) -> str:
        line = self.peek(indent)
        if line is None:
            raise KtapError(f"line {self.at + 1}: the document ends too early")
        self.at += 1
        return line

    def document(self, indent: str = "") -> list[Test]:
        if self.take(indent) != "KTAP version 1":
            raise KtapError(f"line {self.at}: no version line")
        if (self.peek(indent) or "").startswith("# Subtest: "):
            self.take(indent)
        plan = PLAN.match(self.take(indent))
        if not plan:
            raise KtapError(f"line {self.at}: no plan")
        tests = [self.test(indent, number) for number in range(1, int(plan[1]) + 1)]
        while (self.peek(indent) or "").startswith("# "):
            self.take(indent)
        return tests

    def test(self, indent: str, number: int) -> Test:
        subtests: list[Test] = []
        while True:
            line = self.peek(indent)
            if line == "    KTAP version 1":
                subtests = self.document(indent + "    ")
            elif line is not None and line.startswith("# "):
                self.take(indent)
            else:
                break
        result = RESULT.match(self.take(indent))
        if not result or int(result[2]) != number or not result[4].strip():
            raise KtapError(f"line {self.at}: not the result of test {number}")
        if result[5] and not DIRECTIVE.match(result[5]):
            raise KtapError(f"line {self.at}: unknown directive{result[5]}")
        return Test(result[1] == "ok", result[4], (result[5] or "").strip(), subtests)


def read(text: str) -> list[Test]:
    """All tests of a document; KtapError when it is not one."""
    reader = Reader(text)
    tests = reader.document()
    if reader.at != len(reader.lines):
        raise KtapError(f"line {reader.at + 1}: more than the plan promised")
    return tests
