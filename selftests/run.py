#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the test programs, raw and through subjects, and prints one table of all.

A row is a test, a column is the kernel layer (raw; user: the same without privilege) or a
subject. Below the table stand
the findings: for each runtime test that failed, what got through, in one sentence.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
RAW, USER = "raw", "user"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
RESULT = re.compile(r"(?P<ok>ok|not ok) \d+ (?P<name>[^ #]+)(?: # (?P<why>.*))?$")
ABSENT, LACKS = "SKIP subject-absent", "SKIP subject-lacks:"
ERRORS = {"ERROR crash": "CRASH", "ERROR leak": "LEAK", "ERROR broken": "BROKEN",
          "TIMEOUT": "TIMEOUT"}


@dataclass
class Result:
    """One test's line of KTAP and the diagnostics before it."""

    word: str
    why: str
    diagnostics: list[str] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        return self.word not in ("ok", "skip", "lacks")

    @property
    def judged_bad(self) -> bool:
        """Something got through. A test whose stage could not be set has judged nothing."""
        return self.bad and self.word != "BROKEN"

    @property
    def finding(self) -> str:
        """What got through: the test's own sentence, else what went wrong."""
        for line in self.diagnostics:
            if line.startswith("finding: "):
                return line[len("finding: "):]
        return self.why or self.word


def word_of(ok: bool, why: str) -> str:
    """The table's word for a result line's directive: what the subject does not provide is not
    what the kernel cannot do."""
    if ok and why.startswith(LACKS):
        return "lacks"
    if ok:
        return "skip" if why.startswith("SKIP") else "ok"
    return next((word for start, word in ERRORS.items() if why.startswith(start)), "FAIL")


def parse(ktap: str) -> dict[str, Result]:
    """The top-level results of a program; rows are part of their test."""
    results: dict[str, Result] = {}
    diagnostics: list[str] = []
    for line in ktap.splitlines():
        match = RESULT.match(line)
        if match:
            why = match["why"] or ""
            results[match["name"]] = Result(word_of(match["ok"] == "ok", why), why, diagnostics)
            diagnostics = []
        elif line.lstrip().startswith("# "):
            diagnostics.append(line.lstrip()[2:])
    return results


def absent(results: dict[str, Result]) -> str | None:
    """Why no test could run: the subject is not there."""
    reasons = {result.why for result in results.values()}
    why = reasons.pop() if len(reasons) == 1 else ""
    return why[len(ABSENT):].strip("( )") if why.startswith(ABSENT) else None


def planned(ktap: str) -> int | None:
    """The number of tests that the program promised, None when it promised nothing."""
    match = re.search(r"^1\.\.(\d+)", ktap, re.MULTILINE)
    return int(match[1]) if match else None


def run_program(program: Path, column: str, options: argparse.Namespace) -> dict[str, Result]:
    """Runs one program for one column. A lost test is a failure by the program's name."""
    command = [str(program)]
    if column == USER and os.geteuid() == 0:
        command = [*NOBODY, shutil.copy2(program, options.public)]
    for glob in options.run:
        command += ["--run", glob]
    if column not in (RAW, USER):
        command += ["--subject", str(HERE / "subjects" / column), "--rootfs", options.rootfs]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", check=False)
    results = parse(done.stdout)
    if absent(results):
        options.absent[column] = absent(results)
    if planned(done.stdout) != len(results) or done.returncode not in (0, 1, 4):
        told = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        results[f"{program.name}.*"] = Result("LOST", f"exit status {done.returncode}: {told}")
    return results


def table(columns: dict[str, dict[str, Result]]) -> list[str]:
    """Tests down, columns across, and the counts below."""
    names = list(dict.fromkeys(name for results in columns.values() for name in results))
    first = max((len(name) for name in names), default=4)
    widths = [max(len(column), 7) for column in columns]
    lines = ["  ".join([" " * first, *(c.ljust(w) for c, w in zip(columns, widths))]).rstrip()]
    for name in names:
        words = [results[name].word if name in results else "-" for results in columns.values()]
        cells = (word.ljust(width) for word, width in zip(words, widths))
        lines.append("  ".join([name.ljust(first), *cells]).rstrip())
    for count, wanted in (("passed", ("ok",)), ("failed", None), ("skipped", ("skip",)),
                          ("not provided", ("lacks",))):
        numbers = [str(sum(r.bad if wanted is None else r.word in wanted
                           for r in results.values())) for results in columns.values()]
        cells = (number.ljust(width) for number, width in zip(numbers, widths))
        lines.append("  ".join([count.rjust(first), *cells]).rstrip())
    return lines


def read_findings(path: Path) -> set[str]:
    """The tests that must fail, one a line; '#' starts a comment."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return {line for line in lines if line}


def compare(expected: set[str], results: dict[str, Result]) -> list[str]:
    """How the findings differ from the expected ones."""
    bad = {name for name, result in results.items() if result.judged_bad}
    return ([f"{name}: expected to be found, but it was not" for name in sorted(expected - bad)]
            + [f"{name}: found, but not expected: {results[name].finding}"
               for name in sorted(bad - expected)])


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="+", type=Path, help="test programs")
    parser.add_argument("--subject", action="append", default=[],
                        help="a subject's name, raw or user (repeatable; default: raw)")
    parser.add_argument("--run", action="append", default=[], help="only these tests (glob)")
    parser.add_argument("--rootfs", default="", help="the containers' root")
    parser.add_argument("--findings", type=Path,
                        help="the tests of this list must find something, and no other")
    parser.add_argument("--verbose", action="store_true", help="diagnostics of what failed")
    return parser.parse_args(arguments)


def run_columns(options: argparse.Namespace) -> dict[str, dict[str, Result]]:
    """All programs for all columns. A user finds the programs in a directory for everybody."""
    columns: dict[str, dict[str, Result]] = {}
    with tempfile.TemporaryDirectory(prefix="selftest-run-") as options.public:
        os.chmod(options.public, 0o755)
        for column in options.subject or [RAW]:
            columns[column] = {}
            for program in options.programs:
                columns[column].update(run_program(program, column, options))
    return columns


def print_failures(columns: dict[str, dict[str, Result]], verbose: bool) -> None:
    for column, results in columns.items():
        bad = {name: result for name, result in results.items() if result.bad}
        found = sum(result.judged_bad for result in bad.values())
        if bad:
            noun = "failure" if column in (RAW, USER) else "finding"
            print(f"\n{column}: {found} {noun}{'s' * (found != 1)}, "
                  f"{len(bad) - found} could not be judged")
        for name, result in sorted(bad.items(), key=lambda item: not item[1].judged_bad):
            print(f"  {name}: {result.finding}")
            for line in result.diagnostics if verbose else []:
                print(f"      {line}")


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    options.absent = {}
    columns = run_columns(options)
    print("\n".join(table(columns)))
    print_failures(columns, options.verbose)
    for column, reason in options.absent.items():
        print(f"\n{column}: not judged: {reason}")
        columns.pop(column)
    if options.absent and not columns:
        return 0
    if not any(columns.values()):
        print("selftest: cannot judge: no test ran", file=sys.stderr)
        return 1
    if not options.findings:
        return int(any(result.bad for results in columns.values() for result in results.values()))
    differences = [line for results in columns.values()
                   for line in compare(read_findings(options.findings), results)]
    for line in differences:
        print(f"selftest: {line}", file=sys.stderr)
    return int(bool(differences))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
