#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds a container's root filesystem, as a directory and as a tar archive beside it.

What is in it says rootfs.manifest. Nothing needs root; the archive and the directory (but for the
owner of its files, who is the caller) are a function of the manifest, the busybox package and
SOURCE_DATE_EPOCH alone.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import stat
import sys
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Sequence

import manifest
import packages

HERE = Path(__file__).resolve().parent
PACKAGE = "busybox-static"
FILE_TYPES = {"dir": stat.S_IFDIR, "file": stat.S_IFREG, "deb": stat.S_IFREG,
              "link": stat.S_IFLNK, "applets": stat.S_IFLNK}


class RootfsError(Exception):
    """Something that the user has to know; the text is the whole message."""


@dataclass(frozen=True)
class Row:
    """One line of the manifest; `mode` with the file type as in stat(2)."""

    path: str
    kind: str
    mode: int
    source: str


@dataclass(frozen=True)
class Entry:
    """One file: `data` is a file's contents or a symbolic link's target."""

    path: str
    mode: int
    data: bytes = b""


def read_manifest(path: Path) -> list[Row]:
    """Reads the table."""
    rows = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = text.split("#", 1)[0].split()
        if not fields:
            continue
        if len(fields) != 4 or fields[1] not in FILE_TYPES or fields[0][0] != "/" \
                or not re.fullmatch("[0-7]{4}", fields[2]):
            raise RootfsError(f'cannot read "{path}", line {number}: not PATH TYPE MODE SOURCE')
        mode = FILE_TYPES[fields[1]] | int(fields[2], 8)
        rows.append(Row(fields[0], fields[1], mode, fields[3]))
    return rows


def entries(rows: Sequence[Row], package_tree: Path) -> list[Entry]:
    """Every file of the root filesystem, sorted by path, so that a directory is before its own."""
    made: dict[str, Entry] = {}
    for row in rows:
        for entry in expand(row, package_tree, made):
            if entry.path in made and row.kind != "applets":
                raise RootfsError(f'cannot use the manifest: it has "{entry.path}" twice')
            made.setdefault(entry.path, entry)
    for path in made:
        parent = os.path.dirname(path)
        if parent != "/" and not stat.S_ISDIR(made[parent].mode if parent in made else 0):
            raise RootfsError(f'cannot use the manifest: "{path}" is in no directory of it')
    return [made[path] for path in sorted(made)]


def expand(row: Row, package_tree: Path, made: dict[str, Entry]) -> Iterator[Entry]:
    """The files that one row stands for; `made` holds those of the rows above."""
    if row.kind == "dir":
        yield Entry(row.path, row.mode)
    elif row.kind == "link":
        yield Entry(row.path, row.mode, row.source.encode())
    elif row.kind == "file":
        yield Entry(row.path, row.mode, (HERE / "container" / row.source).read_bytes())
    elif row.kind == "deb":
        found = [package_tree / name for name in row.source.split(",")]
        found = [path for path in found if path.is_file() and not path.is_symlink()]
        if not found:
            raise RootfsError(f'cannot find "{row.source}" in the package {PACKAGE}')
        yield Entry(row.path, row.mode, found[0].read_bytes())
    else:
        names = manifest.applets(made[row.source].data)
        if "sh" not in names:
            raise RootfsError(f'cannot find the names of the applets in "{row.source}"')
        target = os.path.relpath(row.source, row.path).encode()
        yield from (Entry(f"{row.path}/{name}", row.mode, target) for name in names)


def write_tar(path: Path, files: Sequence[Entry], epoch: int) -> None:
    """Writes the archive: every file belongs to root and has the same time."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for entry in files:
            info = tarfile.TarInfo(entry.path.lstrip("/"))
            info.mode, info.mtime = stat.S_IMODE(entry.mode), epoch
            info.uname = info.gname = "root"
            if stat.S_ISDIR(entry.mode):
                info.type = tarfile.DIRTYPE
            elif stat.S_ISLNK(entry.mode):
                info.type, info.linkname = tarfile.SYMTYPE, entry.data.decode()
            else:
                info.size = len(entry.data)
            archive.addfile(info, io.BytesIO(entry.data) if info.size else None)


def write_directory(top: Path, files: Sequence[Entry], epoch: int) -> None:
    """Writes the directory; times come last and inmost first, as writing below changes them."""
    top.mkdir(mode=0o755)
    for entry in files:
        path = top / entry.path.lstrip("/")
        if stat.S_ISDIR(entry.mode):
            path.mkdir()
        elif stat.S_ISLNK(entry.mode):
            path.symlink_to(entry.data.decode())
        else:
            path.write_bytes(entry.data)
    for entry in reversed(files):
        path = top / entry.path.lstrip("/")
        if not stat.S_ISLNK(entry.mode):
            path.chmod(stat.S_IMODE(entry.mode))
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    top.chmod(0o755)
    os.utime(top, (epoch, epoch))


def tree_state(top: Path) -> str:
    """A digest of names, types, modes, sizes, times and link targets.

    Without the times of directories: a runtime may come and go at a mount point in one.
    """
    digest = hashlib.sha256()
    for folder, names, files in os.walk(top):
        names.sort()
        for name in sorted(names + files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
            state = "" if stat.S_ISDIR(status.st_mode) \
                else f"{status.st_size} {int(status.st_mtime)}"
            digest.update(f"{os.path.relpath(path, top)}\0{status.st_mode:o}\0{state}\0"
                          f"{target}\n".encode())
    return digest.hexdigest()


def host_suite() -> str:
    """The codename of this machine's release: what its package source has for certain."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', text, re.MULTILINE)
    if not found:
        raise RootfsError("cannot tell this machine's release: no VERSION_CODENAME in"
                          " /etc/os-release (give one with --suite)")
    return found[1]


def source_date_epoch() -> int | None:
    """SOURCE_DATE_EPOCH of the environment: seconds since 1970."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if text and not re.fullmatch("[0-9]{1,11}", text):
        raise RootfsError(f'cannot use SOURCE_DATE_EPOCH "{text}": not a number of seconds')
    return int(text) if text else None


def request_key(arguments: argparse.Namespace, epoch: int | None) -> str:
    """A digest of all that decides about the result but the package, which the record names."""
    digest = hashlib.sha256(f"{arguments.arch} {arguments.suite} {epoch}".encode())
    sources = [HERE / "rootfs.py", HERE / "rootfs.manifest", HERE / "manifest.py"]
    sources += [path for path in (HERE / "container").rglob("*") if path.is_file()]
    for path in sorted(sources):
        digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def beside(output: Path, suffix: str) -> Path:
    """The file OUTPUT.SUFFIX."""
    return output.with_name(output.name + suffix)


def up_to_date(output: Path, key: str) -> bool:
    """Whether the record says that this very thing was built, and it is still whole."""
    try:
        record = json.loads(beside(output, ".json").read_text(encoding="utf-8"))
        size = beside(output, ".tar").stat().st_size
        return (record["request"], record["tar_size"], record["tree"]) == (
            key, size, tree_state(output))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def newest(tree: Path) -> int:
    """The time of the newest file, in seconds since 1970."""
    return int(max(path.lstat().st_mtime for path in tree.rglob("*")))


def build(arguments: argparse.Namespace, key: str, epoch: int | None) -> None:
    """Builds the directory, the archive and the record; each replaces the old one whole."""
    suite = packages.Suite(arguments.suite, arguments.arch)
    [package] = packages.resolve(suite, "programs", [PACKAGE], arguments.update)
    tree = packages.unpacked(package, suite.cache)
    files = entries(read_manifest(HERE / "rootfs.manifest"), tree)
    time = newest(tree) if epoch is None else epoch

    output = arguments.output
    beside(output, ".json").unlink(missing_ok=True)
    scratch = beside(output, f".{os.getpid()}")
    try:
        replace(beside(output, ".tar"), scratch, lambda path: write_tar(path, files, time))
        replace(output, scratch, lambda path: write_directory(path, files, time))
    finally:
        remove(scratch)
    record = {"request": key, "arch": arguments.arch, "epoch": time, "tree": tree_state(output),
              "tar_size": beside(output, ".tar").stat().st_size,
              "tar_sha256": packages.sha256_of(beside(output, ".tar")),
              "packages": [package.origin()]}
    packages.write_atomically(beside(output, ".json"), json.dumps(record, indent=1) + "\n")


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keeps a second build from writing to the same directory."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Removes a file or a tree, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def replace(path: Path, scratch: Path, write: Callable[[Path], None]) -> None:
    """Has `scratch` written and puts it in the place of `path`."""
    write(scratch)
    remove(path)
    scratch.rename(path)


def main(argv: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="rootfs.py", description="Builds a container's root"
                                     " filesystem: OUTPUT/, OUTPUT.tar and OUTPUT.json.")
    parser.add_argument("--output", type=Path, required=True, help="the directory to make")
    parser.add_argument("--arch", default=os.uname().machine, choices=sorted(packages.DEBIAN_ARCH),
                        help="the machine to build for (this one)")
    parser.add_argument("--suite", help="the Debian release to take busybox from (this machine's)")
    parser.add_argument("--update", action="store_true",
                        help="ask the package source for a newer busybox")
    arguments = parser.parse_args(argv)
    try:
        arguments.suite = arguments.suite or host_suite()
        epoch = source_date_epoch()
        key = request_key(arguments, epoch)
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        with locked(arguments.output.parent):
            if arguments.update or not up_to_date(arguments.output, key):
                build(arguments, key, epoch)
    except (RootfsError, packages.PackageError) as error:
        print(f"rootfs.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f'rootfs.py: cannot build "{arguments.output}": {error.strerror}'
              f' ("{error.filename}")', file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
