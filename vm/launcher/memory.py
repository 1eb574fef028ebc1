# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's memory as a file: shared by the guest that is saved, mapped privately by every guest
that is restored, and packed on the disk.

Packed it is two files. `ram` holds pages at their own places, with holes for pages of zeros. What
compresses best is not there but in `tail`, until both together are small enough: little has to be
inflated, and that is quickly done. Pages of one byte's repetitions, as the kernel leaves them where
it freed its own, are only named there.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import zlib
from typing import Any, Iterator, List, Tuple

from launcher import cache
from launcher.qemu import option_value

PAGE = 4096
CHUNK = 16 * PAGE       # what goes to one file or the other as a whole
BLOCK = 16 * CHUNK      # what is read at a time
TAIL_BLOCK = 4 * CHUNK  # what is compressed at a time; the allocator gives so little out again
DISK_GOAL = 54 << 20    # bytes; nothing is compressed once the rest is that small
WORTHWHILE = 0.9        # compressed size by size
ZERO = bytes(PAGE)
SENDFILE = sys.platform == "linux"  # elsewhere it writes to sockets alone, if it is there

Run = Tuple[int, bytes]


class Memory:
    """Memory for guests: a memfd where the host has one (a full disk cannot kill the guest then),
    else an unlinked file in the cache."""

    def __init__(self, mib: int) -> None:
        self.size = mib << 20
        if hasattr(os, "memfd_create"):
            self.fd = os.memfd_create("guest", 0)
            self._name = f"/proc/self/fd/{self.fd}"
        else:
            place = cache.folder("snapshots")
            self._name = os.path.join(place, f".memory-{os.getpid()}-{id(self)}")
            self.fd = os.open(self._name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.set_inheritable(self.fd, True)
        self.clear()

    def clear(self) -> None:
        """Makes it all zeros, as a guest expects it when it boots."""
        os.ftruncate(self.fd, 0)
        os.ftruncate(self.fd, self.size)

    def option(self, share: bool) -> str:
        """QEMU's words for a guest in it, whose writes others see or not."""
        return f"share={'on' if share else 'off'},mem-path={option_value(self._name)}"

    def close(self) -> None:
        """Gives the memory back once no guest uses it, and no other is started in it."""
        os.close(self.fd)
        if not self._name.startswith("/proc/"):
            os.unlink(self._name)


def extents(fd: int, size: int) -> Iterator[range]:
    """The parts of a sparse file that hold data; all of it where the host cannot tell."""
    start = 0
    while start < size:
        end = size
        if hasattr(os, "SEEK_DATA"):
            try:
                start = os.lseek(fd, start, os.SEEK_DATA)
                end = os.lseek(fd, start, os.SEEK_HOLE)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    return
        yield range(start, end)
        start = end


def _blocks(fd: int, size: int) -> Iterator[Run]:
    """What a sparse file holds, in pieces that end where a block ends."""
    for extent in extents(fd, size):
        start = extent.start
        while start < extent.stop:
            end = min(extent.stop, start - start % BLOCK + BLOCK)
            block = os.pread(fd, end - start, start)
            if len(block) != end - start:
                raise OSError(errno.EIO, "Unexpected end of file")
            yield start, block
            start = end


def _fill(target: Memory, source: int) -> None:
    """Copies what a sparse file holds: within the kernel where it can be, since new memory for the
    bytes on their way costs more than the bytes do."""
    if not SENDFILE:
        for start, block in _blocks(source, target.size):
            _write_at(target.fd, start, block)
        return
    for extent in extents(source, target.size):
        start = os.lseek(target.fd, extent.start, os.SEEK_SET)
        while start < extent.stop:
            done = os.sendfile(target.fd, source, start, extent.stop - start)
            if not done:
                raise OSError(errno.EIO, "Unexpected end of file")
            start += done


def copy(source: Memory) -> Memory:
    """The same contents in memory of its own."""
    target = Memory(source.size >> 20)
    try:
        _fill(target, source.fd)
    except BaseException:
        target.close()
        raise
    return target


def _write_at(fd: int, start: int, data: "bytes | memoryview") -> None:
    """All of it; cheaper than through a mapping, where each page costs a fault."""
    done = 0
    while done < len(data):
        done += os.pwrite(fd, data[done:] if done else data, start + done)


def _pages(start: int, block: bytes) -> Iterator[Run]:
    """The pages of a block that are not all zero."""
    for offset in range(0, len(block), PAGE):
        page = block[offset:offset + PAGE]
        if page != ZERO:
            yield start + offset, page


def _runs(pages: List[Run]) -> Iterator[Run]:
    """Neighbours joined."""
    index = 0
    while index < len(pages):
        end = index + 1
        while end < len(pages) and pages[end][0] == pages[end - 1][0] + PAGE:
            end += 1
        yield pages[index][0], b"".join(page for _, page in pages[index:end])
        index = end


def _is_plain(page: bytes) -> bool:
    return page == page[:1] * PAGE


def _plain_runs(memory: Memory) -> List[Tuple[int, int, int]]:
    """Start, length and byte of what consists of that byte alone, but for zeros."""
    found: List[Tuple[int, int, int]] = []
    for start, block in _blocks(memory.fd, memory.size):
        for place, page in _pages(start, block):
            if not _is_plain(page):
                continue
            if found and (sum(found[-1][:2]), found[-1][2]) == (place, page[0]):
                found[-1] = found[-1][0], found[-1][1] + PAGE, page[0]
            else:
                found.append((place, PAGE, page[0]))
    return found


def _chunks(memory: Memory) -> Iterator[List[Run]]:
    """All pages that have to be stored, those of a chunk together."""
    found: List[Run] = []
    for start, block in _blocks(memory.fd, memory.size):
        for place, page in _pages(start, block):
            if _is_plain(page):
                continue
            if found and place // CHUNK != found[-1][0] // CHUNK:
                yield found
                found = []
            found.append((place, page))
    if found:
        yield found


def _compressible(memory: Memory) -> "set[int]":
    """The numbers of the chunks that are to be compressed, judged by the middle page of each."""
    judged, total = [], 0
    for pages in _chunks(memory):
        ratio = len(zlib.compress(pages[len(pages) // 2][1], 1)) / PAGE
        judged.append((ratio, len(pages) * PAGE, pages[0][0] // CHUNK))
        total += len(pages) * PAGE
    chosen = set()
    for ratio, size, number in sorted(judged):
        if total <= DISK_GOAL or ratio > WORTHWHILE:
            break
        chosen.add(number)
        total -= int(size * (1 - ratio))
    return chosen


def pack(memory: Memory, folder: str) -> None:
    """Writes `ram` and `tail` into FOLDER. Raises OSError."""
    chosen = _compressible(memory)
    tail: List[Run] = []
    with open(os.path.join(folder, "tail"), "wb") as small, \
            open(os.path.join(folder, "ram"), "wb", 0) as large:
        large.truncate(memory.size)
        small.write(json.dumps(_plain_runs(memory)).encode() + b"\n")
        for pages in _chunks(memory):
            if pages[0][0] // CHUNK in chosen:
                tail += pages
            else:
                for start, run in _runs(pages):
                    _write_at(large.fileno(), start, run)
            if len(tail) * PAGE >= TAIL_BLOCK:
                small.write(_compressed(tail))
                tail = []
        if tail:
            small.write(_compressed(tail))


def _compressed(pages: List[Run]) -> bytes:
    """One block of the tail: a line that says where its pages belong, and the pages."""
    data = zlib.compress(b"".join(page for _, page in pages), 1)
    places = [[start, len(run)] for start, run in _runs(pages)]
    return json.dumps([len(data), places]).encode() + b"\n" + data


def unpack(folder: str, memory: Memory) -> None:
    """Fills empty MEMORY from `ram` and `tail`. Raises OSError or ValueError."""
    with open(os.path.join(folder, "ram"), "rb", 0) as large:
        _fill(memory, large.fileno())
    with open(os.path.join(folder, "tail"), "rb") as small:
        for start, length, byte in json.loads(small.readline()):
            _write_at(memory.fd, start, bytes([byte]) * length)
        while head := small.readline():
            size, places = json.loads(head)
            pages, done = memoryview(_inflated(small.read(size))), 0
            for start, length in places:
                _write_at(memory.fd, start, pages[done:done + length])
                done += length


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompress(data, bufsize=TAIL_BLOCK + CHUNK)
    except zlib.error as error:
        raise ValueError(f"the tail cannot be inflated: {error}") from None


def digest_packed(folder: str, size: int, digest: Any) -> None:
    """Feeds DIGEST with what pack() wrote: `ram` page by page with its place, since holes that a
    file system fills with zeros change nothing. Raises OSError."""
    with open(os.path.join(folder, "ram"), "rb", 0) as large:
        for start, block in _blocks(large.fileno(), size):
            for place, page in _pages(start, block):
                digest.update(b"%d " % place)
                digest.update(page)
    with open(os.path.join(folder, "tail"), "rb") as small:
        digest.update(small.read())
