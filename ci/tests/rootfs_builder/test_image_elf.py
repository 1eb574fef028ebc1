# SPDX-License-Identifier: GPL-2.0-or-later
"""What the image takes from ELF files: libraries, interpreter, sections; and stripping."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "rootfs-builder"))

import elf  # noqa: E402

HOST = os.uname().machine
INTERPRETER = {"x86_64": "/lib64/ld-linux-x86-64.so.2",
               "aarch64": "/lib/ld-linux-aarch64.so.1"}.get(HOST, "")

pytestmark = pytest.mark.skipif(not INTERPRETER or not shutil.which("gcc"),
                                reason="needs gcc on x86_64 or aarch64")


def compiled(source: str, output: Path, *flags: str) -> Path:
    """A program or library of this text."""
    output.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-o", str(output), "-x", "c", "-", "-x", "none", *flags],
                   input=source.encode(), check=True)
    return output


@pytest.fixture(name="tree")
def fixture_tree(tmp_path: Path) -> Path:
    """A package's tree: a program -> libone (by RUNPATH) -> libtwo (in the standard place)."""
    top = tmp_path / "tree"
    standard = top / f"usr/lib/{HOST}-linux-gnu"
    two = compiled("int two(void) { return 2; }", standard / "libtwo.so.2", "-shared", "-fPIC",
                   "-nostdlib", "-Wl,-soname,libtwo.so.2")
    one = compiled("int two(void); int one(void) { return two() - 1; }",
                   top / "opt/private/libone.so.1", "-shared", "-fPIC", "-nostdlib", str(two),
                   "-Wl,-soname,libone.so.1")
    compiled("int one(void); int main(void) { return one() - 1; }", top / "usr/bin/program",
             str(one), f"-Wl,-rpath-link,{standard}", "-Wl,-rpath,/opt/private",
             "-Wl,--enable-new-dtags")
    for path in (INTERPRETER, f"/usr/lib/{HOST}-linux-gnu/libc.so.6"):
        real = Path(os.path.realpath(path))
        (top / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(real, top / path.lstrip("/"))
    return top


def test_dynamic_part(tree: Path) -> None:
    """Interpreter, needed libraries and search path of a program."""
    found = elf.dynamic((tree / "usr/bin/program").read_bytes())
    assert found.interpreter == INTERPRETER
    assert found.needed == ("libone.so.1", "libc.so.6")
    assert found.runpath == ("/opt/private",)


def test_closure_is_what_the_linker_needs(tree: Path) -> None:
    """Libraries of libraries are found, each at the path where the linker will look."""
    libraries = elf.Libraries([tree], HOST)
    found = libraries.closure([tree / "usr/bin/program"])
    assert set(found) == {INTERPRETER, "/opt/private/libone.so.1",
                          f"/usr/lib/{HOST}-linux-gnu/libtwo.so.2",
                          f"/usr/lib/{HOST}-linux-gnu/libc.so.6"}
    assert all(file.is_file() for file in found.values())


def test_missing_library_is_named(tree: Path) -> None:
    """The error tells which library is not there and who needs it."""
    (tree / f"usr/lib/{HOST}-linux-gnu/libtwo.so.2").unlink()
    with pytest.raises(elf.ElfError, match='"libtwo.so.2", which ".*libone.so.1" needs'):
        elf.Libraries([tree], HOST).closure([tree / "usr/bin/program"])


def test_wrong_architecture_is_refused(tree: Path) -> None:
    """A program of the host does not slip into a guest of another architecture."""
    other = "aarch64" if HOST == "x86_64" else "x86_64"
    with pytest.raises(elf.ElfError, match=f"is for {HOST}, not for {other}"):
        elf.Libraries([tree], other).closure([tree / "usr/bin/program"])


def test_static_program_needs_nothing(tmp_path: Path) -> None:
    """A static program has no interpreter and no libraries; a script none either."""
    program = compiled("int main(void) { return 0; }", tmp_path / "static", "-static")
    assert elf.dynamic(program.read_bytes()) == elf.Dynamic("", (), ())
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert elf.Libraries([], HOST).closure([program, script]) == {}


@pytest.mark.parametrize("flags", [["-static"], ["-static-pie"], []])
def test_stripped_program_runs(tmp_path: Path, flags: list[str]) -> None:
    """Stripping makes a program with debug information smaller and leaves it working."""
    program = compiled("int main(void) { return 42; }", tmp_path / "program", "-g3", *flags)
    stripped = tmp_path / "stripped"
    stripped.write_bytes(elf.strip(program.read_bytes()))
    stripped.chmod(0o755)
    assert subprocess.run([str(stripped)], check=False).returncode == 42
    assert len(stripped.read_bytes()) < len(program.read_bytes())
    assert elf.strip(stripped.read_bytes()) == stripped.read_bytes()


@pytest.mark.parametrize("flags", [["-static"], []])
def test_build_directory_does_not_matter(tmp_path: Path, flags: list[str]) -> None:
    """A program's build id depends on where it was compiled; stripped it is the same program."""
    made = []
    for name in ("one", "another/place"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "main.c").write_text("int main(void) { return 0; }")
        subprocess.run(["gcc", "-g", "-Wl,--build-id", "-o", "main", "main.c", *flags],
                       cwd=tmp_path / name, check=True)
        made.append((tmp_path / name / "main").read_bytes())
    assert made[0] != made[1]
    assert elf.strip(made[0]) == elf.strip(made[1])
    changed = compiled("int main(void) { return 1; }", tmp_path / "changed", "-g", *flags)
    assert elf.strip(changed.read_bytes()) != elf.strip(made[0])


def test_sections(tmp_path: Path) -> None:
    """A section is found by its name; one that is not there is empty."""
    program = compiled('__attribute__((section(".modinfo"), used)) static const char info[] ='
                       ' "license=GPL"; int main(void) { return 0; }', tmp_path / "program")
    data = program.read_bytes()
    assert elf.section(data, ".modinfo") == b"license=GPL\0"
    assert elf.section(data, ".no-such-section") == b""


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + b"\0" * 60])
def test_other_files_are_refused(data: bytes) -> None:
    """What is no 64-bit ELF file gives an error, not a traceback."""
    assert not elf.is_elf(data)
    with pytest.raises(elf.ElfError):
        elf.dynamic(data)
    with pytest.raises(elf.ElfError):
        elf.section(data, ".modinfo")


def test_damaged_files_are_refused(tree: Path) -> None:
    """A file cut anywhere gives an ElfError or a result, never another exception."""
    data = (tree / "usr/bin/program").read_bytes()
    for length in range(64, len(data), 211):
        for read in (elf.dynamic, elf.strip, lambda cut: elf.section(cut, ".text")):
            try:
                read(data[:length])
            except elf.ElfError:
                pass
