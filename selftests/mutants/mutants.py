#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Breaks a kernel one function at a time, and prints which test of the suite notices.

Each row of the table is a guest with mutant.ko, in which the tests of the areas that the row names
run, then all others, then those through a runtime. The first failure catches the mutant and ends
its guest, unless --all asks for every test that would. See docs/mutants.md.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import json
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAUNCHER = HERE.parent.parent / "vm/run-tests.sh"
TIMEOUT = "10"  # a hang is the verdict of many mutants: no need to wait long for each
NO_RUN = (2, 3)  # the launcher's exit status for bad usage, and for what it lacks
REACHED = "mutant.was_reached"
BAD = re.compile(r"(?:FAIL|CRASH|TIMEOUT) +\S+ \S+ (?P<subject>\S+)  (?P<test>\S+?)(?::|$| \()")
NOT_MADE = re.compile(r"cannot run --before|did not survive --before|before\.command")


@dataclass(frozen=True)
class Mutant:
    """One row of the table; `parameters` are those of mutant.ko."""

    name: str
    areas: tuple[str, ...]
    parameters: str
    broken: str


@dataclass
class Verdict:
    """What became of a mutant: caught, survived, unreached or unmade."""

    mutant: Mutant
    word: str = "survived"
    tests: list[str] = field(default_factory=list)
    reason: str = ""
    seconds: float = 0.0


def read_table(path: Path) -> list[Mutant]:
    """The mutants; '#' starts a comment line."""
    with path.open(encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [Mutant(row["name"], tuple(row["areas"].split()), row["parameters"], row["broken"])
            for row in rows]


class Campaign:
    """What all runs of all mutants have in common."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.running: set[subprocess.Popen[str]] = set()
        self.mutex = threading.Lock()
        self.areas = {subject: self.areas_of(subject) for subject in ["kernel", *options.subject]}

    def areas_of(self, subject: str) -> tuple[str, ...]:
        """The areas that have tests for the subject, as the launcher lists them."""
        listed = subprocess.run([str(LAUNCHER), "--kernel", self.options.kernel, "--subject",
                                 subject, "--list"], stdout=subprocess.PIPE, text=True,
                                check=False)
        if listed.returncode:
            sys.exit(f"mutants.py: cannot list the tests for \"{subject}\" on "
                     f"\"{self.options.kernel}\": exit status {listed.returncode} (see above)")
        return tuple(sorted({name.split(".")[0] for name in listed.stdout.splitlines()}))

    def command(self, mutant: Mutant, subject: str, areas: tuple[str, ...]) -> list[str]:
        """A call of the launcher."""
        words = [str(LAUNCHER), "--kernel", self.options.kernel,
                 "--subject", subject, "--isolate", "none", "--jobs", "1", "--timeout", TIMEOUT,
                 "--add", f"{self.options.module}:/mutant.ko",
                 "--add", f"{HERE / 'reached.sh'}:/selftests/zz_reached",
                 "--before", f"insmod /mutant.ko {mutant.parameters}", "--tests", REACHED]
        for area in areas:
            words += ["--tests", area]
        return words

    def run(self, mutant: Mutant, subject: str, areas: tuple[str, ...]) -> tuple[list[str], str]:
        """The tests that failed, and why none could be run, if so."""
        process = subprocess.Popen(self.command(mutant, subject, areas), text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, errors="replace")
        with self.mutex:
            self.running.add(process)
        found: list[str] = []
        unmade = said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said = line.strip() or said
            if NOT_MADE.search(line):
                unmade = unmade or line.strip()
            elif match := BAD.match(line):
                found.append(match["test"])
            if unmade or found and not self.options.all and found[-1] != REACHED:
                process.send_signal(signal.SIGTERM)
        process.wait()
        with self.mutex:
            self.running.discard(process)
        if process.returncode in NO_RUN and not found:
            unmade = unmade or said
        return list(dict.fromkeys(found)), unmade

    def stages(self, mutant: Mutant) -> list[tuple[str, tuple[str, ...]]]:
        """The areas concerned first, since most mutants are caught there."""
        if self.options.quick:
            return [("kernel", mutant.areas)]
        others = tuple(area for area in self.areas["kernel"] if area not in mutant.areas)
        stages = [("kernel", mutant.areas), ("kernel", others)]
        stages += [(subject, self.areas[subject]) for subject in self.options.subject]
        return [(subject, areas) for subject, areas in stages if areas]

    def judge(self, mutant: Mutant) -> Verdict:
        """Runs a mutant until a test catches it."""
        verdict = Verdict(mutant, "unreached")
        begun = time.monotonic()
        for subject, areas in self.stages(mutant):
            found, verdict.reason = self.run(mutant, subject, areas)
            if verdict.reason:
                verdict.word = "unmade"
                break
            if REACHED not in found and verdict.word == "unreached":
                verdict.word = "survived"
            caught = [f"{name} ({subject})" if subject != "kernel" else name
                      for name in found if name != REACHED]
            verdict.tests = caught if self.options.all else caught[:1]
            if caught:
                verdict.word = "caught"
                break
        verdict.seconds = time.monotonic() - begun
        return verdict

    def end(self) -> None:
        """Ends the launchers, which end their guests."""
        with self.mutex:
            for process in self.running:
                process.send_signal(signal.SIGTERM)


def shown(verdict: Verdict) -> str:
    """A line of the kill matrix."""
    what = ", ".join(verdict.tests[:4]) or verdict.mutant.broken
    more = f" and {len(verdict.tests) - 4} more" if len(verdict.tests) > 4 else ""
    if verdict.word == "unmade":
        what = verdict.reason
    return f"{verdict.word:9} {verdict.mutant.name:34} {what}{more} ({verdict.seconds:.0f} s)"


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="mutants.py", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--module", type=Path, required=True, help="mutant.ko, built for the kernel")
    add("--kernel", default="6.12", help="the kernel, by name (6.12)")
    add("--subject", action="append", default=[], help="also through this runtime (repeatable)")
    add("--run", action="append", default=[], metavar="GLOB", help="only these mutants")
    add("--all", action="store_true", help="all tests that catch a mutant, not the first")
    add("--quick", action="store_true", help="only the areas that a row names, no runtime")
    add("--jobs", type=int, default=2, help="mutants at once (2)")
    add("--json", type=Path, help="where to write the verdicts")
    options = parser.parse_args(argv)
    mutants = [mutant for mutant in read_table(HERE / "mutants.tsv") if not options.run
               or any(fnmatch.fnmatchcase(mutant.name, glob) for glob in options.run)]
    campaign = Campaign(options)
    verdicts: list[Verdict] = []
    try:
        with ThreadPoolExecutor(options.jobs) as pool:
            for done in as_completed(pool.submit(campaign.judge, mutant) for mutant in mutants):
                verdict = done.result()
                print(shown(verdict), flush=True)
                verdicts.append(verdict)
    except BaseException:
        campaign.end()
        raise
    if options.json:
        options.json.write_text(json.dumps(
            [{"name": v.mutant.name, "verdict": v.word, "tests": v.tests, "reason": v.reason}
             for v in verdicts], indent=1) + "\n", encoding="utf-8")
    counts = {word: sum(v.word == word for v in verdicts)
              for word in ("caught", "survived", "unreached", "unmade")}
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return int(counts["survived"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
