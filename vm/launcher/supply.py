# SPDX-License-Identifier: GPL-2.0-or-later
"""Supplies pristine guests of one machine: from its snapshot, which it makes when there is none,
or from a cold boot where snapshots cannot be."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from typing import Callable, Dict, List, Optional, Tuple

from launcher import cache, snapshot, splats
from launcher.errors import GuestDied, InfraError
from launcher.guest import Guest
from launcher.memory import Memory
from launcher.qemu import Machine, arguments, shown
from launcher.stopwatch import Stopwatch

BOOT_ATTEMPTS = 3        # emulators lose a boot now and then: no verdict on kernel or test
BOOT_IDLE_SECONDS = 60   # a booting guest that says nothing for so long is dead
SPLAT_SECONDS = 2        # what a booting guest still gets after its kernel has given up
LOCK_SECONDS = 180       # another run may be making the same snapshot

HINTS = (
    ("No working init found", "the initrd has no usable /init: build the image again"),
    ("Unable to mount root fs", "the initrd has no /init, or the kernel cannot read how it is "
     "compressed, or has no CONFIG_BLK_DEV_INITRD: build the image again"),
    ("Failed to execute /init", "/init is not for this architecture, or CONFIG_BINFMT_ELF is off"),
    ("cannot mount \"/dev\"", "CONFIG_DEVTMPFS is missing in this kernel"),
)


class BootFailed(InfraError):
    """No attempt to boot came to the point where tests can start. `log` is the last console."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


class Supplier:
    """Guests of one machine, for any number of threads."""

    def __init__(self, machine: Machine, digests: Dict[str, str], pieces: Tuple[str, bytes],
                 use_snapshots: bool, warn: Callable[[str], None]) -> None:
        self.machine = machine
        self.troubles: List[str] = []       # boots that died, for the report
        self.boots = self.restores = 0
        self.release = ""                   # what the kernel calls itself
        self.dead = ""                     # why no more guests will come
        self._part, self._additions = pieces
        self._warn = warn
        self._snapshots = use_snapshots and snapshot.supported() and not machine.extra
        self._key = snapshot.key(machine, digests)
        self._saved: Optional[snapshot.Saved] = None
        self._keeper: Optional[threading.Thread] = None
        self._settled = threading.Event()   # the keeper needs no more than the disk
        self._settling: Optional[Guest] = None
        self._abandoned = False
        self._mutex = threading.Lock()
        self._folder = ""
        self._spare: Optional[Guest] = None
        self._ahead: Optional[threading.Thread] = None  # restores a guest before it is asked for
        self._early: Optional[Guest] = None             # and leaves it here

    def fresh(self, terminal: bool = False) -> Guest:
        """A guest that has run nothing yet. Raises InfraError."""
        for _ in range(BOOT_ATTEMPTS):
            if self.dead:
                raise InfraError(self.dead)
            try:
                return self._next(terminal)
            except GuestDied as error:
                self.troubles.append(f"a guest died before it could do anything: {error}")
        raise InfraError(self.troubles[-1])

    def _next(self, terminal: bool) -> Guest:
        spare, self._spare = self._spare, None
        if spare and not terminal:
            return spare
        if self._snapshots:
            with self._mutex:
                guest = self._take_early() if not terminal else None
                self.restores += bool(guest)
                guest = guest or self._restored_or_first(terminal)
            if guest:
                return guest
        return self._begun(self._boot(None, terminal))

    def expect(self) -> None:
        """Another guest will be asked for, and a processor is idle: it is restored meanwhile."""
        if not self._mutex.acquire(blocking=False):
            return  # somebody waits for one right now
        try:
            if self._saved and not self._ahead and not self._is_first_run():
                self._ahead = threading.Thread(target=self._restore_early, args=(self._saved,))
                self._ahead.start()
        finally:
            self._mutex.release()

    def _restore_early(self, saved: snapshot.Saved) -> None:
        with contextlib.suppress(OSError, GuestDied, InfraError):  # the one who asks finds out
            self._early = self._begun(snapshot.restore(self.machine, saved))

    def _take_early(self) -> Optional[Guest]:
        """The guest that was restored before it was asked for, if it is alive."""
        if self._ahead:
            self._ahead.join()
        guest, self._ahead, self._early = self._early, None, None
        if guest and guest.qemu.process.poll() is not None:
            self.troubles.append(f"a guest died before it could do anything: {guest.close()}")
            return None
        return guest

    def give_back(self, guest: Guest, use_again: bool) -> None:
        """Takes a guest back that has only listed its tests. Where another one costs a boot, or
        is not there yet, it may be the next to be supplied."""
        if self._spare or (self._snapshots and not (use_again and self._is_first_run())):
            guest.close()
        else:
            self._spare = guest

    def _is_first_run(self) -> bool:
        return self._keeper is not None and not self._settled.is_set()

    def has_snapshots(self) -> bool:
        """Whether pristine guests are cheap here."""
        return self._snapshots

    def stop(self, reason: str) -> None:
        """No more guests: what became of this one would become of each."""
        self.dead = reason

    def command(self) -> str:
        """A command line that boots such a guest by hand, console on the terminal."""
        args = arguments(self.machine) + ["-chardev", "stdio,id=console,signal=off", "-chardev",
                                          "file,id=results,path=results.log"]
        return shown(args + self.machine.arch.devices)

    def rest(self) -> None:
        """Gives memory back until the next guest is asked for, once a snapshot that was made is
        kept."""
        with self._mutex:
            if self._spare:
                self._spare.close()
                self._spare = None
            early = self._take_early()
            if early:
                early.close()
            self._forget()

    def close(self) -> None:
        """Removes what this run alone needed, too."""
        self.rest()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def abandon(self) -> None:
        """There will be no time to finish a snapshot: close() need not wait for it."""
        self._abandoned = True
        if self._settling:
            self._settling.qemu.process.kill()

    def _restored_or_first(self, terminal: bool) -> Optional[Guest]:
        """None when it turned out that there can be no snapshot."""
        refused = cache.read_json(self._refusal())
        if isinstance(refused, str):
            self._give_up(refused)
        if self._keeper:
            self._settled.wait()
        guest = self._restore(terminal)
        if guest or not self._snapshots:
            return guest
        try:
            with contextlib.ExitStack() as held:
                alone = held.enter_context(cache.lock(self._key, LOCK_SECONDS))
                guest = self._restore(terminal)  # made by another run while this one waited
                if guest or not alone:
                    return guest
                guest = self._first(held)
        except OSError as error:
            self._give_up(f"{error.strerror} in \"{cache.root()}\"")
        if guest and terminal:  # its console is not there
            guest.close()
            self._settled.wait()
            return self._restore(terminal)
        return guest

    def _restore(self, terminal: bool) -> Optional[Guest]:
        """A guest from the snapshot, or None; a snapshot that does not come to life is removed."""
        if not self._snapshots:
            return None
        try:
            if not self._saved:
                meta = snapshot.find(self._key)
                if not meta:
                    return None
                self._saved = snapshot.load(self._key, meta)
            guest = self._begun(snapshot.restore(self.machine, self._saved, terminal))
            self.restores += 1
            return guest
        except (OSError, GuestDied) as error:
            self._warn(f"the snapshot did not come to life, making it anew: {error}")
            self._forget()
            shutil.rmtree(cache.path("snapshots", self._key), ignore_errors=True)
            return None

    def _forget(self) -> None:
        if self._ahead:
            self._ahead.join()
        if self._keeper:
            self._keeper.join()
            self._keeper = None
        if self._saved:
            self._saved.memory.close()
            self._saved = None

    def _first(self, held: contextlib.ExitStack) -> Optional[Guest]:
        """Boots a guest that runs tests at once, and has the snapshot made from its copy
        meanwhile; the locks that are HELD go to the one who makes it. Raises OSError."""
        shared = Memory(self.machine.arch.memory_mib)
        try:
            guest = self._boot(shared, False)
            try:
                frozen = snapshot.freeze(guest, shared)
            except GuestDied as error:
                guest.close()
                self._refuse(error)
                return None
            except BaseException:
                guest.close()
                raise
        finally:
            shared.close()
        self._settled.clear()
        self._keeper = threading.Thread(target=self._keep, args=(frozen, held.pop_all()))
        self._keeper.start()
        return self._begun(guest)

    def _keep(self, frozen: snapshot.Saved, held: contextlib.ExitStack) -> None:
        """Makes a copy of the first guest small, for this run's other guests and for later runs."""
        with held:
            try:
                self._saved = snapshot.settle(self.machine, frozen, self._watch)
                self._settled.set()
                snapshot.keep(self._saved, self._key)
            except GuestDied as error:
                frozen.memory.close()
                if not self._abandoned:
                    self._refuse(error)
            except OSError as error:
                self._warn(f"cannot keep a snapshot: {error.strerror} in \"{cache.root()}\" "
                           "(the next run boots from cold)")
            finally:
                self._settling = None
                self._settled.set()
        cache.prune(time.time())

    def _watch(self, guest: Guest) -> None:
        """The guest that the keeper uses; it is ended if that was abandoned by now."""
        self._settling = guest
        if self._abandoned:
            guest.qemu.process.kill()

    def _refuse(self, error: GuestDied) -> None:
        """No snapshot: when it is QEMU that cannot save this machine, this is remembered, since
        trying costs a boot."""
        self._give_up(str(error))
        if error.how == "monitor":
            with contextlib.suppress(OSError):
                cache.folder("refused")
                cache.write_json(self._refusal(), str(error))

    def _refusal(self) -> str:
        """Where it is remembered that QEMU cannot save this machine."""
        return cache.path("refused", f"{self._key}.json")

    def _give_up(self, reason: str) -> None:
        self._snapshots = False
        self._warn(f"cannot keep a snapshot: {reason} (each guest boots from cold now)")

    def _begun(self, guest: Guest) -> Guest:
        try:
            guest.begin()
        except GuestDied as error:
            if error.how == "qemu":
                list(guest.last_events())
            raise GuestDied(error.how, explain_boot(guest, error, guest.close())) from None
        except BaseException:
            guest.close()
            raise
        self.release = guest.hello.split(" ")[1] if " " in guest.hello else ""
        return guest

    def _boot(self, shared: Optional[Memory], terminal: bool) -> Guest:
        """A guest that has said that it is ready; in SHARED memory when it is to be saved."""
        machine = self.machine._replace(initrd=self._initrd())
        for attempt in range(1, BOOT_ATTEMPTS + 1):
            self.boots += 1
            guest = snapshot.boot(machine, shared, terminal)
            guest.patient = bool(machine.extra)  # only --gdb asks for more of QEMU
            try:
                await_ready(guest)
                return guest
            except GuestDied as error:
                said = guest.close()
                message = explain_boot(guest, error, said)
                self.troubles.append(f"boot {attempt}: {message}")
                if shared:
                    shared.clear()
                if attempt == BOOT_ATTEMPTS:
                    self.stop(f"cannot boot \"{machine.kernel}\": {message}")
                    raise BootFailed(self.dead, guest.log_text()) from None
            except BaseException:
                guest.close()
                raise
        raise AssertionError

    def _initrd(self) -> str:
        """The image's initrd; with the subject's part and --add behind it where there are any."""
        if not self._part and not self._additions:
            return self.machine.initrd
        if not self._folder:
            self._folder = tempfile.mkdtemp(prefix="bulkhead-")
        path = os.path.join(self._folder, "initrd.img")
        if not os.path.exists(path):
            with open(path, "wb") as out:
                for source in filter(None, (self.machine.initrd, self._part)):
                    with open(source, "rb") as file:
                        shutil.copyfileobj(file, out, 1 << 20)
                    out.write(bytes(-out.tell() % 4))
                out.write(self._additions)
        return path


def await_ready(guest: Guest) -> None:
    """Returns when init is ready; raises GuestDied as soon as it is clear that it never will."""
    watcher = splats.Watcher((splats.load(), splats.load_allowed()))
    quiet = Stopwatch(guest)
    doomed: Optional[splats.Splat] = None
    while True:
        for event in guest.events(0.5):
            quiet = quiet if doomed else Stopwatch(guest)
            if event.kind == "ready":
                return
            splat = watcher.feed(event.text) if event.kind == "console" else None
            if splat and splat.fatal:
                doomed = splat
        if doomed and quiet.passed(SPLAT_SECONDS):
            raise GuestDied("crash", doomed.text)
        if quiet.passed(BOOT_IDLE_SECONDS) and not guest.patient:
            raise GuestDied("silent", f"the guest said nothing for {BOOT_IDLE_SECONDS} s")


def explain_boot(guest: Guest, error: GuestDied, said: str) -> str:
    """One line: what became of a boot, and what to do."""
    log = guest.log_text()
    watcher = splats.Watcher((splats.load(), []))
    found = [splat for splat in map(watcher.feed, log.split("\n")) if splat]
    panics = [splat for splat in found if splat.fatal]
    hint = next((hint for text, hint in HINTS if text in log), "")
    if not log.strip() and not said:
        hint = hint or ("not one byte on its console: no kernel for this machine, or one without a "
                        "driver for its UART")
    status = guest.qemu.process.returncode
    what = panics[-1].text if panics else said.split("\n")[-1] if said else str(error)
    if error.how == "ended" and not panics and not said:
        what = "the guest switched itself off" if status == 0 else f"QEMU ended with {status}"
    return f"{what} ({hint})" if hint else what
