# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests saved right after boot. A snapshot is a sparse file with the guest's memory, which a
restored guest maps privately and so reads only where it touches it, and the state of the devices.

Nothing in the cache is trusted: names are digests of all inputs, contents are checked against a
digest whenever the file is not the very one that was checked before, and a doubt means a rebuild.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
from typing import Any, Dict, List, Optional

from launcher import cache
from launcher.arch import Arch
from launcher.errors import GuestDied
from launcher.guest import Guest
from launcher.qemu import Machine, Qemu, arguments, option_value

FORMAT = 1          # change it when a snapshot of an older launcher must not be used
CHANNELS = ("console", "results", "monitor")
PAGE = 4096
CAPABILITIES = {"capabilities": [{"capability": "x-ignore-shared", "state": True}]}


def supported() -> bool:
    """Whether this host can map a file as a guest's memory and hand over descriptors."""
    return os.name == "posix"


def key(machine: Machine, digests: Dict[str, str]) -> str:
    """The name of the snapshot of MACHINE; DIGESTS stand for the files it is made of."""
    hardware = cache.processor() if machine.accel in ("kvm", "hvf") else ""
    plain = machine._replace(kernel="", initrd="", qemu="")
    text = json.dumps([FORMAT, digests, arguments(plain), hardware], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Memory:
    """The shared memory that a guest boots in so that it can be saved: a memfd where the host has
    one (a full disk cannot kill the guest then), else an unlinked file in the cache."""

    def __init__(self, arch: Arch) -> None:
        self.path = ""
        if hasattr(os, "memfd_create"):
            self.fd = os.memfd_create("guest", 0)
            name = f"/proc/self/fd/{self.fd}"
        else:
            self.path = name = os.path.join(cache.folder("snapshots"), f".memory-{os.getpid()}")
            self.fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(self.fd, arch.memory_mib << 20)
        os.set_inheritable(self.fd, True)
        self.option = f"share=on,mem-path={option_value(name)}"

    def close(self) -> None:
        """Gives the memory back once no guest uses it."""
        os.close(self.fd)
        if self.path:
            os.unlink(self.path)


def _start(machine: Machine, args: List[str], inherit: List[int], terminal: bool) -> Guest:
    channels, devices = list(CHANNELS), list(machine.arch.devices)
    if terminal:
        channels.remove("console")
        devices = ["-chardev", "stdio,id=console,signal=off"] + devices
    return Guest(Qemu(args, channels, devices, inherit, terminal))


def boot(machine: Machine, memory: Optional[Memory] = None, terminal: bool = False) -> Guest:
    """Starts a guest from its kernel; in MEMORY when a snapshot is to be taken; with its console
    on the TERMINAL when somebody wants to type there."""
    args = arguments(machine, memory=memory.option if memory else "")
    return _start(machine, args, [memory.fd] if memory else [], terminal)


def take(guest: Guest, memory: Memory, name: str) -> None:
    """Saves a guest that is ready, as snapshot NAME, and lets it run on.

    Raises OSError when it cannot be written and GuestDied when QEMU cannot do it.
    """
    guest.send("settle")
    guest.await_frame("settled", 60.0)
    state = _save_devices(guest)
    with cache.replacing(os.path.join("snapshots", name)) as folder:
        digest = hashlib.sha256()
        size = _copy_pages(memory.fd, os.path.join(folder, "ram"), digest)
        with open(os.path.join(folder, "state"), "wb") as file:
            file.write(state)
        digest.update(state)
        meta = {"ram": size, "digest": digest.hexdigest(), "hello": guest.hello,
                "troubles": guest.troubles}
        cache.write_json(os.path.join(folder, "meta.json"), meta)
        _stamp(folder)
    guest.qmp.command("cont")


def _save_devices(guest: Guest) -> bytes:
    """Migrates the guest without its memory into this process."""
    near, far = socket.socketpair()
    with near:
        with far:
            guest.qmp.command("migrate-set-capabilities", CAPABILITIES)
            guest.qmp.command("getfd", {"fdname": "state"}, descriptor=far.fileno())
        guest.qmp.command("migrate", {"uri": "fd:state"})
        near.settimeout(30)
        data = bytearray()
        try:
            while block := near.recv(1 << 20):
                data += block
        except OSError:
            raise GuestDied("monitor", "QEMU did not finish saving the guest") from None
    for _ in range(1000):
        status = guest.qmp.command("query-migrate").get("status")
        if status == "completed":
            return bytes(data)
        if status in ("failed", "cancelled"):
            break
    raise GuestDied("monitor", "QEMU could not save the guest")


def _extents(fd: int, size: int) -> List[range]:
    """The parts of a sparse file that hold data."""
    if not hasattr(os, "SEEK_DATA"):
        return [range(0, size)]
    found, start = [], 0
    while start < size:
        try:
            start = os.lseek(fd, start, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                break
            return [range(0, size)]
        end = os.lseek(fd, start, os.SEEK_HOLE)
        found.append(range(start, end))
        start = end
    return found


def _copy_pages(source: int, path: str, digest: Any) -> int:
    """Copies what is not zero, in runs of pages, and leaves holes for the rest."""
    size = os.fstat(source).st_size
    zero = bytes(PAGE)
    target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.ftruncate(target, size)
        for extent in _extents(source, size):
            for start in range(extent.start, extent.stop, 1 << 20):
                block = os.pread(source, min(1 << 20, extent.stop - start), start)
                for offset, run in _runs(block, zero):
                    os.pwrite(target, run, start + offset)
                    _digest_run(digest, start + offset, run)
    finally:
        os.close(target)
    return size


def _runs(block: bytes, zero: bytes) -> "List[tuple[int, bytes]]":
    """The stretches of pages in BLOCK that are not all zero, with their offsets."""
    runs, begin = [], -1
    for offset in range(0, len(block) + PAGE, PAGE):
        empty = offset >= len(block) or block[offset:offset + PAGE] == zero
        if not empty and begin < 0:
            begin = offset
        elif empty and begin >= 0:
            runs.append((begin, block[begin:offset]))
            begin = -1
    return runs


def _digest_run(digest: Any, start: int, run: bytes) -> None:
    """Page by page with its place: holes that a file system fills with zeros change nothing."""
    for offset in range(0, len(run), PAGE):
        digest.update(b"%d " % (start + offset))
        digest.update(run[offset:offset + PAGE])


def _digest_of(folder: str, size: int) -> str:
    """The digest over a snapshot as it lies on the disk."""
    digest = hashlib.sha256()
    zero = bytes(PAGE)
    fd = os.open(os.path.join(folder, "ram"), os.O_RDONLY)
    try:
        for extent in _extents(fd, size):
            for start in range(extent.start, extent.stop, 1 << 20):
                block = os.pread(fd, min(1 << 20, extent.stop - start), start)
                for offset, run in _runs(block, zero):
                    _digest_run(digest, start + offset, run)
    finally:
        os.close(fd)
    with open(os.path.join(folder, "state"), "rb") as file:
        digest.update(file.read())
    return digest.hexdigest()


def _identity(folder: str) -> List[Any]:
    """Changes with every write to the files, and with every boot of the host."""
    return [cache.identity(os.path.join(folder, name)) for name in ("ram", "state", "meta.json")] \
        + [cache.boot_id()]


def _stamp(folder: str) -> None:
    cache.write_json(os.path.join(folder, "checked.json"), _identity(folder))


def find(name: str) -> Optional[Dict[str, Any]]:
    """The description of snapshot NAME if there is a sound one, else None."""
    folder = cache.path("snapshots", name)
    try:
        meta = cache.read_json(os.path.join(folder, "meta.json"))
        size = os.stat(os.path.join(folder, "ram")).st_size
        if not isinstance(meta, dict) or size != meta["ram"]:
            return None
        if cache.read_json(os.path.join(folder, "checked.json")) != _identity(folder):
            if _digest_of(folder, size) != meta["digest"]:
                return None
            _stamp(folder)
        os.utime(folder)  # what was used last is pruned last
        return meta
    except (OSError, KeyError):
        return None


def restore(machine: Machine, name: str, meta: Dict[str, Any], terminal: bool = False) -> Guest:
    """Starts a guest from snapshot NAME. Raises GuestDied when QEMU does not take it."""
    folder = cache.path("snapshots", name)
    memory = f"share=off,mem-path={option_value(os.path.join(folder, 'ram'))}"
    args = arguments(machine, restore=True, memory=memory)
    guest = _start(machine, args, [], terminal)
    try:
        with open(os.path.join(folder, "state"), "rb") as file:
            _load_devices(guest, file.read())
    except (OSError, GuestDied) as error:
        raise GuestDied("restore", f"{error} {guest.close()}".strip()) from None
    except BaseException:
        guest.close()
        raise
    guest.hello = str(meta.get("hello", ""))
    guest.troubles = list(meta.get("troubles", []))
    return guest


def _load_devices(guest: Guest, state: bytes) -> None:
    near, far = socket.socketpair()
    with near:
        with far:
            guest.qmp.command("migrate-set-capabilities", CAPABILITIES)
            guest.qmp.command("getfd", {"fdname": "state"}, descriptor=far.fileno())
        guest.qmp.command("migrate-incoming", {"uri": "fd:state"})
        near.settimeout(20)
        near.sendall(state)
        near.shutdown(socket.SHUT_WR)
        guest.qmp.wait_event("RESUME")
