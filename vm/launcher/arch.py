# SPDX-License-Identifier: GPL-2.0-or-later
"""What differs from one guest architecture to the next, as data."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Tuple


class Arch(NamedTuple):
    """One guest architecture. CPU models are by accelerator; `*` is the one for all others."""

    name: str
    binary: str                      # the QEMU program
    machine: str
    machine_kvm: str                 # the same board as hardware acceleration wants it
    cpu: Dict[str, str]
    console: str                     # the kernel's name for the first UART
    port: str                        # the kernel's name for the result channel's UART
    devices: List[str]               # arguments that make both UARTs from two chardevs
    memory_mib: int
    machine_names: Tuple[str, ...]   # what uname -m says on a host of this architecture


ARCHES = {
    "x86_64": Arch(
        name="x86_64",
        binary="qemu-system-x86_64",
        machine="pc",
        machine_kvm="pc",
        # Emulated "rep stosb" is half as fast as what the kernel uses without erms. QEMU 7.2 leaves
        # garbage in the flags after cmpxchg16b: an interrupt right there ended some guests in a
        # double fault, so the kernel has to do without. whpx cannot do -cpu max: it aborts or
        # miscounts features.
        cpu={"kvm": "host", "hvf": "host", "whpx": "qemu64", "*": "max,-erms,-cx16"},
        console="ttyS0",
        port="ttyS1",
        devices=["-device", "isa-serial,chardev=console", "-device", "isa-serial,chardev=results"],
        memory_mib=256,
        machine_names=("x86_64", "amd64", "AMD64"),
    ),
    "aarch64": Arch(
        name="aarch64",
        binary="qemu-system-aarch64",
        machine="virt",
        machine_kvm="virt,gic-version=max",
        cpu={"kvm": "host", "hvf": "host", "*": "cortex-a57"},
        console="ttyAMA0",
        # virt has one PL011 for the guest; every stock kernel has the 8250 on PCI built in.
        port="ttyS0",
        devices=["-serial", "chardev:console", "-device", "pci-serial,chardev=results"],
        memory_mib=256,
        machine_names=("aarch64", "arm64", "ARM64"),
    ),
}

# loglevel=5 lets warnings through and keeps chatter away; devkmsg=on takes the rate limit off the
# marks that init writes between tests; panic=-1 makes a panic end QEMU at once (with -no-reboot);
# unknown_nmi_panic (x86) makes a kernel that hangs show where, when the launcher sends an NMI.
KERNEL_OPTIONS = "loglevel=5 printk.devkmsg=on panic=-1 unknown_nmi_panic"


def machine_arguments(arch: Arch, accel: str) -> List[str]:
    """Board, processor and accelerator. One thread under TCG: its SMP loses boots to races."""
    hardware = accel in ("kvm", "hvf")
    machine = arch.machine_kvm if hardware else arch.machine
    cpu = arch.cpu.get(accel.split(",")[0], arch.cpu["*"])
    engine = "tcg,thread=single" if accel == "tcg" else accel
    return ["-machine", machine, "-cpu", cpu, "-accel", engine, "-smp", "1"]


def kernel_command_line(arch: Arch, extra: str = "") -> str:
    """The kernel's own options, and where init finds console and result channel."""
    words = (f"console={arch.console} {KERNEL_OPTIONS} bulkhead.console={arch.console} "
             f"bulkhead.port={arch.port}")
    return f"{words} {extra}".strip()
