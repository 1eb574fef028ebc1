#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sabotage: each system call that a runtime's isolation depends on is skipped once.

The runtime is told that the call succeeded. Then one of three things is so: the runtime notices
and starts no container (refused), a test of the suite turns red that is not red without the
sabotage (caught), or nothing does (survived): either the call is of no consequence, or a test
is missing. ci/saboteur/ is the tracer that does it, to each container that the tests start.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Iterable, Iterator

HERE = Path(__file__).resolve().parent
SELFTESTS = HERE.parent / "selftests"
sys.path.insert(0, str(SELFTESTS))
import run  # noqa: E402 # its room's modules are found by their bare names

COMMAND = "/selftest"  # the container's command: the test program, as the harness binds it
RUNTIMES = {"bubblewrap": "bwrap"}  # the others have their subject's name
SECONDS = 900

# A container each, and between them every option: what a subject does is learnt from these,
# and they are tried first, for many a sabotage keeps every container from starting.
PLAIN = ("uts.configured_name_is_reported", "uts.a_user_namespace_changes_nothing",
         "uts.domainname_is_set_as_asked", "mnt.bind_is_read_only_when_asked",
         "mnt.asked_for_tmpfs_is_there", "rootfs.root_is_read_only_when_asked")

# In CLONE_* flags are dropped one at a time; names and bits as in linux/sched.h.
CLONE_FLAGS = {"CLONE_NEWTIME": 0x80, "CLONE_NEWNS": 0x20000, "CLONE_NEWCGROUP": 0x2000000,
               "CLONE_NEWUTS": 0x4000000, "CLONE_NEWIPC": 0x8000000, "CLONE_NEWUSER": 0x10000000,
               "CLONE_NEWPID": 0x20000000, "CLONE_NEWNET": 0x40000000}

# What else than 0 a call returns that succeeded.
RESULTS = {"umask": 0o22, "setsid": 1, "keyctl": 1}

REFUSED, CAUGHT, SURVIVED = "refused", "caught", "survived"


@dataclass(frozen=True)
class Call:
    """The Nth call of a container whose text is this, but for what differs between runs."""

    text: str
    glob: str
    number: int
    flag: str = ""  # of CLONE_*: the call is made, without it

    def options(self) -> list[str]:
        """The saboteur's options for it."""
        name = self.text.partition("(")[0]
        count = re.search(r"(\d+)\)$", self.text)
        result = int(count[1]) if name == "write" and count else RESULTS.get(name, 0)
        how = ["--clear", str(CLONE_FLAGS[self.flag])] if self.flag else ["--return", str(result)]
        return ["--call", self.glob, "--nth", str(self.number), *how]

    def __str__(self) -> str:
        return self.text + (f" #{self.number}" if self.number > 1 else "") + \
            (f" without {self.flag}" if self.flag else "")


@dataclass(frozen=True)
class Outcome:
    """What came of a call's sabotage: `tests` are those that turned red."""

    call: Call
    verdict: str
    tests: tuple[str, ...] = ()


def pattern(text: str) -> str:
    """A glob for a call's text: numbers of processes and files, and temporary names, differ."""
    glob = re.sub(r"([\[\]*?\\])", r"\\\1", text)
    glob = re.sub(r"(?<!0x)(?<![0-9a-fx])\d{3,}(?![0-9a-f]*k)", "*", glob)
    glob = re.sub(r"0x[0-9a-f]{7,}(?=[,)])", "*", glob) if glob.startswith(("prctl", "keyctl")) \
        else glob
    glob = re.sub(r"(/selftests/\w+/)\w+", r"\1*", glob)
    glob = re.sub(r"(/(?:tmp|[a-z]*root|selftest|runc|crun|unified)[-.]?)(?=\w*[A-Z0-9])\w{6,10}\b",
                  r"\1*", glob)
    return re.sub(r"(\.#[a-z-]+)[0-9a-f*]+", r"\1*", glob)


def calls_of(log: Iterable[str]) -> list[Call]:
    """The calls of all containers whose command was executed, each once; lines of a log."""
    seen: dict[Call, None] = {}
    made: collections.Counter[tuple[str, str]] = collections.Counter()
    lines = [line.partition("\t")[::2] for line in log]
    started = {container for container, text in lines if text == "command"}
    known: dict[tuple[str, int], str] = {}
    for container, text in lines:
        if container not in started or text == "command":
            continue
        glob = pattern(text)
        made[container, glob] += 1
        number = made[container, glob]
        shown = known.setdefault((glob, number), text)
        for flag in [flag for flag in CLONE_FLAGS if flag in text] or [""]:
            seen[Call(shown, glob, number, flag)] = None
    return list(seen)


def without_loops(calls: list[Call]) -> list[Call]:
    """Of the calls that drop one capability after the other only the first."""
    first: dict[str, Call] = {}
    for call in calls:
        step = re.match(r"prctl\((24|47, 0x3),", call.text)
        first.setdefault(step[0] if step else str(call), call)
    return list(first.values())


class Campaign:
    """All sabotages of one subject."""

    def __init__(self, subject: str, build: Path, programs: list[Path], only: list[str]) -> None:
        self.adapter = SELFTESTS / "subjects" / subject
        self.rootfs = build / "subjects/rootfs"
        self.saboteur, self.programs, self.only = build / "saboteur", programs, only
        naive = build / "subjects" / os.uname().machine / "naive"
        built = {"bulkhead": build / "bulkhead", "naive": naive}
        self.environment = {**os.environ, "BULKHEAD": str(built["bulkhead"]), "NAIVE": str(naive)}
        installed = shutil.which(RUNTIMES.get(subject, subject))
        found = str(built[subject]) if subject in built else installed
        if not found:
            raise SystemExit(f"sabotage: cannot find the runtime of \"{subject}\"")
        self.runtime = os.path.realpath(found)
        self.sound: dict[str, run.Result] = {}

    def execute(self, program: Path, globs: Iterable[str] = (), *options: str
                ) -> dict[str, run.Result]:
        """The results of a test program whose containers are sabotaged."""
        command = [str(self.saboteur), "--runtime", self.runtime, "--command", COMMAND, *options,
                   "--", str(program), "--subject", str(self.adapter), "--rootfs",
                   str(self.rootfs)]
        for glob in globs:
            command += ["--run", glob]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=SECONDS, check=False,
                              env=self.environment)
        results: dict[str, run.Result] = run.parse(done.stdout)
        if run.planned(done.stdout) != len(results):
            results[f"{program.name}.*"] = run.Result("LOST", done.stderr.strip()[-200:])
        return results

    def learn(self) -> list[Call]:
        """Every call that may be sabotaged."""
        lines = []
        with tempfile.NamedTemporaryFile("r", prefix="sabotage-") as log:
            for program in self.programs:
                globs = [glob for glob in PLAIN if glob.startswith(program.name + ".")]
                if globs:
                    self.execute(program, globs, "--log", log.name)
                    told = Path(log.name).read_text(errors="replace")
                    lines += [f"{program.name} {line}" for line in told.splitlines()]
        return calls_of(lines)

    def judge_sound(self) -> None:
        """What is red without any sabotage."""
        for program, globs in self.rounds():
            self.sound.update(self.execute(program, globs))

    def chosen(self, program: Path) -> list[str]:
        """The globs of --run that are about this program's area."""
        return [glob for glob in self.only if glob.startswith(program.name + ".")]

    def red(self, results: dict[str, run.Result]) -> dict[str, run.Result]:
        """What is bad now and was not: a test that was skipped may not be either."""
        return {name: result for name, result in results.items()
                if result.bad and (name not in self.sound or not self.sound[name].bad)}

    def rounds(self) -> Iterator[tuple[Path, list[str]]]:
        """What is run for a sabotage, until something turns red."""
        for program in self.programs:
            plain = [glob for glob in PLAIN if glob.startswith(program.name + ".")]
            if plain:
                yield program, plain
        for program in self.programs:
            if not self.only or self.chosen(program):
                yield program, self.chosen(program)

    def try_one(self, call: Call) -> Outcome:
        """One sabotage, to all containers."""
        for program, globs in self.rounds():
            try:
                bad = self.red(self.execute(program, globs, *call.options()))
                # Seen twice, for a machine has troubles of its own.
                again = self.execute(program, sorted(bad), *call.options()) if bad else {}
                bad = {name: bad[name] for name in self.red(again) if name in bad}
            except subprocess.TimeoutExpired:
                return Outcome(call, CAUGHT, ("(a hang)",))
            if bad:
                failed = [name for name, result in bad.items() if result.word != "BROKEN"]
                return Outcome(call, CAUGHT if failed else REFUSED, tuple(failed or bad))
        return Outcome(call, SURVIVED)


def row(outcome: Outcome) -> str:
    """One line of the table."""
    tests = ", ".join(outcome.tests[:3]) + (", …" if len(outcome.tests) > 3 else "")
    return f"{outcome.verdict:9} {str(outcome.call)[:110]:110} {tests}".rstrip()


def totals(subject: str, outcomes: list[Outcome]) -> str:
    """The counts of a subject."""
    counts = collections.Counter(outcome.verdict for outcome in outcomes)
    return (f"{subject}: {len(outcomes)} calls sabotaged, {counts[REFUSED]} refused, "
            f"{counts[CAUGHT]} caught, {counts[SURVIVED]} survived")


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--subject", action="append", required=True, help="repeatable")
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--call", default="", help="only calls whose text has this expression")
    parser.add_argument("--run", action="append", default=[], metavar="AREA.GLOB",
                        help="judge by these tests only (repeatable; default: all)")
    parser.add_argument("--every", action="store_true",
                        help="each capability's own drop, too, not only the first")
    parser.add_argument("--list", action="store_true", help="the calls; no sabotage")
    parser.add_argument("programs", nargs="+", type=Path, help="test programs")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Prints a line a call and the counts, and writes them to BUILD/sabotage.json."""
    options = parse_arguments(arguments)
    build = options.build.resolve()
    told: dict[str, list[dict[str, object]]] = {}
    for subject in options.subject:
        campaign = Campaign(subject, build, options.programs, options.run)
        calls = [call for call in campaign.learn() if re.search(options.call, str(call))]
        if not options.every:
            calls = without_loops(calls)
        if options.list:
            print(*calls, sep="\n")
            continue
        campaign.judge_sound()
        outcomes = []
        for call in calls:
            outcomes.append(campaign.try_one(call))
            print(row(outcomes[-1]), flush=True)
        print(totals(subject, outcomes), flush=True)
        told[subject] = [asdict(outcome) for outcome in outcomes]
    (build / "sabotage.json").write_text(json.dumps(told, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
