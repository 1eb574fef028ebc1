# SPDX-License-Identifier: GPL-2.0-or-later
"""make image, as a user calls it: compiled twice in different places, and what it says."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "rootfs-builder"))

import kernels  # noqa: E402
import packages  # noqa: E402

NEWEST = "6.12"


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


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_compiled_twice_the_same(tmp_path: Path, arch: str) -> None:
    """Sources and build directory elsewhere, compiled at another time: the same image."""
    if arch != os.uname().machine and not shutil.which(f"{arch}-linux-gnu-gcc"):
        pytest.skip(f"{arch}-linux-gnu-gcc is not installed")
    try:
        kernels.find(NEWEST, arch, TOP / "rootfs-builder/kernels", None, None, False)
    except packages.PackageError as error:
        pytest.skip(f"no packages: {error}")
    found = []
    one = sources(tmp_path / "one")
    other = Path(shutil.copytree(one, tmp_path / "a/second/place", symlinks=True,
                                 copy_function=shutil.copy))
    for tree, build in ((one, one / "out"), (other, tmp_path / "elsewhere")):
        done = make(tree, "-j2", "image", f"KERNEL={NEWEST}", f"ARCH={arch}", f"BUILD={build}")
        assert done.returncode == 0, done.stderr
        found.append(digests(build / "image" / arch / NEWEST))
    assert len(found[0]) > 100
    assert {"/init", "/usr/bin/bulkhead", "/selftests/uts", "/rootfs/etc"} <= set(found[0])
    assert found[0] == found[1]


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
