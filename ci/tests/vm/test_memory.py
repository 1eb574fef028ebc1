# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's memory on the disk: small, and the same when it is read again, or else refused."""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path
from typing import Iterator

import pytest

from launcher import memory

MIB = 8
PLAIN = [(0xcc, 1600, 300), (0xff, 1900, 1), (1, 1902, 1)]  # byte, first page, pages


@pytest.fixture
def full() -> Iterator[memory.Memory]:
    """2 MiB of noise, 2 MiB that compress well with holes in between, plain pages, and nothing."""
    made = memory.Memory(MIB)
    noise = random.Random(1)
    for page in range(512):
        os.pwrite(made.fd, noise.randbytes(memory.PAGE), page * memory.PAGE)
    for page in range(512, 1536, 2):
        os.pwrite(made.fd, b"%d" % page * 500, page * memory.PAGE)
    for byte, first, count in PLAIN:
        os.pwrite(made.fd, bytes([byte]) * count * memory.PAGE, first * memory.PAGE)
    yield made
    made.close()


def contents(of: memory.Memory) -> bytes:
    return os.pread(of.fd, of.size, 0)


def packed(full: memory.Memory, folder: Path, monkeypatch: pytest.MonkeyPatch, goal: int) -> int:
    """Packs with another goal; returns what lies on the disk then."""
    folder.mkdir()
    monkeypatch.setattr(memory, "DISK_GOAL", goal)
    memory.pack(full, str(folder))
    return sum(os.stat(file).st_blocks * 512 for file in folder.iterdir())


def digest(folder: Path) -> bytes:
    made = hashlib.sha256()
    memory.digest_packed(str(folder), MIB << 20, made)
    return made.digest()


@pytest.mark.parametrize("goal, least, most", [
    (8 << 20, 4 << 20, (4 << 20) + 4096),      # small enough as it is; the plain pages are named
    (3 << 20, 2 << 20, 3 << 20),               # some of what compresses
    (0, 2 << 20, (2 << 20) + (1 << 17)),       # all that does
], ids=["raw", "part", "all"])
@pytest.mark.parametrize("sendfile", [True, False], ids=["sendfile", "elsewhere"])
def test_memory_comes_back_whole(full: memory.Memory, tmp_path: Path, goal: int, least: int,
                                 most: int, sendfile: bool,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SENDFILE", sendfile and memory.SENDFILE)
    used = packed(full, tmp_path / "packed", monkeypatch, goal)
    assert least <= used <= most
    again = memory.Memory(MIB)
    memory.unpack(str(tmp_path / "packed"), again)
    assert contents(again) == contents(full)
    again.close()


@pytest.mark.parametrize("sendfile", [True, False], ids=["sendfile", "elsewhere"])
def test_a_copy_is_equal_and_apart(full: memory.Memory, sendfile: bool,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SENDFILE", sendfile and memory.SENDFILE)
    before = contents(full)
    other = memory.copy(full)
    assert contents(other) == before
    full.clear()
    assert contents(full) == bytes(MIB << 20)
    assert contents(other) == before
    other.close()


def test_holes_that_became_zeros_change_nothing(full: memory.Memory, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    packed(full, tmp_path / "packed", monkeypatch, 3 << 20)
    before = digest(tmp_path / "packed")
    dense = (tmp_path / "packed/ram").read_bytes()
    (tmp_path / "packed/ram").unlink()
    (tmp_path / "packed/ram").write_bytes(dense)
    assert digest(tmp_path / "packed") == before
    again = memory.Memory(MIB)
    memory.unpack(str(tmp_path / "packed"), again)
    assert contents(again) == contents(full)
    again.close()


@pytest.mark.parametrize("name, place", [("ram", 5000), ("tail", 0), ("tail", 900)])
def test_every_changed_byte_changes_the_digest(full: memory.Memory, tmp_path: Path, name: str,
                                               place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(full, tmp_path / "packed", monkeypatch, 0)
    before = digest(tmp_path / "packed")
    data = bytearray((tmp_path / "packed" / name).read_bytes())
    data[place] ^= 1
    (tmp_path / "packed" / name).write_bytes(data)
    assert digest(tmp_path / "packed") != before


def test_a_page_that_moved_changes_the_digest(full: memory.Memory, tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    packed(full, tmp_path / "packed", monkeypatch, 8 << 20)
    before = digest(tmp_path / "packed")
    data = (tmp_path / "packed/ram").read_bytes()
    last = 1534 * memory.PAGE  # what follows is zeros
    (tmp_path / "packed/ram").write_bytes(data[:last] + bytes(memory.PAGE) +
                                          data[last:-memory.PAGE])
    assert digest(tmp_path / "packed") != before


@pytest.mark.parametrize("keep", [10, -10])
def test_a_tail_that_is_cut_off_is_refused(full: memory.Memory, tmp_path: Path, keep: int,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    packed(full, tmp_path / "packed", monkeypatch, 0)
    tail = tmp_path / "packed/tail"
    tail.write_bytes(tail.read_bytes()[:keep])
    again = memory.Memory(MIB)
    with pytest.raises(ValueError):
        memory.unpack(str(tmp_path / "packed"), again)
    again.close()
