# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels by name and by file, and the check of their configuration."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

BUILDER = Path(__file__).resolve().parents[3] / "rootfs-builder"
sys.path.insert(0, str(BUILDER))

import kconfig  # noqa: E402
import kernels  # noqa: E402

CONFIG = ("# Linux/x86 6.9.0 Kernel Configuration\nCONFIG_NET=y\nCONFIG_VETH=m\n"
          "# CONFIG_X is not set\n")


def bzimage(payload: bytes, release: str = "6.9.0-mine") -> bytes:
    """A bzImage with these bytes as its compressed kernel; it boots nowhere."""
    text = f"{release} (me@here) #1\0".encode()
    head = bytearray(1024)
    head[0x1F1] = 1
    head[0x1FE:0x200] = b"\x55\xaa"
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x20E, 0x100)
    head[0x300:0x300 + len(text)] = text
    struct.pack_into("<II", head, 0x248, 16, len(payload))
    return bytes(head) + b"\x90" * 16 + payload


def with_config(config: str = CONFIG) -> bytes:
    """A kernel proper that was built with CONFIG_IKCONFIG."""
    return b"code" * 99 + b"IKCFG_ST" + gzip.compress(config.encode()) + b"IKCFG_ED" + b"data"


def arm64_image(release: str = "6.9.0-mine") -> bytes:
    """An arm64 Image with its magic number and banner."""
    head = bytearray(64)
    head[0x38:0x3C] = b"ARM\x64"
    return bytes(head) + f"Linux version {release} (me@here) ".encode() + with_config()


def test_table() -> None:
    """The project's own table has the kernels that it promises, oldest first."""
    rows = kernels.read_table(BUILDER / "kernels")
    by_arch = {arch: [row.name for row in rows if row.arch == arch]
               for arch in ("x86_64", "aarch64")}
    assert by_arch == {"x86_64": ["5.10", "6.1", "6.12", "7.2"], "aarch64": ["6.1", "6.12", "7.2"]}
    assert not re.search(r"https?:|\.(org|com|net)\b", (BUILDER / "kernels").read_text())


def test_damaged_table(tmp_path: Path) -> None:
    """The error tells the line."""
    table = tmp_path / "kernels"
    for line in ("6.1 bookworm linux-image-*", "6.1 bookworm linux-image-* sparc"):
        table.write_text(f"# comment\n{line}\n")
        with pytest.raises(kernels.KernelError, match="line 2"):
            kernels.read_table(table)


def find(wanted: object, arch: str = "x86_64", config: str | None = None) -> kernels.Kernel:
    """Looks for a kernel of the project's table, or a file."""
    return kernels.find(str(wanted), arch, BUILDER / "kernels", config, None, False)


def test_unknown_name() -> None:
    """The error lists the names that there are."""
    with pytest.raises(kernels.KernelError, match="6.1 6.12 7.2$"):
        find("9.9", "aarch64")


def test_options_for_own_kernels(tmp_path: Path) -> None:
    """A configuration given with a kernel by name would be ignored: that is an error."""
    with pytest.raises(kernels.KernelError, match="its packages have them"):
        find("6.1", config=str(tmp_path / "config"))


def test_own_kernel(tmp_path: Path) -> None:
    """A bzImage and an Image tell their release; their embedded configuration is found."""
    file = tmp_path / "kernel"
    for arch, data in (("x86_64", bzimage(gzip.compress(with_config()))),
                       ("aarch64", arm64_image())):
        file.write_bytes(data)
        kernel = find(file, arch)
        assert (kernel.name, kernel.release) == ("6.9.0-mine", "6.9.0-mine")
        assert kernel.config == CONFIG
        assert kernel.modules is None
        assert kernel.data == data


def test_compressed_arm64_kernels(tmp_path: Path) -> None:
    """Image.gz and vmlinuz.efi become the Image that every QEMU boots."""
    file, data = tmp_path / "kernel", arm64_image()
    packed = gzip.compress(data)
    zboot = b"MZ\0\0zimg" + struct.pack("<II", 64, len(packed)) + b"\0" * 48 + packed + b"tail"
    for form in (packed, zboot):
        file.write_bytes(form)
        kernel = find(file, "aarch64")
        assert (kernel.data, kernel.release, kernel.config) == (data, "6.9.0-mine", CONFIG)
    file.write_bytes(zboot[:90])
    with pytest.raises(kconfig.ConfigError, match="damaged"):
        find(file, "aarch64")


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF" * 300, bzimage(b"", "\0"),
                                  bzimage(b"", "../../x")])
def test_no_kernel(tmp_path: Path, data: bytes) -> None:
    """What is no kernel, or does not tell its release, is refused with a reason."""
    file = tmp_path / "kernel"
    file.write_bytes(data)
    with pytest.raises(kernels.KernelError, match="cannot use"):
        find(file)


def test_wrong_architecture(tmp_path: Path) -> None:
    """The error says what the file is instead."""
    file = tmp_path / "kernel"
    file.write_bytes(arm64_image())
    with pytest.raises(kernels.KernelError, match="not a kernel for x86_64.*for aarch64: ARCH="):
        find(file)


def tool(name: str, data: bytes) -> bytes:
    """Compressed as the kernel's build does it."""
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    flags = {"lz4": ["-l", "-9"], "zstd": ["-19"]}[name]
    return subprocess.run([name, "-cq", *flags], input=data, check=True,
                          stdout=subprocess.PIPE).stdout


@pytest.mark.parametrize("name", ["gzip", "xz", "lzma", "bzip2", "lz4", "zstd"])
def test_every_compression(name: str) -> None:
    """The configuration is found whatever the kernel is compressed with. The last four bytes are
    the size of the kernel (arch/x86/boot/compressed)."""
    data = with_config()
    how: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress, "xz": lzma.compress, "bzip2": bz2.compress,
        "lzma": lambda text: lzma.compress(text, lzma.FORMAT_ALONE)}
    packed = how[name](data) if name in how else tool(name, data)
    assert kconfig.embedded(bzimage(packed + struct.pack("<I", len(data)))) == CONFIG


def test_damaged_payload() -> None:
    """A kernel that was cut short gives an error."""
    with pytest.raises(kconfig.ConfigError, match="damaged"):
        kconfig.embedded(bzimage(b"\x1f\x8b" + b"x" * 100))


def test_kernel_without_config(tmp_path: Path) -> None:
    """No configuration is not an empty configuration."""
    file = tmp_path / "bzImage"
    file.write_bytes(bzimage(gzip.compress(b"code" * 99)))
    assert find(file).config is None


@pytest.mark.parametrize("place", ["config-6.9.0-mine", "config", ".config",
                                   "../../../.config"])
def test_config_beside_the_kernel(tmp_path: Path, place: str) -> None:
    """Where installed kernels and build trees have it."""
    folder = tmp_path / "arch/x86/boot"
    folder.mkdir(parents=True)
    (folder / "bzImage").write_bytes(bzimage(gzip.compress(b"code")))
    (folder / place).write_text("CONFIG_BESIDE=y\n")
    assert find(folder / "bzImage").config == "CONFIG_BESIDE=y\n"


def test_a_file_of_another_kind_is_passed_over(tmp_path: Path) -> None:
    """`config` is a common name: what has no option in it is not the kernel's configuration."""
    (tmp_path / "bzImage").write_bytes(bzimage(gzip.compress(with_config())))
    (tmp_path / "config").write_text("[core]\n\tbare = false\n")
    assert find(tmp_path / "bzImage").config == CONFIG


def test_given_config_wins(tmp_path: Path) -> None:
    """The configuration that the user names is the one that is checked."""
    (tmp_path / "bzImage").write_bytes(bzimage(gzip.compress(with_config())))
    (tmp_path / "mine").write_text("CONFIG_MINE=y\n")
    assert find(tmp_path / "bzImage", config=str(tmp_path / "mine")).config == "CONFIG_MINE=y\n"


# --- the check -----------------------------------------------------------------------------------

FRAGMENT = """\
# A line without a reason in this form.

# boot: the guest starts
CONFIG_BLK_DEV_INITRD=y
# boot: the console (aarch64)
CONFIG_SERIAL_AMBA_PL011=y
# net: pairs of devices
CONFIG_VETH=y
CONFIG_DUMMY=y
# cgroup: the misc controller (since 5.13)
CONFIG_CGROUP_MISC=y
"""

GOOD = {"CONFIG_BLK_DEV_INITRD": "y", "CONFIG_VETH": "y", "CONFIG_DUMMY": "y",
        "CONFIG_CGROUP_MISC": "y"}


def lacks(config: dict[str, str], release: str = "6.1.0", modules: bool = False,
          arch: str = "x86_64") -> list[str]:
    """What a configuration lacks, in words."""
    needs = kconfig.read_fragment(FRAGMENT)
    return [str(lack) for lack in kconfig.check(needs, config, arch, release, modules)]


def test_nothing_is_missing() -> None:
    """A good configuration lacks nothing; an option is only asked for where it counts."""
    assert lacks(GOOD) == []
    assert lacks(GOOD, arch="aarch64") == [
        "CONFIG_SERIAL_AMBA_PL011 is not set: the console (boot)"]
    old = {option: value for option, value in GOOD.items() if option != "CONFIG_CGROUP_MISC"}
    assert lacks(old, release="5.12.9") == []
    assert lacks(old, release="5.13.0") == [
        "CONFIG_CGROUP_MISC is not set: the misc controller (cgroup)"]


def test_modules_count_only_when_the_image_has_them() -> None:
    """A module helps no guest whose image does not hold it, and never to boot."""
    config = {**GOOD, "CONFIG_DUMMY": "m"}
    assert lacks(config) == ["CONFIG_DUMMY is only a module: pairs of devices (net)"]
    assert lacks(config, modules=True) == []
    config = {**GOOD, "CONFIG_BLK_DEV_INITRD": "m"}
    assert lacks(config, modules=True) == [
        "CONFIG_BLK_DEV_INITRD is only a module: the guest starts (boot)"]


def test_unreadable_configurations() -> None:
    """A file that is no configuration is not one that lacks everything."""
    with pytest.raises(kconfig.ConfigError, match="no line has CONFIG_NAME=VALUE"):
        kconfig.parse_config("hello\n")
    with pytest.raises(kconfig.ConfigError, match="line 2"):
        kconfig.read_fragment("# net: x\nCONFIG_VETH is wanted\n")


def test_the_fragment_is_one() -> None:
    """selftests/config: each option once, with a reason, in the form that Kconfig merges."""
    text = (BUILDER.parent / "selftests/config").read_text()
    needs = kconfig.read_fragment(text)
    options = [need.option for need in needs]
    assert len(options) == len(set(options)) == len(re.findall("^CONFIG_", text, re.MULTILINE))
    assert {"CONFIG_BLK_DEV_INITRD", "CONFIG_USER_NS", "CONFIG_OVERLAY_FS"} <= set(options)
    assert all(need.why and need.area for need in needs)


def test_the_fragment_covers_the_suite() -> None:
    """Each option that a test's need is skipped for is one that the fragment asks for, where some
    kernel promises that need."""
    table = (BUILDER.parent / "selftests/harness/needs.h").read_text()
    named = {f"CONFIG_{option}" for option in re.findall(r'NEED_KCONFIG, "(\w+)", "\d', table)}
    fragment = kconfig.read_fragment((BUILDER.parent / "selftests/config").read_text())
    assert named
    assert named <= {need.option for need in fragment}
