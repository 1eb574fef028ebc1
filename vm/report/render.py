# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain renderings: KTAP, the matrix for the terminal, annotations for GitHub Actions."""

from __future__ import annotations

import os
import re
from typing import Dict, List

from report import results

ANNOTATIONS_MAX = 9  # GitHub shows ten a step; the tenth is the summary's
LOG_LINES = 40       # of a kernel log that are shown with a crash
LOG_BEFORE = 5       # of these, how many stand before the complaint
UNPRINTABLE = r"[^\t\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]"


def plain(text: str) -> str:
    """TEXT without anything that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text  # the usual case: the expression takes milliseconds to compile
    return re.sub(UNPRINTABLE, "?", text)


def log_excerpt(test: results.Test) -> List[str]:
    """The part of a test's kernel log to show on a screen: from shortly before the complaint that
    the reason names, since what follows it explains it; without one, the end."""
    lines: List[str] = test.get("log", "").rstrip().split("\n")
    complaint = test["reason"].partition(" (the test itself: ")[0]
    found = (number for number, line in enumerate(lines) if complaint and complaint in line)
    start = max(0, min(next(found, len(lines)) - LOG_BEFORE, len(lines) - LOG_LINES))
    end = start + LOG_LINES
    left = [f"({len(lines) - end} more lines)"] if end < len(lines) else []
    return lines[start:end] + left


def _ktap_line(number: int, test: results.Test) -> str:
    bad = test["status"] in ("fail", "crash", "timeout")
    word = {"skip": "SKIP", "timeout": "TIMEOUT", "crash": "ERROR", "fail": ""}.get(test["status"])
    reason = plain(test["reason"]).replace("#", "_")
    tail = f" # {word} {reason}".rstrip(" #") if word is not None else ""
    return f"{'not ok' if bad else 'ok'} {number} {test['name']}{tail}"


def ktap(report: results.Report) -> str:
    """Each run is a test whose subtests are the tests."""
    lines = ["KTAP version 1", f"1..{len(report['runs'])}"]
    for index, run in enumerate(report["runs"], 1):
        lines += ["  KTAP version 1", f"  1..{len(run['tests'])}"]
        for number, test in enumerate(run["tests"], 1):
            lines += [f"  # {plain(line)}" for line in test["diagnostics"]]
            lines.append("  " + _ktap_line(number, test))
        counts = results.count(run["tests"])
        bad = counts["fail"] + counts["crash"] + counts["timeout"]
        lines.append(f"{'not ok' if bad or not run['tests'] else 'ok'} {index} "
                     f"{results.title(run).replace(' ', '/')}")
    return "\n".join([*lines, ""])


def matrix(report: results.Report) -> List[str]:
    """One row a run: how many tests have which word."""
    rows = [["kernel", "arch", "subject", *results.WORDS]]
    for run in report["runs"]:
        counts = results.tally(run["tests"])
        rows.append([run["kernel"]["name"], run["arch"], run["subject"]["name"],
                     *(str(counts[word] or "-") for word in results.WORDS)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) if column < 3 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")


def github_annotations(report: results.Report) -> List[str]:
    """Workflow commands for the first failures."""
    bad = [(run, test) for run, test in results.each_test(report)
           if test["status"] in ("fail", "crash", "timeout") and not test.get("known")]
    lines = []
    for run, test in bad[:ANNOTATIONS_MAX]:
        message = "\n".join([test["reason"], *test["diagnostics"][-5:]]).strip()
        lines.append(f"::error title={_escape_property(test['name'])}::"
                     f"{_escape_data(plain_lines(results.title(run) + ': ' + message))}")
    if len(bad) > ANNOTATIONS_MAX:
        lines.append(f"::error title=bulkhead::{len(bad) - ANNOTATIONS_MAX} more tests failed")
    return lines


def plain_lines(text: str) -> str:
    """Like plain(), but lines stay lines."""
    return "\n".join(plain(line) for line in text.split("\n"))


class CommandGuard:
    """While guest text goes to the log of a GitHub workflow, its runner must not obey it."""

    def __init__(self, environment: Dict[str, str]) -> None:
        self.active = environment.get("GITHUB_ACTIONS") == "true"
        self._token = os.urandom(16).hex() if self.active else ""

    def begin(self) -> List[str]:
        """What to print before text of the guest."""
        return [f"::stop-commands::{self._token}"] if self.active else []

    def end(self) -> List[str]:
        """What to print after it."""
        return [f"::{self._token}::"] if self.active else []
