# SPDX-License-Identifier: GPL-2.0-or-later
"""What bulkhead's exit status tells: the command's own, 128+N, 125, 126 or 127."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from containers import Runtime


@pytest.mark.parametrize("status", [0, 1, 2, 63, 124, 125, 126, 127, 128, 200, 255])
def test_status_is_that_of_the_command(runtime: Runtime, status: int) -> None:
    result = runtime.sh(f"exit {status}")
    assert (result.status, result.out, result.err) == (status, "", "")


@pytest.mark.parametrize("options", [[], ["--init"]])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP,
                                    signal.SIGSEGV, signal.SIGABRT, signal.SIGRTMAX])
def test_signal_of_the_command_is_told(runtime: Runtime, options: list[str],
                                       number: signal.Signals) -> None:
    # PID 1 does not die of a signal that it sends itself: a process below it does, and the
    # shell passes that on as its status.
    result = runtime.sh(f"sh -c 'kill -{int(number)} $$'; exit $?", *options)
    assert (result.status, result.err.count("bulkhead")) == (128 + number, 0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
def test_signal_from_the_kernel_or_the_host_is_told(any_caller: Runtime,
                                                    number: signal.Signals) -> None:
    # With --init the command is not PID 1 and dies of the signals that it gets.
    result = any_caller.run("--init", "--", "sh", "-c", f"kill -{int(number)} $$")
    assert (result.status, result.err) == (128 + number, "")


@pytest.mark.parametrize("command", ["no-such-command", "/no/such/command", "./missing", "bin"])
def test_command_not_found_is_127(runtime: Runtime, command: str) -> None:
    runtime.run(command).refused(f'find the command "{command}"', "No such file or directory",
                                 status=127)


@pytest.mark.parametrize("command", ["/etc/passwd", "/etc", "/", "/dev/null", "./etc/passwd"])
def test_command_that_cannot_be_executed_is_126(runtime: Runtime, command: str) -> None:
    runtime.run(command).refused(command, "Permission denied", status=126)


@pytest.mark.parametrize("length, status", [(4095, 0), (4096, 126), (5000, 126)])
def test_endless_path_is_not_cut(runtime: Runtime, length: int, status: int) -> None:
    """The first 4095 bytes name a program."""
    path = "/" * (4095 - len("bin/true")) + "bin/true" + "x" * (length - 4095)
    result = runtime.run(path)
    if status:
        result.refused("name too long", status=status)
    else:
        result.ok()


def test_file_that_is_no_program_is_126(runtime: Runtime) -> None:
    rootfs = runtime.copy_rootfs()
    (rootfs / "usr/bin/garbage").write_bytes(b"\x7fELF and then nothing of use")
    (rootfs / "usr/bin/garbage").chmod(0o755)
    result = runtime.with_rootfs(rootfs).run("garbage")
    result.refused("execute", "garbage", "Exec format error", status=126)


def test_script_without_its_interpreter_says_so(runtime: Runtime) -> None:
    rootfs = runtime.copy_rootfs()
    script = rootfs / "usr/bin/script"
    script.write_text("#!/no/interpreter\n")
    script.chmod(0o755)
    result = runtime.with_rootfs(rootfs).run("script")
    assert result.status in (126, 127)
    result.refused("script", "interpreter", status=result.status)


def test_script_runs(runtime: Runtime) -> None:
    rootfs = runtime.copy_rootfs()
    script = rootfs / "usr/bin/script"
    script.write_text('#!/bin/sh\necho "$0 $*"\n')
    script.chmod(0o755)
    assert runtime.with_rootfs(rootfs).run("script", "a b", "c").ok().endswith("/script a b c\n")


def test_first_match_in_the_path_of_the_container_runs(runtime: Runtime) -> None:
    rootfs = runtime.copy_rootfs()
    for directory, text in (("first", "one"), ("second", "two")):
        (rootfs / directory).mkdir()
        tool = rootfs / directory / "tool"
        tool.write_text(f"#!/bin/sh\necho {text}\n")
        tool.chmod(0o755)
        runtime.own(rootfs / directory)
    box = runtime.with_rootfs(rootfs)
    path = "--env=PATH=/nowhere:/second:/first:/bin"
    assert box.run(path, "--", "tool").ok() == "two\n"
    (rootfs / "second/tool").chmod(0o644)
    assert box.run(path, "--", "tool").ok() == "one\n"
    (rootfs / "first/tool").unlink()
    box.run(path, "--", "tool").refused("tool", "Permission denied", status=126)


def test_path_of_the_host_has_no_part_in_it(any_caller: Runtime, tmp_path: Path) -> None:
    (tmp_path / "host-tool").write_text("#!/bin/sh\n")
    (tmp_path / "host-tool").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    any_caller.run("host-tool", env={**os.environ, "PATH": path}).refused(status=127)


def test_dynamic_loader_that_is_missing_is_told(any_caller: Runtime) -> None:
    rootfs = any_caller.copy_rootfs()
    # Any dynamic program of the host: its loader is not in the rootfs.
    (rootfs / "usr/bin/dynamic").write_bytes(Path("/usr/bin/env").read_bytes())
    (rootfs / "usr/bin/dynamic").chmod(0o755)
    result = any_caller.with_rootfs(rootfs).run("dynamic")
    assert result.status in (126, 127)
    result.refused("dynamic", status=result.status)


def test_arguments_arrive_as_they_are(runtime: Runtime) -> None:
    words = ["", " ", "a b", "*", "$HOME", "--rootfs", "-x", "--", "é", "'", '"', "\\", "\n"]
    result = runtime.sh('for i; do printf "<%s>" "$i"; done', "--env", "X=1")
    assert result.ok() == ""
    result = runtime.run("--", "sh", "-c", 'for i; do printf "<%s>" "$i"; done', "sh", *words)
    assert result.ok() == "".join(f"<{word}>" for word in words)


def test_options_end_at_the_command(runtime: Runtime) -> None:
    assert runtime.run("echo", "--hostname", "x", "--help").ok() == "--hostname x --help\n"


def test_two_thousand_arguments(any_caller: Runtime) -> None:
    words = [f"argument-number-{n}" for n in range(2000)]
    assert any_caller.run("echo", *words).ok() == " ".join(words) + "\n"
