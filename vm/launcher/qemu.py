# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU process and its channels. It never outlives the launcher, however that one ends."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from typing import IO, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from launcher import interrupt
from launcher.arch import Arch, kernel_command_line, machine_arguments
from launcher.errors import GuestDied, InfraError

POSIX = os.name == "posix"

# The minder waits for the pipe that only the launcher holds open; when the launcher is gone, even
# by SIGKILL, it reads the end of the file and kills QEMU. It has a session of its own: what ends
# the whole process group of the launcher must not end it.
MINDER = 'read -r _; kill -9 "$0" 2>/dev/null'


BLOCK = 4096  # bytes of stdin at a time


class Machine(NamedTuple):
    """What a guest is made of; two equal ones differ only in what happens in them."""

    arch: Arch
    qemu: str
    accel: str
    kernel: str
    initrd: str
    options: str = ""                # more words for the kernel's command line
    extra: Tuple[str, ...] = ()      # more QEMU arguments


def arguments(machine: Machine, restore: bool = False, memory: str = "") -> List[str]:
    """QEMU's arguments but for the channels. MEMORY is what backs the guest's RAM, if a file does.

    A restored guest brings its kernel along in its memory, so it is not loaded again.
    """
    arch = machine.arch
    args = [machine.qemu, "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot",
            *machine_arguments(arch, machine.accel), "-m", str(arch.memory_mib)]
    if memory:
        args += ["-object", f"memory-backend-file,id=ram,size={arch.memory_mib}M,{memory}",
                 "-machine", "memory-backend=ram"]
    if restore:
        args += ["-incoming", "defer"]
    else:
        args += ["-kernel", machine.kernel, "-initrd", machine.initrd,
                 "-append", kernel_command_line(arch, machine.options)]
    return args + list(machine.extra)


def option_value(text: str) -> str:
    """TEXT as a value inside one of QEMU's comma-separated options."""
    return text.replace(",", ",,")


class Channel(NamedTuple):
    """A character device of QEMU and the launcher's end of it."""

    chardev: str
    near: socket.socket              # POSIX: connected already; elsewhere: listening
    far: Optional[socket.socket]


def open_channel(name: str) -> Channel:
    """A socket pair where there is such a thing, else TCP on the loopback interface."""
    if POSIX:
        near, far = socket.socketpair()
        far.set_inheritable(True)
        return Channel(f"socket,id={name},fd={far.fileno()}", near, far)
    near = socket.create_server(("127.0.0.1", 0))
    near.settimeout(10)
    return Channel(f"socket,id={name},host=127.0.0.1,port={near.getsockname()[1]}", near, None)


class Qemu:
    """A running QEMU. `channels` maps console, results and monitor to connected sockets."""

    def __init__(self, args: Sequence[str], channels: Sequence[str], devices: Sequence[str],
                 inherit: Sequence[int] = (), terminal: bool = False) -> None:
        opened = {name: open_channel(name) for name in channels}
        command = list(args)
        for channel in opened.values():
            command += ["-chardev", channel.chardev]
        command += list(devices)
        if "monitor" in opened:
            command += ["-mon", "chardev=monitor,mode=control"]
        descriptors = [c.far.fileno() for c in opened.values() if c.far] + list(inherit)
        self._minder: Optional[subprocess.Popen[bytes]] = None
        try:
            with interrupt.held():
                self.process = subprocess.Popen(
                    command, stdin=_keyboard() if terminal else subprocess.DEVNULL,
                    stdout=None if terminal else subprocess.DEVNULL, stderr=subprocess.PIPE,
                    pass_fds=descriptors if POSIX else (),
                    start_new_session=POSIX and not terminal)  # Ctrl-C is for the launcher alone
                self._mind()
        except OSError as error:
            raise InfraError(f"cannot run \"{command[0]}\": {error.strerror}") from None
        self.channels: Dict[str, socket.socket] = {}
        for name, channel in opened.items():
            self.channels[name] = self._connected(channel)

    def _mind(self) -> None:
        if POSIX:
            self._minder = subprocess.Popen(["/bin/sh", "-c", MINDER, str(self.process.pid)],
                                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL, start_new_session=True)

    def _connected(self, channel: Channel) -> socket.socket:
        if channel.far:
            channel.far.close()
            return channel.near
        try:
            connected = channel.near.accept()[0]
        except OSError:
            raise GuestDied("qemu", f"QEMU did not start: {self.kill()}") from None
        channel.near.close()
        return connected

    def type_in(self) -> None:
        """Types what stdin holds, and then `exit`, unless stdin is a terminal: QEMU has that."""
        if self.process.stdin:
            threading.Thread(target=_type, args=[self.process.stdin], daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Returns when QEMU has ended by itself, or after that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def kill(self) -> str:
        """Ends QEMU if it still runs, and returns what it wrote to stderr."""
        self.process.kill()  # before the minder: wherever this is cut short, one of them is enough
        if self._minder:
            self._minder.kill()
            self._minder.wait()
            assert self._minder.stdin
            self._minder.stdin.close()
            self._minder = None
        assert self.process.stderr
        if self.process.stderr.closed:
            return ""
        text: str = self.process.stderr.read().decode("utf-8", "replace").strip()
        self.process.stderr.close()
        self.process.wait()
        for sock in getattr(self, "channels", {}).values():
            sock.close()
        return text


def _keyboard() -> Optional[int]:
    """QEMU's stdin. It would give what a pipe holds to the UART at once, and a restored UART
    forgets what came before: only a person is slow enough to type there directly."""
    return None if sys.stdin and sys.stdin.isatty() else subprocess.PIPE


def _typed() -> Iterator[bytes]:
    """What stdin holds, and the end. Not by sys.stdin.buffer: a thread that waits in there makes
    Python abort when the launcher exits."""
    if sys.stdin:
        with contextlib.suppress(OSError):
            yield from iter(lambda: os.read(sys.stdin.fileno(), BLOCK), b"")
    yield b"\nexit\n"


def _type(keyboard: IO[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):  # the guest has ended before its input
        for block in _typed():
            keyboard.write(block)
            keyboard.flush()


def shown(command: Sequence[str]) -> str:
    """The command as a line that a shell takes."""
    import shlex
    if sys.platform == "win32":
        return subprocess.list2cmdline(command)
    return " ".join(shlex.quote(word) for word in command)
