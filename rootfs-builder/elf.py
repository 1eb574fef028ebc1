# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads what the image needs from ELF files of any architecture: the libraries that a program
asks for, its interpreter, and sections (elf(5)). 64-bit little-endian files only, which all
supported architectures have.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Iterator, Sequence

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
NT_GNU_BUILD_ID = 3
DT_NEEDED, DT_STRTAB, DT_RPATH, DT_RUNPATH = 1, 5, 15, 29
MACHINES = {62: "x86_64", 183: "aarch64"}


class ElfError(Exception):
    """A file that is not the ELF file it should be."""


@dataclass(frozen=True)
class Dynamic:
    """What the dynamic linker has to find for a file."""

    interpreter: str
    needed: tuple[str, ...]
    runpath: tuple[str, ...]


def is_elf(data: bytes) -> bool:
    """True for an ELF file of the kind that this module reads."""
    return len(data) >= 64 and data[:6] == b"\x7fELF\x02\x01"


def machine(data: bytes) -> str:
    """The architecture as uname(1) names it, or a number in words."""
    number = struct.unpack_from("<H", data, 18)[0]
    return MACHINES.get(number, f"machine {number}")


def _segments(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(type, file offset, address, size in the file) of each program header."""
    offset = struct.unpack_from("<Q", data, 32)[0]
    size, count = struct.unpack_from("<HH", data, 54)
    for index in range(count):
        header = struct.unpack_from("<IIQQQQ", data, offset + index * size)
        kind, _, place, address, _, length = header
        yield kind, place, address, length


def _text(data: bytes, offset: int) -> str:
    return data[offset:data.index(b"\0", offset)].decode()


def dynamic(data: bytes) -> Dynamic:
    """The dynamic linker's part of a program or library; empty for a static program."""
    if not is_elf(data):
        raise ElfError("not a 64-bit little-endian ELF file")
    try:
        return _dynamic(data)
    except (struct.error, ValueError, StopIteration) as error:
        raise ElfError("damaged ELF file") from error


def _dynamic(data: bytes) -> Dynamic:
    segments = list(_segments(data))
    interpreter = "".join(_text(data, place) for kind, place, _, _ in segments
                          if kind == PT_INTERP)
    tags: list[tuple[int, int]] = []
    for kind, place, _, length in segments:
        if kind == PT_DYNAMIC:
            pairs = struct.iter_unpack("<qQ", data[place:place + length // 16 * 16])
            tags = [(tag, value) for tag, value in pairs]
    if not tags:
        return Dynamic(interpreter, (), ())
    address = next(value for tag, value in tags if tag == DT_STRTAB)
    strings = next(address - start + place for kind, place, start, length in segments
                   if kind == PT_LOAD and start <= address < start + length)
    needed = tuple(_text(data, strings + value) for tag, value in tags if tag == DT_NEEDED)
    paths = [_text(data, strings + value) for tag, value in tags
             if tag in (DT_RPATH, DT_RUNPATH)]
    return Dynamic(interpreter, needed, tuple(":".join(paths).split(":")) if paths else ())


def section(data: bytes, wanted: str) -> bytes:
    """The contents of a section, empty when there is none of that name."""
    if not is_elf(data):
        raise ElfError("not a 64-bit little-endian ELF file")
    try:
        table = struct.unpack_from("<Q", data, 40)[0]
        size, count, names = struct.unpack_from("<HHH", data, 58)
        headers = [struct.unpack_from("<IIQQQQ", data, table + index * size)
                   for index in range(count)]
        for name, _, _, _, offset, length in headers:
            if _text(data, headers[names][4] + name) == wanted:
                return data[offset:offset + length]
    except (struct.error, ValueError, IndexError) as error:
        raise ElfError("damaged ELF file") from error
    return b""


def at(data: bytes, address: int, length: int) -> bytes:
    """LENGTH bytes of a program that is not position-independent, as they are at ADDRESS once it
    is loaded."""
    offset = _offset(data, address, length)
    return data[offset:offset + length]


def text_at(data: bytes, address: int) -> str:
    """The string at ADDRESS of such a program."""
    try:
        return _text(data, _offset(data, address, 1))
    except ValueError as error:
        raise ElfError("damaged ELF file") from error


def _offset(data: bytes, address: int, length: int) -> int:
    """Where in the file an address is."""
    try:
        for kind, place, start, size in _segments(data):
            if kind == PT_LOAD and start <= address and address + length <= start + size:
                return address - start + place
    except struct.error as error:
        raise ElfError("damaged ELF file") from error
    raise ElfError(f"nothing is loaded at address {address:#x}")


def strip(data: bytes) -> bytes:
    """A program without what only a debugger reads.

    The kernel loads by program headers alone, so all behind the last segment can go, and with it
    the table of sections. A tool that strips exists per architecture; this works for all. The
    build id is made zero: it is a digest of the debug information, which names the directory
    that the program was built in.
    """
    try:
        table = struct.unpack_from("<Q", data, 32)[0]
        size, count = struct.unpack_from("<HH", data, 54)
        segments = list(_segments(data))
        end = max(table + size * count, *(place + length for _, place, _, length in segments), 64)
        stripped = bytearray(data[:end])
        for kind, place, _, length in segments:
            if kind == PT_NOTE:
                _forget_build_id(stripped, place, place + length)
    except struct.error as error:
        raise ElfError("damaged ELF file") from error
    struct.pack_into("<Q", stripped, 40, 0)
    struct.pack_into("<HHH", stripped, 58, 0, 0, 0)
    return bytes(stripped)


def _forget_build_id(data: bytearray, place: int, end: int) -> None:
    """Zeroes the build id among the notes in this range (elf(5), Nhdr)."""
    while place + 12 <= end:
        name, size, kind = struct.unpack_from("<III", data, place)
        start = place + 12 + (name + 3 & ~3)
        if kind == NT_GNU_BUILD_ID and data[place + 12:place + 12 + name] == b"GNU\0":
            data[start:start + size] = bytes(size)
        place = start + (size + 3 & ~3)


class Libraries:
    """Finds shared libraries in the trees of unpacked packages of one architecture."""

    def __init__(self, trees: Iterable[Path], arch: str) -> None:
        self.trees = list(trees)
        self.arch = arch
        # What ld.so(8) of a Debian system searches without a cache.
        self.directories = [f"/lib/{arch}-linux-gnu", f"/usr/lib/{arch}-linux-gnu",
                            "/lib", "/usr/lib"]

    def find(self, name: str, runpath: Sequence[str]) -> tuple[str, Path] | None:
        """(path in the guest, file on the host) of a library, or None."""
        for directory in [*runpath, *self.directories]:
            for tree in self.trees:
                file = tree / directory.lstrip("/") / name
                if file.is_file():
                    return f"{directory}/{name}", file
        return None

    def interpreter(self, path: str) -> tuple[str, Path] | None:
        """The dynamic linker: its path is in the program and may lead over a link."""
        for tree in self.trees:
            file = tree / path.lstrip("/")
            if file.is_file():
                return path, file
        # The package may have a link to an absolute path, which leads out of its tree.
        return self.find(Path(path).name, ())

    def closure(self, programs: Iterable[Path]) -> dict[str, Path]:
        """All that `programs` need to start: path in the guest -> file on the host."""
        found: dict[str, Path] = {}
        queue = list(programs)
        while queue:
            file = queue.pop()
            data = file.read_bytes()
            if not is_elf(data):
                continue
            if machine(data) != self.arch:
                raise ElfError(f"\"{file}\" is for {machine(data)}, not for {self.arch}")
            for path, source in self._direct(dynamic(data), file, found):
                if path not in found:
                    found[path] = source
                    queue.append(source)
        return found

    def _direct(self, wanted: Dynamic, who: Path, found: dict[str, Path],
                ) -> Iterator[tuple[str, Path]]:
        linkers = {Path(path).name for path in found}
        if wanted.interpreter:
            linkers.add(Path(wanted.interpreter).name)
            place = self.interpreter(wanted.interpreter)
            if place is None:
                raise ElfError(f"no package has \"{wanted.interpreter}\", which \"{who}\" needs")
            yield wanted.interpreter, place[1]
        # Libraries name the dynamic linker, too, which is there at the program's path for it.
        for name in (name for name in wanted.needed if name not in linkers):
            place = self.find(name, wanted.runpath)
            if place is None:
                raise ElfError(f"no package has \"{name}\", which \"{who}\" needs")
            yield place
