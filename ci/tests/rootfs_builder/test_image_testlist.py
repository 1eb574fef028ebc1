# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests of a test program, read from its file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "rootfs-builder"))

import elf  # noqa: E402
import testlist  # noqa: E402

HOST = os.uname().machine
COMPILERS = {HOST: "gcc", **{arch: f"{arch}-linux-gnu-gcc" for arch in ("x86_64", "aarch64")
                             if arch != HOST}}
HEADER = f'#include "{TOP}/selftests/harness/selftest.h"\n'
# Declared out of order, in two files; a test without behaviours; one of each layer.
SOURCES = {
    "b.c": 'TEST(demo, third, .says = "", .layer = RUNTIME, .checks = "demo-02 demo-03") {}\n',
    "a.c": 'struct row { const char *label; };\n'
           'ROWS(rows, struct row) = { { "one" } };\n'
           'TEST(demo, first, .says = "", .checks = "demo-01") {}\n'
           'TEST_EACH(rows, demo, second, .says = "", .layer = BOTH) { (void)row; }\n'
}
WANTED = [("demo.first", "kernel", ["demo-01"]), ("demo.second", "both", []),
          ("demo.third", "runtime", ["demo-02", "demo-03"])]


def program(folder: Path, compiler: str, *more: object) -> Path:
    """A program of these sources, in the order of their declaration here."""
    files = []
    for name, text in SOURCES.items():
        files.append(folder / name)
        files[-1].write_text(HEADER + text)
    subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-static", "-o", folder / "demo",
                    *files, *more], check=True)
    return folder / "demo"


@pytest.mark.parametrize("arch", sorted(COMPILERS))
def test_tests_are_read_without_running_the_program(tmp_path: Path, arch: str) -> None:
    """Whatever machine it is for."""
    if not shutil.which(COMPILERS[arch]):
        pytest.skip(f"no-tool: {COMPILERS[arch]}")
    main = tmp_path / "main.c"
    main.write_text("int main(void) { return 1; }\n")
    found = program(tmp_path, COMPILERS[arch], main)
    assert testlist.tests(found.read_bytes()) == WANTED
    assert testlist.listed([found]) == [(name, "demo", layer, behaviours)
                                        for name, layer, behaviours in WANTED]


def test_it_is_what_the_program_itself_says(tmp_path: Path) -> None:
    """The same tests in the same order as --list."""
    harness = [file for file in (TOP / "selftests/harness").glob("*.c")]
    found = program(tmp_path, "gcc", *harness)
    said = subprocess.run([found, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = [line.split("\t") for line in said.splitlines()]
    assert [(line[0], line[1], line[2].split()) for line in lines] == WANTED
    assert testlist.tests(found.read_bytes()) == WANTED


def test_what_does_not_tell_has_no_list(tmp_path: Path) -> None:
    """A script, a program without tests, one that is cut: then there is no list at all, not half
    of one."""
    main = tmp_path / "main.c"
    main.write_text("int main(void) { return 1; }\n")
    good = program(tmp_path, "gcc", main).rename(tmp_path / "good")
    others = {name: tmp_path / name for name in ("script", "none", "cut")}
    others["script"].write_text("#!/bin/sh\n")
    subprocess.run(["gcc", "-static", "-o", others["none"], main], check=True)
    others["cut"].write_bytes(good.read_bytes()[:-1000])
    assert len(testlist.listed([good])) == 3
    for other in others.values():
        assert not testlist.listed([good, other]), other
    for name in ("script", "cut"):
        with pytest.raises(elf.ElfError):
            testlist.tests(others[name].read_bytes())
