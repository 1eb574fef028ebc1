# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds a kernel: one of the table by its name, or a file that the user built."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import kconfig
import modules
import packages


class KernelError(Exception):
    """What keeps a kernel from being used; the text is the whole message."""


@dataclass(frozen=True)
class Row:
    """One line of the table of kernels."""

    name: str
    suite: str
    package: str
    arch: str


@dataclass(frozen=True)
class Kernel:
    """A kernel to build an image of; `config` is the text of its configuration, if known."""

    name: str
    release: str
    data: bytes
    origin: object
    modules: modules.Tree | None
    config: str | None


def read_table(path: Path) -> list[Row]:
    """The table of kernels, in its order: oldest first."""
    rows = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = text.split("#", 1)[0].split()
        if not fields:
            continue
        if len(fields) != 4 or fields[3] not in packages.DEBIAN_ARCH:
            raise KernelError(f"cannot read \"{path}\", line {number}:"
                              " it is not NAME SUITE PACKAGE ARCH")
        rows.append(Row(*fields))
    return rows


def find(wanted: str, arch: str, table: Path, config: str | None, module_tree: str | None,
         refresh: bool) -> Kernel:
    """The kernel of this name in the table, or in this file."""
    rows = read_table(table)
    for row in rows:
        if (row.name, row.arch) == (wanted, arch):
            if config or module_tree:
                raise KernelError(f"cannot use a configuration or modules of your own with kernel"
                                  f" \"{wanted}\": its packages have them")
            return from_packages(row, refresh)
    if not Path(wanted).is_file():
        names = [row.name for row in rows if row.arch == arch]
        raise KernelError(f"cannot find kernel \"{wanted}\": it is no file, and for {arch} the"
                          f" names are {' '.join(names)}")
    return from_file(Path(wanted), arch, config, module_tree)


def from_packages(row: Row, refresh: bool) -> Kernel:
    """The newest kernel that the suite of a row has."""
    suite = packages.Suite(row.suite, row.arch)
    found = packages.resolve(suite, "kernel", [row.package], refresh)
    release = found[0].name[len("linux-image-"):]
    trees = [packages.unpacked(package, suite.cache) for package in found]

    def one(*paths: str) -> Path:
        for path in paths:
            for tree in trees:
                if (tree / path).exists():
                    return tree / path
        raise KernelError(f"cannot find \"{paths[0]}\" in the packages of kernel \"{row.name}\"")

    return Kernel(row.name, release,
                  one(f"boot/vmlinuz-{release}", f"usr/lib/modules/{release}/vmlinuz").read_bytes(),
                  [package.origin() for package in found],
                  modules.Tree(one(f"usr/lib/modules/{release}/kernel",
                                   f"lib/modules/{release}/kernel").parent,
                               one(f"usr/lib/modules/{release}/modules.builtin",
                                   f"lib/modules/{release}/modules.builtin")),
                  one(f"boot/config-{release}", f"usr/lib/modules/{release}/config").read_text())


def release_of(data: bytes) -> str:
    """The release of a kernel file, as uname -r will say, or an empty text.

    x86: the boot protocol has a pointer to it (Documentation/arch/x86/boot.rst, kernel_version);
    elsewhere the kernel's banner is in the plain file.
    """
    if data[0x202:0x206] == b"HdrS":
        start = struct.unpack_from("<H", data, 0x20E)[0] + 0x200
        return data[start:start + 200].split(b"\0")[0].split(b" ")[0].decode("ascii", "replace")
    banner = re.search(rb"Linux version (\S+) ", data)
    return banner[1].decode("ascii", "replace") if banner else ""


def arch_of(data: bytes) -> str:
    """The architecture of a kernel file, or an empty text when it is none."""
    if data[0x202:0x206] == b"HdrS" and data[0x1FE:0x200] == b"\x55\xaa":
        return "x86_64"
    if data[0x38:0x3C] == b"ARM\x64":  # Documentation/arch/arm64/booting.rst, magic number
        return "aarch64"
    return ""


def from_file(path: Path, arch: str, config: str | None, module_tree: str | None) -> Kernel:
    """A kernel that the user built."""
    data = kconfig.plain_image(path.read_bytes())
    found = arch_of(data)
    if found != arch:
        raise KernelError(f"cannot use \"{path}\": it is not a kernel for {arch} (it is "
                          + (f"one for {found}: ARCH={found}" if found
                             else "neither a bzImage nor an arm64 Image") + ")")
    release = release_of(data)
    if not release or "/" in release:
        raise KernelError(f"cannot use \"{path}\": it does not tell its release (damaged file?)")
    tree = modules.Tree(Path(module_tree)) if module_tree else None
    return Kernel(release, release, data, "file", tree,
                  Path(config).read_text(encoding="utf-8") if config
                  else kconfig.of_kernel(path, data, release))
