# SPDX-License-Identifier: GPL-2.0-or-later
"""Packs the images of all kernels of one architecture into one file, for hosts that cannot build
images. A gzipped tar: Python's standard library unpacks it on every host. Its members are
KERNEL/manifest.json and what that names; equal files are in it once, as hard links.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Sequence


class BundleError(Exception):
    """What keeps a bundle from being written; the text is the whole message."""


def members(image: Path) -> list[tuple[str, str]]:
    """(name, SHA-256) of an image's files; the manifest last, as when an image is built."""
    try:
        manifest = json.loads((image / "manifest.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"cannot bundle \"{image}\": {error.strerror}"
                          " (build the image first)") from error
    if manifest["missing"]:
        raise BundleError(f"cannot bundle \"{image}\": it was built without"
                          f" {', '.join(manifest['missing'])}")
    files = [("kernel", manifest["kernel"]["sha256"])]
    files += [(part["file"], part["sha256"]) for part in manifest["parts"].values()]
    if "tests" in manifest:
        files.append((manifest["tests"]["file"], manifest["tests"]["sha256"]))
    return [*sorted(files), ("manifest.json", "")]


def write(output: Path, images: Path, names: Sequence[str]) -> int:
    """Writes the images of these kernels; returns how many."""
    buffer = io.BytesIO()
    seen: dict[str, str] = {}
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in names:
            for file, digest in members(images / name):
                add(archive, images / name / file, f"{name}/{file}", seen.get(digest, ""))
                if digest:
                    seen.setdefault(digest, f"{name}/{file}")
    scratch = output.with_name(f".{output.name}")
    with open(scratch, "wb") as stream, gzip.GzipFile("", "wb", 1, stream, mtime=0) as packed:
        packed.write(buffer.getbuffer())
    scratch.replace(output)
    return len(names)


def add(archive: tarfile.TarFile, source: Path, name: str, same_as: str) -> None:
    """Adds a file, or a link to an equal one, without any trace of this host."""
    member = tarfile.TarInfo(name)
    member.mode = 0o644
    if same_as:
        member.type, member.linkname = tarfile.LNKTYPE, same_as
        archive.addfile(member)
        return
    data = source.read_bytes()
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))
