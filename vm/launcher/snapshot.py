# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests saved right after boot: their memory, packed (memory.py), and the state of the devices.
A run unpacks the memory once, and every guest that is restored maps it privately.

Nothing in the cache is trusted: names are digests of all inputs, contents are checked against a
digest whenever the file is not the very one that was checked before, and a doubt means a rebuild.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
from typing import Any, Callable, Dict, List, Optional

from launcher import cache, memory
from launcher.errors import GuestDied
from launcher.guest import Guest
from launcher.memory import Memory
from launcher.qemu import Machine, Qemu, arguments
from launcher.qmp import PATIENCE

FORMAT = 3          # change it when a snapshot of an older launcher must not be used
FILES = ("ram", "tail", "state", "meta.json")
SETTLE_SECONDS = 120
CHANNELS = ("console", "results", "monitor")
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


class Saved:
    """A guest that was saved, ready to be restored any number of times. Its memory is there, or
    in FOLDER of the cache until the first guest needs it."""

    def __init__(self, state: bytes, hello: str, troubles: List[str], mine: Memory,
                 folder: str = "") -> None:
        self.state, self.hello, self.troubles, self.memory = state, hello, troubles, mine
        self._folder = folder
        self._mutex = threading.Lock()

    def fill(self) -> None:
        """Unpacks the memory, once. Raises OSError or ValueError."""
        with self._mutex:
            if self._folder:
                memory.unpack(self._folder, self.memory)
                self._folder = ""


def _start(machine: Machine, args: List[str], inherit: List[int], terminal: bool) -> Guest:
    channels, devices = list(CHANNELS), list(machine.arch.devices)
    if terminal:
        channels.remove("console")
        devices = ["-chardev", "stdio,id=console,signal=off"] + devices
    return Guest(Qemu(args, channels, devices, inherit, terminal))


def boot(machine: Machine, shared: Optional[Memory] = None, terminal: bool = False) -> Guest:
    """Starts a guest from its kernel; in SHARED memory when it is to be saved; with its console
    on the TERMINAL when somebody wants to type there."""
    args = arguments(machine, memory=shared.option(True) if shared else "")
    return _start(machine, args, [shared.fd] if shared else [], terminal)


def freeze(guest: Guest, shared: Memory) -> Saved:
    """Copies a guest in SHARED memory, and lets it run on. Raises OSError, and GuestDied when QEMU
    cannot do it; the guest may stand still then."""
    saved = Saved(_save_devices(guest), guest.hello, list(guest.troubles), memory.copy(shared))
    guest.qmp.command("cont")
    return saved


def settle(machine: Machine, frozen: Saved, watch: Callable[[Guest], None]) -> Saved:
    """Lets the guest that was frozen make its memory small, in the memory of FROZEN itself, and
    saves it again. WATCH gets the guest as soon as there is one that may have to be ended.

    Raises GuestDied when QEMU cannot do it.
    """
    guest = restore(machine, frozen, share=True)
    watch(guest)
    try:
        guest.begin()
        guest.send("settle")
        guest.await_frame("settled", SETTLE_SECONDS)
        return Saved(_save_devices(guest), guest.hello, guest.troubles, frozen.memory)
    finally:
        guest.close()


def keep(saved: Saved, name: str) -> None:
    """Writes a snapshot into the cache, as NAME. Raises OSError."""
    with cache.replacing(os.path.join("snapshots", name)) as folder:
        memory.pack(saved.memory, folder)
        with open(os.path.join(folder, "state"), "wb") as file:
            file.write(saved.state)
        meta = {"ram": saved.memory.size, "digest": _digest_of(folder, saved.memory.size),
                "hello": saved.hello, "troubles": saved.troubles}
        cache.write_json(os.path.join(folder, "meta.json"), meta)
        _stamp(folder)


def _save_devices(guest: Guest) -> bytes:
    """Migrates the guest without its memory into this process."""
    near, far = socket.socketpair()
    with near:
        with far:
            guest.qmp.command("migrate-set-capabilities", CAPABILITIES)
            guest.qmp.command("getfd", {"fdname": "state"}, descriptor=far.fileno())
        guest.qmp.command("migrate", {"uri": "fd:state"})
        near.settimeout(PATIENCE)
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


def _digest_of(folder: str, size: int) -> str:
    """The digest over a snapshot as it lies on the disk."""
    digest = hashlib.sha256()
    memory.digest_packed(folder, size, digest)
    with open(os.path.join(folder, "state"), "rb") as file:
        digest.update(file.read())
    return digest.hexdigest()


def _identity(folder: str) -> List[Any]:
    """Changes with every write to the files, and with every boot of the host."""
    return [cache.identity(os.path.join(folder, name)) for name in FILES] \
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


def load(name: str, meta: Dict[str, Any]) -> Saved:
    """The snapshot that find() described. Raises OSError."""
    folder = cache.path("snapshots", name)
    with open(os.path.join(folder, "state"), "rb") as file:
        state = file.read()
    return Saved(state, str(meta["hello"]), list(meta["troubles"]), Memory(meta["ram"] >> 20),
                 folder)


def restore(machine: Machine, saved: Saved, terminal: bool = False, share: bool = False) -> Guest:
    """Starts a guest from what was saved; with SHARE its writes go to that memory, too. Raises
    GuestDied when QEMU does not take it, or the cache does not give it."""
    args = arguments(machine, restore=True, memory=saved.memory.option(share))
    guest = _start(machine, args, [saved.memory.fd], terminal)
    try:
        saved.fill()  # while QEMU starts: it does not touch the memory before the devices come
        _load_devices(guest, saved.state)
    except (OSError, ValueError, GuestDied) as error:
        raise GuestDied("restore", f"{error} {guest.close()}".strip()) from None
    except BaseException:
        guest.close()
        raise
    guest.hello, guest.troubles = saved.hello, list(saved.troubles)
    return guest


def _load_devices(guest: Guest, state: bytes) -> None:
    near, far = socket.socketpair()
    with near:
        with far:
            guest.qmp.command("migrate-set-capabilities", CAPABILITIES)
            guest.qmp.command("getfd", {"fdname": "state"}, descriptor=far.fileno())
        guest.qmp.command("migrate-incoming", {"uri": "fd:state"})
        near.settimeout(PATIENCE)
        near.sendall(state)
        near.shutdown(socket.SHUT_WR)
        guest.qmp.wait_event("RESUME")
