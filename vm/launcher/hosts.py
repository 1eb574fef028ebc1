# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts about hosts: where QEMU is, how old it may be, and what to say when it is not there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Dict, List, Tuple

from launcher import cache
from launcher.arch import Arch
from launcher.errors import InfraError

OLDEST_QEMU = (5, 0)

# Beyond PATH: Homebrew on Apple silicon and Intel, MacPorts; on Windows the installer's folder
# and those of MSYS2.
FOLDERS = {
    "darwin": ["/opt/homebrew/bin", "/usr/local/bin", "/opt/local/bin"],
    "win32": [r"C:\Program Files\qemu", r"C:\msys64\ucrt64\bin", r"C:\msys64\mingw64\bin",
              r"C:\msys64\clangarm64\bin"],
}

ADVICE = {
    "darwin": "brew install qemu",
    "win32": "winget install SoftwareFreedomConservancy.QEMU",
    "linux": "apt-get install qemu-system-x86 qemu-system-arm, or your distribution's packages",
}


def host_system() -> str:
    """The kind of host, as sys.platform names it."""
    return "win32" if sys.platform in ("cygwin", "msys") else sys.platform


def host_machine() -> str:
    """What uname -m says of the host."""
    import platform
    return platform.machine()


def is_native(arch: Arch) -> bool:
    """Whether a guest of ARCH can run on the host's own processor."""
    return host_machine() in arch.machine_names


def cpu_count() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find_qemu(arch: Arch) -> str:
    """The path of ARCH's QEMU: $BULKHEAD_QEMU_DIR, PATH, then the usual places."""
    suffix = ".exe" if host_system() == "win32" else ""
    own = os.environ.get("BULKHEAD_QEMU_DIR")
    folders = [own] if own else os.environ.get("PATH", "").split(os.pathsep)
    folders += [] if own else FOLDERS.get(host_system(), [])
    for folder in folders:
        path = os.path.join(folder, arch.binary + suffix)
        if folder and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise InfraError(f"cannot find \"{arch.binary}\" "
                     f"(install QEMU: {ADVICE.get(host_system(), ADVICE['linux'])})")


def qemu_version(path: str) -> str:
    """QEMU's version, remembered for as long as the program file is the same."""
    place = cache.path("qemu.json")
    known: Dict[str, List[object]] = cache.read_json(place) or {}
    mark = cache.identity(path)
    entry = known.get(path)
    if isinstance(entry, list) and entry[0] == mark:
        return str(entry[1])
    try:
        text = subprocess.run([path, "--version"], stdout=subprocess.PIPE, timeout=30, check=False,
                              stderr=subprocess.STDOUT).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InfraError(f"cannot run \"{path}\": {error}") from None
    match = re.search(r"version (\d+\.\d+[^\s,]*)", text)
    if not match:
        raise InfraError(f"cannot use \"{path}\": it does not tell its version: {text[:200]!r}")
    _remember(place, {**known, path: [mark, match.group(1)]})
    return match.group(1)


def _remember(place: str, value: object) -> None:
    try:
        cache.folder("")
        cache.write_json(place, value)
    except OSError:
        pass  # only costs time


def version_tuple(version: str) -> Tuple[int, ...]:
    """The leading numbers of a version, for comparing."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def checked_qemu(arch: Arch) -> Tuple[str, str]:
    """Path and version of a QEMU that is new enough."""
    path = find_qemu(arch)
    version = qemu_version(path)
    if version_tuple(version) < OLDEST_QEMU:
        oldest = ".".join(map(str, OLDEST_QEMU))
        raise InfraError(f"cannot use \"{path}\": it is version {version} "
                         f"({oldest} or later works)")
    return path, version
