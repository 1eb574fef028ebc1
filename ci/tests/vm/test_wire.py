# SPDX-License-Identifier: GPL-2.0-or-later
"""The frames of the result channel: whole ones pass, everything else is noticed."""

from __future__ import annotations

import zlib
from typing import List

import pytest

from launcher import wire


def frame(seq: int, kind: str, payload: bytes, nonce: str = "secret") -> bytes:
    crc = wire.checksum(nonce, seq, kind, payload)
    return b"~%d %s %08x %d %s\n" % (seq, kind.encode(), crc, len(payload), payload)


def decoder() -> wire.Decoder:
    made = wire.Decoder()
    made.set_nonce("secret")
    return made


GOOD = [("out", b"ok 1 a"), ("out", b""), ("err", b"\x00\xff ~1 out \n in the middle"),
        ("exit", b"job 0 0 3")]


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_frames_arrive_whole_however_they_are_cut(step: int) -> None:
    data = b"".join(frame(seq, *entry) for seq, entry in enumerate(GOOD))
    made, got = decoder(), []
    for start in range(0, len(data), step):
        got += list(made.feed(data[start:start + step]))
    assert [(one.kind, one.payload) for one in got] == GOOD


@pytest.mark.parametrize("data", [
    [frame(1, "out", b"ok")],                              # the first is missing
    [frame(0, "out", b"ok"), frame(0, "out", b"ok")],      # one came twice
    [frame(0, "out", b"ok", nonce="guess")],               # forged
    [frame(0, "out", b"ok").replace(b"ok", b"ko")],        # damaged
    [frame(0, "out", b"ok")[:-2] + b"\n"],                 # cut
    [frame(0, "out", b"ok").replace(b"~", b"-")],
    [b"hello\n"], [b"~x out 00000000 2 ok\n"], [b"\n"],
])
def test_every_other_frame_is_noticed(data: List[bytes]) -> None:
    made = decoder()
    with pytest.raises(wire.Damaged):
        for part in [*data, frame(2, "exit", b"")]:
            list(made.feed(part))


def test_requests_carry_any_word() -> None:
    assert wire.quote("a b%\n'é") == "a%20b%25%0a'%c3%a9"
    assert wire.request("end") == b"%08x end\n" % zlib.crc32(b"end")
    with pytest.raises(ValueError, match="longer than"):
        wire.request("x" * 4000)
