# SPDX-License-Identifier: GPL-2.0-or-later
"""--tty: a terminal of the container's own; without it, the caller's is out of reach."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest

import host
from containers import Runtime

SIZE = struct.Struct("HHHH")


class Terminal:
    """A pty in the place of the user's terminal, with a bulkhead in its foreground."""

    def __init__(self, runtime: Runtime, *arguments: str, shell: str = "") -> None:
        self.host, self.user = pty.openpty()
        self.resize(24, 80)
        self.before = termios.tcgetattr(self.user)
        argv = runtime.run_argv(*arguments)
        if shell:
            argv = ["sh", "-mc", shell, "sh", *argv]
        self.box = subprocess.Popen(argv, stdin=self.user,
                                    stdout=self.user, stderr=self.user, cwd=runtime.work,
                                    preexec_fn=self.take_over)
        self.shown = b""

    def take_over(self) -> None:
        """Makes the pty the controlling terminal of a session of its own."""
        os.setsid()
        fcntl.ioctl(self.user, termios.TIOCSCTTY, 0)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.host, termios.TIOCSWINSZ, SIZE.pack(rows, columns, 0, 0))

    def type(self, text: bytes) -> None:
        os.write(self.host, text)

    def until(self, text: bytes) -> bytes:
        """Reads until TEXT has been shown; returns all that came up to its end."""
        while text not in self.shown:
            assert select.select([self.host], [], [], 10)[0], (text, self.shown)
            self.shown += os.read(self.host, 4096)
        seen, _, self.shown = self.shown.partition(text)
        return seen + text

    def end(self) -> int:
        """Waits for bulkhead; returns its status."""
        return self.box.wait(timeout=10)

    def close(self) -> None:
        if self.box.poll() is None:
            self.box.kill()
            self.box.wait()
        os.close(self.host)
        os.close(self.user)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def start(terminals: list[Terminal], runtime: Runtime, *arguments: str,
          shell: str = "") -> Terminal:
    """SHELL is a script with job control that runs bulkhead as "$@"."""
    terminals.append(Terminal(runtime, *arguments, shell=shell))
    return terminals[-1]


def children(pid: int) -> list[int]:
    return [int(child) for child in
            Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_stopped(pid: int) -> bool:
    return (host.stat_fields(str(pid)) or "-")[0] == "T"


def is_raw(screen: Terminal) -> bool:
    flags = int(termios.tcgetattr(screen.user)[3])
    return not flags & (termios.ICANON | termios.ECHO | termios.ISIG)


def test_streams_are_a_terminal(runtime: Runtime, terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c",
                   "test -t 0 && test -t 1 && test -t 2 && tty && stat -c '%F' $(tty) && echo END")
    text = screen.until(b"END\r\n")
    assert b"/dev/pts/0" in text or b"/dev/console" in text, text
    assert b"character special file" in text
    assert screen.end() == 0


def test_it_is_the_controlling_terminal(runtime: Runtime, terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c", "echo to-tty >/dev/tty; echo END")
    assert b"to-tty" in screen.until(b"END\r\n")


def test_it_is_none_of_the_hosts(runtime: Runtime, terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c",
                   "stat -c 'device=%d:%r' $(tty); echo END")
    text = screen.until(b"END\r\n")
    own = os.fstat(screen.user)
    assert f"device={own.st_dev}:{own.st_rdev}".encode() not in text


def test_size_is_the_callers_and_followed(runtime: Runtime, terminals: list[Terminal]) -> None:
    script = "trap 'stty size' WINCH; stty size; echo ready; while :; do read -r line; done"
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c", script)
    assert b"24 80" in screen.until(b"ready")
    screen.resize(50, 132)
    os.kill(screen.box.pid, signal.SIGWINCH)
    screen.until(b"50 132")


def test_ctrl_c_reaches_the_command(runtime: Runtime, terminals: list[Terminal]) -> None:
    script = "trap 'echo interrupted; exit 9' INT; echo ready; while :; do read -r line; done"
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c", script)
    screen.until(b"ready")
    screen.type(b"\x03")
    screen.until(b"interrupted")
    assert screen.end() == 9


@pytest.mark.parametrize("options", [[], ["--init"]])
@pytest.mark.parametrize("key, number", [(b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)])
def test_keys_end_a_command_without_a_handler(runtime: Runtime, terminals: list[Terminal],
                                              options: list[str], key: bytes,
                                              number: signal.Signals) -> None:
    screen = start(terminals, runtime, "--tty", *options, "--", "cat")
    screen.type(b"ready\n")
    screen.until(b"ready\r\nready")  # the terminal's echo, and cat's
    screen.type(key)
    assert screen.end() == 128 + number


@pytest.mark.parametrize("options", [[], ["--init"]])
def test_key_before_the_command_runs_is_not_lost(as_root: Runtime, terminals: list[Terminal],
                                                 options: list[str]) -> None:
    """The terminal is there before its first process can be sent a signal."""
    slow = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=seccomp:delay_enter=700000")
    box = replace(as_root, caller=replace(as_root.caller, switch=slow))
    screen = start(terminals, box, "--tty", *options, "--", "cat")
    assert host.wait_until(lambda: not termios.tcgetattr(screen.user)[3] & termios.ICANON, 10)
    screen.type(b"\x1c")
    assert screen.end() == 128 + signal.SIGQUIT


def test_keys_without_a_signal_end_nothing(any_caller: Runtime, terminals: list[Terminal]) -> None:
    """Quoted by Ctrl-V, or on a terminal in raw mode, or in the job of a shell inside."""
    screen = start(terminals, any_caller, "--tty", "--", "sh", "-c",
                   "echo ready; head -n 1; stty raw -echo; echo raw; head -c 1; exec sh -i")
    screen.until(b"ready\r\n")
    screen.type(b"\x16\x03\n")
    screen.until(b"\x03\r\nraw")
    screen.type(b"\x03")
    screen.until(b"\x03")
    screen.until(b"# ")
    screen.type(b"stty sane; echo $((40 + 1)); cat\n")
    screen.until(b"41\r\n")
    screen.type(b"in-cat\n")
    screen.until(b"in-cat\r\nin-cat\r\n")
    screen.type(b"\x03")
    screen.until(b"# ")
    screen.type(b"echo $((40 + 2)); exit 5\n")
    screen.until(b"42")
    assert screen.end() == 5


def test_ctrl_z_stops_a_command_without_a_handler(runtime: Runtime,
                                                  terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "cat",
                   shell='"$@"; echo STOPPED; read -r go; fg; echo "STATUS $?"')
    assert host.wait_until(lambda: is_raw(screen), 10)
    screen.type(b"ready\n")
    screen.until(b"ready\r\nready")
    screen.type(b"\x1a")
    screen.until(b"STOPPED")
    assert termios.tcgetattr(screen.user) == screen.before
    screen.type(b"go\n")
    assert host.wait_until(lambda: is_raw(screen), 10)
    screen.type(b"again\n\x04")
    screen.until(b"again\r\nagain")
    screen.until(b"STATUS 0")
    assert termios.tcgetattr(screen.user) == screen.before


def test_in_the_background_it_waits_for_the_terminal(runtime: Runtime,
                                                     terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c", 'read -r x; echo "got $x"',
                   shell='"$@" & read -r go; fg; echo "STATUS $?"')
    assert host.wait_until(lambda: [*map(is_stopped, children(screen.box.pid))] == [True], 10)
    assert termios.tcgetattr(screen.user) == screen.before
    screen.type(b"go\n")
    assert host.wait_until(lambda: is_raw(screen), 10)
    screen.type(b"word\n")
    screen.until(b"got word")
    screen.until(b"STATUS 0")
    assert termios.tcgetattr(screen.user) == screen.before


def test_ctrl_c_without_tty_works_too(runtime: Runtime, terminals: list[Terminal]) -> None:
    # No shell: that catches SIGINT up to the moment of its exec, and a signal is lost there.
    screen = start(terminals, runtime, "--", "cat")
    screen.type(b"ready\n")
    screen.until(b"ready\r\nready")  # the terminal's echo, and cat's
    screen.type(b"\x03")
    assert screen.end() == 128 + signal.SIGINT


def test_ctrl_d_is_the_end_of_input(runtime: Runtime, terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c", "echo ready; cat; echo END")
    screen.until(b"ready\r\n")
    screen.type(b"line\n\x04")
    assert screen.until(b"END").count(b"line") == 2  # the echo, and cat's
    assert screen.end() == 0


def test_callers_terminal_is_raw_meanwhile_and_restored(runtime: Runtime,
                                                        terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c", "echo ready; read x")
    screen.until(b"ready")
    flags = termios.tcgetattr(screen.user)[3]
    assert not flags & (termios.ICANON | termios.ECHO | termios.ISIG)
    screen.type(b"\n")
    assert screen.end() == 0
    assert termios.tcgetattr(screen.user) == screen.before


def test_terminal_is_restored_after_an_error(runtime: Runtime, terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "no-such-command")
    screen.until(b"find the command")
    assert screen.end() == 127
    assert termios.tcgetattr(screen.user) == screen.before


def test_all_output_arrives(runtime: Runtime, terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c", "seq 1 20000; echo END")
    lines = screen.until(b"END\r\n").split(b"\r\n")
    assert lines[:20000] == [b"%d" % n for n in range(1, 20001)]


def test_output_goes_on_when_nobody_had_it_open(runtime: Runtime,
                                                terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--", "sh", "-c",
                   "exec </dev/null >/dev/null 2>&1; sleep 1; exec <>/dev/tty >&0; "
                   "echo back; read -r x; echo got $x")
    screen.until(b"back")
    screen.type(b"word\n")
    screen.until(b"got word")
    assert screen.end() == 0


F_SETPIPE_SZ = 1031  # of linux/fcntl.h; Python 3.9's fcntl does not name it


def start_with_full_pipe(runtime: Runtime, flags: int,
                         *command: str) -> tuple[subprocess.Popen[bytes], int]:
    """bulkhead with --tty, whose standard output nobody reads, and the end to read it from.

    The pipe has one page: it is full when it holds anything. Of several pages each may be left
    partly empty, as writes come, and how much fits is a matter of luck.
    """
    read, write = os.pipe()
    fcntl.fcntl(write, F_SETPIPE_SZ, 4096)
    fcntl.fcntl(write, fcntl.F_SETFL, os.O_WRONLY | flags)
    box = runtime.start("--tty", "--", *command, stdin=subprocess.DEVNULL, stdout=write)
    assert host.wait_until(lambda: not select.select([], [write], [], 0)[1], 10)
    os.close(write)
    return box, read


@pytest.mark.parametrize("flags", [0, os.O_NONBLOCK])
def test_signals_arrive_while_nobody_reads(runtime: Runtime, flags: int) -> None:
    box, read = start_with_full_pipe(runtime, flags, "yes")
    box.terminate()
    assert box.wait(timeout=10) == 128 + signal.SIGTERM
    os.close(read)
    box.communicate()


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("flags", [0, os.O_NONBLOCK])
def test_last_output_waits_for_its_reader(runtime: Runtime, flags: int, reads: bool) -> None:
    size = 6_000  # more than the pipe's page, less than that and what a terminal holds
    box, read = start_with_full_pipe(runtime, flags, "head", "-c", str(size), "/dev/zero")
    assert host.wait_until(lambda: "Z" in [(host.stat_fields(str(child)) or "-")[0]
                                           for child in children(box.pid)], 10)
    if reads:
        with os.fdopen(read, "rb") as pipe:
            assert len(pipe.read()) == size
    else:
        box.terminate()
    assert box.wait(timeout=10) == 0
    if not reads:
        os.close(read)
    box.communicate()


def test_tty_without_a_terminal(runtime: Runtime) -> None:
    """With pipes for its streams --tty still gives the command a terminal."""
    result = runtime.sh("test -t 1 && echo terminal", "--tty")
    assert result.status == 0 and "terminal" in result.out


def test_nothing_can_be_typed_into_the_callers_terminal(runtime: Runtime,
                                                        terminals: list[Terminal]) -> None:
    """TIOCSTI (CVE-2017-5226), also with high bits set (CVE-2019-10063)."""
    for options in ([], ["--tty"]):
        screen = start(terminals, runtime, *options, "--", "probe", "tiocsti")
        for _ in range(2):
            assert b"ok" not in screen.until(b"\n")
        assert screen.end() == 0
        assert not select.select([screen.user], [], [], 0)[0], "a byte waits to be read"


def test_no_controlling_terminal_without_tty(runtime: Runtime, terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--", "sh", "-c", "(: </dev/tty) 2>&1; echo END")
    assert b"No such device" in screen.until(b"END")


def test_seven_field_of_stat_is_the_terminal(any_caller: Runtime,
                                             terminals: list[Terminal]) -> None:
    screen = start(terminals, any_caller, "--tty", "--", "sh", "-c",
                   "cut -d' ' -f5-8 /proc/self/stat; echo END")
    pgrp, session, number, foreground = screen.until(b"END").split()[:4]
    assert session == b"1" and number != b"0" and int(foreground) > 0 and pgrp
