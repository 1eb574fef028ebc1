#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A fault campaign: each system call that bulkhead makes fails once, is skipped, or is its last.

strace(1) learns the calls from a run without faults, then injects one fault a run. The command
of each run is a probe that reports its isolation. Afterwards one of two things must be true:
the command did not run and one line says why, or it ran with exactly the isolation that it has
without a fault. Nothing may hang, and nothing may be left on the host.

strace counts per process: a fault at the Nth call of a name meets every process of bulkhead
that makes N of them. `-b execve` lets go of a process when it executes the command, so that the
probe itself is never at fault.
"""

from __future__ import annotations

import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Iterable, Iterator

import containers
import host

KINDS = {
    "EPERM": "error=EPERM",
    "ENOMEM": "error=ENOMEM",
    "skip": "retval=0",
    "SIGKILL": "signal=KILL",
}
SECONDS = 20

# Without these a program cannot even end, or they are not bulkhead's but strace's to make.
NEVER = {"exit_group", "exit", "execve", "rt_sigreturn", "restart_syscall"}

# The C library dies of these faults by a signal: no message is possible, nothing has been done.
DEADLY = {("arch_prctl", "EPERM"), ("arch_prctl", "ENOMEM"), ("arch_prctl", "skip"),
          ("mmap", "skip"), ("brk", "skip")}

# What a command's status tells about its isolation; the rest of /proc/PID/status is numbers.
STATUS_FIELDS = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
                 "NoNewPrivs", "Seccomp", "Seccomp_filters", "SigBlk", "SigIgn", "SigCgt",
                 "TracerPid", "NSpid", "Threads")


@dataclass(frozen=True)
class Fault:
    """One fault: what happens at the Nth call of a name; `text` is how the call looked."""

    call: str
    number: int
    kind: str
    text: str = ""
    processes: int = 1  # how many of bulkhead's make that call: as many may tell of it

    def options(self) -> list[str]:
        """strace's options for it."""
        inject = f"inject={self.call}:{KINDS[self.kind]}:when={self.number}"
        if self.call == "execve":  # strace's own execve is no matter: only the command's path
            return ["-P", self.text, "-e", inject]
        return ["-b", "execve", "-e", inject]

    def __str__(self) -> str:
        return f"{self.kind} at {self.call} #{self.number} {self.text[:100]}"


@dataclass(frozen=True)
class Outcome:
    """What came of a fault; `verdict` is one of the words below."""

    fault: Fault
    verdict: str
    detail: str = ""
    left: str = ""
    clear: bool = True


CLOSED, COMPLETE = "closed", "complete"
WEAKER, HANG = "ran with less isolation", "hang"
GOOD = (CLOSED, COMPLETE)


def dirty_state() -> None:
    """The state of a careless caller, so that a step that was skipped can be seen inside."""
    if os.geteuid() == 0:
        os.setgroups([4, 20, 4242])
    os.umask(0o077)
    os.dup2(os.open("/etc", os.O_RDONLY), 77)
    os.set_inheritable(77, True)
    host.LIBC.prctl(29, 4321, 0, 0, 0)  # PR_SET_TIMERSLACK
    for number in (signal.SIGUSR2, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def isolation(text: str) -> list[str]:
    """The probe's report without what differs between two runs that are equally isolated."""
    lines = []
    for line in text.splitlines():
        word, _, value = line.partition(" ")
        if word == "fd":
            value = re.sub(r":\[\d+\]", "", value)
        elif word == "ns":
            name, _, number = value.partition(" ")
            try:
                same = os.readlink(f"/proc/self/ns/{name}") == number
            except OSError:
                same = False
            value = f"{name} {'host' if same else 'own'}"
        elif word == "status":
            if value.split(":")[0] not in STATUS_FIELDS:
                continue
        elif word == "mount":
            fields = value.split(" ")
            # uuid=on: what overlayfs says of an upper directory that it has seen before.
            value = re.sub(r",?(size|nr_inodes|inode64|uuid)(=\w+)?", "", " ".join(fields[3:]))
        elif word == "keyring":
            value = value.rpartition(";")[2]
        lines.append(f"{word} {value}")
    return lines


class Campaign:
    """All faults of one way to call bulkhead."""

    def __init__(self, runtime: containers.Runtime, options: Iterable[str] = (),
                 prepare: Callable[[], None] = dirty_state) -> None:
        self.runtime = runtime
        self.options = list(options)
        self.prepare = prepare
        self.trace = runtime.work / "trace"
        self.trace.touch(mode=0o666)
        self.trace.chmod(0o666)

    def execute(self, *strace: str) -> tuple[containers.Result | None, str]:
        """One run under strace: its result (None: it hung), and what is left on the host."""
        before, files = host.Snapshot.take(), self.files()
        tracer = ("strace", "-f", "-qq", "-o", str(self.trace), *strace)
        caller = self.runtime.caller
        if caller.around:  # only a tracer that is root lets newuidmap(1) be set-user-ID
            traced = replace(caller, switch=(*tracer, "-u", containers.TEST_USER))
        else:
            traced = replace(caller, switch=(*caller.switch, *tracer))
        box = replace(self.runtime, caller=traced)
        process = box.start(*self.options, "--", "probe", "report", preexec_fn=self.prepare,
                            pass_fds=(), close_fds=False, start_new_session=True,
                            stdin=subprocess.DEVNULL)
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            host.kill_children()
            process.communicate()
            return None, ""
        left = before.difference_when_settled()
        host.kill_children()
        left += "".join(f"\nfile: {path}" for path in sorted(self.files() ^ files))
        return containers.Result(process.returncode, out.decode(errors="replace"),
                                 err.decode(errors="replace")), left

    def files(self) -> set[str]:
        """Every file in the rootfs and in the directory that the run may write to."""
        found = set()
        for top in (self.runtime.rootfs, self.runtime.work):
            for folder, names, plain in os.walk(top):
                found |= {os.path.join(folder, name) for name in names + plain}
        return found

    def learn(self) -> tuple[list[str], list[Fault]]:
        """The isolation of a run without faults, and every call in it, in the order of time."""
        result, left = self.execute("-b", "execve", "-s", "200")
        assert result and result.status == 0 and result.err == "" and not left, (result, left)
        calls: dict[tuple[str, int], Fault] = {}
        made: collections.Counter[tuple[str, str]] = collections.Counter()
        for line in self.trace.read_text(errors="replace").splitlines():
            found = re.match(r"(\d+)\s+([a-z_0-9]+)\((.*)", line)
            if not found or found[2] in NEVER:
                continue
            made[found[1], found[2]] += 1
            key = found[2], made[found[1], found[2]]
            known = calls.get(key, Fault(*key, "", found[3], 0))
            calls[key] = replace(known, processes=known.processes + 1)
        for path in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"):
            if (self.runtime.rootfs / path[1:] / "probe").exists():
                calls["execve", 1] = Fault("execve", 1, "", f"{path}/probe")
                break
        return isolation(result.out), list(calls.values())

    def try_one(self, fault: Fault, sound: list[str]) -> Outcome:
        """Injects one fault; `sound` is the isolation without it."""
        result, left = self.execute(*fault.options())
        if result is None:
            return Outcome(fault, HANG)
        found = isolation(result.out)
        lines = [line for line in result.err.splitlines() if not line.startswith("new")]
        clear = 1 <= len(lines) <= fault.processes and all(
            re.fullmatch(r"bulkhead: cannot .{3,}: .{3,}", line) for line in lines)
        if not found:
            killed = fault.kind == "SIGKILL" and (result.status < 0 or fault.call == "execve")
            killed = killed or (fault.call, fault.kind) in DEADLY and result.status < 0
            verdict = CLOSED if killed or result.status in (125, 126, 127) else \
                f"did not run, but the status is {result.status}"
            return Outcome(fault, verdict, result.err.strip(), left, clear or killed)
        # A command that dies with bulkhead may have said only the first part.
        cut = result.out.endswith("\n") or len(found)
        told = found if cut is True else found[:-1]
        whole = found == sound or (fault.kind == "SIGKILL" and told == sound[:len(told)])
        detail = "; ".join(sorted(set(found) ^ set(sound)))
        quiet = result.status == 0 and not lines
        return Outcome(fault, COMPLETE if whole else WEAKER, "" if whole else detail, left,
                       quiet or clear or result.status < 0)

    def run(self, kinds: Iterable[str] = KINDS,
            select: Callable[[Fault], bool] = lambda fault: True) -> Iterator[Outcome]:
        """Every fault of these kinds, for the calls that `select` lets through."""
        sound, calls = self.learn()
        for call in filter(select, calls):
            for kind in kinds:
                fault = replace(call, kind=kind)
                yield self.try_one(fault, sound)


def problems(outcomes: Iterable[Outcome]) -> list[str]:
    """A line for each outcome that must not be."""
    found = []
    for outcome in outcomes:
        wrong = [] if outcome.verdict in GOOD else [outcome.verdict]
        wrong += ["left on the host: " + outcome.left.strip()] if outcome.left else []
        wrong += [] if outcome.clear else ["no clear line"]
        if wrong:
            found.append(f"{outcome.fault}: {'; '.join(wrong)}: {outcome.detail}")
    return found


def row(name: str, outcomes: list[Outcome]) -> str:
    """One line of the table: like that of other runtimes in the design."""
    def count(wanted: Callable[[Outcome], object]) -> int:
        return sum(bool(wanted(outcome)) for outcome in outcomes)
    silent = [outcome for outcome in outcomes if outcome.fault.kind != "SIGKILL"]
    killed = [outcome for outcome in outcomes if outcome.fault.kind == "SIGKILL"]
    clear = sum(outcome.clear for outcome in silent)
    weaker = count(lambda outcome: outcome.verdict not in (*GOOD, HANG))
    return (f"| {name} | {len(silent)} | {weaker} | {count(lambda o: o.verdict == HANG)} "
            f"| {sum(bool(o.left) for o in silent)} "
            f"| {sum(bool(o.left) for o in killed)} of {len(killed)} "
            f"| {100 * clear // max(1, len(silent))} % |")


HEADER = ("| | faults | command ran with less isolation | hangs | something left on the host "
          "| left after SIGKILL | message names step and reason |\n"
          "| --- | --- | --- | --- | --- | --- | --- |")

# Ways to call bulkhead that between them take every step: caller and options.
VARIANTS: dict[str, tuple[str, list[str]]] = {
    "root": ("root", []),
    "root, many options": ("root", ["--read-only", "--init", "--bind", "{work}/d:/mnt:ro",
                                    "--tmpfs", "/tmp", "--domainname", "sea", "--workdir", "/usr",
                                    "--user", "1000:1000", "--timens", "10,10"]),
    "root, no filter": ("root", ["--seccomp", "none", "--share", "net"]),
    "root, layers": ("root", ["--layer", "{work}/d"]),
    "root, upper": ("root", ["--upper", "{work}/u"]),
    "root, user namespace": ("root", ["--userns", "--uid-map", "0:0:65536", "--gid-map",
                                      "0:0:65536"]),
    "user": ("rootless", []),
    "user with subordinate ids": ("subids", ["--bind", "{work}/d:/mnt:ro"]),
}


def campaign(runtime: containers.Runtime, options: Iterable[str]) -> Campaign:
    """A campaign whose options may name {work}, with directories d and u in it."""
    for name in ("d", "u"):
        runtime.directory(name)
    return Campaign(runtime, [option.format(work=runtime.work) for option in options])


def main() -> int:
    """Runs all variants; prints the table and each problem, writes them to BUILD/faults.*."""
    build = Path(os.environ.get("BULKHEAD_BUILD", "build"))
    host.adopt_orphans()
    table, bad = [HEADER], []
    print(HEADER)
    with tempfile.TemporaryDirectory(prefix="bulkhead-faults-", dir="/var/tmp") as scratch:
        base = Path(scratch)
        base.chmod(0o755)
        everybody = containers.callers(base)
        binary = containers.install(build / "bulkhead", base)
        probe = containers.compile_probe(base)
        for name, (caller_name, options) in VARIANTS.items():
            caller = everybody.get(caller_name)
            if caller is None:
                continue
            box = containers.prepare(base, binary, probe, build / "rootfs.tar", caller)
            outcomes = list(campaign(box, options).run())
            table.append(row(name, outcomes))
            print(table[-1], flush=True)
            bad += [f"{name}: {line}" for line in problems(outcomes)]
    print(*bad, sep="\n")
    (build / "faults.md").write_text("\n".join([*table, "", *bad]) + "\n")
    (build / "faults.json").write_text(json.dumps(bad, indent=1) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
