# SPDX-License-Identifier: GPL-2.0-or-later
"""make image, as a user calls it: compiled twice in different places, and what it says."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "rootfs-builder"))

import elf  # noqa: E402
import kernels  # noqa: E402
import packages  # noqa: E402

KERNEL = "6.12"
HOST = os.uname().machine


def make(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs make in a tree; nothing of the make that runs these tests reaches it."""
    clean = {name: value for name, value in os.environ.items()
             if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "ARCH", "KERNEL")}
    return subprocess.run(["make", "--no-print-directory", *words], cwd=tree, check=False,
                          text=True, capture_output=True, timeout=300, env=clean)


def sources(destination: Path) -> Path:
    """The tree without what was generated in it; its files are as old as the copy."""
    return Path(shutil.copytree(
        TOP, destination, symlinks=True, copy_function=shutil.copy,
        ignore=shutil.ignore_patterns("build", ".git", "__pycache__", ".*cache")))


def digests(image: Path) -> dict[str, str]:
    """SHA-256 of each file of an image, and of each member of its parts."""
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in image.iterdir()}
    told = json.loads((image / "manifest.json").read_text())
    for part in told["parts"].values():
        found.update({member["path"]: member.get("sha256", "") for member in part["members"]})
    return found


def members(archive: bytes) -> Iterator[bytes]:
    """The contents of each member of a newc archive."""
    for header in re.finditer(rb"070701(?:[0-9A-F]{8}){13}", archive):
        size, length = (int(header[0][6 + 8 * field:14 + 8 * field], 16) for field in (6, 11))
        start = (header.end() + length + 3) & ~3
        yield archive[start:start + size]


def needs_kernel(arch: str) -> None:
    """Skips the test where the kernel's packages cannot be had."""
    try:
        kernels.find(KERNEL, arch, TOP / "rootfs-builder/kernels", None, None, False)
    except packages.PackageError as error:
        pytest.skip(f"no packages: {error}")


def made(tree: Path, build: Path, arch: str) -> Path:
    """Compiles all and builds the image; returns its folder."""
    done = make(tree, "-j2", "image", f"KERNEL={KERNEL}", f"ARCH={arch}", f"BUILD={build}")
    assert done.returncode == 0, done.stderr
    return build / "image" / arch / KERNEL


def test_compiled_twice_the_same(tmp_path: Path) -> None:
    """Sources and build directory elsewhere, compiled at another time: the same image."""
    needs_kernel(HOST)
    one = sources(tmp_path / "one")
    other = Path(shutil.copytree(one, tmp_path / "a/second/place", symlinks=True,
                                 copy_function=shutil.copy))
    first = digests(made(one, one / "out", HOST))
    assert len(first) > 100
    assert {"/init", "/usr/bin/bulkhead", "/selftests/uts", "/rootfs/etc"} <= set(first)
    assert first == digests(made(other, tmp_path / "elsewhere", HOST))


def test_compiled_for_another_machine(tmp_path: Path) -> None:
    """No program of this machine gets into an image for another architecture."""
    other = "x86_64" if HOST == "aarch64" else "aarch64"
    if not shutil.which(f"{other}-linux-gnu-gcc"):
        pytest.skip(f"{other}-linux-gnu-gcc is not installed")
    needs_kernel(other)
    image = made(sources(tmp_path / "tree"), tmp_path / "build", other)
    programs = 0
    for part in image.glob("initrd*.img"):
        for contents in members(part.read_bytes()):
            if elf.is_elf(contents):
                assert elf.machine(contents) == other
                programs += 1
    assert programs > 50


def test_the_newest_kernel_is_the_default() -> None:
    """Without KERNEL it is the last one of the table for this architecture."""
    for arch in packages.DEBIAN_ARCH:
        rows = kernels.read_table(TOP / "rootfs-builder/kernels")
        newest = [row.name for row in rows if row.arch == arch][-1]
        shown = make(TOP, "-n", "image-config", f"ARCH={arch}").stdout
        assert f"--kernel '{newest}'" in shown
        assert f"--arch '{arch}'" in shown


def test_unknown_kernel() -> None:
    """The error is one line that tells the names, and make fails."""
    done = make(TOP, "image-config", "KERNEL=0.1", "ARCH=x86_64")
    assert done.returncode != 0
    assert "cannot find kernel \"0.1\"" in done.stderr
    assert "5.10 6.1 6.12 7.2" in done.stderr
    assert "Traceback" not in done.stderr
