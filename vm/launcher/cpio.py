# SPDX-License-Identifier: GPL-2.0-or-later
"""A cpio archive (newc) with the files that --add puts into the guest. The kernel unpacks it after
the image's own, so a file in it replaces one of the image. Modes never touch the host's disk."""

from __future__ import annotations

import os
import posixpath
import stat
from typing import List, Tuple

from launcher.errors import UsageError

# Mounted over by init: what the archive puts there is not seen.
HIDDEN = ("/dev", "/proc", "/run", "/sys", "/tmp")


def parse(text: str) -> Tuple[str, str]:
    """FILE[:GUESTPATH] as host path and guest path; a drive letter's colon is no separator."""
    host, colon, guest = text.rpartition(":")
    if not colon or not guest.startswith("/") or os.path.exists(text):
        host, guest = text, "/" + os.path.basename(text.rstrip("/\\"))
    guest = posixpath.normpath(guest)
    if not os.path.exists(host):
        raise UsageError(f"cannot add \"{host}\": no such file")
    if guest == "/" or any(guest == place or guest.startswith(place + "/") for place in HIDDEN):
        raise UsageError(f"cannot add \"{host}\" as \"{guest}\": the guest mounts over that place")
    return host, guest


def _entry(path: str, mode: int, data: bytes, number: int) -> bytes:
    name = path.lstrip("/").encode("utf-8", "surrogateescape") + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def _read(host: str) -> Tuple[int, bytes]:
    """Mode and contents of a host file; Windows knows no execute bit, so all get one there."""
    if os.path.islink(host):
        return stat.S_IFLNK | 0o777, os.readlink(host).encode("utf-8", "surrogateescape")
    with open(host, "rb") as file:
        data = file.read()
    mode = os.stat(host).st_mode & 0o777 if os.name == "posix" else 0o755
    return stat.S_IFREG | mode, data


def _members(host: str, guest: str) -> List[Tuple[str, int, bytes]]:
    if not os.path.isdir(host) or os.path.islink(host):
        return [(guest, *_read(host))]
    found: List[Tuple[str, int, bytes]] = [(guest, stat.S_IFDIR | 0o755, b"")]
    for name in sorted(os.listdir(host)):
        found += _members(os.path.join(host, name), posixpath.join(guest, name))
    return found


def _parents(guest: str) -> List[str]:
    """The folders above GUEST, outermost first."""
    parent = posixpath.dirname(guest)
    return [] if parent == "/" else _parents(parent) + [parent]


def archive(additions: List[Tuple[str, str]]) -> bytes:
    """The archive with all of them, padded so that another may follow. Raises UsageError."""
    if not additions:
        return b""
    members: List[Tuple[str, int, bytes]] = []
    for host, guest in additions:
        known = {path for path, _, _ in members}
        members += [(path, stat.S_IFDIR | 0o755, b"") for path in _parents(guest)
                    if path not in known]
        try:
            members += _members(host, guest)
        except OSError as error:
            raise UsageError(f"cannot add \"{host}\": {error.strerror}") from None
    data = b"".join(_entry(path, mode, body, 300000 + number)
                    for number, (path, mode, body) in enumerate(members))
    data += _entry("TRAILER!!!", 0, b"", 0)
    return data + bytes(-len(data) % 512)
