# SPDX-License-Identifier: GPL-2.0-or-later
"""--init: a PID 1 that reaps orphans and passes signals on."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from containers import Runtime


def test_orphans_are_reaped_with_init_only(runtime: Runtime) -> None:
    assert runtime.run("--init", "--", "probe", "orphan").ok() == "reaped\n"
    # Without it the command is PID 1 and has its orphans itself.
    assert runtime.run("--", "probe", "orphan").ok() == "zombie\n"


def test_command_is_not_pid_1(runtime: Runtime) -> None:
    report = runtime.report("--init")
    assert int(report.one("pid")) > 1 and report.one("ppid") == "1"


def test_hundreds_of_orphans(any_caller: Runtime) -> None:
    script = "i=0; while [ $i -lt 300 ]; do (true &); i=$((i+1)); done; wait; " \
             "while ps -o stat | grep -q Z; do :; done; echo clean"
    assert any_caller.sh(script, "--init").ok() == "clean\n"


def test_init_is_no_way_to_the_hosts_binary(runtime: Runtime) -> None:
    """CVE-2019-5736 class: /proc/1/exe of the container must not be the host's bulkhead."""
    before = runtime.binary.read_bytes(), runtime.binary.stat().st_mtime_ns
    script = "for e in /proc/1/exe /proc/self/exe; do ls -li $e; done; " \
             "(echo evil >/proc/1/exe) 2>&1; cp /bin/sh /proc/1/exe 2>&1; " \
             "stat -Lc %d:%i /proc/1/exe"
    result = runtime.sh(script, "--init")
    status = runtime.binary.stat()
    assert f"{status.st_dev}:{status.st_ino}" not in result.out.split()
    assert (runtime.binary.read_bytes(), runtime.binary.stat().st_mtime_ns) == before


def test_init_has_no_more_rights_than_the_command(runtime: Runtime) -> None:
    script = "for p in 1 self; do grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/$p/status; " \
             "echo; done; ls /proc/1/fd"
    first, second, descriptors = runtime.sh(script, "--init").ok().split("\n\n")
    assert first == second
    assert descriptors.split() in (["0", "1", "2"], [])


def test_file_size_limit_of_the_caller_is_told(any_caller: Runtime) -> None:
    around = ("prlimit", "--fsize=0", *any_caller.caller.around)
    small = replace(any_caller, caller=replace(any_caller.caller, around=around))
    why = "File too large (a file may not grow that large here: ulimit -f)"
    small.run("--init", "--", "true").refused("a sealed copy of bulkhead", why)


def test_init_cannot_be_traced_for_descriptors_of_the_host(runtime: Runtime) -> None:
    result = runtime.sh("ls -l /proc/1/fd /proc/1/cwd /proc/1/root", "--init")
    assert str(runtime.work) not in result.out and "memfd" not in result.out


@pytest.mark.parametrize("script, status", [("exit 5", 5), ("kill -9 $$", 137),
                                            ("kill -TERM $$", 143)])
def test_status_of_the_command_is_passed_on(runtime: Runtime, script: str, status: int) -> None:
    result = runtime.sh(script, "--init")
    assert (result.status, result.err) == (status, "")


@pytest.mark.parametrize("command, status", [("no-such", 127), ("/etc/passwd", 126)])
def test_errors_are_the_same_with_init(runtime: Runtime, command: str, status: int) -> None:
    runtime.run("--init", "--", command).refused(command, status=status)


def test_rest_of_the_container_ends_with_the_command(runtime: Runtime) -> None:
    box = runtime.start("--init", "--", "sh", "-c", "setsid cat </dev/zero >/dev/null & echo up")
    assert box.communicate(timeout=10)[0] == b"up\n"
    assert box.returncode == 0


def test_state_of_signals_is_clean_below_init(runtime: Runtime) -> None:
    status = runtime.report("--init").table("status")
    for word in ("SigBlk", "SigIgn", "SigCgt"):
        assert int(status[word], 16) == 0, word


def test_command_without_a_handler_ends_below_init(runtime: Runtime) -> None:
    box = runtime.start("--init", "--", "sh", "-c", "echo $$; exec cat")
    assert box.stdout and box.stdout.readline()
    box.send_signal(signal.SIGTERM)
    assert box.wait(timeout=10) == 128 + signal.SIGTERM
    box.communicate()


@pytest.mark.parametrize("setting", [1, 2])
def test_init_where_memfds_are_restricted(as_root: Runtime, setting: int) -> None:
    """vm.memfd_noexec, of the PID namespace: executable only if asked for (1), or never (2)."""
    if not Path("/proc/sys/vm/memfd_noexec").exists():
        pytest.skip("no-sysctl: vm.memfd_noexec came with Linux 6.3")
    around = ("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c",
              f'echo {setting} >/proc/sys/vm/memfd_noexec && exec "$0" "$@"')
    box = replace(as_root, caller=replace(as_root.caller, around=around))
    result = box.run("--init", "--", "echo", "works")
    if setting == 1:
        assert result.ok() == "works\n"
    else:
        result.refused("vm.memfd_noexec is 2")
