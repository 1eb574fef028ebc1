# SPDX-License-Identifier: GPL-2.0-or-later
"""Who takes part in the benchmark, and the ground that they compete on."""
from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SOME = "uts,pid,mnt"
ALL = "uts,pid,mnt,ipc,net,cgroup"

CLONE_NEWNS = 0x20000  # linux/sched.h
MS_REC, MS_PRIVATE = 0x4000, 0x40000  # sys/mount.h


class BenchError(Exception):
    """What ends the benchmark; the text is what the user reads."""


class Ground:
    """The temporary directory with the rootfs, OCI bundles and the runtimes' state."""

    def __init__(self, path: Path, build: Path) -> None:
        self.path = path
        self.build = build
        self.rootfs = path / "rootfs"
        for name in ("proc", "sys", "dev", "tmp", "etc", "run"):
            (self.rootfs / name).mkdir(parents=True)
        for name in ("noop", "hold"):
            shutil.copy(self.tool(name), self.rootfs / name)

    def tool(self, name: str) -> str:
        """The path of a program of bench/."""
        return str(self.build / "bench" / name)

    def bundle(self, runtime: str, program: str) -> str:
        """The bundle that RUNTIME itself proposes, for /PROGRAM; made when first asked for."""
        path = self.path / f"{runtime}-{program}"
        if not path.exists():
            path.mkdir()
            subprocess.run([runtime, "spec"], cwd=path, check=True, stdout=subprocess.DEVNULL)
            config = json.loads((path / "config.json").read_text(encoding="utf-8"))
            config["process"].update(args=[f"/{program}"], terminal=False)
            config["root"] = {"path": str(self.rootfs), "readonly": False}
            (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return str(path)


@dataclass
class Peer:
    """A way to run a program in isolation, or (without argv) in none."""

    name: str
    tool: str  # found by PATH
    argv: list[str]
    floor: str = ""  # the entry with the same namespaces and nothing else
    ours: str = ""  # bulkhead's entry that it is compared with
    bundle: bool = False  # takes an OCI bundle in place of a command
    more: list[list[str]] = field(default_factory=lambda: [[]])  # global options, tried in turn

    def command(self, ground: Ground, program: str) -> list[str]:
        """The argv that runs /PROGRAM of the rootfs."""
        head = [self.tool, *self.more[0], *self.argv]
        if self.bundle:
            return [*head, "--bundle", ground.bundle(self.tool, program), f"bench-{os.getpid()}"]
        return [*head, f"/{program}"] if self.argv else [str(ground.rootfs / program)]


def entries(ground: Ground, bulkhead: Path) -> list[Peer]:
    """All who could take part, in the order of the table."""
    root, ours, floor = str(ground.rootfs), str(bulkhead), ground.tool("floor")
    run = ["run", "--rootfs", root]
    chroot = ["--fork", "--mount-proc", "--root", root]
    some = f"floor {SOME}", "bulkhead --share net,ipc,cgroup"
    every = f"floor {ALL}", "bulkhead"
    return [
        Peer("spawn alone", str(ground.rootfs / "noop"), []),
        Peer(some[0], floor, [SOME, root]),
        Peer(f"hardened {some[0]}", floor, ["--hardened", SOME, root], *some),
        Peer(some[1], ours, [*run, "--share", "net,ipc,cgroup"], floor=some[0]),
        Peer(f"unshare {SOME}", "unshare", ["-u", "-p", "-m", *chroot], *some),
        Peer(every[0], floor, [ALL, root]),
        Peer(f"hardened {every[0]}", floor, ["--hardened", ALL, root], *every),
        Peer(every[1], ours, run, floor=every[0]),
        Peer(f"unshare {ALL}", "unshare", ["-u", "-p", "-m", "-i", "-n", "-C", *chroot], *every),
        Peer("bwrap", "bwrap", ["--unshare-all", "--bind", root, "/", "--proc", "/proc",
                                "--dev", "/dev"], *every),
        Peer("crun", "crun", ["--root", str(ground.path / "crun-state"), "run"], *every,
             bundle=True, more=[[], ["--cgroup-manager=disabled"]]),
        Peer("runc", "runc", ["--root", str(ground.path / "runc-state"), "run"], *every,
             bundle=True),
    ]


def trouble(peer: Peer, ground: Ground) -> str:
    """Why PEER cannot take part; empty when it ran the no-op and reported status 0."""
    if not shutil.which(peer.tool):
        return "not built" if "/" in peer.tool else "not installed (ci/deps --bench)"
    reason = ""
    while peer.more:
        done = subprocess.run(peer.command(ground, "noop"), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return ""
        said = done.stderr.strip().splitlines()
        reason = f"status {done.returncode}: {said[-1] if said else 'silent'}"
        peer.more.pop(0)
    return reason


def _libc(call: str, *args: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, call)(*args) != 0:
        raise BenchError(f"cannot {call}: {os.strerror(ctypes.get_errno())}")


def enter_own_mounts() -> str:
    """Moves to a mount namespace of its own, so that no mount stays behind. Returns a remark.

    crun and runc know cgroup v1 and v2, but crun refuses a mix of both: where /sys/fs/cgroup is
    not cgroup2 it becomes so, in that namespace.
    """
    _libc("unshare", CLONE_NEWNS)
    _libc("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    if Path("/sys/fs/cgroup/cgroup.controllers").exists() or not Path("/sys/fs/cgroup").is_dir():
        return ""
    _libc("mount", b"cgroup2", b"/sys/fs/cgroup", b"cgroup2", 0, None)
    return "this host's cgroups are v1 or mixed: all commands see cgroup2 alone on /sys/fs/cgroup"
