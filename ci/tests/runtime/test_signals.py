# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals to bulkhead reach the command; its death is the container's death."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import host
from containers import Runtime

Process = subprocess.Popen[bytes]


def first_line(box: Process) -> bytes:
    assert box.stdout
    return box.stdout.readline()


def bulkhead_pid(runtime: Runtime, box: Process) -> int:
    """The caller's prefix executes bulkhead in place: it is the process that was started."""
    assert os.readlink(f"/proc/{box.pid}/exe") == str(runtime.binary)
    return box.pid


@pytest.mark.parametrize("options", [[], ["--init"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1,
                                    signal.SIGUSR2, signal.SIGALRM, signal.SIGCONT,
                                    signal.SIGWINCH, signal.SIGRTMIN + 1, signal.SIGRTMAX])
def test_signals_reach_the_command(runtime: Runtime, options: list[str],
                                   number: signal.Signals) -> None:
    box = runtime.start(*options, "--", "probe", "signals")
    assert first_line(box) == b"ready\n"
    os.kill(bulkhead_pid(runtime, box), number)
    assert first_line(box) == b"signal %d\n" % number
    box.terminate()
    out, err = box.communicate(timeout=10)
    assert (out, err, box.returncode) == (b"signal 15\n", b"", 7)


@pytest.mark.parametrize("options", [[], ["--init"]])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_trap_of_a_shell_runs(runtime: Runtime, options: list[str],
                              number: signal.Signals) -> None:
    script = f"trap 'echo trapped; exit 3' {int(number)}; echo ready; while :; do read x; done"
    box = runtime.start(*options, "--", "sh", "-c", script)
    assert first_line(box) == b"ready\n"
    os.kill(box.pid, number)
    assert box.communicate(timeout=10) == (b"trapped\n", b"") and box.returncode == 3


@pytest.mark.parametrize("options", [[], ["--init"]])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT,
                                    signal.SIGUSR1, signal.SIGRTMIN, signal.SIGRTMAX])
def test_command_without_a_handler_ends(runtime: Runtime, options: list[str],
                                        number: signal.Signals) -> None:
    """The kernel keeps signals without a handler from PID 1: Ctrl-C has to work all the same."""
    box = runtime.start(*options, "--", "cat")
    assert box.stdin and box.stdout
    box.stdin.write(b"x\n")
    box.stdin.flush()
    assert first_line(box) == b"x\n"
    os.kill(box.pid, number)
    assert box.wait(timeout=10) == 128 + number
    box.communicate()


def test_two_signals_are_two_signals(runtime: Runtime) -> None:
    box = runtime.start("--", "probe", "signals")
    assert first_line(box) == b"ready\n"
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        os.kill(box.pid, number)
        assert first_line(box) == b"signal %d\n" % number
    box.terminate()
    assert box.communicate(timeout=10)[0] == b"signal 15\n"


@pytest.mark.parametrize("options", [[], ["--init"], ["--tty"], ["--share", "pid"]])
def test_sigkill_of_bulkhead_kills_the_container(runtime: Runtime, options: list[str]) -> None:
    # host_snapshot sees to it that no process is left; the pipe closes when the last one ends.
    script = "sh -c 'trap : TERM; while :; do :; done' & echo ready; exec cat"
    box = runtime.start(*options, "--", "sh", "-c", script)
    assert first_line(box).strip() == b"ready"
    box.kill()
    out, _ = box.communicate(timeout=10)
    assert box.returncode == -signal.SIGKILL and out == b""


def test_command_that_changes_its_user_dies_with_bulkhead(as_root: Runtime) -> None:
    """PR_SET_PDEATHSIG is cleared by a change of ids: something else must do the killing."""
    box = as_root.start("--", "su", "user", "-c", "id -u; exec cat")
    assert first_line(box) == b"1000\n"
    box.kill()
    box.communicate(timeout=10)


def test_end_of_pid_1_ends_the_others(runtime: Runtime) -> None:
    box = runtime.start("--", "sh", "-c", "trap '' TERM HUP; cat >/dev/null & exit 4")
    assert box.wait(timeout=10) == 4
    assert box.communicate(timeout=10) == (b"", b"")


def test_stopped_container_goes_on(runtime: Runtime) -> None:
    box = runtime.start("--", "cat")
    assert box.stdin
    for text in (b"one\n", b"two\n"):
        os.kill(box.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, box.pid, os.WSTOPPED | os.WNOWAIT)
        os.kill(box.pid, signal.SIGCONT)
        box.stdin.write(text)
        box.stdin.flush()
        assert first_line(box) == text
    box.communicate()
    assert box.returncode == 0


def descendants(pid: int) -> list[int]:
    """All processes below one, by PID."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *descendants(int(child))]
    return found


def states(pids: list[int]) -> str:
    """The letters of ps(1); T is stopped."""
    return "".join((host.stat_fields(str(pid)) or "-")[0] for pid in pids)


@pytest.mark.parametrize("options", [[], ["--init"]])
def test_ctrl_z_stops_all_and_fg_continues_it(runtime: Runtime, options: list[str]) -> None:
    """The first one, too; and the command's children, which a shell would reach by the group."""
    box = runtime.start(*options, "--", "sh", "-c", "cat /dev/zero >/dev/null & echo up; cat",
                        preexec_fn=os.setpgrp)  # as a shell does with a job
    assert box.stdin and first_line(box) == b"up\n"
    # Bulkhead, the shell, its two children; the janitor and the init only watch.
    family = [box.pid, *(pid for pid in descendants(box.pid)
                         if "bulkhead" not in Path(os.readlink(f"/proc/{pid}/exe")).name)]
    for text in (b"one\n", b"two\n"):
        box.send_signal(signal.SIGTSTP)
        assert host.wait_until(lambda: set(states(family)) == {"T"}, 10), states(family)
        box.send_signal(signal.SIGCONT)
        assert host.wait_until(lambda: "T" not in states(family), 10), states(family)
        box.stdin.write(text)
        box.stdin.flush()
        assert first_line(box) == text
    box.communicate(timeout=10)
    assert box.returncode == 0


def test_signal_while_the_init_is_executed_is_not_lost(any_caller: Runtime) -> None:
    trace = any_caller.work / "trace"
    slow = ("strace", "-f", "-qq", "-o", str(trace), "-e", "trace=execveat",
            "-e", "inject=execveat:delay_enter=1000000")
    box = replace(any_caller, caller=replace(any_caller.caller, switch=slow)).start(
        "--init", "--", "sleep", "30")
    assert host.wait_until(lambda: trace.exists() and "execveat(" in trace.read_text(), 10)
    [bulkhead] = map(int, Path(f"/proc/{box.pid}/task/{box.pid}/children").read_text().split())
    os.kill(bulkhead, signal.SIGTERM)
    box.communicate(timeout=10)
    assert box.returncode == 128 + signal.SIGTERM


def test_signal_before_the_command_runs_is_not_lost(any_caller: Runtime) -> None:
    """SIGTERM at any moment ends bulkhead, and the status says so."""
    for _ in range(20):
        box = any_caller.start("--", "cat")
        box.terminate()
        box.wait(timeout=10)
        box.communicate()
        assert box.returncode in (128 + signal.SIGTERM, -signal.SIGTERM)
