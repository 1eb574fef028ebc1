# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of a distribution's kernel, for both architectures: needs apt, and a network at first."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

TOP = Path(__file__).resolve().parents[3]
BUILDER = TOP / "rootfs-builder"
sys.path.insert(0, str(BUILDER))

import elf  # noqa: E402
import image  # noqa: E402
import kconfig  # noqa: E402
import kernels  # noqa: E402
import manifest  # noqa: E402
import modules  # noqa: E402
import packages  # noqa: E402


def real_kernel(arch: str) -> kernels.Kernel:
    """The 6.1 kernel of the archive; the test is skipped where that cannot be had."""
    try:
        return kernels.find("6.1", arch, BUILDER / "kernels", None, None, False)
    except packages.PackageError as error:
        pytest.skip(f"no packages: {error}")


@pytest.fixture(name="real", scope="module", params=["x86_64", "aarch64"])
def fixture_real(request: pytest.FixtureRequest) -> Iterator[tuple[str, kernels.Kernel]]:
    """An architecture and a real kernel for it."""
    yield request.param, real_kernel(request.param)


def test_real_kernel_has_all_options(real: tuple[str, kernels.Kernel]) -> None:
    """Its own configuration passes the check; without one option of it the check fails."""
    arch, kernel = real
    assert kernels.arch_of(kernel.data) == arch
    assert kernels.release_of(kconfig.payload(kernel.data) if arch == "aarch64"
                              else kernel.data) == kernel.release
    assert image.config_lacks(kernel, arch) == []


def test_real_modules_are_complete(real: tuple[str, kernels.Kernel]) -> None:
    """All modules of the table with what they depend on; each option that is a module in this
    kernel is covered by the table or comes along as a dependency."""
    arch, kernel = real
    assert kernel.modules and kernel.config
    wanted = modules.read_table(BUILDER / "modules")
    loadable = [item.name for item in wanted if not kernel.modules.is_builtin(item.name)]
    found = kernel.modules.closure(loadable)
    known = {module.name for module in found} | kernel.modules.builtin
    assert set(loadable) <= known
    for module in found:
        assert elf.machine(module.data) == arch
        assert set(module.depends) <= known
    fragment = kconfig.read_fragment((TOP / "selftests/config").read_text())
    config = kconfig.parse_config(kernel.config)
    in_table = {item.option for item in wanted}
    through_others = {"CONFIG_NF_CONNTRACK", "CONFIG_VSOCKETS"}
    as_module = {need.option for need in fragment if config.get(need.option) == "m"}
    assert as_module - in_table == through_others


def test_real_modules_are_asked_for(real: tuple[str, kernels.Kernel]) -> None:
    """What is loaded on demand has an alias that the kernel itself asks for; what is only reached
    through a device node is loaded at boot."""
    kernel = real[1]
    assert kernel.modules
    for wanted in modules.read_table(BUILDER / "modules"):
        if kernel.modules.is_builtin(wanted.name):
            continue
        aliases = kernel.modules.load(modules.canonical(wanted.name)).aliases
        asked = [alias for alias in aliases if not alias.startswith(("devname:", "char-major-"))]
        assert asked or wanted.at_boot, f"{wanted.name} would never be loaded"


def test_real_index_agrees_with_depmod(real: tuple[str, kernels.Kernel], tmp_path: Path) -> None:
    """kmod's depmod, which reads symbols instead of .modinfo, finds the same dependencies."""
    depmod = shutil.which("depmod", path="/sbin:/usr/sbin:/usr/bin")
    if not depmod:
        pytest.skip("depmod is not installed")
    _, kernel = real
    assert kernel.modules
    found = kernel.modules.closure([
        item.name for item in modules.read_table(BUILDER / "modules")
        if not kernel.modules.is_builtin(item.name)])
    top = tmp_path / "lib/modules" / kernel.release
    for module in found:
        (top / module.path).parent.mkdir(parents=True, exist_ok=True)
        (top / module.path).write_bytes(module.data)
    for index in ("modules.order", "modules.builtin"):
        (top / index).touch()
    subprocess.run([depmod, "-b", str(tmp_path), kernel.release], check=True,
                   capture_output=True)

    def parsed(text: str) -> dict[str, set[str]]:
        return {line.split(":")[0]: set(line.split(":")[1].split()) for line in text.splitlines()}

    assert parsed((top / "modules.dep").read_text()) == parsed(modules.dep_file(found))


def test_real_userland_is_complete() -> None:
    """The programs of the project's table with their libraries, for both architectures."""
    lines = manifest.read(BUILDER / "image.manifest")
    for arch in packages.DEBIAN_ARCH:
        suite = packages.Suite(image.USERLAND, arch)
        try:
            wanted = packages.resolve(suite, "programs", manifest.package_names(lines))
        except packages.PackageError as error:
            pytest.skip(f"no packages: {error}")
        trees = {package.name: packages.unpacked(package, suite.cache) for package in wanted}
        programs = [trees[line.argument.split(":")[0]] / line.argument.split(":/")[1]
                    for line in lines if line.kind == "deb"]
        found = elf.Libraries(trees.values(), arch).closure(programs)
        assert {Path(path).name for path in found} >= {"libc.so.6", "libseccomp.so.2"}
        assert all(elf.machine(file.read_bytes()) == arch for file in found.values())
        names = manifest.applets((trees["busybox-static"] / "bin/busybox").read_bytes())
        assert {"[", "ash", "cat", "modprobe", "mount", "zcat"} <= set(names)


@pytest.fixture(name="with_packages")
def fixture_with_packages(tmp_path: Path) -> Path:
    """A copy of the builder, with the project's table but for what other rooms build."""
    sources = tmp_path / "sources"
    shutil.copytree(BUILDER, sources / "rootfs-builder",
                    ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / "selftests/subjects", sources / "selftests/subjects")
    shutil.copy(TOP / "selftests/config", sources / "selftests/config")
    lines = [line for line in (BUILDER / "image.manifest").read_text().splitlines()
             if "build" not in line and "tar:" not in line]
    (sources / "rootfs-builder/image.manifest").write_text("\n".join(lines) + "\n"
                                                           "core /init 0755 build:init\n")
    return sources


def cache_for(user: int, place: Path) -> None:
    """A cache of that user's own: what is asked for in these tests, and not yet unpacked."""
    mine = packages.cache_directory()
    suite = packages.Suite(image.USERLAND, "x86_64")
    lines = manifest.read(BUILDER / "image.manifest")
    row = next(row for row in kernels.read_table(BUILDER / "kernels") if row.name == "6.1")
    for folder in ("debs", "resolved"):
        (place / "bulkhead" / folder).mkdir(parents=True)
    for package in (*packages.resolve(suite, "programs", manifest.package_names(lines)),
                    *packages.resolve(packages.Suite(row.suite, "x86_64"), "kernel",
                                      [row.package])):
        shutil.copy(packages.cached(package, mine), place / "bulkhead/debs")
    for lock in (mine / "resolved").iterdir():
        shutil.copy(lock, place / "bulkhead/resolved")
    for path in (place, *place.rglob("*")):
        os.chown(path, user, user)


def build_as(user: int, sources: Path, cache: Path, output: Path) -> Path:
    """Builds the image of kernel 6.1 as that user; returns the image's folder."""
    output.mkdir()
    (output / "init").write_text("#!/bin/sh\n")
    os.chown(output, user, user)
    done = subprocess.run(
        [sys.executable, "-B", str(sources / "rootfs-builder/image.py"), "build", "--kernel",
         "6.1", "--arch", "x86_64", "--build", str(output)],
        check=False, text=True, capture_output=True, timeout=120, user=user, group=user,
        extra_groups=[], env={"PATH": os.environ["PATH"], "HOME": "/nonexistent",
                              "XDG_CACHE_HOME": str(cache)})
    assert done.returncode == 0, done.stderr
    return output / "image/x86_64/6.1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be both users")
def test_no_root_is_needed(with_packages: Path) -> None:
    """A user without any privilege builds the image of a real kernel, byte for byte as root."""
    real_kernel("x86_64")
    nobody = 65534
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        sources = Path(scratch) / "sources"
        shutil.copytree(with_packages, sources)
        subprocess.run(["chmod", "-R", "a+rX", sources], check=True)  # made under any umask
        cache_for(nobody, Path(scratch) / "cache")
        theirs = build_as(nobody, sources, Path(scratch) / "cache", Path(scratch) / "theirs")
        ours = build_as(0, sources, packages.cache_directory().parent, Path(scratch) / "ours")
        assert {file.name for file in ours.iterdir()} >= {"kernel", "initrd.img", "manifest.json",
                                                          "initrd-runc.img"}
        for file in ours.iterdir():
            assert file.read_bytes() == (theirs / file.name).read_bytes(), file.name
        assert (theirs / "kernel").stat().st_uid == nobody
        told = json.loads((theirs / "manifest.json").read_text())
    held = {name: {member["path"] for member in part["members"]}
            for name, part in told["parts"].items()}
    assert "/usr/sbin/runc" in held["runc"]
    assert not held["core"] & held["runc"] and not held["core"] & held["systemd-nspawn"]
    assert told["kernel"]["origin"][0]["name"].startswith("linux-image-6.1.")
    assert {package["name"] for package in told["packages"]} >= {"busybox-static", "crun", "runc",
                                                                 "libc6"}


def test_real_kernel_as_a_file(real: tuple[str, kernels.Kernel], tmp_path: Path) -> None:
    """A distribution's kernel without its modules lacks what is only a module in it; with its
    modules it is complete."""
    arch, kernel = real
    assert kernel.modules and kernel.config
    (tmp_path / "vmlinuz").write_bytes(kernel.data)
    (tmp_path / f"config-{kernel.release}").write_text(kernel.config)
    bare = kernels.find(str(tmp_path / "vmlinuz"), arch, BUILDER / "kernels", None, None, False)
    lacks = {lack.need.option: lack.value for lack in image.config_lacks(bare, arch) or []}
    assert lacks["CONFIG_OVERLAY_FS"] == "m"
    assert set(lacks.values()) == {"m"}
    whole = kernels.find(str(tmp_path / "vmlinuz"), arch, BUILDER / "kernels", None,
                         str(kernel.modules.directory), False)
    assert image.config_lacks(whole, arch) == []
    assert whole.release == kernel.release


def unpack(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, str(BUILDER / "unpack.py"), *words], check=False,
                          capture_output=True, encoding="utf-8")


def test_unpack_names_the_folders_of_a_kernel(real: tuple[str, kernels.Kernel]) -> None:
    arch, kernel = real
    done = unpack("--arch", arch, "--kernel", "6.1")
    assert done.returncode == 0, done.stderr
    files = [file for tree in done.stdout.split() for file in Path(tree).glob("boot/vmlinuz-*")]
    assert [file.read_bytes() for file in files] == [kernel.data]


def test_unpack_knows_no_other_kernels() -> None:
    done = unpack("--kernel", "no-such")
    assert done.returncode == 2
    assert 'there is no kernel "no-such" for x86_64' in done.stderr
