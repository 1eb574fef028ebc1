# SPDX-License-Identifier: GPL-2.0-or-later
"""From the command line to what can be run: images, QEMU, accelerator, suppliers of guests."""

from __future__ import annotations

import argparse
import hashlib
import os
from typing import Callable, Dict, List, NamedTuple, Tuple

from launcher import accel, cache, cpio, hosts, images, plan
from launcher.arch import ARCHES
from launcher.errors import InfraError, UsageError
from launcher.qemu import Machine
from launcher.supply import Supplier

GDB_ARGUMENTS = ("-gdb", "tcp:127.0.0.1:1234", "-S")


class Engine(NamedTuple):
    """QEMU for one architecture, and what runs its guests."""

    qemu: str
    version: str
    accel: accel.Choice


class Combo(NamedTuple):
    """One kernel, one architecture, one subject: a run of the report."""

    image: images.Image
    subject: str
    supplier: Supplier
    digests: Dict[str, str]


def engine(arch: str, options: argparse.Namespace) -> Engine:
    """Finds QEMU and decides on the accelerator. Raises InfraError."""
    qemu, version = hosts.checked_qemu(ARCHES[arch])
    choice = accel.choose(ARCHES[arch], qemu, options.accel)
    if options.require_accel and choice.name == "tcg":
        raise InfraError(f"cannot accelerate guests: {choice.reason or 'only tcg works here'}")
    return Engine(qemu, version, choice)


def engine_line(arch: str, found: Engine) -> str:
    """The header's line about one architecture: what was chosen, why not the faster one."""
    reason = f" ({found.accel.reason})" if found.accel.reason else ""
    return f"{arch}: QEMU {found.version}, accel {found.accel.name}{reason}"


def arches(options: argparse.Namespace) -> List[str]:
    """The architectures asked for; else those of the kernel files; else the host's."""
    if options.arch:
        return list(dict.fromkeys(options.arch))
    files = [kernel for kernel in options.kernel if os.path.isfile(kernel)]
    found = [images.kernel_arch(file)[0] for file in files]
    return list(dict.fromkeys(arch for arch in found if arch)) or \
        [images.host_arch(hosts.host_machine())]


def _select(library: images.Library, options: argparse.Namespace) -> List[images.Image]:
    chosen = []
    wanted = arches(options)
    for kernel in options.kernel or [""]:
        own = images.kernel_arch(kernel)[0] if os.path.isfile(kernel) else ""
        missing = []
        for arch in wanted:
            if own and own != arch:
                continue
            try:
                chosen.append(library.select(arch, kernel))
            except InfraError as error:
                missing.append(error)
        # A name that only some of the architectures have is fine; one that none has is not.
        if len(missing) == len(wanted) or (missing and len(wanted) == 1):
            raise missing[0]
    if not chosen:
        raise UsageError("no kernel is for an architecture asked for")
    return chosen


def combos(options: argparse.Namespace, warn: Callable[[str], None],
           announce: Callable[[str], None]) -> List[Combo]:
    """All combinations that the user asked for; equal machines share a supplier."""
    additions = cpio.archive([cpio.parse(text) for text in options.add])
    library = images.Library(options.image)
    engines: Dict[str, Engine] = {}
    suppliers: Dict[Tuple[str, str, str], Tuple[Supplier, Dict[str, str]]] = {}
    found = []
    for image in _select(library, options):
        if image.arch not in engines:
            engines[image.arch] = engine(image.arch, options)
            announce(engine_line(image.arch, engines[image.arch]))
        for subject in dict.fromkeys(options.subject or [plan.KERNEL_SUBJECT]):
            part = image.parts.get(subject, "")
            key = (image.arch, image.kernel, part)
            if key not in suppliers:
                suppliers[key] = _supplier(image, subject, engines[image.arch], additions, options,
                                           warn)
            found.append(Combo(image, subject, *suppliers[key]))
    return found


def _supplier(image: images.Image, subject: str, found: Engine, additions: bytes,
              options: argparse.Namespace, warn: Callable[[str], None]) \
        -> Tuple[Supplier, Dict[str, str]]:
    digests = images.verify(image, subject)
    if additions:
        digests["additions"] = hashlib.sha256(additions).hexdigest()
    machine = Machine(ARCHES[image.arch], found.qemu, found.accel.name, image.kernel, image.initrd,
                      "nokaslr" if options.gdb else "", GDB_ARGUMENTS if options.gdb else ())
    keys = {**digests, "qemu": f"{found.version} {cache.identity(found.qemu)}"}
    pieces = (image.parts.get(subject, ""), additions)
    return Supplier(machine, keys, pieces, not options.no_snapshot, warn), digests
