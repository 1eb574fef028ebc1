# SPDX-License-Identifier: GPL-2.0-or-later
"""A strict reader of KTAP that also takes its dialects: TAP 13 and 14, kselftest, KUnit.

Strict means that what is missing, doubled or out of order is reported and never passes; tolerant
means that lines which are no results change nothing. Format: docs.kernel.org/dev-tools/ktap.html.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional

RESULT = re.compile(r"(not )?ok(?:\s+(\d+))?(?:\s+(?:-\s+)?(.*))?$")
PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*(skip\S*)?\s*(.*))?$", re.IGNORECASE)
VERSION = re.compile(r"K?TAP version \d+\s*$")
DIRECTIVE = re.compile(r"(skip(?:ped)?|todo|xfail|xpass|timeout|error)(?![\w=])[:\s]*(.*)$",
                       re.IGNORECASE)
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|c)")
NESTED = re.compile(r"(?:# {0,3}|\s{2,})(?=(?:not )?ok\b|1\.\.\d|K?TAP version)")


class Result(NamedTuple):
    """One top-level result. `status`: pass, fail, skip, crash or timeout."""

    name: str
    status: str
    reason: str
    diagnostics: List[str]


def clean(line: str) -> str:
    """Without line ends, NULs and terminal escapes."""
    return ESCAPES.sub("", line).replace("\0", "").replace("\r", "").rstrip("\n")


def judge(failed: bool, text: str) -> "tuple[str, str, str]":
    """Name, status and reason from what follows the number of a result line."""
    name, _, comment = text.partition("#")
    match = DIRECTIVE.match(comment.strip())
    word = match.group(1).lower() if match else ""
    reason = match.group(2).strip() if match else comment.strip()
    if word.startswith("skip") or (word in ("todo", "xfail") and failed):
        if not name.strip():  # kselftest's helpers put the name behind the directive
            name, reason = reason, ""
        return name.strip(), "skip", reason if word.startswith("skip") else f"{word}: {reason}"
    if word == "timeout":
        return name.strip(), "timeout", reason
    if word == "error" and reason.lower().startswith("crash"):
        return name.strip(), "crash", reason
    if word in ("error", "xpass"):
        return name.strip(), "fail", f"{word}: {reason}"
    return name.strip(), "fail" if failed else "pass", _without_fail(reason) if failed else ""


def _without_fail(reason: str) -> str:
    return reason[4:].strip() if reason.startswith("FAIL") else reason


class Parser:
    """Reads one program's output line by line. `problems` says what was wrong with its shape."""

    def __init__(self) -> None:
        self.plan: Optional[int] = None
        self.skip_all = ""
        self.results: List[Result] = []
        self.problems: List[str] = []
        self.comments: List[str] = []        # diagnostics that belong to no result (yet)
        self.subtests = 0                    # results of subtests, of all tests
        self._names: "set[str]" = set()
        self._nested_failures = 0

    def feed(self, raw: str) -> Optional[Result]:
        """Takes one line; returns the top-level result that it is, if it is one."""
        line = clean(raw)
        if not line.strip():
            return None
        if NESTED.match(line):
            self._nested(line)
            return None
        match = RESULT.match(line)
        if match:
            return self._result(match)
        if VERSION.match(line):
            return None
        plan = PLAN.match(line)
        if plan:
            self._plan(plan)
        elif line.lower().startswith("bail out!"):
            self.problems.append(line)
        else:
            self.comments.append(line)
        return None

    def finish(self) -> List[str]:
        """The end of the output: every problem with it."""
        if self.plan is None and not self.results:
            self.problems.append("no KTAP output")
        elif self.plan is None:
            self.problems.append("no plan")
        elif self.plan != len(self.results):
            self.problems.append(f"{self.plan} tests planned, {len(self.results)} reported")
        return self.problems

    def _plan(self, match: "re.Match[str]") -> None:
        if self.plan is not None:
            self.problems.append("a second plan")
        self.plan = int(match.group(1))
        if self.plan == 0 and match.group(2):
            self.skip_all = match.group(3) or "no reason given"

    def _nested(self, line: str) -> None:
        self.comments.append(line)
        match = RESULT.match(line.lstrip("# ").strip())
        if not match:
            return
        self.subtests += 1
        if judge(bool(match.group(1)), match.group(3) or "")[1] not in ("pass", "skip"):
            self._nested_failures += 1

    def _result(self, match: "re.Match[str]") -> Result:
        number = len(self.results) + 1
        name, status, reason = judge(bool(match.group(1)), match.group(3) or "")
        name = name or f"unnamed_{number}"
        if match.group(2) and int(match.group(2)) != number:
            self.problems.append(f"result {match.group(2)} ({name}) where {number} was due")
        if name.lower() in self._names:
            self.problems.append(f"a second result for {name}")
        if status == "pass" and self._nested_failures:
            status, reason = "fail", f"{self._nested_failures} failed subtests in a passed test"
        self._names.add(name.lower())
        result = Result(name, status, reason, self.comments)
        self.results.append(result)
        self.comments = []
        self._nested_failures = 0
        return result
