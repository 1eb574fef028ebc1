# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares a kernel's configuration with selftests/config, and finds the configuration of a
kernel file: beside it, or inside it when it was built with CONFIG_IKCONFIG.
"""

from __future__ import annotations

import bz2
import lzma
import re
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

IKCONFIG_START = b"IKCFG_ST"  # kernel/configs.c
AREA_AT_BOOT = "boot"
OPTION = re.compile(r"^(CONFIG_\w+)=(.*)$", re.MULTILINE)


class ConfigError(Exception):
    """A configuration that cannot be read; the text is the whole message."""


@dataclass(frozen=True)
class Need:
    """One option of the fragment; `since` is (0, 0) and `arch` empty when they do not limit it."""

    option: str
    area: str
    why: str
    since: tuple[int, int]
    arch: str


@dataclass(frozen=True)
class Lack:
    """A need that a configuration does not meet; `value` is what it has instead."""

    need: Need
    value: str

    def __str__(self) -> str:
        told = {"": "is not set", "m": "is only a module"}.get(self.value, f"is {self.value}")
        return f"{self.need.option} {told}: {self.need.why} ({self.need.area})"


def read_fragment(text: str) -> list[Need]:
    """The options of selftests/config, each with the reason in the comment above it."""
    needs = []
    area = why = arch = ""
    since = (0, 0)
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.fullmatch(r"# ([a-z]+): (.*?)(?: \((?:since (\d+)\.(\d+)|(\w+))\))?", line)
        option = re.fullmatch(r"(CONFIG_\w+)=y", line)
        if heading:
            area, why, arch = heading[1], heading[2], heading[5] or ""
            since = (int(heading[3]), int(heading[4])) if heading[3] else (0, 0)
        elif option and why:
            needs.append(Need(option[1], area, why, since, arch))
        elif line and not line.startswith("#"):
            raise ConfigError(f"cannot read selftests/config, line {number}: \"{line}\"")
    return needs


def parse_config(text: str) -> dict[str, str]:
    """The options that are set in a .config file."""
    found = OPTION.findall(text)
    if not found:
        raise ConfigError("cannot read the kernel's configuration: no line has CONFIG_NAME=VALUE")
    return dict(found)


def version_of(release: str) -> tuple[int, int]:
    """(6, 12) for a release 6.12.117+deb13; (0, 0) when it is not told."""
    match = re.match(r"(\d+)\.(\d+)", release)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def check(needs: list[Need], config: dict[str, str], arch: str, release: str,
          has_modules: bool) -> list[Lack]:
    """What the configuration lacks. An option of area boot has to be built in, another one may
    be a module if the image has modules."""
    version = version_of(release)
    lacks = []
    for need in needs:
        if need.arch not in ("", arch) or (version != (0, 0) and version < need.since):
            continue
        value = config.get(need.option, "")
        enough = ("y", "m") if has_modules and need.area != AREA_AT_BOOT else ("y",)
        if value not in enough:
            lacks.append(Lack(need, value))
    return lacks


# --- the configuration inside a kernel file -----------------------------------------------------


class Decompressor(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was there."""

    def decompress(self, data: bytes) -> bytes:
        """The decompressed data."""


def _whole(decompressor: Decompressor, data: bytes) -> bytes:
    """Decompressed to the end of the stream; what follows it does not count."""
    plain = decompressor.decompress(data)
    if not decompressor.eof:
        raise EOFError
    return plain


def _gzip(data: bytes) -> bytes:
    return _whole(zlib.decompressobj(31), data)


def _xz(data: bytes) -> bytes:
    return _whole(lzma.LZMADecompressor(lzma.FORMAT_XZ), data)


def _lzma(data: bytes) -> bytes:
    return _whole(lzma.LZMADecompressor(lzma.FORMAT_ALONE), data)


def _bzip2(data: bytes) -> bytes:
    return _whole(bz2.BZ2Decompressor(), data)


# Magic numbers as in lib/decompress.c of the kernel's sources; the last column is a tool where
# Python has no decompressor.
FORMATS = (
    (b"\x1f\x8b", _gzip, ()),
    (b"\xfd7zXZ", _xz, ()),
    (b"]\x00\x00", _lzma, ()),
    (b"BZh", _bzip2, ()),
    (b"\x02!L\x18", None, ("lz4", "-dcq")),
    (b"\x28\xb5\x2f\xfd", None, ("zstd", "-dcq")),
    (b"\x89LZO", None, ("lzop", "-dcq")),
)


def payload(kernel: bytes) -> bytes:
    """The kernel proper: what a bzImage holds in compressed form, or the file itself.

    Documentation/arch/x86/boot.rst: setup_sects, payload_offset and payload_length.
    """
    if kernel[0x202:0x206] != b"HdrS":
        return plain_image(kernel)
    sectors = kernel[0x1F1] or 4
    offset, length = struct.unpack_from("<II", kernel, 0x248)
    start = (sectors + 1) * 512 + offset
    return decompress(kernel[start:start + length])


def plain_image(kernel: bytes) -> bytes:
    """An arm64 Image out of vmlinuz.efi (CONFIG_EFI_ZBOOT) or Image.gz, which not every QEMU can
    boot; any other file as it is.

    drivers/firmware/efi/libstub/zboot-header.S: magic, then offset and size of the payload.
    """
    if kernel[4:8] == b"zimg":
        offset, size = struct.unpack_from("<II", kernel, 8)
        return decompress(kernel[offset:offset + size])
    return decompress(kernel) if kernel[:2] == b"\x1f\x8b" else kernel


def decompress(data: bytes) -> bytes:
    """Decompressed by its magic number."""
    for magic, function, tool in FORMATS:
        if not data.startswith(magic):
            continue
        try:
            if function:
                return function(data)
            # The bytes after the compressed data (the kernel's size) make a tool complain.
            done = subprocess.run(tool, input=data[:-4], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, check=True)
            return done.stdout
        except FileNotFoundError as error:
            raise ConfigError(f"cannot read the kernel: {tool[0]} not found (give its"
                              " configuration with CONFIG=FILE)") from error
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError,
                subprocess.CalledProcessError) as error:
            raise ConfigError("cannot read the kernel: its compressed part is damaged") from error
    return data


def embedded(kernel: bytes) -> str | None:
    """The configuration in a kernel built with CONFIG_IKCONFIG=y, or None."""
    plain = payload(kernel)
    start = plain.find(IKCONFIG_START + b"\x1f\x8b")
    if start < 0:
        return None
    return decompress(plain[start + len(IKCONFIG_START):]).decode("utf-8", "replace")


def of_kernel(path: Path, kernel: bytes, release: str) -> str | None:
    """The configuration of a kernel file: config-RELEASE or .config near it, or inside it."""
    places = [path.with_name(f"config-{release}"), path.with_name("config"),
              path.with_name(".config")]
    # arch/x86/boot/bzImage in a build tree
    places += [parent / ".config" for parent in list(path.resolve().parents)[1:4]]
    for place in places:
        if place.is_file():
            text = place.read_text(encoding="utf-8", errors="replace")
            if OPTION.search(text):
                return text
    return embedded(kernel)
