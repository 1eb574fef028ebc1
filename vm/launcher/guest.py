# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that talks: requests to init, and one stream of its frames and console lines."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from typing import Dict, Generator, Iterator, List, NamedTuple, Optional, Sequence

from launcher import wire
from launcher.errors import GuestDied
from launcher.qemu import Qemu
from launcher.qmp import Qmp
from launcher.stopwatch import Stopwatch, waited

# What the speed test of vm/guest/init.c (fork, exit, wait) may take before time limits are
# stretched: about five times what a current processor needs, which the limits have room for.
UNSTRETCHED_FORK_US = 400
LOG_MAX = 4 << 20  # bytes of console that are kept: a guest may print without end
QUIT_SECONDS = 10  # what QEMU may take to end once it has closed its channels


class Event(NamedTuple):
    """Something the guest did: a frame of the result channel, or `console` with a line of text."""

    kind: str
    text: str


class Guest:
    """One QEMU with our init in it."""

    def __init__(self, qemu: Qemu) -> None:
        self.qemu = qemu
        self.qmp = Qmp(qemu.channels["monitor"])
        self.log = bytearray()           # the whole console
        self.hello = ""
        self.troubles: List[str] = []
        self.patient = False             # a debugger may stop it for as long as it likes
        self.factor = 1.0                # by how much time limits are stretched
        self._decoder = wire.Decoder()
        self._line = b""
        self._selector = selectors.DefaultSelector()
        for name in ("console", "results"):
            if name in qemu.channels:  # an interactive guest has its console on the terminal
                qemu.channels[name].setblocking(False)
                self._selector.register(qemu.channels[name], selectors.EVENT_READ, name)

    def waited(self) -> Dict[str, float]:
        """For how many seconds each of its threads could not run for want of a processor."""
        return waited(self.qemu.process.pid)

    def send(self, text: str) -> None:
        """Sends one request to init."""
        sock = self.qemu.channels["results"]
        try:
            sock.setblocking(True)
            sock.sendall(wire.request(text))
            sock.setblocking(False)
        except OSError:
            raise GuestDied("qemu", "QEMU is gone") from None

    def begin(self) -> None:
        """Fresh entropy, the right time and a secret nonce; measures how fast the guest is."""
        nonce = os.urandom(8).hex()
        self.send(f"begin {nonce} {time.time_ns()} {os.urandom(64).hex()}")
        self._decoder.set_nonce(nonce)
        took = int(self.await_frame("began", 30.0))
        self.factor = max(1.0, took / UNSTRETCHED_FORK_US)

    def execute(self, argv: Sequence[str], job: str = "job") -> None:
        """Starts a command in the guest; its output and end come as events."""
        self.send(" ".join(["exec", job] + [wire.quote(word) for word in argv]))

    def await_frame(self, kind: str, timeout: float) -> str:
        """The payload of the next frame of that kind. Raises GuestDied when none comes."""
        watch = Stopwatch(self)
        while True:
            for event in self.events(min(1.0, timeout)):
                if event.kind == kind:
                    return event.text
            if watch.passed(timeout):
                raise GuestDied("silent", f"the guest did not say \"{kind}\" in {timeout:.0f} s")

    def events(self, timeout: float) -> Iterator[Event]:
        """What came in, at the latest after TIMEOUT seconds. Raises GuestDied at the end.

        Console text comes first: the kernel said it before the frame that was sent after it.
        """
        ready = {key.data for key, _ in self._selector.select(max(0.0, timeout))}
        dead = False
        if "console" in ready:
            dead = yield from self._read_console()
        if "results" in ready:
            data = self._receive("results")
            dead = data is None
            try:
                for frame in self._decoder.feed(data or b""):
                    yield from self._take(frame)
            except wire.Damaged as error:
                raise GuestDied("channel", f"the result channel is damaged: {error}") from None
        if dead:
            yield from self._last_words()
            self.qemu.wait(QUIT_SECONDS)  # its exit status tells who ended it
            raise GuestDied("ended", "QEMU ended")

    def last_events(self) -> Iterator[Event]:
        """What a guest that is gone said before it went, and how QEMU ends."""
        deadline = time.monotonic() + QUIT_SECONDS
        with contextlib.suppress(GuestDied):
            while time.monotonic() < deadline:
                yield from self.events(deadline - time.monotonic())

    def _take(self, frame: wire.Frame) -> Iterator[Event]:
        text = frame.payload.decode("utf-8", "backslashreplace")
        if frame.kind == "hello":
            self.hello = text
        elif frame.kind == "trouble":
            self.troubles.append(text)
        yield Event(frame.kind, text)

    def _receive(self, name: str) -> Optional[bytes]:
        """What is there: b"" for nothing, None at the end of the file."""
        try:
            return self.qemu.channels[name].recv(65536) or None
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            return None

    def _read_console(self) -> Generator[Event, None, bool]:
        """Yields whole lines; returns whether the console has ended."""
        data = self._receive("console")
        if len(self.log) < LOG_MAX:
            self.log += data or b""
        *lines, self._line = (self._line + (data or b"")).split(b"\n")
        for line in lines:
            yield Event("console", line.decode("utf-8", "replace").strip("\r"))
        return data is None

    def _last_words(self) -> Iterator[Event]:
        """The console up to its end, and a last line without a newline."""
        if "console" not in self.qemu.channels:
            return
        while (yield from self._read_console()) is False:
            self._selector.select(0.2)
        if self._line:
            yield Event("console", self._line.decode("utf-8", "replace"))
            self._line = b""

    def log_text(self) -> str:
        """The console as text, without what terminals and firmware put into it."""
        return self.log.decode("utf-8", "replace").replace("\r", "").replace("\0", "")

    def close(self) -> str:
        """Ends the guest; returns what QEMU complained about."""
        self._selector.close()
        return self.qemu.kill()
