# SPDX-License-Identifier: GPL-2.0-or-later
"""An accelerator is believed only after it ran a guest."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import List

import pytest

from launcher import accel, cache as cache_module, hosts
from launcher.arch import ARCHES, machine_arguments

from .conftest import ARCH, TREE, Launcher
from .test_boot import fake_qemu


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing remembered from elsewhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))


def test_probe_is_what_its_source_says(tmp_path: Path) -> None:
    if not shutil.which("as") or ARCH != "x86_64":
        pytest.skip("no-tool: as for x86")
    source = TREE / "vm/guest/probe.S"
    subprocess.run(["as", "--32", "-o", tmp_path / "probe.o", source], check=True)
    code = tmp_path / "probe.bin"
    subprocess.run(["objcopy", "-O", "binary", tmp_path / "probe.o", code], check=True)
    assert accel.X86_FIRMWARE[-256:] == code.read_bytes()


@pytest.mark.parametrize("name", sorted(ARCHES))
def test_emulation_runs_the_probe(name: str) -> None:
    arch = ARCHES[name]
    qemu, _ = hosts.checked_qemu(arch)
    assert accel.choose(arch, qemu, "tcg").name == "tcg"


@pytest.mark.parametrize("name", sorted(ARCHES))
def test_a_probe_that_does_not_run_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = accel.PROBES[name]
    stuck = {"x86_64": b"\xf4" * 65536, "aarch64": b"\x00\x00\x00\x14" * 1024}[name]
    monkeypatch.setattr(accel, "EMULATION_SECONDS", 1.0)
    monkeypatch.setitem(accel.PROBES, name, probe._replace(firmware=stuck))
    qemu, _ = hosts.checked_qemu(ARCHES[name])
    with pytest.raises(accel.InfraError, match="a guest did not run within 1 s"):
        accel.choose(ARCHES[name], qemu, "tcg")


# A QEMU for which kvm opens and then does nothing, and which is the real one otherwise.
BROKEN_KVM = """case "$*" in
*"-accel kvm"*) echo "KVM internal error. Suberror: 1" >&2; exec sleep 60 ;;
esac
exec {real} "$@"
"""


def test_a_kvm_that_opens_and_hangs(launch: Launcher, tmp_path: Path) -> None:
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        pytest.skip("no-device: a /dev/kvm that may be opened")
    real = hosts.find_qemu(ARCHES[ARCH])
    folder = fake_qemu(tmp_path / "fake", BROKEN_KVM.format(real=real))
    done = launch(tests="passes", BULKHEAD_QEMU_DIR=str(folder))
    assert done.status == 0, done.err
    header = done.out.split("\n")[0]
    assert "accel tcg (kvm: /dev/kvm opens, but a guest did not run within 1 s" in header
    assert "Suberror: 1" in header and "have the outer host repaired" in header

    refused = launch("--require-accel", tests="passes", BULKHEAD_QEMU_DIR=str(folder))
    assert refused.status == 3
    assert "cannot accelerate guests: kvm: /dev/kvm opens, but" in refused.err


def test_the_answer_is_remembered_until_something_changes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = f'case "$*" in *--version*) echo QEMU emulator version 9.0.0 ;; ' \
             f'*) echo probed >>{log}; exit {accel.PROBES[ARCH].status} ;; esac'
    qemu = str(fake_qemu(tmp_path / "fake", script) / f"qemu-system-{ARCH}")

    def probes() -> int:
        assert accel.choose(ARCHES[ARCH], qemu, "tcg").name == "tcg"
        return len(log.read_text().split())
    assert [probes(), probes()] == [1, 1]
    Path(qemu).write_text(Path(qemu).read_text() + "\n")
    assert probes() == 2, "another QEMU"
    (Path(cache_module.root()) / "accel.json").write_text("not JSON")
    assert probes() == 3, "a damaged cache"


def test_an_accelerator_that_was_too_slow_is_asked_again_soon(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f'[ -e {tmp_path}/busy ] && exec sleep 60; exit {accel.PROBES[ARCH].status}'
    qemu = str(fake_qemu(tmp_path / "fake", script) / f"qemu-system-{ARCH}")
    monkeypatch.setattr(accel, "EMULATION_SECONDS", 0.5)
    now = time.time()

    def problem(later: float) -> str:
        monkeypatch.setattr(accel, "time", SimpleNamespace(time=lambda: now + later))
        return accel._problem(ARCHES[ARCH], qemu, "tcg")
    (tmp_path / "busy").touch()
    assert accel.TOO_SLOW in problem(0)
    (tmp_path / "busy").unlink()
    assert accel.TOO_SLOW in problem(accel.DOUBT_SECONDS - 10), "remembered"
    assert not problem(accel.DOUBT_SECONDS + 10)
    (tmp_path / "busy").touch()
    assert not problem(accel.DOUBT_SECONDS + accel.BELIEVE_SECONDS - 10)
    assert problem(accel.DOUBT_SECONDS + accel.BELIEVE_SECONDS + 20)


@pytest.mark.parametrize("system, machine, arch, expected", [
    ("linux", "x86_64", "x86_64", ["kvm", "tcg"]),
    ("linux", "aarch64", "x86_64", ["tcg"]),
    ("linux", "aarch64", "aarch64", ["kvm", "tcg"]),
    ("darwin", "arm64", "aarch64", ["hvf", "tcg"]),
    ("darwin", "arm64", "x86_64", ["tcg"]),
    ("darwin", "x86_64", "x86_64", ["hvf", "tcg"]),
    ("win32", "AMD64", "x86_64", ["whpx", "whpx,kernel-irqchip=off", "tcg"]),
    ("win32", "ARM64", "aarch64", ["whpx", "whpx,kernel-irqchip=off", "tcg"]),
])
def test_candidates_of_each_host(monkeypatch: pytest.MonkeyPatch, system: str, machine: str,
                                 arch: str, expected: List[str]) -> None:
    monkeypatch.setattr(hosts, "host_system", lambda: system)
    monkeypatch.setattr(hosts, "host_machine", lambda: machine)
    assert accel.candidates(ARCHES[arch]) == expected


def test_whpx_never_gets_cpu_max_and_tcg_one_thread() -> None:
    assert "max" not in " ".join(machine_arguments(ARCHES["x86_64"], "whpx"))
    assert "max" not in " ".join(machine_arguments(ARCHES["x86_64"], "whpx,kernel-irqchip=off"))
    assert "tcg,thread=single" in machine_arguments(ARCHES["x86_64"], "tcg")
