# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration: it shows what it claims, and says so when it does not."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Mapping

import pytest

import containers
import host

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "runtime/demo"

# A bulkhead that is broken in one way: the arguments pass through a line of shell.
SABOTEUR = """#!/bin/sh
real() { '@binary@' "$@"; }
@change@
exec '@binary@' "$@"
"""

# What is broken: the line of shell, and a claim that must then not be shown.
SABOTAGE = {
    "keeps the host's name": (
        'for a; do shift; [ "$a" = inside ] && a=outside; set -- "$@" "$a"; done',
        "inside the name is the one asked for"),
    "shares the PID namespace": (
        "case $* in *'I am process'*) shift; set -- run --share pid \"$@\" ;; esac",
        "the command is PID 1"),
    "leaves the host's root": (
        'case $* in *"cat /"*secret) shift; exec "$@" ;; esac',
        "a file of the host is not there"),
    "lets mounts out": (
        "case $* in *'mount -t tmpfs mine'*) mount -t tmpfs mine /mnt && echo 1; exit ;; esac",
        "the host does not see it"),
    "swallows statuses": (
        'real "$@" || exit 1; exit 0',
        "the status is 42"),
    "forgets the signal": (
        "case $* in *'kill -TERM'*) exit 15 ;; esac",
        "ended by signal 15: 128+15"),
    "leaves the root writable": (
        'for a; do shift; [ "$a" = --read-only ] || set -- "$@" "$a"; done',
        "the root refuses"),
    "leaves binds writable": (
        'for a; do shift; set -- "$@" "${a%:ro}"; done',
        "it cannot be written to"),
    "forgets the layers": (
        'for a; do shift; [ "$a" = --layer ] && a=--rootfs; set -- "$@" "$a"; done',
        "the rootfs still has its /etc"),
    "shares the network": (
        'case $* in *"ip -4"*) echo eth0; exit ;; esac',
        "there is only lo, and it is up"),
    "keeps all capabilities": (
        "[ $1 = run ] && case $* in *CapBnd*) shift; set -- run --cap-add ALL \"$@\" ;; esac",
        "these are the default ones"),
    "ignores --cap-drop": (
        'for a; do shift; [ "$a" = --cap-drop ] && a=--cap-add; set -- "$@" "$a"; done',
        "with --cap-drop ALL none is left"),
    "installs no filter": (
        'shift; set -- run --seccomp none "$@"',
        "a filter is installed (mode 2)"),
    "passes the environment": (
        'shift; set -- run --env SECRET="${SECRET-}" "$@"',
        "a variable of the caller is not there"),
    "leaks descriptors": (
        'case $* in *"ls /proc/self/fd") ls /proc/self/fd; exit ;; esac',
        "an open file of the caller is not there"),
    "masks nothing": (
        'case $* in *"wc -c"*) shift 3; wc -c "$@"; exit ;; esac',
        "a masked file is empty"),
    "leaves the container behind": (
        "case $* in *survived*) real \"$@\" & wait ;; esac",
        "the container ran, and is gone"),
    "drops limits in silence": (
        'case $* in *--pids*) shift 3; set -- run "$@" ;; esac',
        None),
    "is not root inside": (
        'case $* in *"id -u"*) shift; set -- run --env X=1 "$@"; echo 1 ;; esac',
        "inside the user is root"),
}


@pytest.fixture(name="rootfs")
def unpacked_rootfs(tmp_path: Path, binary: Path) -> Path:
    """A rootfs of the caller's own."""
    archive = Path(os.environ.get("BULKHEAD_BUILD", ROOT / "build")) / "rootfs.tar"
    if not archive.is_file():
        pytest.fail(f"{archive} is not there: run the tests by make check")
    assert binary.is_file()
    return containers.unpack(archive, tmp_path / "rootfs", os.geteuid())


def demo(binary: Path, rootfs: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the demonstration off a terminal."""
    return subprocess.run([DEMO, binary, rootfs], check=False, capture_output=True, text=True,
                          env={**os.environ, **env}, timeout=120)


def demo_on_a_terminal(binary: Path, rootfs: Path, env: Mapping[str, str]) -> str:
    """Runs it on a terminal; returns what that terminal got."""
    master, slave = pty.openpty()
    with subprocess.Popen([DEMO, binary, rootfs], stdin=slave, stdout=slave, stderr=slave,
                          env={**os.environ, **env}) as process:
        os.close(slave)
        got = b""
        while True:
            try:
                data = os.read(master, 4096)
            except OSError:  # EIO: everybody else has closed the terminal
                break
            got += data
    os.close(master)
    assert process.returncode == 0, got
    return got.decode()


def test_shows_what_it_claims(binary: Path, rootfs: Path, tmp_path: Path,
                              host_snapshot: host.Snapshot) -> None:
    """In plain text, and it leaves nothing on the host."""
    assert host_snapshot
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o777)
    tmp_path.chmod(0o755)
    done = demo(binary, rootfs, TMPDIR=str(scratch))
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "NOT SHOWN" not in done.stdout and done.stdout.count("\n   ok: ") > 30
    assert re.search(r"All of this held, in \d+ demonstrations.\n$", done.stdout)
    assert not list(scratch.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="no-priv: only root can be somebody else")
def test_needs_no_root(binary: Path, base: Path) -> None:
    """An ordinary user sees the same claims hold."""
    place = base / "demo-of-a-user"
    place.mkdir(mode=0o755)
    archive = Path(os.environ.get("BULKHEAD_BUILD", ROOT / "build")) / "rootfs.tar"
    rootfs = containers.unpack(archive, place / "rootfs", 65534)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--",
                           "sh", "-s", binary, rootfs], check=False, capture_output=True,
                          stdin=DEMO.open("rb"), text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT SHOWN" not in done.stdout


def test_has_colours_on_a_terminal_unless_told(binary: Path, rootfs: Path) -> None:
    """NO_COLOR, if not empty, means plain."""
    assert "\x1b[32mok\x1b[0m" in demo_on_a_terminal(binary, rootfs, {"NO_COLOR": ""})
    assert "\x1b[" not in demo_on_a_terminal(binary, rootfs, {"NO_COLOR": "1"})


@pytest.mark.parametrize("name", SABOTAGE)
def test_notices_a_runtime_that(name: str, binary: Path, rootfs: Path, tmp_path: Path) -> None:
    """One fault, one claim not shown, and a failure in the end."""
    change, claim = SABOTAGE[name]
    if name == "lets mounts out" and os.geteuid() != 0:
        pytest.skip("no-priv: only root can mount on the host")
    broken = tmp_path / "broken"
    broken.write_text(SABOTEUR.replace("@change@", change).replace("@binary@", str(binary)))
    broken.chmod(0o755)
    done = demo(broken, rootfs)
    if name == "lets mounts out":
        subprocess.run(["umount", "/mnt"], check=False)
    assert done.returncode == 1, done.stdout
    if claim:
        assert f"NOT SHOWN: {claim}" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("/bin/true",), ("/no/such/program", "/"),
                                       ("/bin/true", "/no/such/rootfs"), ("a", "b", "c")])
def test_refuses_to_begin_without_its_arguments(arguments: tuple[str, ...]) -> None:
    """With one line, and status 2."""
    done = subprocess.run([DEMO, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("demo: ")
