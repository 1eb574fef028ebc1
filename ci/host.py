# SPDX-License-Identifier: GPL-2.0-or-later
"""What the host looks like, so that a test can show that a container left nothing on it."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Callable

PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)

# Where a runtime might keep temporary files and state.
STATE_DIRECTORIES = ("/tmp", "/var/tmp", "/run", "/dev/shm", "/run/user")
# Not those that end in a random word: other programs of this project make such.
RUNTIME_FILE = re.compile(r"\.?bulkhead([-.]\d+)?")

# What only the runtime under test would take away; files and the like go for other reasons too.
OWN_ALONE = ("mounts", "devices", "hostname")


def adopt_orphans() -> None:
    """Every orphan among this process's descendants becomes its child: nothing escapes it."""
    if LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot become a subreaper")


def stat_fields(pid: str) -> list[str]:
    """The fields of /proc/PID/stat from the third (the state) on; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def children() -> frozenset[str]:
    """PID and name of each live child of this process; dead ones are reaped first."""
    found = set()
    own = str(os.getpid())
    for pid in filter(str.isdigit, os.listdir("/proc")):
        stat = stat_fields(pid)
        if not stat or stat[1] != own:
            continue
        if stat[0] == "Z":
            os.waitpid(int(pid), os.WNOHANG)
            continue
        try:
            name = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            continue
        found.add(f"{pid} {name.strip()}")
    return frozenset(found)


def kill_children() -> None:
    """Ends whatever a failed test has left."""
    for line in children():
        pid = int(line.split()[0])
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def cgroup_mount() -> Path | None:
    """Where cgroup v2 is mounted."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[0] == "cgroup2":
            return Path(before.split()[4])
    return None


def cgroups() -> frozenset[str]:
    """Every cgroup v2 that is named after the runtime; the host's own come and go."""
    top = cgroup_mount()
    if top is None:
        return frozenset()
    return frozenset(folder for folder, _, _ in os.walk(top) if "bulkhead" in Path(folder).name)


def mounts() -> frozenset[str]:
    """Every mount of this mount namespace, with its flags and propagation.

    But those of other tests of this project, which may run at the same time.
    """
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return frozenset(line for line in lines if "/pytest-of-" not in line.split()[4])


def state_files() -> frozenset[str]:
    """Entries of the directories for temporary files that are named after the runtime."""
    found = set()
    for directory in STATE_DIRECTORIES:
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        found |= {f"{directory}/{name}" for name in names if RUNTIME_FILE.fullmatch(name)}
    return frozenset(found)


def ipc_objects() -> frozenset[str]:
    """System V shared memory, semaphores and message queues."""
    found = set()
    for kind in ("shm", "sem", "msg"):
        rows = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
        found |= {f"{kind} {' '.join(row.split()[:2])}" for row in rows}
    return frozenset(found)


def network_devices() -> frozenset[str]:
    """Names of network devices."""
    return frozenset(os.listdir("/sys/class/net"))


def wait_until(condition: Callable[[], bool], seconds: float = 3.0) -> bool:
    """Gives the host time to come to a state that nothing announces; whether it came."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@dataclass(frozen=True)
class Snapshot:
    """The host at one moment."""

    processes: frozenset[str]
    mounts: frozenset[str]
    cgroups: frozenset[str]
    files: frozenset[str]
    ipc: frozenset[str]
    devices: frozenset[str]
    hostname: str

    @staticmethod
    def take() -> Snapshot:
        """Looks at the host now."""
        return Snapshot(children(), mounts(), cgroups(), state_files(), ipc_objects(),
                        network_devices(), os.uname().nodename)

    def difference(self, later: Snapshot) -> str:
        """What is new and what is gone in `later`, a line each; empty when nothing is."""
        lines = []
        for field in fields(self):
            before, after = getattr(self, field.name), getattr(later, field.name)
            if isinstance(before, str):
                before, after = {before}, {after}
            lines += [f"left behind: {field.name}: {item}" for item in sorted(after - before)]
            if field.name in OWN_ALONE:
                lines += [f"taken away: {field.name}: {item}" for item in sorted(before - after)]
        return "\n".join(lines)

    def difference_when_settled(self, seconds: float = 3.0) -> str:
        """The difference to now, given time: a killed container goes asynchronously."""
        found = ""

        def is_settled() -> bool:
            nonlocal found
            found = self.difference(Snapshot.take())
            return not found
        wait_until(is_settled, seconds)
        return found
