# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel modules: which ones an image takes, in what order, and the index for modprobe."""

from __future__ import annotations

import gzip
import lzma
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

BUILDER = Path(__file__).resolve().parents[3] / "rootfs-builder"
sys.path.insert(0, str(BUILDER))

import kconfig  # noqa: E402
import modules  # noqa: E402

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")


def module(**info: str) -> bytes:
    """An object file with this .modinfo section, as a module has it."""
    strings = "".join(f'{key.rstrip("_")}={value}\\0' for key, value in info.items())
    source = ('__attribute__((section(".modinfo"), used)) static const char info[] ='
              f' "{strings}";')
    with tempfile.NamedTemporaryFile(suffix=".o") as output:
        subprocess.run(["gcc", "-x", "c", "-c", "-", "-o", output.name],
                       input=source.encode(), check=True)
        return Path(output.name).read_bytes()


@pytest.fixture(name="directory")
def fixture_directory(tmp_path: Path) -> Path:
    """lib/modules/RELEASE of a small kernel, some of its modules compressed."""
    top = tmp_path / "6.0.0"
    (top / "kernel/net").mkdir(parents=True)
    (top / "kernel/net/bridge.ko").write_bytes(
        module(depends="llc,stp", alias="rtnl-link-bridge", name="bridge"))
    (top / "kernel/net/stp.ko.xz").write_bytes(lzma.compress(module(depends="llc")))
    (top / "kernel/net/llc.ko.gz").write_bytes(gzip.compress(module(depends="")))
    (top / "kernel/crc-fast.ko").write_bytes(module(depends=""))
    (top / "kernel/ext.ko").write_bytes(
        module(depends="", softdep="pre: crc-fast missing_one post: after_ext"))
    (top / "kernel/after_ext.ko").write_bytes(module(depends="", alias="fs-ext",
                                                     alias_="fs-ext2"))
    (top / "kernel/broken.ko").write_bytes(module(depends="nowhere"))
    (top / "modules.builtin").write_text("kernel/fs/fuse/fuse.ko\nkernel/lib/builtin_dep.ko\n")
    return top


def names(found: list[modules.Module]) -> list[str]:
    """The modules' names in order."""
    return [item.name for item in found]


def test_dependencies_come_first(directory: Path) -> None:
    """Whatever the order in `depends`, a module is behind all that it needs."""
    found = modules.Tree(directory).closure(["bridge"])
    assert names(found) == ["llc", "stp", "bridge"]


def test_modules_are_decompressed(directory: Path) -> None:
    """A kernel may be unable to load compressed modules; paths lose their suffix, too."""
    found = {item.name: item for item in modules.Tree(directory).closure(["bridge"])}
    assert all(item.data.startswith(b"\x7fELF") for item in found.values())
    assert found["stp"].path == "kernel/net/stp.ko"


def test_soft_dependencies(directory: Path) -> None:
    """Soft dependencies come along before and after; one that is absent is no error."""
    assert names(modules.Tree(directory).closure(["ext"])) == ["crc_fast", "ext", "after_ext"]


def test_missing_dependency_is_an_error(directory: Path) -> None:
    """A module that cannot be loaded in the guest does not get into the image."""
    with pytest.raises(modules.ModuleError, match='"nowhere".*"broken" depends on it'):
        modules.Tree(directory).closure(["broken"])
    with pytest.raises(modules.ModuleError, match='cannot find module "no_such"'):
        modules.Tree(directory).closure(["no-such"])


def test_builtin_modules_need_no_file(directory: Path) -> None:
    """What is part of the kernel is neither missing nor in the image."""
    tree = modules.Tree(directory)
    assert tree.is_builtin("fuse")
    assert tree.closure(["fuse"]) == []


def test_modprobe_loads_from_the_end(directory: Path) -> None:
    """modules.dep lists what a module needs so that the last one can be loaded first."""
    found = modules.Tree(directory).closure(["bridge"])
    assert modules.dep_file(found) == ("kernel/net/bridge.ko: kernel/net/stp.ko"
                                       " kernel/net/llc.ko\n"
                                       "kernel/net/llc.ko:\n"
                                       "kernel/net/stp.ko: kernel/net/llc.ko\n")


def test_aliases_are_what_the_kernel_asks_for(directory: Path) -> None:
    """Each alias of each module, by which the kernel's request_module finds it."""
    found = modules.Tree(directory).closure(["bridge", "after_ext"])
    assert modules.alias_file(found) == ("alias fs-ext after_ext\n"
                                         "alias fs-ext2 after_ext\n"
                                         "alias rtnl-link-bridge bridge\n")


def test_table_is_read(tmp_path: Path) -> None:
    """A line has four fields; any other line is an error that tells where."""
    table = tmp_path / "modules"
    table.write_text("# comment\noverlay OVERLAY_FS demand layers of a rootfs\n"
                     "x CONFIG_X boot y # tail\n")
    first, second = modules.read_table(table)
    assert first == modules.Wanted("overlay", "CONFIG_OVERLAY_FS", False, "layers of a rootfs")
    assert second.at_boot
    table.write_text("overlay OVERLAY_FS sometimes why\n")
    with pytest.raises(modules.ModuleError, match="line 1"):
        modules.read_table(table)


def test_tables_agree() -> None:
    """Each module of the table is for an option that selftests/config asks for."""
    fragment = kconfig.read_fragment((BUILDER.parent / "selftests/config").read_text())
    asked = {need.option for need in fragment}
    wanted = modules.read_table(BUILDER / "modules")
    assert {item.option for item in wanted} <= asked
    assert len({item.name for item in wanted}) == len(wanted) > 0
