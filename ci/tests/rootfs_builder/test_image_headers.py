# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers for modules: the packages that belong to a kernel, and a tree that runs here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "rootfs-builder"))

import headers  # noqa: E402
import kernels  # noqa: E402
import packages  # noqa: E402

ROW = kernels.Row("9.9", "forky", "linux-image-9.9.*-cloud-amd64", "x86_64")
RELEASE = "9.9.1+deb14-cloud-amd64"
HEADERS = f"linux-headers-{RELEASE}"


def package(name: str) -> packages.Package:
    return packages.Package(name, "1", "amd64", "forky", f"pool/{name}.deb", name, "", "")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packages of a kernel 9.9, unpacked; one program among them, and its libraries."""
    trees = tmp_path / "unpacked"
    make = trees / HEADERS / "usr/src" / HEADERS / "Makefile"
    make.parent.mkdir(parents=True)
    make.write_text("include /usr/src/linux-headers-9.9.1+deb14-common/Makefile\n")
    tool = trees / "linux-kbuild-9.9.1+deb14/usr/lib/linux-kbuild-9.9.1+deb14/scripts/tool"
    tool.parent.mkdir(parents=True)
    shutil.copy2(Path("/bin/echo").resolve(), tool)
    loader = trees / "libc6/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    loader.parent.mkdir(parents=True)
    loader.write_text('#!/bin/sh\necho "loader: $*"\n')
    loader.chmod(0o755)

    def resolve(_suite: packages.Suite, kind: str, names: list[str]) -> list[packages.Package]:
        return [package(f"linux-image-{RELEASE}")] if kind == "kernel" else \
            [package(name) for name in [*names, "libc6"]]

    monkeypatch.setattr(packages, "resolve", resolve)
    monkeypatch.setattr(packages, "unpacked", lambda package, _cache: trees / package.name)
    (trees / "linux-headers-9.9.1+deb14-common").mkdir()
    return trees


def test_packages_of_the_release(archive: Path) -> None:
    """What is asked for follows from the image's own package."""
    release, found = headers.header_packages(ROW)
    assert release == RELEASE
    assert [one.name for one in found] == [HEADERS, "linux-headers-9.9.1+deb14-common",
                                           "linux-kbuild-9.9.1+deb14", "libc6"]


def test_tree_stands_where_it_is_put(archive: Path, tmp_path: Path) -> None:
    """kbuild's files find each other there, and the cache's own are as they were."""
    start = headers.assemble(ROW, tmp_path / "out")
    place = tmp_path / "out" / RELEASE
    assert start == place / "usr/src" / HEADERS
    assert f"include {place}/usr/src/linux-headers-9.9.1" in (start / "Makefile").read_text()
    assert "include /usr/src/" in (archive / HEADERS / "usr/src" / HEADERS
                                   / "Makefile").read_text()
    (start / "mark").touch()
    assert headers.assemble(ROW, tmp_path / "out") == start
    assert (start / "mark").exists(), "a tree that is there was made anew"


def test_programs_run_by_their_own_loader(archive: Path, tmp_path: Path) -> None:
    """The host's C library may be older than the programs."""
    headers.assemble(ROW, tmp_path / "out")
    scripts = tmp_path / "out" / RELEASE / "usr/lib/linux-kbuild-9.9.1+deb14/scripts"
    said = subprocess.run([str(scripts / "tool"), "hello there"], capture_output=True, text=True,
                          check=True).stdout
    assert said.startswith("loader: --argv0 ")
    assert said.endswith(f"{scripts}/.tool hello there\n")
    assert f"--library-path {scripts}/../../../../libraries/usr/lib/x86_64-linux-gnu" in said


def test_unknown_kernel(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert headers.main(["--kernel", "1.0", "--output", str(tmp_path)]) == 1
    assert "headers.py: cannot find kernel \"1.0\" for x86_64" in capsys.readouterr().err
