# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads image.manifest, the table of what is in a guest's initrd, and finds each thing in it."""

from __future__ import annotations

import os
import re
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Collection, Iterator

import cpio
import elf

KINDS = ("dir", "char", "link", "deb", "guest", "build", "build-each", "each", "tar")

# This machine, as uname(1) names it everywhere but on macOS.
MACHINE = os.uname().machine


class ManifestError(Exception):
    """A line that cannot be used, or something it names that is not there."""


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    number: int
    part: str
    path: str
    mode: int
    kind: str
    argument: str


@dataclass(frozen=True)
class Item:
    """An entry of the archive and where it comes from: `origin` holds no path of this host."""

    entry: cpio.Entry
    origin: str


@dataclass(frozen=True)
class Places:
    """Where the sources of a manifest are; `named` are origins that have a line of their own."""

    top: Path
    build: Path
    guest: Path
    arch: str
    package_tree: Callable[[str], Path]
    named: Collection[str] = ()


def read(path: Path) -> list[Line]:
    """Reads the table."""
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = text.split("#", 1)[0].split()
        if not fields:
            continue
        kind, _, argument = fields[3].partition(":") if len(fields) == 4 else ("", "", "")
        if kind not in KINDS or not re.fullmatch("[0-7]{4}", fields[2]) or fields[1][0] != "/":
            raise ManifestError(f"cannot read \"{path}\", line {number}:"
                                " it is not PART PATH MODE SOURCE")
        lines.append(Line(number, fields[0], fields[1], int(fields[2], 8), kind, argument))
    return lines


def package_names(lines: list[Line]) -> list[str]:
    """The Debian packages that the table takes files from."""
    return sorted({line.argument.split(":")[0] for line in lines if line.kind == "deb"})


def parts(lines: list[Line]) -> list[str]:
    """The parts of the initrd in the order of the table."""
    return list(dict.fromkeys(line.part for line in lines))


def expand(argument: str, arch: str) -> str:
    """A path of the table for an architecture."""
    return argument.replace("%A", arch).replace("%X", f"{arch}/" if arch != MACHINE else "")


def named_file(line: Line, arch: str) -> str:
    """The origin of a built file; the same whatever machine it was built on."""
    return f"build:{line.argument.replace('%A', arch).replace('%X', '')}"


def named_files(lines: list[Line], arch: str) -> set[str]:
    """Origins of the built files that have a line of their own."""
    return {named_file(line, arch) for line in lines if line.kind == "build"}


def items(line: Line, places: Places) -> Iterator[Item]:
    """What one line puts into the archive; ManifestError when it is not there."""
    argument = expand(line.argument, places.arch)
    if line.kind == "dir":
        yield Item(cpio.directory(line.path, line.mode), "")
    elif line.kind == "link":
        yield Item(cpio.link(line.path, argument), "")
    elif line.kind == "char":
        major, minor = map(int, argument.split(":"))
        yield Item(cpio.character_device(line.path, line.mode, major, minor), "")
    elif line.kind == "deb":
        package, _, path = argument.partition(":")
        yield _file(line, places.package_tree(package) / path.lstrip("/"), f"package:{package}")
    elif line.kind == "guest":
        yield _file(line, places.guest / argument, f"source:rootfs-builder/guest/{argument}")
    elif line.kind == "build":
        yield stripped(_file(line, places.build / argument, named_file(line, places.arch)))
    elif line.kind == "build-each":
        yield from map(stripped, _each(line, places.build / argument, f"build:{argument}",
                                       places.named))
    elif line.kind == "each":
        yield from _each(line, places.top / argument, f"source:{argument}", places.named)
    else:
        yield from _tar(line, places.build / argument, f"build:{argument}")


def _file(line: Line, source: Path, origin: str) -> Item:
    if not source.is_file():
        raise ManifestError(f"\"{line.path}\" needs \"{source}\", which is not there")
    return Item(cpio.host_file(line.path, source, line.mode), origin)


def _each(line: Line, directory: Path, origin: str, named: Collection[str]) -> Iterator[Item]:
    """Programs, and the shell files that scripts read; sources of programs stay out."""
    files = [file for file in sorted(directory.glob("*"))
             if file.is_file() and (is_program(file) or file.suffix == ".sh")
             and f"{origin}/{file.name}" not in named]
    if not any(map(is_program, files)):
        raise ManifestError(f"\"{line.path}\" needs programs in \"{directory}\", where is none")
    for file in files:
        mode = line.mode if is_program(file) else line.mode & 0o666
        yield Item(cpio.host_file(f"{line.path}/{file.name}", file, mode),
                   f"{origin}/{file.name}")


def stripped(item: Item) -> Item:
    """A program of ours without its debug information, which would only fill the guest."""
    data = item.entry.contents()
    if not elf.is_elf(data):
        return item
    return Item(cpio.Entry(item.entry.path, item.entry.mode, elf.strip(data)), item.origin)


def is_program(file: Path) -> bool:
    """Whether the file may be executed."""
    return bool(file.stat().st_mode & stat.S_IXUSR)


def _tar(line: Line, archive: Path, origin: str) -> Iterator[Item]:
    if not archive.is_file():
        raise ManifestError(f"\"{line.path}\" needs \"{archive}\", which is not there")
    yield Item(cpio.directory(line.path, line.mode), "")
    with tarfile.open(archive) as members:
        for member in members:
            path = f"{line.path}/{member.name.strip('./')}"
            if path == f"{line.path}/":
                continue
            if member.isdir():
                entry = cpio.directory(path, member.mode)
            elif member.issym():
                entry = cpio.link(path, member.linkname)
            elif member.isreg():
                data = members.extractfile(member)
                entry = cpio.Entry(path, stat.S_IFREG | member.mode,
                                   data.read() if data else b"")
            else:
                raise ManifestError(f"\"{archive}\" has \"{member.name}\", which is neither a"
                                    " file, a directory nor a symbolic link")
            yield Item(entry, origin)


def applets(busybox: bytes) -> list[str]:
    """The applets of a busybox program, read from its table of names.

    The table is sorted and starts with `[`; running the program to ask it is no way for another
    architecture.
    """
    start = busybox.find(b"\0[\0[[\0")
    names: list[str] = []
    for word in busybox[start + 1:start + 16384].split(b"\0") if start >= 0 else []:
        if not re.fullmatch(rb"[\[a-z0-9_.-]{1,32}", word) or (names and word.decode() < names[-1]):
            break
        names.append(word.decode())
    return names
