# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames of the result channel; the guest's half is vm/guest/wire.c."""

from __future__ import annotations

import zlib
from typing import Iterator, NamedTuple

REQUEST_MAX = 3900  # bytes: init drops longer lines


class Frame(NamedTuple):
    """One message from init."""

    kind: str
    payload: bytes


class Damaged(Exception):
    """A line on the channel is not the frame that had to come next."""


def checksum(nonce: str, seq: int, kind: str, payload: bytes) -> int:
    """CRC-32 that only init and this launcher can compute, since the nonce is theirs alone."""
    return zlib.crc32(payload, zlib.crc32(f"{nonce} {seq} {kind} ".encode()))


class Decoder:
    """Turns bytes from the port into frames and notices every lost, cut or forged one."""

    def __init__(self) -> None:
        self.nonce = ""
        self.seq = 0
        self._pending = b""

    def set_nonce(self, nonce: str) -> None:
        """From the next frame on; init starts counting from 0 again."""
        self.nonce = nonce
        self.seq = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yields the frames that DATA completes. Raises Damaged."""
        self._pending += data
        while True:
            frame = self._take()
            if frame is None:
                return
            yield frame

    def _take(self) -> "Frame | None":
        fields = self._pending.split(b" ", 4)
        if len(fields) < 5:
            if b"\n" in self._pending:
                raise Damaged(f"not a frame: {self._pending[:80]!r}")
            return None
        head = self._pending[:len(self._pending) - len(fields[4])]
        try:
            seq, kind = int(fields[0][1:]), fields[1].decode("ascii")
            crc, length = int(fields[2], 16), int(fields[3])
        except ValueError:
            raise Damaged(f"not a frame: {head[:80]!r}") from None
        if len(fields[4]) <= length:
            return None
        payload, rest = fields[4][:length], fields[4][length:]
        if head[:1] != b"~" or rest[:1] != b"\n" or seq != self.seq \
                or crc != checksum(self.nonce, seq, kind, payload):
            raise Damaged(f"bad frame (wanted number {self.seq}): {head[:80]!r}")
        self._pending = rest[1:]
        self.seq += 1
        return Frame(kind, payload)


def quote(word: str) -> str:
    """Percent-encodes what may not stand in a request's word; an empty word cannot be sent."""
    return "".join(chr(byte) if 0x21 <= byte <= 0x7e and byte != 0x25 else f"%{byte:02x}"
                   for byte in word.encode("utf-8", "surrogateescape"))


def request(text: str) -> bytes:
    """The line that carries a request to init."""
    line = text.encode("ascii")
    if len(line) > REQUEST_MAX:
        raise ValueError(f"request of {len(line)} bytes is longer than {REQUEST_MAX}")
    return b"%08x %s\n" % (zlib.crc32(line), line)
