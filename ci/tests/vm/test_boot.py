# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that never come up, and QEMUs that are missing, too old or killed: all infrastructure."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import ARCH, TREE, Launcher, our_guests, write_initrd


def fake_qemu(folder: Path, script: str) -> Path:
    """A QEMU of the host's architecture that is a shell script."""
    folder.mkdir(exist_ok=True)
    program = folder / f"qemu-system-{ARCH}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return folder


def own_image(launch: Launcher, tmp_path: Path) -> Path:
    """A copy of the tests' image that a test may damage."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    source = launch.image / ARCH / "6.12"
    for name in ("kernel", "initrd.img", "manifest.json"):
        (folder / name).write_bytes((source / name).read_bytes())
    launch.image = folder
    return folder


def test_no_init(launch: Launcher, tmp_path: Path) -> None:
    folder = own_image(launch, tmp_path)
    (folder / "initrd.img").unlink()
    write_initrd(folder / "initrd.img", None)
    done = launch()
    assert done.status == 3
    assert "Kernel panic - not syncing" in done.err
    assert "build the image again" in done.err
    assert "the guest's last words" in done.err


def test_a_kernel_file_that_is_cut_off(launch: Launcher, tmp_path: Path) -> None:
    folder = own_image(launch, tmp_path)
    whole = (folder / "kernel").read_bytes()
    (folder / "kernel").write_bytes(whole[:len(whole) // 2])
    done = launch()
    assert done.status == 3
    assert "it is cut off" in done.err


@pytest.mark.parametrize("content", [b"", b"\x7fELF" + bytes(4096)], ids=["empty", "vmlinux"])
def test_a_file_that_is_no_kernel(launch: Launcher, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vmlinux").write_bytes(content)
    done = launch("--kernel", str(tmp_path / "vmlinux"))
    assert done.status == 3
    assert "it is no bootable kernel image" in done.err


def test_a_damaged_image_is_not_what_its_manifest_says(launch: Launcher, tmp_path: Path) -> None:
    folder = own_image(launch, tmp_path)
    (folder / "manifest.json").write_text(
        '{"arch": "%s", "kernel": {"name": "6.12", "sha256": "%s"}}' % (ARCH, "ab" * 32))
    done = launch()
    assert done.status == 3
    assert "it is not what its manifest.json says" in done.err


@pytest.mark.parametrize("options, text, status", [
    (["--image", "/nonexistent"], 'cannot find images in "/nonexistent"', 3),
    (["--kernel", "9.99"], 'cannot find an image of kernel "9.99"', 3),
    (["--kernel", "./no/such/file"], 'cannot find kernel "./no/such/file"', 2),
    (["--subject", "nobody"], 'cannot find subject "nobody" in the image', 3),
    (["--bogus"], "unrecognized arguments: --bogus", 2),
    (["--timeout", "-1"], "is not a time in seconds", 2),
    (["--jobs", "0"], "is not at least 1", 2),
    (["--add", "/nonexistent:/x"], 'cannot add "/nonexistent": no such file', 2),
    (["--add", "/etc/passwd:/tmp/x"], "the guest mounts over that place", 2),
    (["--baseline", "/nonexistent"], 'cannot read the results "/nonexistent"', 2),
    (["--shell", "--gdb"], "exclude each other", 2),
])
def test_bad_input_is_refused(launch: Launcher, options: "list[str]", text: str, status: int) \
        -> None:
    done = launch(*options)
    assert (done.status, text in done.err) == (status, True), done.err
    assert launch("--bisect", *options).status == 125


def test_no_qemu(launch: Launcher, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = launch(BULKHEAD_QEMU_DIR=str(tmp_path / "empty"))
    assert done.status == 3
    assert f'cannot find "qemu-system-{ARCH}" (install QEMU: ' in done.err


@pytest.mark.parametrize("script, text", [
    ("echo QEMU emulator version 4.2.1", "it is version 4.2.1 (5.0 or later works)"),
    ("echo hello", "it does not tell its version"),
    ("[ $1 = --version ] && echo QEMU emulator version 8.0.0 || { echo boom >&2; exit 7; }",
     "the probe guest ended with 7: boom"),
])
def test_a_qemu_that_cannot_be_used(launch: Launcher, tmp_path: Path, script: str, text: str) \
        -> None:
    done = launch(BULKHEAD_QEMU_DIR=str(fake_qemu(tmp_path / "fake", script)))
    assert done.status == 3
    assert text in done.err


def _wait_for_line(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdout
    for line in process.stdout:
        if text in line:
            return
    pytest.fail(f"never said {text}")


def _guest_pid(launcher_pid: int) -> int:
    """The QEMU that is a child of the launcher."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) == launcher_pid and \
                        b"qemu" in (process / "cmdline").read_bytes():
                    return int(process.name)
            except OSError:
                continue
    return pytest.fail("no QEMU")


@pytest.mark.parametrize("number, said", [
    (signal.SIGKILL, "QEMU ended with -9"), (signal.SIGTERM, "terminating on signal 15"),
    (signal.SIGSTOP, "QEMU does not run the guest")])
def test_a_qemu_killed_in_the_middle_is_replaced(launch: Launcher, number: int, said: str) -> None:
    launch()  # the snapshot is there afterwards
    command = launch.argv("--isolate", "none", "--timeout", "0.2",
                          tests="passes sleeps passes_again")
    with subprocess.Popen(command, env=launch.environment, stdout=subprocess.PIPE,
                          encoding="utf-8") as process:
        _wait_for_line(process, "demo.passes")
        os.kill(_guest_pid(process.pid), number)
        assert process.stdout
        rest = process.stdout.read()
    assert said in rest
    assert "TIMEOUT" in rest and "demo.passes_again" in rest
    assert process.returncode == 1  # the test that sleeps, not the lost QEMU


@pytest.mark.parametrize("number, status", [(signal.SIGKILL, -9), (signal.SIGTERM, 130),
                                            (signal.SIGINT, 130)])
def test_nothing_is_left_when_the_launcher_is_killed(launch: Launcher, number: int, status: int) \
        -> None:
    launch()
    results = launch.scratch / "interrupted.json"
    command = launch.argv("--json", str(results), tests="passes sleeps")
    with subprocess.Popen(command, env=launch.environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8",
                          start_new_session=True) as process:
        _wait_for_line(process, "demo.passes")
        guest = os.pidfd_open(_guest_pid(process.pid))
        os.killpg(process.pid, number)  # as timeout(1) and terminals do
        process.communicate()
    assert process.returncode == status
    assert status < 0 or '"interrupted"' in results.read_text(), "what is known is reported"
    # The minder needs a moment to see that its launcher is gone; a pidfd is readable at the end.
    ended, _, _ = select.select([guest], [], [], 60)
    os.close(guest)
    assert ended and not our_guests()


def _all_end() -> bool:
    """Whether no guest is left soon: a minder needs a moment."""
    deadline = time.monotonic() + 10
    while our_guests() and time.monotonic() < deadline:
        os.sched_yield()
    return not our_guests()


@pytest.mark.parametrize("times", [1, 5])
def test_nothing_is_left_whenever_the_launcher_is_interrupted(launch: Launcher, times: int) -> None:
    """Where a guest is ended, another one started: each run is cut at another moment."""
    launch()
    command = launch.argv("--isolate", "test", "--jobs", "2",
                          tests="passes sleeps passes_again fails skips")
    for moment in range(0, 240, 20):  # ms after the first result
        with subprocess.Popen(command, env=launch.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8") as process:
            _wait_for_line(process, "demo.")
            deadline = time.monotonic() + moment / 1000
            while time.monotonic() < deadline:
                os.sched_yield()
            for _ in range(times):
                process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 130 and "Traceback" not in said, said
        assert _all_end(), f"a guest is left of a run that was interrupted after {moment} ms"


HELD = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from launcher import interrupt
interrupt.take()
try:
    with interrupt.held():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        print("whole")
    print("not interrupted")
except KeyboardInterrupt:
    os.kill(os.getpid(), signal.SIGTERM)
    print("once")
"""


def test_an_interrupt_waits_and_comes_once() -> None:
    done = subprocess.run([sys.executable, "-c", HELD, str(TREE / "vm")], text=True, timeout=60,
                          capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, "whole\nonce\n"), done.stderr


def test_the_launcher_needs_no_tree_but_vm(launch: Launcher, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    os.symlink(TREE / "vm/run-tests.sh", tmp_path / "elsewhere/run")
    done = subprocess.run([tmp_path / "elsewhere/run", "--image", launch.image, "--tests",
                           "demo.passes"], env=launch.environment, cwd="/", check=False,
                          capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
