# SPDX-License-Identifier: GPL-2.0-or-later
"""The options that are no verdicts: lists, dry runs, additions, a shell, speed."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import select
import shlex
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import List

import pytest

from .conftest import ARCH, Launcher

PATIENCE = 120  # seconds for what comes at once on a machine that has nothing else to do
ROUNDS = 6      # of a comparison that others on the machine may spoil


def test_list(launch: Launcher) -> None:
    done = launch("--list", tests="pass* fails")
    assert done.status == 0
    assert done.out == "".join(f"demo.{name}\tkernel\tdemo-01 demo-02\n"
                               for name in ("passes", "fails", "passes_again"))


def with_a_list(launch: Launcher, *entries: object, digest: str = "") -> Path:
    """The image once more, with a list of its tests as rootfs-builder makes it."""
    folder = launch.scratch / "listed" / ARCH / "6.12"
    shutil.copytree(launch.image / ARCH / "6.12", folder)
    tests = folder / "tests.json"
    tests.write_text(json.dumps(entries))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tests"] = {"file": tests.name,
                         "sha256": digest or hashlib.sha256(tests.read_bytes()).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    launch.image = launch.scratch / "listed"
    return tests


ENTRIES = (["demo.passes", "demo", "kernel", ["demo-07"]], ["demo.fails", "demo", "kernel", []],
           ["demo.other", "demo", "runtime", []])


def test_a_list_beside_the_image_needs_no_guest(own: Launcher) -> None:
    with_a_list(own, *ENTRIES)
    done = own("--list", tests="passes")
    assert (done.status, done.out) == (0, "demo.passes\tkernel\tdemo-07\n"), done.err
    assert not (own.cache / "bulkhead/snapshots").exists(), "nothing was booted"
    done = own(tests="passes")
    assert done.statuses() == {"passes": "pass"}
    assert done.report and (done.report["runs"][0]["boots"], done.status) == (1, 0)


def test_a_list_beside_the_image_serves_a_subject(own: Launcher) -> None:
    with_a_list(own, *ENTRIES)
    done = own("--list", "--subject", "fake", tests="")
    assert (done.status, done.out) == (0, "demo.other\truntime\t\n"), done.err
    done = own("--list", "--subject", "stranger", tests="")
    assert (done.status, done.out) == (3, "")
    assert "cannot find subject \"stranger\" in the image" in done.err


@pytest.mark.parametrize("doubt", ["digest", "gone", "damaged", "added"])
def test_a_doubtful_list_beside_the_image_is_not_used(own: Launcher, doubt: str) -> None:
    """A guest is asked then. What is added to the image may be other tests."""
    tests = with_a_list(own, *ENTRIES, digest="0" * 64 if doubt == "digest" else "")
    options: List[str] = []
    if doubt == "gone":
        tests.unlink()
    elif doubt == "damaged":
        tests.write_text("[]")
    elif doubt == "added":
        options = ["--add", f"{tests}:/somewhere"]
    done = own("--list", *options, tests="passes fails")
    assert done.out == "".join(f"demo.{name}\tkernel\tdemo-01 demo-02\n"
                               for name in ("passes", "fails")), done.err


def test_dry_run_prints_a_command_that_boots(launch: Launcher) -> None:
    done = launch("--dry-run")
    words = shlex.split(done.out)
    assert os.path.basename(words[0]) == f"qemu-system-{ARCH}" and "-nodefaults" in words
    swap = {"stdio,id=console,signal=off": "file,id=console,path=console.log",
            "file,id=results,path=results.log": "stdio,id=results,signal=off"}
    with subprocess.Popen([swap.get(word, word) for word in words], cwd=launch.scratch,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert any(b" ready " in line for line in process.stdout)
        process.kill()
    console = (launch.scratch / "console.log").read_bytes()
    assert b"Linux version" not in console, "quiet unless it matters"


def test_add_and_before(launch: Launcher) -> None:
    folder = launch.scratch / "added"
    folder.mkdir()
    (folder / "file").write_text("added text\n")
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    done = launch("--add", f"{folder}:/added", "--before", "echo done > /root/before; echo noise",
                  tests="reads_added sees_before")
    assert done.statuses() == {"reads_added": "pass", "sees_before": "pass"}, done.out
    (folder / "file").write_text("other text\n")
    changed = launch("--add", f"{folder}:/added", tests="reads_added")
    assert changed.statuses() == {"reads_added": "fail"}, "no stale snapshot is used"


def test_an_emulated_guest_has_no_cmpxchg16b(launch: Launcher) -> None:
    """QEMU 7.2 leaves garbage in the flags after it: see launcher/arch.py."""
    done = launch("--accel", "tcg", "--before", "! grep -qw cx16 /proc/cpuinfo",
                  tests="sees_before")
    assert "before ended with status" not in done.out, done.out
    assert done.statuses() == {"sees_before": "fail"}, "and it ran"


def test_subjects_are_an_axis(launch: Launcher) -> None:
    done = launch("--list", "--subject", "fake", tests="")
    assert (done.status, done.out) == (0, "\n"), "the demo has tests of the kernel alone"


def test_results_do_not_depend_on_jobs_or_isolation(launch: Launcher) -> None:
    wanted = launch("--isolate", "none").statuses()
    for isolate, jobs in (("area", "2"), ("test", "1"), ("test", "3")):
        assert launch("--isolate", isolate, "--jobs", jobs).statuses() == wanted


def test_a_terminal_gets_one_moving_line(launch: Launcher) -> None:
    near, far = pty.openpty()
    process = subprocess.Popen(launch.argv(), stdout=far, stdin=far,
                               env={**launch.environment, "TERM": "xterm"})
    os.close(far)
    text = _drain(near)
    assert process.wait() == 1
    assert "\r\x1b[K[1/4] 0 bad" in text
    assert "ok      " not in text and "FAIL    6.12" in text


def _drain(terminal: int, until: str = "\0") -> str:
    data = b""
    deadline = time.monotonic() + PATIENCE
    try:
        while until.encode() not in data:
            ready, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
            assert ready, f"nothing more after {data!r}"
            block = os.read(terminal, 4096)
            if not block:
                break
            data += block
    except OSError:
        pass  # Linux reports the other end's close like this
    return data.decode("utf-8", "replace")


def test_shell(launch: Launcher) -> None:
    near, far = pty.openpty()
    command = [*launch.argv("--shell", "--before", "echo ready > /root/before", tests="")]
    process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=launch.environment)
    os.close(far)
    text = _drain(near, "# ")
    os.write(near, b"cat /root/before; hostname inside; hostname | tr a-z A-Z; exit\n")
    text += _drain(near)
    assert process.wait(timeout=PATIENCE) == 0, text
    assert "ready" in text and "INSIDE" in text


def test_shell_takes_what_a_pipe_has_ready(launch: Launcher) -> None:
    done = subprocess.run(launch.argv("--shell", tests=""), env=launch.environment,
                          input="echo first | tr a-z A-Z", text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
    assert done.returncode == 0 and "FIRST" in done.stdout, done.stdout


def test_shell_ends_with_the_guest_though_its_input_does_not(launch: Launcher) -> None:
    with subprocess.Popen(launch.argv("--shell", tests=""), env=launch.environment, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        assert process.stdin and process.stdout
        process.stdin.write("exit\n")
        process.stdin.flush()
        said = process.stdout.read()
        assert process.wait(timeout=PATIENCE) == 0, said
    assert "Fatal" not in said, said


def _wait_for_port(number: int) -> None:
    """Somebody else on this machine may be debugging a guest right now."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
                return
            except OSError:
                threading.Event().wait(0.2)
    pytest.fail(f"port {number} is not free")


def test_gdb_waits_and_then_the_tests_run(launch: Launcher) -> None:
    _wait_for_port(1234)
    with subprocess.Popen(launch.argv("--gdb", tests="passes"), env=launch.environment,
                          stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout
        lines: List[str] = []
        for line in process.stdout:
            lines.append(line)
            if "waiting for gdb" in line:
                _continue_with_gdb_protocol()
        assert process.wait() == 0, lines
    assert any("demo.passes" in line for line in lines)


def _continue_with_gdb_protocol() -> None:
    """What gdb's `continue` sends."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", 1234), timeout=PATIENCE)
            break
        except OSError:
            assert time.monotonic() < deadline, "no gdb server"
            threading.Event().wait(0.05)  # a listening port announces itself to nobody
    connection.sendall(b"+$?#3f")
    assert connection.recv(100)
    connection.sendall(b"+$D#44")  # detach: the guest goes on
    connection.recv(100)
    connection.close()


def test_warm_start_is_fast(launch: Launcher) -> None:
    """Against the plain boot of the same guest under emulation, where that is slow. Others on the
    machine only ever add to the time, so the best of several rounds counts."""
    best = {"cold": 1e9, "warm": 1e9}
    launch("--accel", "tcg", tests="passes")
    for _ in range(ROUNDS):
        for name, options in (("cold", ["--no-snapshot"]), ("warm", [])):
            start = time.monotonic()
            assert launch("--accel", "tcg", *options, tests="passes").status == 0
            best[name] = min(best[name], time.monotonic() - start)
        if best["warm"] <= 0.4 * best["cold"]:
            return
    pytest.fail(f"a warm start is no faster than a cold one: {best}")


def test_output_that_nobody_reads(launch: Launcher) -> None:
    command = shlex.join([*launch.argv("--json", str(launch.scratch / "r.json"), tests="passes")])
    done = subprocess.run(["sh", "-c", f"{command} | true; cat {launch.scratch}/r.json"],
                          env=launch.environment, capture_output=True, encoding="utf-8", check=True)
    assert re.search(r'"status": 0', done.stdout), "the results still go to their file"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["json", "junit", "html", "ktap"])
def test_results_that_cannot_be_written(launch: Launcher, kind: str) -> None:
    done = subprocess.run(launch.argv(f"--{kind}", "/nonexistent/file", tests="passes"),
                          env=launch.environment, capture_output=True, encoding="utf-8",
                          check=False)
    assert done.returncode == 3
    assert 'cannot write "/nonexistent/file"' in done.stderr
