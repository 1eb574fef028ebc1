# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs bulkhead as a user would: as root, as an ordinary user, as one with subordinate ids."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Sequence

# An id that no account of the host has; the range lies above those that tools hand out.
TEST_UID = 54321
TEST_USER = "tester"
SUBORDINATE_START, SUBORDINATE_COUNT = 700_000_000, 65_536

# Runs "$@" where the account files are those in directory $0. The mount namespace is private:
# the host's own files stay as they are.
WITH_ACCOUNT_FILES = """
for file in passwd group subuid subgid; do
    mount --bind "$0/$file" /etc/$file || exit 120
done
exec "$@"
"""

ACCOUNT_FILES = {
    "passwd": f"root:x:0:0::/root:/bin/sh\n{TEST_USER}:x:{TEST_UID}:{TEST_UID}::/:/bin/sh\n",
    "group": f"root:x:0:\n{TEST_USER}:x:{TEST_UID}:\n",
    "subuid": f"{TEST_USER}:{SUBORDINATE_START}:{SUBORDINATE_COUNT}\n",
    "subgid": f"{TEST_USER}:{SUBORDINATE_START}:{SUBORDINATE_COUNT}\n",
}


@dataclass(frozen=True)
class Result:
    """What came of a run; `status` is negative when a signal ended bulkhead itself."""

    status: int
    out: str
    err: str

    def ok(self) -> str:
        """Standard output of a run that must have worked, and in silence."""
        assert self.status == 0 and self.err == "", self
        return self.out

    def lines(self) -> list[str]:
        """The lines of a run that must have worked."""
        return self.ok().splitlines()

    def refused(self, *texts: str, status: int = 125) -> str:
        """The one line of error of a run that must have failed, with each of `texts` in it."""
        assert self.status == status and self.out == "", self
        assert self.err.startswith("bulkhead: ") and self.err.endswith("\n"), self
        assert self.err.count("\n") == 1, self
        for text in texts:
            assert text in self.err, (text, self)
        return self.err


class Report:
    """What the probe told: the values of each word, in order."""

    def __init__(self, text: str) -> None:
        self.facts: dict[str, list[str]] = {}
        for line in text.splitlines():
            word, _, value = line.partition(" ")
            self.facts.setdefault(word, []).append(value)

    def all(self, word: str) -> list[str]:
        """Every value of a word."""
        return self.facts.get(word, [])

    def one(self, word: str) -> str:
        """The only value of a word."""
        [value] = self.all(word)
        return value

    def table(self, word: str) -> dict[str, str]:
        """For values of the form "KEY VALUE" or "KEY=VALUE" or "KEY:\tVALUE"."""
        pairs = (re.split(r":\t|[ =]", value, maxsplit=1) for value in self.all(word))
        return {pair[0]: pair[1] if len(pair) > 1 else "" for pair in pairs}

    def mounts(self) -> dict[str, Mount]:
        """The mount table by mount point; of several mounts on one point the topmost."""
        return {mount.point: mount for mount in map(Mount.parse, self.all("mount"))}


@dataclass(frozen=True)
class Mount:
    """One line of /proc/PID/mountinfo (proc_pid_mountinfo(5))."""

    point: str
    root: str
    flags: frozenset[str]
    propagation: tuple[str, ...]
    kind: str
    source: str
    options: frozenset[str]

    @staticmethod
    def parse(line: str) -> Mount:
        """Reads a line."""
        left, _, right = line.partition(" - ")
        fields, kind = left.split(" "), right.split(" ")
        return Mount(fields[4], fields[3], frozenset(fields[5].split(",")), tuple(fields[6:]),
                     kind[0], kind[1], frozenset(kind[2].split(",")))


@dataclass(frozen=True)
class Caller:
    """Who calls bulkhead, and how to run a command as that."""

    name: str
    uid: int
    switch: tuple[str, ...] = ()  # a command line that becomes the caller
    around: tuple[str, ...] = ()  # another, as root, to stand before that

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before a command line, to run it as the caller."""
        return (*self.around, *self.switch)

    @property
    def is_root(self) -> bool:
        """Whether the caller needs no user namespace."""
        return self.uid == 0


def callers(base: Path) -> dict[str, Caller]:
    """All callers that this session can be; `base` is a directory for their account files."""
    if os.geteuid() != 0:
        return {"rootless": Caller("rootless", os.geteuid())}
    switch = ("setpriv", "--reuid", str(TEST_UID), "--regid", str(TEST_UID), "--clear-groups",
              "--")
    accounts = base / "accounts"
    accounts.mkdir()
    for name, text in ACCOUNT_FILES.items():
        (accounts / name).write_text(text)
    private = ("unshare", "--mount", "--propagation", "private",
               "sh", "-c", WITH_ACCOUNT_FILES, str(accounts))
    return {"root": Caller("root", 0),
            "rootless": Caller("rootless", TEST_UID, switch),
            "subids": Caller("subids", TEST_UID, switch, private)}


def unpack(archive: Path, directory: Path, uid: int) -> Path:
    """Unpacks a rootfs; all of it belongs to `uid`."""
    with tarfile.open(archive) as tar:
        for member in tar:
            member.uid = member.gid = uid
            member.uname = member.gname = ""
            tar.extract(member, directory)
    if os.geteuid() == 0:
        os.chown(directory, uid, uid)
    directory.chmod(0o755)
    return directory


def install(source: Path, base: Path) -> Path:
    """Copies the program under test to where every user can execute it."""
    (base / "bin").mkdir()
    target = Path(shutil.copy2(source, base / "bin/bulkhead"))
    target.chmod(0o755)
    return target


def compile_probe(base: Path) -> Path:
    """The program that tells what it finds inside; static, as a rootfs has no libraries."""
    target = base / "probe"
    sources = sorted((Path(__file__).resolve().parent / "probe").glob("*.c"))
    compiler = shutil.which("musl-gcc") or "gcc"
    subprocess.run([compiler, "-static", "-O1", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Werror",
                    "-o", target, *sources], check=True)
    return target


def unpack_with_probe(archive: Path, directory: Path, uid: int, probe: Path) -> Path:
    """A rootfs of `uid` with the probe in it."""
    unpack(archive, directory, uid)
    shutil.copy2(probe, directory / "usr/bin/probe")
    return directory


def work_directory(base: Path, caller: Caller) -> Path:
    """A new directory that belongs to the caller."""
    work = Path(tempfile.mkdtemp(prefix="test-", dir=base))
    work.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(work, caller.uid, caller.uid)
    return work


def prepare(base: Path, binary: Path, probe: Path, archive: Path, caller: Caller) -> Runtime:
    """bulkhead for a caller, with a rootfs and a directory of its own."""
    work = work_directory(base, caller)
    rootfs = unpack_with_probe(archive, work.with_name(work.name + "-rootfs"), caller.uid, probe)
    return Runtime(binary, rootfs, work, caller)


def usable(directory: Path) -> bool:
    """Whether programs, device nodes and set-id files work there, for every user."""
    flags = os.statvfs(directory).f_flag
    bad = os.ST_NOSUID | os.ST_NOEXEC | (os.ST_NODEV if os.geteuid() == 0 else 0)
    reachable = all(path.stat().st_mode & 0o001 for path in (directory, *directory.parents))
    return not flags & bad and reachable and os.access(directory, os.W_OK)


@dataclass(frozen=True)
class Runtime:
    """bulkhead, a rootfs and a caller; `work` is a directory that belongs to the caller."""

    binary: Path
    rootfs: Path
    work: Path
    caller: Caller
    environment: dict[str, str] = field(default_factory=dict)

    def argv(self, *arguments: str | Path) -> list[str]:
        """The command line of `bulkhead ARGUMENTS` as the caller."""
        return [*self.caller.prefix, str(self.binary), *map(str, arguments)]

    def run_argv(self, *arguments: str | Path) -> list[str]:
        """The command line of `bulkhead run --rootfs ROOTFS ARGUMENTS`."""
        return self.argv("run", "--rootfs", self.rootfs, *arguments)

    def execute(self, argv: Sequence[str | bytes], timeout: float = 30, stdin: bytes = b"",
                **options: Any) -> Result:
        """Runs a command line to its end; a hang fails the test, and is killed."""
        options.setdefault("cwd", self.work)
        options.setdefault("env", {**os.environ, **self.environment})
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=timeout,
                              check=False, **options)
        return Result(done.returncode, done.stdout.decode(errors="backslashreplace"),
                      done.stderr.decode(errors="backslashreplace"))

    def __call__(self, *arguments: str | Path, **options: Any) -> Result:
        """Runs `bulkhead ARGUMENTS`."""
        return self.execute(self.argv(*arguments), **options)

    def run(self, *arguments: str | Path, **options: Any) -> Result:
        """Runs `bulkhead run --rootfs ROOTFS ARGUMENTS`."""
        return self.execute(self.run_argv(*arguments), **options)

    def sh(self, script: str, *arguments: str | Path, **options: Any) -> Result:
        """Runs a shell script in a container with the options ARGUMENTS."""
        return self.run(*arguments, "--", "sh", "-c", script, **options)

    def report(self, *arguments: str | Path, **options: Any) -> Report:
        """What the probe tells as the command of a container with the options ARGUMENTS."""
        return Report(self.run(*arguments, "--", "probe", "report", **options).ok())

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
        """Starts `bulkhead run …` with pipes for its standard streams."""
        for stream in ("stdin", "stdout", "stderr"):
            options.setdefault(stream, subprocess.PIPE)
        options.setdefault("cwd", self.work)
        return subprocess.Popen(self.run_argv(*arguments), **options)

    def with_rootfs(self, rootfs: Path) -> Runtime:
        """The same with another rootfs."""
        return replace(self, rootfs=rootfs)

    def directory(self, name: str, mode: int = 0o755) -> Path:
        """Makes a directory in `work` that belongs to the caller."""
        path = self.work / name
        path.mkdir(mode=mode, parents=True)
        path.chmod(mode)
        return self.own(path)

    def file(self, name: str, text: str = "", mode: int = 0o644) -> Path:
        """Makes a file in `work` that belongs to the caller."""
        path = self.work / name
        path.write_text(text)
        path.chmod(mode)
        return self.own(path)

    def own(self, path: Path) -> Path:
        """Gives a file to the caller."""
        if os.geteuid() == 0:
            os.chown(path, self.caller.uid, self.caller.uid, follow_symlinks=False)
        return path

    def copy_rootfs(self, name: str = "rootfs") -> Path:
        """A rootfs of the test's own, to damage."""
        target = self.work / name
        shutil.copytree(self.rootfs, target, symlinks=True)
        for path in [target, *target.rglob("*")]:
            self.own(path)
        return target
