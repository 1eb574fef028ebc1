# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing stays on the host, whenever bulkhead or its command dies (host_snapshot is the judge)."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import host
from containers import Runtime

KILLS = 40


def settled(before: host.Snapshot) -> None:
    left = before.difference_when_settled()
    assert not left, left


def kill_at_random_points(runtime: Runtime, before: host.Snapshot, options: list[str]) -> None:
    draw = random.Random(" ".join(options))  # the same delays in every run
    for _ in range(KILLS // 4):
        box = runtime.start(*options, "--", "cat", stdin=subprocess.PIPE)
        # Waits for output that never comes: an exact delay without a sleep.
        select.select([box.stdout], [], [], draw.random() * 0.012)
        box.kill()
        try:
            box.communicate(timeout=10)  # the pipes close when the last process has gone
        except subprocess.TimeoutExpired:
            left = host.children()
            host.kill_children()
            box.communicate()
            pytest.fail(f"left behind: {left}")
    settled(before)


@pytest.mark.parametrize("options", [[], ["--init"], ["--tmpfs", "/tmp"], ["--tty"],
                                     ["--share", "pid"]])
def test_sigkill_at_random_points(runtime: Runtime, host_snapshot: host.Snapshot,
                                  options: list[str]) -> None:
    """From the first instruction to a running command: the delay is drawn, then cut short."""
    kill_at_random_points(runtime, host_snapshot, options)


def test_a_container_that_starts_meanwhile_is_no_leftover(as_root: Runtime) -> None:
    """With --share pid bulkhead ends who is left in the mount namespace, and the number of a
    namespace that has gone is soon another's."""
    slow = ("strace", "-f", "-qq", "-o", "/dev/null",
            "-e", "inject=getdents64:delay_enter=500000:when=1")
    first = replace(as_root, caller=replace(as_root.caller, switch=slow)).start(
        "--share", "pid", "--", "true")
    others: list[subprocess.Popen[bytes]] = []
    while first.poll() is None:
        others.append(as_root.start("--", "sh", "-c", "echo up; exec cat"))
        output = others[-1].stdout
        assert output and output.read(3) == b"up\n"
    for other in others:
        other.communicate(timeout=10)  # the end of its input ends it
    assert len(others) > 10
    assert {other.returncode for other in others} == {0}


def test_sigkill_of_the_whole_process_group(runtime: Runtime,
                                            host_snapshot: host.Snapshot) -> None:
    """As a test driver does that has waited for too long."""
    upper = runtime.directory("upper")
    box = runtime.start("--upper", str(upper), "--", "sh", "-c", "echo up; cat",
                        start_new_session=True)
    assert box.stdout and box.stdout.read(3) == b"up\n"
    children = Path(f"/proc/{box.pid}/task/{box.pid}/children")

    def is_apart() -> bool:
        pids = [int(pid) for pid in children.read_text().split()]
        return len(pids) == 2 and box.pid not in map(os.getsid, pids)
    assert host.wait_until(is_apart)
    os.killpg(box.pid, signal.SIGKILL)
    box.communicate(timeout=10)
    settled(host_snapshot)
    assert host.wait_until(lambda: os.listdir(runtime.work) == ["upper"]), "the janitor is dead"


def test_sigkill_while_a_time_namespace_is_made(runtime: Runtime,
                                                host_snapshot: host.Snapshot) -> None:
    kill_at_random_points(runtime, host_snapshot, ["--timens", "1,1"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_at_random_points(runtime: Runtime, host_snapshot: host.Snapshot,
                                  number: signal.Signals) -> None:
    draw = random.Random(int(number))
    for _ in range(KILLS // 4):
        box = runtime.start("--", "cat")
        select.select([box.stdout], [], [], draw.random() * 0.012)
        box.send_signal(number)
        assert box.wait(timeout=10) in (128 + number, -number)
        box.communicate()
    settled(host_snapshot)


def test_rootfs_is_as_it_was(runtime: Runtime) -> None:
    """Nothing of the container's own mounts shows in the directory: no node, no mount point."""
    def listing() -> dict[str, tuple[int, int, int]]:
        return {str(path): (path.lstat().st_mode, path.lstat().st_size, path.lstat().st_uid)
                for path in sorted(runtime.rootfs.rglob("*"))}
    before = listing()
    for options in ([], ["--tty"], ["--init", "--read-only"], ["--tmpfs", "/tmp"]):
        runtime.run(*options, "--", "true").ok()
    runtime.run("--", "no-such-command")
    assert listing() == before


def test_layers_leave_no_scratch(runtime: Runtime) -> None:
    one, upper = runtime.directory("one"), runtime.directory("upper")
    for options in (["--layer", one], ["--layer", one, "--upper", upper]):
        for command in ("true", "no-such-command"):
            runtime.run(*options, "--", command)
    assert sorted(os.listdir(runtime.work)) == ["one", "upper"]
    assert os.listdir(one) == [] and os.listdir(upper) == []


def test_layers_leave_no_scratch_after_sigkill(runtime: Runtime) -> None:
    upper = runtime.directory("upper")
    box = runtime.start("--upper", str(upper), "--", "sh", "-c", "touch /x; echo up; cat")
    assert box.stdout and box.stdout.readline() == b"up\n"
    box.kill()
    box.communicate(timeout=10)
    before = host.Snapshot.take()
    settled(before)
    # Whatever the janitor has still to do, the next run works and sees what was written.
    assert runtime.run("--upper", str(upper), "--", "ls", "/x").ok() == "/x\n"
    assert sorted(os.listdir(runtime.work)) == ["upper"]


def test_background_processes_end_with_the_command(runtime: Runtime) -> None:
    script = "for i in 1 2 3 4 5; do setsid sh -c 'trap \"\" HUP TERM; cat <>/dev/shm/p' & done; " \
             "exit 0"
    runtime.sh("mkfifo /dev/shm/p; " + script).ok()


def test_fork_bomb_of_limited_size_is_ended(any_caller: Runtime) -> None:
    script = "i=0; while [ $i -lt 200 ]; do cat </dev/zero >/dev/null & i=$((i+1)); done; exit 3"
    assert any_caller.sh(script).status == 3


def test_fifty_at_once(runtime: Runtime) -> None:
    def one(number: int) -> str:
        return runtime.run("--hostname", f"n{number}", "--", "hostname").ok()
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(one, range(50))) == [f"n{number}\n" for number in range(50)]


def test_nothing_is_left_after_errors(runtime: Runtime) -> None:
    for arguments in (["--bind", "/nonexistent:/mnt"], ["--workdir", "/nonexistent"],
                      ["--", "no-such"], ["--", "/etc/passwd"], ["--layer", "/nonexistent"],
                      ["--memory", "1"], ["--bind", "/etc:/proc/x"]):
        assert runtime.run(*arguments, "true").status in (125, 126, 127)


def test_full_output_pipe_does_not_keep_it_alive(runtime: Runtime) -> None:
    read, write = os.pipe()
    box = runtime.start("--", "cat", "/dev/zero", stdout=write, stdin=subprocess.DEVNULL)
    os.close(write)
    assert os.read(read, 1) == b"\0"
    os.close(read)  # cat gets SIGPIPE: PID 1 without a handler is not killed by it, but has EPIPE
    assert box.wait(timeout=10) != 0
    box.communicate()


def test_session_of_the_caller_may_end(runtime: Runtime) -> None:
    """The caller dies at once, bulkhead stays: it is no child of a shell that has gone."""
    argv = runtime.run_argv("--", "sh", "-c", "echo done >/mnt/done")
    shared = runtime.directory("shared", 0o777)
    argv[argv.index("--", len(argv) - 5):argv.index("--", len(argv) - 5)] = [
        "--bind", f"{shared}:/mnt"]
    process = subprocess.Popen(["sh", "-c", '"$@" & exit 0', "sh", *argv], cwd=runtime.work,
                               stdout=subprocess.PIPE)
    process.communicate(timeout=10)  # the pipe closes when the last of them has ended
    assert Path(shared / "done").read_text() == "done\n"


def stay_as(word: str) -> str:
    """A script that leaves the mount namespace, says so, and stays."""
    return f"unshare {word} sh -c 'trap \"\" HUP TERM; echo up >&3; cat <>/dev/shm/p' " \
           ">/dev/null 2>&1"


@pytest.mark.parametrize("word", ["-m", "-Um"])
@pytest.mark.parametrize("how", ["", "setsid"])
def test_who_left_the_mount_namespace_ends_with_the_command(
        as_root: Runtime, host_snapshot: host.Snapshot, word: str, how: str) -> None:
    script = f"mkfifo /dev/shm/p /dev/shm/q; exec 3<>/dev/shm/q; {how} {stay_as(word)} & " \
             "read up <&3; echo $up"
    options = ["--share", "pid", "--seccomp", "none", "--cap-add", "SYS_ADMIN"]
    assert as_root.sh(script, *options).ok() == "up\n"
    left = host.children()
    host.kill_children()
    assert not left, left
    settled(host_snapshot)


def test_orphans_of_a_shared_pid_namespace_are_reaped(runtime: Runtime) -> None:
    """bulkhead adopts them, and none stays as a zombie while the container runs."""
    script = "for i in 1 2 3 4 5 6 7 8; do (true & echo $!) ; done; echo up; read line"
    box = runtime.start("--share", "pid", "--", "sh", "-c", script)
    assert box.stdout
    pids = [box.stdout.readline().strip().decode() for _ in range(8)]
    assert box.stdout.readline() == b"up\n" and all(map(str.isdigit, pids))
    assert host.wait_until(
        lambda: not any(host.stat_fields(pid)[1:2] == [str(box.pid)] for pid in pids), 20)
    box.communicate(b"\n", timeout=10)
    assert box.returncode == 0


def test_children_that_bulkhead_had_before_are_no_leftovers(runtime: Runtime) -> None:
    """Of the program that executed it: a shell, with something in the background."""
    argv = runtime.run_argv("--share", "pid", "--", "true")
    result = runtime.execute(["sh", "-c", 'sleep 60 >&- 2>&- & echo $!; exec "$@"', "sh", *argv])
    child = result.ok().strip()
    left = host.children()
    host.kill_children()
    assert any(line.split()[0] == child for line in left), left
