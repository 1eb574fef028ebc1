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

import argparse
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
# On request: errors that the kernel also has, and that a program may take for an answer.
MORE_KINDS = {name: f"error={name}"
              for name in ("EINVAL", "ENOSYS", "EAGAIN", "EINTR", "EMFILE", "ENOSPC")}
SECONDS = 20

# Without these a program cannot even end, or they are not bulkhead's but strace's to make.
NEVER = {"exit_group", "exit", "execve", "rt_sigreturn", "restart_syscall"}

# The C library dies of these faults by a signal: no message is possible, nothing has been done.
DEADLY = {("mmap", "skip"), ("brk", "skip"),
          *(("arch_prctl", kind) for kind in (*KINDS, *MORE_KINDS))}

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
        inject = f"inject={self.call}:{({**KINDS, **MORE_KINDS})[self.kind]}:when={self.number}"
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
    host.LIBC.personality(0x0040000)  # ADDR_NO_RANDOMIZE
    os.nice(1)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    for number in (signal.SIGUSR2, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def isolation(text: str, without: Iterable[str] = ()) -> list[str]:
    """The probe's report without what differs between two runs that are equally isolated."""
    lines = []
    for line in text.splitlines():
        word, _, value = line.partition(" ")
        if word in without or value.partition(":")[0] in without:
            continue
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
        elif word == "cgroup":
            value = value.removesuffix("..")  # somebody moves us while it runs
        elif word == "keyring":
            value = value.rpartition(";")[2]
        lines.append(f"{word} {value}")
    return lines


# Words of the probe that on the host differ between any two runs.
IDS_OF_PROCESSES = ("pid", "ppid", "pgid", "sid", "NSpid")


class InitAlone(containers.Runtime):
    """bulkhead as what --init makes of it inside, without a container around it."""

    def run_argv(self, *arguments: str | Path) -> list[str]:
        """The probe as the command of the init; all options are the container's."""
        return self.argv("init-of-container", self.rootfs / "usr/bin/probe", "probe", "report")


class Campaign:
    """All faults of one way to call bulkhead."""

    def __init__(self, runtime: containers.Runtime, options: Iterable[str] = (),
                 prepare: Callable[[], None] = dirty_state) -> None:
        self.runtime = runtime
        self.options = list(options)
        self.prepare = prepare
        self.alone = isinstance(runtime, InitAlone)
        self.unlike = (*IDS_OF_PROCESSES, "fd", "mount") if self.alone else \
            IDS_OF_PROCESSES if "pid" in self.options else ()
        self.trace = runtime.work / "trace"
        self.trace.touch(mode=0o666)
        self.trace.chmod(0o666)

    def execute(self, *strace: str) -> tuple[containers.Result | None, str]:
        """One run under strace: its result, and what is left on the host.

        Of a run that hung: None, and the last calls that were made.
        """
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
            self.remove(self.files() - files)
            return None, " | ".join(self.trace.read_text(errors="replace").splitlines()[-6:])
        left = before.difference_when_settled()
        host.kill_children()
        left += "".join(f"\nfile: {path}" for path in sorted(self.files() ^ files))
        self.remove(self.files() - files)
        return containers.Result(process.returncode, out.decode(errors="replace"),
                                 err.decode(errors="replace")), left

    def files(self) -> set[str]:
        """Every file in the rootfs and in the directory that the run may write to."""
        found = set()
        for top in (self.runtime.rootfs, self.runtime.work):
            for folder, names, plain in os.walk(top):
                found |= {os.path.join(folder, name) for name in names + plain}
        return found

    @staticmethod
    def remove(paths: Iterable[str]) -> None:
        """Takes away what a run has left: the next one starts as this one did."""
        for path in sorted(paths, reverse=True):
            os.rmdir(path) if os.path.isdir(path) else os.unlink(path)

    def learn(self) -> tuple[list[str], list[Fault]]:
        """The isolation of a run without faults, and every call in it, in the order of time."""
        result, left = self.execute("-b", "execve", "-s", "200")
        assert result and result.status == 0 and result.err == "" and not left, (result, left)
        calls: dict[tuple[str, int], Fault] = {}
        made: collections.Counter[tuple[str, str]] = collections.Counter()
        for line in self.trace.read_text(errors="replace").splitlines():
            found = re.match(r"(\d+)\s+([a-z_0-9]+)\((.*)", line)
            if not found or found[2] in NEVER:
                if found and "--tty" in self.options and found[2] == "execve" and calls:
                    break  # bulkhead carries the report now: a cut one tells of nothing
                continue
            made[found[1], found[2]] += 1
            key = found[2], made[found[1], found[2]]
            known = calls.get(key, Fault(*key, "", found[3], 0))
            calls[key] = replace(known, processes=known.processes + 1)
        for path in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"):
            if (self.runtime.rootfs / path[1:] / "probe").exists() and not self.alone:
                calls["execve", 1] = Fault("execve", 1, "", f"{path}/probe")
                break
        return isolation(result.out, self.unlike), list(calls.values())

    def try_one(self, fault: Fault, sound: list[str]) -> Outcome:
        """Injects one fault; `sound` is the isolation without it."""
        result, left = self.execute(*fault.options())
        if result is None:
            return Outcome(fault, HANG, left)
        found = isolation(result.out, self.unlike)
        lines = [line for line in result.err.splitlines() if not line.startswith("new")]
        clear = 1 <= len(lines) <= fault.processes and all(
            re.fullmatch(r"bulkhead: cannot .{3,}: .{3,}", line) for line in lines)
        if not found:
            killed = result.status < 0 and (fault.kind == "SIGKILL" or
                                            (fault.call, fault.kind) in DEADLY)
            # The init tells by its status that its command was killed.
            of_init = self.alone or (fault.call == "execve" and "--init" in self.options)
            if of_init and fault.kind == "SIGKILL" and result.status == 137:
                killed = True
            verdict = CLOSED if killed or result.status in (125, 126, 127) else \
                f"did not run, but the status is {result.status}"
            return Outcome(fault, verdict, result.err.strip(), left, clear or killed)
        # A command that ends with bulkhead, or by it, may have said only the first part.
        told = found if result.out.endswith("\n") else found[:-1]
        ended = fault.kind == "SIGKILL" or (result.status == 125 and clear)
        whole = found == sound or (ended and told == sound[:len(told)])
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


@dataclass(frozen=True)
class Variant:
    """A way to call bulkhead: who calls, with which options, in which role."""

    caller: str
    options: str = ""
    role: type[containers.Runtime] = containers.Runtime


# Between them they take every step.
VARIANTS = {
    "root": Variant("root"),
    "root, many options": Variant("root", "--read-only --init --bind {work}/d:/mnt:ro "
                                  "--tmpfs /tmp --domainname sea --workdir /usr "
                                  "--user 1000:1000 --timens 10,10"),
    "root, no filter": Variant("root", "--seccomp none --share net"),
    "root, shared PIDs": Variant("root", "--share pid"),
    "root, terminal": Variant("root", "--tty"),
    "root, layers": Variant("root", "--layer {work}/d"),
    "root, upper": Variant("root", "--upper {work}/u"),
    "root, user namespace": Variant("root", "--userns --uid-map 0:0:65536 --gid-map 0:0:65536"),
    "user": Variant("rootless"),
    "user, clocks": Variant("rootless", "--timens 10,10"),
    "user, upper": Variant("rootless", "--upper {work}/u"),
    "user with subordinate ids": Variant("subids", "--bind {work}/d:/mnt:ro"),
    "the init alone": Variant("root", role=InitAlone),
}


def campaign(variant: Variant, base: Path, binary: Path, probe: Path, archive: Path,
             caller: containers.Caller) -> Campaign:
    """The campaign of a variant, with a rootfs of its own: a fault may leave things there."""
    box = containers.prepare(base, binary, probe, archive, caller)
    for name in ("d", "u"):
        box.directory(name)
    options = [option.format(work=box.work) for option in variant.options.split()]
    return Campaign(variant.role(**vars(box)), options)


def arguments() -> argparse.Namespace:
    """What to run: everything, or some variants and kinds."""
    parser = argparse.ArgumentParser(description="Fail every system call of bulkhead once.")
    parser.add_argument("variants", nargs="*", metavar="VARIANT", default=list(VARIANTS),
                        help="; ".join(VARIANTS))
    parser.add_argument("--kind", action="append", choices=[*KINDS, *MORE_KINDS],
                        help=f"what happens to a call; repeatable; without it {', '.join(KINDS)}")
    found = parser.parse_args()
    unknown = set(found.variants) - set(VARIANTS)
    if unknown:
        parser.error(f"there is no variant {', '.join(sorted(unknown))}")
    return found


def main() -> int:
    """Runs the variants; prints the table and each problem, writes them to BUILD/faults.*."""
    wanted = arguments()
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
        for name in wanted.variants:
            caller = everybody.get(VARIANTS[name].caller)
            if caller is None:
                continue
            runs = campaign(VARIANTS[name], base, binary, probe, build / "rootfs.tar", caller)
            outcomes = list(runs.run(wanted.kind or KINDS))
            table.append(row(name, outcomes))
            print(table[-1], flush=True)
            bad += [f"{name}: {line}" for line in problems(outcomes)]
    print(*bad, sep="\n")
    (build / "faults.md").write_text("\n".join([*table, "", *bad]) + "\n")
    (build / "faults.json").write_text(json.dumps(bad, indent=1) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
