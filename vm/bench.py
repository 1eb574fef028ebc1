# SPDX-License-Identifier: GPL-2.0-or-later
"""Times the launcher against the plainest QEMU boot of the same kernel, and against virtme-ng,
side by side in one run, and says which goals are met."""

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
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from peer import PeerMissing, Virtme

TREE = Path(__file__).resolve().parents[1]
TESTS = 8  # tests of the per-test comparison


class Bench:
    """One kernel, with caches of its own: nothing of the user's is touched or used."""

    def __init__(self, kernel: str, area: str) -> None:
        self.kernel = kernel
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
        self.run("--tests", self.tests[0])

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

    def guest_bytes(self) -> int:
        """The most memory that QEMU had of the host while it ran a test in a restored guest."""
        most = 0
        command = [*self.base, "--tests", self.tests[0]]
        with subprocess.Popen(command, env=self.environment("warm"), stdout=subprocess.DEVNULL) \
                as process:
            while process.poll() is None:
                most = max([most, *map(peak_bytes, qemus_below(process.pid))])
        return most

    def image_seconds(self, build: str) -> float:
        """Seconds for `make image`; BUILD is another build directory, "" the one that is there."""
        start = time.monotonic()
        words = [f"BUILD={os.path.join(self.folder, build)}"] if build else []
        subprocess.run(["make", "-s", "-C", str(TREE), "image", f"KERNEL={self.kernel}", *words],
                       check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - start
        if build:
            shutil.rmtree(os.path.join(self.folder, build))
        return took

    def close(self) -> None:
        """Removes the caches."""
        shutil.rmtree(self.folder, ignore_errors=True)


def qemus_below(pid: int) -> List[int]:
    """The QEMU processes among the children of a process, and theirs."""
    found = []
    for thread in threads(pid):
        for child in map(int, read(thread / "children").split()):
            if read(Path("/proc", str(child), "comm")).startswith("qemu"):
                found.append(child)
            found += qemus_below(child)
    return found


def threads(pid: int) -> List[Path]:
    """The directories of a process's threads; none when the process is gone."""
    try:
        return list(Path("/proc", str(pid), "task").iterdir())
    except OSError:
        return []


def read(path: Path) -> str:
    """A file of /proc; "" when its process is gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def peak_bytes(pid: int) -> int:
    """What a process had in memory at most."""
    lines = [line.split() for line in read(Path("/proc", str(pid), "status")).splitlines()]
    return sum(int(line[1]) << 10 for line in lines if line[0] == "VmHWM:")


PLAIN, COLD, FIRST, WARM = ("plain QEMU boot", "cold, no snapshot", "first run, makes the snapshot",
                            "warm")
PEER = "virtme-ng, true"


class Figure(NamedTuple):
    """One thing that was measured, and the most that it should be (0: no goal)."""

    name: str
    value: float
    unit: str
    goal: float = 0.0

    def line(self) -> str:
        """A row of the table."""
        verdict = f"  (goal {self.goal:g}: {'met' if self.value <= self.goal else 'MISSED'})" \
            if self.goal else ""
        return f"{self.name:44}  {self.value:8.2f}  {self.unit}{verdict}"


def measure(bench: Bench, peer: Optional[Virtme], rounds: int) -> Dict[str, List[float]]:
    """Seconds of each contestant in each round; they take turns."""
    contestants: Dict[str, Callable[[], float]] = {
        PLAIN: bench.plain_boot,
        COLD: lambda: bench.first_result("--no-snapshot"),
        FIRST: bench.first_run,
        WARM: bench.first_result,
        f"{len(bench.tests)} tests, one guest": lambda: bench.all_tests("none"),
        f"{len(bench.tests)} tests, a guest each": lambda: bench.all_tests("test"),
    }
    times: Dict[str, List[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, contestant in contestants.items():
            times[name].append(contestant())
        if peer and number < max(1, rounds // 2):  # it takes its time
            times.setdefault(PEER, []).append(peer.run())
    return times


def ratio(times: Dict[str, List[float]], name: str) -> float:
    """To the plain boot of the same round, the median of all rounds: what slows the host down
    slows both."""
    return statistics.median(mine / plain for mine, plain in zip(times[name], times[PLAIN]))


def table(times: Dict[str, List[float]]) -> None:
    """Prints the seconds and ratios."""
    print(f"{'':30}  median  minimum  ratio to the plain boot")
    for name, values in times.items():
        print(f"{name:30}  {statistics.median(values):6.2f}  {min(values):7.2f}  "
              f"{ratio(times, name):.3f}")


def figures(bench: Bench, times: Dict[str, List[float]]) -> List[Figure]:
    """What there are goals for."""
    count = len(bench.tests)
    each = [(apart - together) / (count - 1) for apart, together in zip(
        times[f"{count} tests, a guest each"], times[f"{count} tests, one guest"])]
    return [
        Figure("warm: command to first result, minimum", min(times[WARM]), "s", 0.5),
        Figure("warm, by the plain boot", ratio(times, WARM), "", 0.2),
        Figure("cold without snapshot, by the plain boot", ratio(times, COLD), "", 1.15),
        Figure("first run, by the plain boot", ratio(times, FIRST), "", 1.15),
        Figure("a pristine guest costs, minimum", min(each), "s", 0.35),
        Figure("a guest's memory on the host, at most", bench.guest_bytes() / (1 << 20), "MiB"),
        Figure("the same image again", bench.image_seconds(""), "s", 2),
        Figure("an image from nothing, packages at hand", bench.image_seconds("cold"), "s", 60),
    ]


def snapshot_figures(kernels: List[str], area: str) -> List[Figure]:
    """The snapshot of each kernel."""
    found = []
    for kernel in kernels:
        bench = Bench(kernel, area)
        try:
            bench.prepare()
            found.append(Figure(f"snapshot of {kernel} on the disk", bench.snapshot_bytes() / 1e6,
                                "MB", 60))
        finally:
            bench.close()
    return found


def find_peer(bench: Bench) -> Optional[Virtme]:
    """virtme-ng on the same kernel, if it runs here."""
    from launcher import accel, arch, hosts, images
    mine = arch.ARCHES[images.host_arch(hosts.host_machine())]
    chosen = accel.choose(mine, hosts.find_qemu(mine), "auto").name
    try:
        peer = Virtme(bench.kernel, mine.name, chosen, Path(bench.folder, "peer"))
        peer.run()
        return peer
    except PeerMissing as problem:
        print(f"virtme-ng is not timed: {problem}")
        return None


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", default="6.12", help="the kernel that is timed")
    parser.add_argument("--snapshot-of", action="append", default=[], metavar="KERNEL",
                        help="a kernel whose snapshot is measured, too (repeatable)")
    parser.add_argument("--area", default="uts", help="area whose tests are run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-peer", action="store_true", help="do not time virtme-ng")
    parser.add_argument("--json", default="", metavar="FILE")
    options = parser.parse_args()
    bench = Bench(options.kernel, options.area)
    try:
        bench.prepare()
        times = measure(bench, None if options.no_peer else find_peer(bench), options.rounds)
        table(times)
        found = figures(bench, times)
    finally:
        bench.close()
    found += snapshot_figures(list(dict.fromkeys([options.kernel, *options.snapshot_of])),
                              options.area)
    print()
    for figure in found:
        print(figure.line())
    if options.json:
        report: Dict[str, Any] = {"kernel": options.kernel, "seconds": times,
                                  "figures": [figure._asdict() for figure in found]}
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
