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
from typing import Iterator

import pytest

from containers import Runtime

SIZE = struct.Struct("HHHH")


class Terminal:
    """A pty in the place of the user's terminal, with a bulkhead in its foreground."""

    def __init__(self, runtime: Runtime, *arguments: str) -> None:
        self.host, self.user = pty.openpty()
        self.resize(24, 80)
        self.before = termios.tcgetattr(self.user)
        self.box = subprocess.Popen(runtime.run_argv(*arguments), stdin=self.user,
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


def start(terminals: list[Terminal], runtime: Runtime, *arguments: str) -> Terminal:
    terminals.append(Terminal(runtime, *arguments))
    return terminals[-1]


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


def test_ctrl_c_ends_a_command_without_a_handler(runtime: Runtime,
                                                 terminals: list[Terminal]) -> None:
    screen = start(terminals, runtime, "--tty", "--init", "--", "sh", "-c", "echo ready; exec cat")
    screen.until(b"ready")
    screen.type(b"\x03")
    assert screen.end() == 128 + signal.SIGINT


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
