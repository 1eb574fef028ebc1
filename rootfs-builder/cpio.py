# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes newc cpio archives, the format that the kernel unpacks as its initramfs.

The archive is a function of its entries alone: owner 0:0, time 0, inode numbers in order. Device
nodes are only text in it, so no privilege is needed (Documentation/driver-api/early-userspace/
buffer-format.rst in the kernel's sources).
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Iterable

MAGIC = "070701"
TRAILER = "TRAILER!!!"
# Archives may be laid one after the other; each has to start at a multiple of four bytes.
ALIGNMENT = 4


@dataclass(frozen=True)
class Entry:
    """One member of an archive.

    `path` is absolute in the guest; `mode` carries the file type as in stat(2); `data` is the
    contents of a file or the target of a symbolic link; `source` is read when a file's `data` is
    None; `device` is (major, minor) of a device node.
    """

    path: str
    mode: int
    data: bytes | None = None
    source: Path | None = None
    device: tuple[int, int] = (0, 0)

    def contents(self) -> bytes:
        """The bytes that the archive holds for this entry."""
        if self.data is not None:
            return self.data
        return self.source.read_bytes() if self.source else b""


def directory(path: str, mode: int = 0o755) -> Entry:
    """A directory."""
    return Entry(path, stat.S_IFDIR | mode)


def link(path: str, target: str) -> Entry:
    """A symbolic link to `target`."""
    return Entry(path, stat.S_IFLNK | 0o777, target.encode())


def character_device(path: str, mode: int, major: int, minor: int) -> Entry:
    """A character device node."""
    return Entry(path, stat.S_IFCHR | mode, device=(major, minor))


def text_file(path: str, text: str, mode: int = 0o644) -> Entry:
    """A file with this text."""
    return Entry(path, stat.S_IFREG | mode, text.encode())


def host_file(path: str, source: Path, mode: int = 0o644) -> Entry:
    """A file with the contents that `source` has on the host."""
    return Entry(path, stat.S_IFREG | mode, source=source)


def _padding(length: int) -> bytes:
    return b"\0" * (-length % ALIGNMENT)


def _member(name: str, inode: int, entry: Entry | None) -> Iterable[bytes]:
    data = entry.contents() if entry else b""
    encoded = name.encode() + b"\0"
    is_directory = entry is not None and stat.S_ISDIR(entry.mode)
    fields = (inode, entry.mode if entry else 0, 0, 0, 2 if is_directory else 1, 0, len(data),
              0, 0, *(entry.device if entry else (0, 0)), len(encoded), 0)
    header = MAGIC.encode() + b"".join(b"%08X" % field for field in fields)
    yield header + encoded + _padding(len(header) + len(encoded))
    yield data + _padding(len(data))


def with_parents(entries: Iterable[Entry]) -> list[Entry]:
    """`entries` by path, with the directories that they are in; a path occurs once.

    The kernel makes no missing directory, and drops a file whose directory it does not know.
    """
    by_path: dict[str, Entry] = {}
    for entry in entries:
        if entry.path in by_path and by_path[entry.path] != entry:
            raise ValueError(f"\"{entry.path}\" is in the archive twice, with different contents")
        by_path[entry.path] = entry
    for path in list(by_path):
        for parent in list(Path(path).parents)[:-1]:
            by_path.setdefault(str(parent), directory(str(parent)))
    return [by_path[path] for path in sorted(by_path, key=lambda path: path.split("/"))]


def write(stream: BinaryIO, entries: Iterable[Entry]) -> None:
    """Writes a whole archive."""
    for inode, entry in enumerate(with_parents(entries), 1):
        for block in _member(entry.path.lstrip("/"), inode, entry):
            stream.write(block)
    for block in _member(TRAILER, 0, None):
        stream.write(block)
