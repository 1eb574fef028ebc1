# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache folder, and the facts about files that make its entries safe to believe."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from typing import Any, Iterator, List

KEEP_SNAPSHOTS = 40      # a matrix of all subjects needs three for each kernel
KEEP_SECONDS = 30 * 86400


def root() -> str:
    """${XDG_CACHE_HOME:-$HOME/.cache}/bulkhead, made when it is absent."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") \
        or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "bulkhead")


def path(*parts: str) -> str:
    """A place in the cache."""
    return os.path.join(root(), *parts)


def folder(name: str) -> str:
    """A folder of the cache; it exists afterwards. Raises OSError."""
    place = path(name)
    os.makedirs(place, mode=0o700, exist_ok=True)
    return place


def identity(file: str) -> List[Any]:
    """Two equal ones mean the same file, unchanged: no program can set st_ctime back."""
    stat = os.stat(file)
    return [stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def boot_id() -> str:
    """Names this boot of the host, where the host says so."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def processor() -> str:
    """The host's processor: with hardware acceleration a saved guest fits no other."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            lines = [line for line in file if line.startswith(("model name", "flags", "Features"))]
            return "".join(lines[:2])
    except OSError:
        import platform
        return platform.processor()


def write_json(file: str, value: Any) -> None:
    """Atomically: readers see the old or the new one."""
    temporary = f"{file}.{os.getpid()}.{time.monotonic_ns()}"
    try:
        with open(temporary, "w", encoding="utf-8") as out:
            json.dump(value, out)
        os.replace(temporary, file)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def read_json(file: str) -> Any:
    """The value in FILE, or None when there is none that can be read."""
    try:
        with open(file, encoding="utf-8") as source:
            return json.load(source)
    except (OSError, ValueError):
        return None


def file_digest(file: str) -> str:
    """The SHA-256 of a file's contents; remembered for as long as the file is the same one."""
    known = read_json(path("digests.json"))
    known = known if isinstance(known, dict) else {}
    mark = identity(file)
    entry = known.get(os.path.abspath(file))
    if entry and entry[0] == mark:
        return str(entry[1])
    digest = hashlib.sha256()
    with open(file, "rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    known[os.path.abspath(file)] = [mark, digest.hexdigest()]
    with contextlib.suppress(OSError):
        folder("")
        write_json(path("digests.json"), dict(list(known.items())[-200:]))
    return digest.hexdigest()


@contextlib.contextmanager
def replacing(name: str) -> Iterator[str]:
    """A new folder that takes the place NAME in the cache when the block ends well."""
    target = path(name)
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    temporary = f"{target}.new-{os.getpid()}-{time.monotonic_ns()}"
    os.mkdir(temporary, 0o700)
    try:
        yield temporary
        old = f"{temporary}-old"
        with contextlib.suppress(FileNotFoundError):
            os.rename(target, old)
        os.rename(temporary, target)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextlib.contextmanager
def lock(name: str, timeout: float) -> Iterator[bool]:
    """Holds the lock NAME of this cache; yields False when another run kept it past TIMEOUT."""
    if os.name != "posix":
        yield True
        return
    import fcntl
    with open(os.path.join(folder("locks"), name), "w", encoding="ascii") as file:
        deadline = time.monotonic() + timeout
        held = False
        while not held and time.monotonic() < deadline:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = True
            except OSError:
                time.sleep(0.05)
        yield held


def prune(now: float) -> None:
    """Removes snapshots that nobody used for a month, the oldest beyond KEEP_SNAPSHOTS, and what
    runs that were killed left behind."""
    place = path("snapshots")
    with contextlib.suppress(OSError):
        entries = []
        for name in os.listdir(place):
            used = os.stat(os.path.join(place, name)).st_mtime
            limit = 3600 if ".new-" in name or name.startswith(".memory") else KEEP_SECONDS
            entries.append((now - used > limit, used, os.path.join(place, name)))
        entries.sort(key=lambda entry: -entry[1])
        for rank, (stale, _, name) in enumerate(entries):
            if stale or rank >= KEEP_SNAPSHOTS:
                shutil.rmtree(name, ignore_errors=True) if os.path.isdir(name) else os.unlink(name)
