# SPDX-License-Identifier: GPL-2.0-or-later
"""Times the launcher against the plainest QEMU boot of the same kernel, side by side in one run."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

TREE = Path(__file__).resolve().parents[1]
TESTS = 8  # tests of the per-test comparison


class Bench:
    """One kernel, with caches of its own: nothing of the user's is touched or used."""

    def __init__(self, kernel: str, area: str) -> None:
        self.folder = tempfile.mkdtemp(prefix="bulkhead-bench-")
        self.base = [str(TREE / "vm/run-tests.sh"), "--kernel", kernel, "--jobs", "1"]
        self.area = area
        self.tests: List[str] = []

    def environment(self, cache: str) -> Dict[str, str]:
        """The user's environment with another cache."""
        return {**os.environ, "XDG_CACHE_HOME": os.path.join(self.folder, cache)}

    def run(self, *options: str, cache: str = "warm") -> str:
        """Runs the launcher to its end; returns what it printed."""
        done = subprocess.run([*self.base, *options], env=self.environment(cache), check=False,
                              stdout=subprocess.PIPE, encoding="utf-8")
        if done.returncode not in (0, 1):
            sys.exit(f"vm-bench: the launcher ended with {done.returncode}: {done.stdout[-500:]}")
        return done.stdout

    def prepare(self) -> None:
        """Fills the warm cache, and picks the tests."""
        listed = self.run("--list", "--tests", self.area).split("\n")
        self.tests = [line.split("\t")[0] for line in listed if line][:TESTS]
        if not self.tests:
            sys.exit(f"vm-bench: cannot find tests of \"{self.area}\"")

    def first_result(self, *options: str, cache: str = "warm") -> float:
        """Seconds from typing the command to the first test's result."""
        start = time.monotonic()
        with subprocess.Popen([*self.base, "--tests", self.tests[0], *options], text=True,
                              env=self.environment(cache), stdout=subprocess.PIPE) as process:
            assert process.stdout
            for line in process.stdout:
                if self.tests[0] in line:
                    took = time.monotonic() - start
                    process.stdout.read()
                    return took
        sys.exit("vm-bench: the launcher gave no result")

    def first_run(self) -> float:
        """The same with nothing in the cache: boots, makes the snapshot, restores it."""
        try:
            return self.first_result(cache="empty")
        finally:
            shutil.rmtree(os.path.join(self.folder, "empty"), ignore_errors=True)

    def plain_boot(self) -> float:
        """Seconds from QEMU's start to an init that is ready; no launcher, no test."""
        swap = {"stdio,id=console,signal=off": "null,id=console",
                "file,id=results,path=results.log": "stdio,id=results,signal=off"}
        words = [swap.get(word, word) for word in shlex.split(self.run("--dry-run"))]
        start = time.monotonic()
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout
            ready = any(b" ready " in line for line in process.stdout)
            took = time.monotonic() - start
            process.kill()
        if not ready:
            sys.exit("vm-bench: the plain boot does not become ready")
        return took

    def all_tests(self, isolate: str) -> float:
        """Seconds for TESTS tests."""
        names = [word for test in self.tests for word in ("--tests", test)]
        start = time.monotonic()
        self.run("--isolate", isolate, *names)
        return time.monotonic() - start

    def snapshot_bytes(self) -> int:
        """What the warm cache's snapshot takes on the disk."""
        files = Path(self.folder, "warm/bulkhead/snapshots").glob("*/*")
        return sum(os.stat(file).st_blocks * 512 for file in files)


def virtme() -> Optional[Callable[[], float]]:
    """virtme-ng running `true` on the host's kernel package, where there is one."""
    program = shutil.which("vng")
    if not program:
        return None
    command = [program, "--run", "--", "true"]

    def run() -> float:
        start = time.monotonic()
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return time.monotonic() - start
    return run


def measure(bench: Bench, rounds: int) -> Dict[str, float]:
    """Medians in seconds, the contestants taking turns."""
    contestants: Dict[str, Callable[[], float]] = {
        "plain QEMU boot": bench.plain_boot,
        "cold, no snapshot": lambda: bench.first_result("--no-snapshot"),
        "cold, making the snapshot": bench.first_run,
        "warm": bench.first_result,
        f"{len(bench.tests)} tests, one guest": lambda: bench.all_tests("none"),
        f"{len(bench.tests)} tests, a guest each": lambda: bench.all_tests("test"),
    }
    peer = virtme()
    if peer:
        contestants["virtme-ng, true"] = peer
    times: Dict[str, List[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            times[name].append(contestant())
    return {name: statistics.median(values) for name, values in times.items()}


def report(bench: Bench, seconds: Dict[str, float]) -> Dict[str, float]:
    """Prints the table; returns it with the derived figures."""
    plain = seconds["plain QEMU boot"]
    print(f"{'':28}  seconds  ratio to the plain boot")
    for name, value in seconds.items():
        print(f"{name:28}  {value:7.3f}  {value / plain:.2f}")
    count = len(bench.tests)
    each = (seconds[f"{count} tests, a guest each"] - seconds[f"{count} tests, one guest"]) \
        / (count - 1)
    size = bench.snapshot_bytes()
    print(f"{'a pristine guest costs':28}  {each:7.3f}  {each / plain:.2f}")
    print(f"{'snapshot on disk':28}  {size / (1 << 20):7.1f}  MiB")
    return {**seconds, "pristine guest": each, "snapshot bytes": size}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", default="6.12")
    parser.add_argument("--area", default="uts", help="area whose tests are run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    bench = Bench(options.kernel, options.area)
    try:
        bench.prepare()
        figures = report(bench, measure(bench, options.rounds))
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
