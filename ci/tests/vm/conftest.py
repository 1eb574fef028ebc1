# SPDX-License-Identifier: GPL-2.0-or-later
"""A small image of its own for the launcher's tests: a real kernel, our init, busybox and the
selftest programs in guest/, so that every verdict can be provoked for real."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import pytest

TREE = Path(__file__).resolve().parents[3]
GUEST = Path(__file__).resolve().parent / "guest"
BUILD = Path(os.environ.get("BULKHEAD_BUILD", TREE / "build"))
ARCH = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
APPLETS = ("sh base64 cat chmod date dd echo env gzip head hostname insmod kill ls mkdir mount od "
           "poweroff printf rm sed sleep sync touch tr true uname usleep yes").split()

sys.path.insert(0, str(TREE / "vm"))

from launcher import cpio  # noqa: E402


class Finished(NamedTuple):
    """A run of the launcher that has ended."""

    status: int
    out: str
    err: str
    report: Optional[Dict[str, Any]]

    def tests(self) -> Dict[str, Dict[str, Any]]:
        """The tests of the report by name."""
        assert self.report, self.err
        return {test["name"]: test for run in self.report["runs"] for test in run["tests"]}

    def statuses(self) -> Dict[str, str]:
        """What became of each test, without the area's name."""
        return {name.split(".", 1)[1]: test["status"] for name, test in self.tests().items()}


class Launcher:
    """Calls run-tests.sh with a cache and an image of the tests' own."""

    def __init__(self, image: Path, cache: Path, scratch: Path) -> None:
        self.image, self.cache, self.scratch = image, cache, scratch
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(scratch), "XDG_CACHE_HOME": str(cache),
            "TMPDIR": str(scratch / "tmp"), "BULKHEAD_SESSION": str(os.getpid())}
        (scratch / "tmp").mkdir()

    def argv(self, *options: str, tests: str = "passes fails skips passes_again") -> List[str]:
        """The command line; TESTS are those of guest/demo to run."""
        chosen = [word for test in tests.split() for word in ("--tests", f"demo.{test}")]
        return [str(TREE / "vm/run-tests.sh"), "--image", str(self.image), *options, *chosen]

    def __call__(self, *options: str, tests: str = "passes fails skips passes_again",
                 **environment: str) -> Finished:
        results = self.scratch / "results.json"
        results.unlink(missing_ok=True)
        done = subprocess.run(self.argv(*options, "--json", str(results), tests=tests),
                              env={**self.environment, **environment}, capture_output=True,
                              encoding="utf-8", errors="replace", timeout=400, check=False)
        report = json.loads(results.read_text()) if results.exists() else None
        assert "Traceback" not in done.stderr, done.stderr
        return Finished(done.returncode, done.stdout, done.stderr, report)


def write_initrd(path: Path, init: Optional[Path], programs: Path = GUEST) -> None:
    """An initrd with busybox and the programs; without an init when there is none to put in."""
    tree = path.parent / "tree"
    (tree / "bin").mkdir(parents=True)
    shutil.copy2(shutil.which("busybox") or "/bin/busybox", tree / "bin/busybox")
    compiler = os.environ.get("VM_CC", "musl-gcc")
    subprocess.run([compiler, "-static", "-Os", "-o", tree / "bin/hog", GUEST / "hog.c"],
                   check=True)
    for applet in APPLETS:
        (tree / "bin" / applet).symlink_to("busybox")
    additions = [(str(tree / "bin"), "/bin"), (str(programs / "demo"), "/selftests/demo"),
                 (str(programs / "subject"), "/selftests/subjects/fake")]
    if init:
        additions.append((str(init), "/init"))
    path.write_bytes(cpio.archive(additions))
    shutil.rmtree(tree)


@pytest.fixture(scope="session")
def kernel() -> Path:
    """The newest stable kernel, from the image that make has built."""
    path = BUILD / "image" / ARCH / "6.12" / "kernel"
    if not path.is_file():
        pytest.fail(f"{path} is not there: run the tests by make check-vm")
    return path


@pytest.fixture(scope="session")
def image(kernel: Path, base: Path) -> Path:
    """A folder of images with one image in it."""
    folder = base / "images" / ARCH / "6.12"
    folder.mkdir(parents=True)
    shutil.copy2(kernel, folder / "kernel")
    write_initrd(folder / "initrd.img", BUILD / "vm" / ARCH / "init")
    manifest = {"arch": ARCH, "digest": "0" * 64, "kernel": {"name": "6.12"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return base / "images"


@pytest.fixture(scope="session")
def cache(base: Path) -> Path:
    """Shared by all tests: only the first one boots."""
    return base / "cache"


@pytest.fixture
def launch(image: Path, cache: Path, tmp_path: Path) -> Launcher:
    """run-tests.sh on the tests' own image."""
    return Launcher(image, cache, tmp_path)


@pytest.fixture
def own(image: Path, tmp_path: Path) -> Launcher:
    """The same with a cache of its own."""
    return Launcher(image, tmp_path / "cache", tmp_path)


@pytest.fixture(autouse=True)
def time_limit() -> None:
    """In place of the limit for all rooms: each call of the launcher has one of its own, and an
    emulated guest on a busy machine is slow."""


@pytest.fixture(autouse=True)
def no_leftovers(tmp_path: Path) -> Iterator[None]:
    """No test may leave a QEMU of this session, or a temporary file, behind."""
    yield
    assert not our_guests()
    assert not list(tmp_path.glob("tmp/*"))


def our_guests() -> List[str]:
    """Command lines of the QEMU processes that descend from this test session."""
    found = []
    marker = f"BULKHEAD_SESSION={os.getpid()}"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"qemu" in (process / "cmdline").read_bytes() and \
                    marker.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found
