# SPDX-License-Identifier: GPL-2.0-or-later
"""Which accelerator runs guests here. None is believed before it ran one: /dev/kvm often opens
where no guest ever comes to life, and QEMU then neither fails nor falls back."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from typing import Any, Dict, List, NamedTuple

from launcher import cache, hosts
from launcher.arch import Arch, machine_arguments
from launcher.errors import InfraError

PROBE_SECONDS = 1.0       # what an accelerator gets to run a guest of a few instructions
EMULATION_SECONDS = 10.0  # what emulation gets: it always works, but the host may be busy
BELIEVE_SECONDS = 86400   # how long the answer is used on this boot of the host
DOUBT_SECONDS = 600       # and one that a busy host may have given: too slow
TOO_SLOW = "a guest did not run within"


class Probe(NamedTuple):
    """A guest that is nothing but firmware: it ends QEMU with an exit status that proves it ran."""

    firmware: bytes
    options: List[str]
    status: int


# vm/guest/probe.S, assembled: what it does, and why, stands there.
X86_CODE = bytes.fromhex(
    "fa2e660f011658ff0f20c00c010f22c066ea18ffffff0800b80700000031c90fa2b980841e000fba"
    "e30872098d540a014975f9eb08c4e271f7d24975f8b02ae6f4f4ebfd8db400000000000000000000"
    "ffff0000009bcf000f0048ffffff")
X86_RESET = bytes.fromhex("e90dff")
X86_FIRMWARE = X86_CODE.rjust(0xff00 + len(X86_CODE), b"\xf4").ljust(0xfff0, b"\xf4") \
    + X86_RESET.ljust(16, b"\xf4")

# movz w0,#8; movk w0,#0x8400,lsl #16 (PSCI SYSTEM_OFF); hvc #0; b .
ARM_CODE = b"".join(word.to_bytes(4, "little")
                    for word in (0x52800100, 0x72b08000, 0xd4000002, 0x14000000))

PROBES: Dict[str, Probe] = {
    "x86_64": Probe(X86_FIRMWARE, ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"], 85),
    "aarch64": Probe(ARM_CODE.ljust(4096, b"\0"), [], 0),
}


class Choice(NamedTuple):
    """The accelerator to use, and why not the faster one ("" when it is the fastest)."""

    name: str
    reason: str


def candidates(arch: Arch) -> List[str]:
    """What this host may have, fastest first. Only TCG can run a foreign architecture."""
    native = {"linux": ["kvm"], "darwin": ["hvf"],
              "win32": ["whpx", "whpx,kernel-irqchip=off"]}.get(hosts.host_system(), [])
    return (native if hosts.is_native(arch) else []) + ["tcg"]


def choose(arch: Arch, qemu: str, wanted: str) -> Choice:
    """The accelerator for ARCH; `wanted` is auto or a name. Raises InfraError when it fails."""
    if wanted != "auto":
        names = [name for name in candidates(arch) if name.split(",")[0] == wanted] or [wanted]
    else:
        names = candidates(arch)
    reasons: List[str] = []
    for name in names:
        problem = _problem(arch, qemu, name)
        if not problem:
            return Choice(name, "; ".join(reasons) or _foreign(arch, name))
        reasons.append(f"{name}: {problem}")
    raise InfraError(f"cannot run a guest with \"{wanted}\": {'; '.join(reasons)}")


def _foreign(arch: Arch, name: str) -> str:
    if name == "tcg" and not hosts.is_native(arch):
        return f"{arch.name} on a {hosts.host_machine()} host is always emulated"
    return ""


def _problem(arch: Arch, qemu: str, name: str) -> str:
    """Why accelerator NAME cannot be used, with the cure; "" when it can."""
    obvious = _kvm_device_problem() if name == "kvm" else ""
    if obvious:
        return obvious
    place = cache.path("accel.json")
    known = cache.read_json(place)
    known = known if isinstance(known, dict) else {}
    entry = known.get(f"{arch.name} {name}")
    mark = [cache.identity(qemu), cache.boot_id(), _device_mark()]
    age = time.time() - entry[1] if isinstance(entry, list) and entry[0] == mark else -1
    if 0 <= age < (DOUBT_SECONDS if TOO_SLOW in entry[2] else BELIEVE_SECONDS):
        return str(entry[2])
    problem = _run_probe(arch, qemu, name)
    known[f"{arch.name} {name}"] = [mark, time.time(), problem]
    try:
        cache.folder("")
        cache.write_json(place, known)
    except OSError:
        pass  # only costs time
    return problem


def _device_mark() -> List[Any]:
    """Changes when somebody repairs /dev/kvm or loads the module again."""
    try:
        stat = os.stat("/dev/kvm")
        return [stat.st_mode, stat.st_uid, stat.st_gid, stat.st_rdev, stat.st_ctime_ns]
    except OSError:
        return []


def _kvm_device_problem() -> str:
    if not os.path.exists("/dev/kvm"):
        return "no /dev/kvm (load kvm_intel or kvm_amd; in a VM, switch nested virtualisation on)"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm: permission denied (sudo usermod -aG kvm $USER, then log in again)"
    return ""


def _run_probe(arch: Arch, qemu: str, name: str) -> str:
    """Runs the tiny guest; "" when it proved that it ran."""
    probe = PROBES[arch.name]
    limit = EMULATION_SECONDS if name == "tcg" else PROBE_SECONDS
    with tempfile.TemporaryDirectory(prefix="bulkhead-") as folder:
        firmware = os.path.join(folder, "probe.bin")
        with open(firmware, "wb") as file:
            file.write(probe.firmware)
        command = [qemu, "-no-user-config", "-nodefaults", "-display", "none",
                   *machine_arguments(arch, name), "-m", "32", "-bios", firmware, *probe.options]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, timeout=limit, check=False)
        except subprocess.TimeoutExpired as expired:
            said = (expired.stderr or b"").decode("utf-8", "replace").strip().split("\n")[0]
            return _dead_text(name, limit, said)
        except OSError as error:
            return f"cannot run \"{qemu}\": {error.strerror}"
    if done.returncode == probe.status:
        return ""
    said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
    return f"the probe guest ended with {done.returncode}: {said}"


def _dead_text(name: str, limit: float, said: str) -> str:
    cure = {"kvm": " (nested virtualisation does not work here: have the outer host repaired)",
            "hvf": " (in a virtual Mac there is no nested virtualisation)"}.get(name, "")
    detail = f": {said}" if said else ""
    device = "/dev/kvm opens, but " if name == "kvm" else ""
    return f"{device}{TOO_SLOW} {limit:.0f} s{detail}{cure}"
