# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run says while it goes on: one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
from typing import List, TextIO

from report import render, results

LABELS = {"pass": "ok", "fail": "FAIL", "skip": "skip", "lacks": "lacks", "crash": "CRASH",
          "timeout": "TIMEOUT"}


class Patient:
    """A stream that goes on when nobody reads it any more: the results still go to their files."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.live = out.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def write(self, text: str) -> None:
        """Writes and flushes, or does nothing for ever after."""
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError:
            self._out = open(os.devnull, "w", encoding="utf-8")  # pylint: disable=R1732
            os.dup2(self._out.fileno(), 1)  # the flush at exit must not fail either

    def width(self) -> int:
        """Columns of the terminal."""
        try:
            return os.get_terminal_size(self._out.fileno()).columns
        except OSError:
            return 80


class Progress:
    """Prints results as they come; safe to call from several threads."""

    def __init__(self, out: TextIO, total: int = 0) -> None:
        self.total = total
        self._out = Patient(out)
        self._live = self._out.live
        self._done = self._bad = 0
        self._mutex = threading.RLock()
        self._guard = render.CommandGuard(dict(os.environ))

    def say(self, text: str) -> None:
        """One line of the launcher itself."""
        with self._mutex:
            self._clear()
            self._print([text])

    def warn(self, text: str) -> None:
        """Something that the user should know but that does not end the run."""
        self.say(f"warning: {text}")

    def result(self, run: results.Run, test: results.Test) -> None:
        """One test is decided."""
        with self._mutex:
            self._done += 1
            bad = test["status"] in ("fail", "crash", "timeout")
            self._bad += bad
            self._clear()
            if bad or not self._live:
                self._print_test(run, test, bad)
            if self._live:
                self._move(run, test)

    def _print_test(self, run: results.Run, test: results.Test, bad: bool) -> None:
        reason = f": {render.plain(test['reason'])}" if test["reason"] else ""
        lines = [f"{LABELS[results.word(test)]:7} {results.title(run)}  {test['name']}{reason} "
                 f"({test['duration']:.2f} s)"]
        if bad:
            lines += [f"        {render.plain(line)}" for line in test["diagnostics"][-20:]]
        if test.get("log"):
            lines.append("        the kernel's log:")
            lines += [f"        | {render.plain(line)}" for line in render.log_excerpt(test)]
        self._print([*self._guard.begin(), *lines, *self._guard.end()])

    def _print(self, lines: List[str]) -> None:
        self._out.write("".join(f"{line}\n" for line in lines))

    def _move(self, run: results.Run, test: results.Test) -> None:
        text = (f"[{self._done}/{self.total}] {self._bad} bad  {results.title(run)}  "
                f"{test['name']}")
        self._out.write("\r\x1b[K" + render.plain(text)[:self._out.width() - 1])

    def _clear(self) -> None:
        if self._live:
            self._out.write("\r\x1b[K")

    def finish(self, report: results.Report, status: int, reason: str) -> None:
        """The matrix and the verdict."""
        with self._mutex:
            self._clear()
            self._print(["", *render.matrix(report)])
            for problem in report["problems"]:
                self._safe(f"problem: {problem}")
            for vanished in report.get("vanished", []):
                self._safe(f"vanished since the baseline: {vanished}")
            for run in report["runs"]:
                for text in run["infra"]:
                    self._safe(f"note: {results.title(run)}: {text}")
            self._safe(f"{'PASSED' if status == 0 else 'NOT PASSED'}: {reason} "
                       f"({self._done} results in {report['duration']:.1f} s)")
            if self._guard.active:
                self._print(render.github_annotations(report))

    def _safe(self, text: str) -> None:
        self._print([*self._guard.begin(), render.plain(text), *self._guard.end()])


def error(text: str) -> None:
    """The launcher's last word."""
    print(f"run-tests.sh: {render.plain_lines(text)}", file=sys.stderr, flush=True)
