#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds a guest image: a kernel, an initrd and a manifest with the digest of every input.

Nothing needs root, and the outputs are a function of the inputs: no time, user, path or order of
files of this host gets into them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable, Sequence

import bundles
import cpio
import elf
import kconfig
import kernels
import manifest
import modules
import packages
import testlist

HERE = Path(__file__).resolve().parent
# The programs in the guest are of one release, so that every kernel meets the same subjects.
USERLAND = "bookworm"
CORE = "core"
INDEX = "/usr/lib/modules"
PROGRAMS = "/selftests"
TESTS = "tests.json"


class ImageError(Exception):
    """What keeps an image from being built; the text is the whole message."""


@dataclass
class Image:
    """An image while it is put together; `inputs` is what the digest is taken over."""

    arch: str
    kernel: kernels.Kernel
    parts: dict[str, list[manifest.Item]] = field(default_factory=dict)
    modules: dict[str, list[str]] = field(default_factory=dict)
    packages: list[packages.Package] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    tests: list[testlist.Test] = field(default_factory=list)
    config: list[str] = field(default_factory=list)


def canonical(path: str) -> str:
    """The path behind the guest's links: /bin, /sbin and /lib* are below /usr."""
    top = path.split("/")[1]
    return f"/usr{path}" if top in ("bin", "sbin", "lib", "lib64") else path


def gather(image: Image, lines: Sequence[manifest.Line], places: manifest.Places) -> None:
    """Fills the parts with what the manifest names, and notes what is not there."""
    for line in lines:
        part = image.parts.setdefault(line.part, [])
        try:
            part += manifest.items(line, places)
        except manifest.ManifestError as error:
            image.missing.append(line.path)
            print(f"image.py: missing: {error}", file=sys.stderr)


def add_applets(items: list[manifest.Item]) -> None:
    """Links for the applets of busybox, except where a real program has that name."""
    busybox = next((item for item in items if item.entry.path == "/usr/bin/busybox"), None)
    if busybox is None:
        return
    taken = {Path(item.entry.path).name for item in items
             if str(Path(item.entry.path).parent) in ("/usr/bin", "/usr/sbin")}
    administrator = {"modprobe", "insmod", "init", "sysctl", "ifconfig", "ip", "poweroff"}
    for name in manifest.applets(busybox.entry.contents()):
        if name not in taken:
            folder = "sbin" if name in administrator else "bin"
            target = "busybox" if folder == "bin" else "../bin/busybox"
            items.append(manifest.Item(cpio.link(f"/usr/{folder}/{name}", target),
                                       busybox.origin))


def add_libraries(image: Image, trees: dict[Path, packages.Package]) -> None:
    """The shared libraries of each part's programs; what the core has is not repeated."""
    libraries = elf.Libraries(trees, image.arch)
    in_core: set[str] = set()
    for name, items in sorted(image.parts.items(), key=lambda part: part[0] != CORE):
        programs = [item.entry.source for item in items
                    if item.origin.startswith("package:") and item.entry.source]
        for path, source in sorted(libraries.closure(programs).items()):
            if canonical(path) in in_core:
                continue
            owner = next(package.name for tree, package in trees.items() if tree in source.parents)
            items.append(manifest.Item(cpio.host_file(canonical(path), source, 0o755),
                                       f"package:{owner}"))
        if name == CORE:
            in_core = {item.entry.path for item in items}


def add_modules(image: Image, table: Sequence[modules.Wanted]) -> None:
    """Modules with the index for modprobe, and the list that init loads."""
    items = image.parts[CORE]
    tree = image.kernel.modules
    image.modules = {"boot": [], "demand": [], "builtin": []}
    if tree is None:
        return
    for wanted in table:
        kind = ("builtin" if tree.is_builtin(wanted.name) else
                "boot" if wanted.at_boot else "demand")
        image.modules[kind].append(wanted.name)
    top = f"{INDEX}/{image.kernel.release}"
    files = tree.closure(image.modules["boot"] + image.modules["demand"])
    at_boot = tree.closure(image.modules["boot"])
    for module in files:
        entry = cpio.Entry(f"{top}/{module.path}", 0o100644, module.data)
        items.append(manifest.Item(entry, f"kernel:{module.path}"))
    texts = {f"{top}/modules.dep": modules.dep_file(files),
             f"{top}/modules.alias": modules.alias_file(files),
             "/etc/bulkhead/modules": "".join(f"{top}/{module.path}\n" for module in at_boot)}
    items += [manifest.Item(cpio.text_file(path, text), "") for path, text in texts.items()]


def add_promise(image: Image) -> None:
    """Tells the tests of a kernel that has all that they need: a need that is absent there all the
    same is a fault of the kernel's, no reason to skip (selftests/harness/skips.c)."""
    if image.kernel.config is not None and not image.config:
        text = cpio.text_file("/etc/bulkhead/complete", f"{image.kernel.release}\n")
        image.parts[CORE].append(manifest.Item(text, ""))


def add_tests(image: Image, build: Path) -> None:
    """Lists the tests of the programs in the image, so that no guest has to be asked."""
    image.tests = testlist.listed(
        build / item.origin.partition(":")[2] for item in image.parts[CORE]
        if str(Path(item.entry.path).parent) == PROGRAMS and item.entry.mode & 0o111
        and stat.S_ISREG(item.entry.mode))


def config_lacks(kernel: kernels.Kernel, arch: str) -> list[kconfig.Lack] | None:
    """What a kernel lacks of selftests/config; None when its configuration cannot be found."""
    if kernel.config is None:
        return None
    needs = kconfig.read_fragment((HERE.parent / "selftests/config").read_text(encoding="utf-8"))
    return kconfig.check(needs, kconfig.parse_config(kernel.config), arch, kernel.release,
                         kernel.modules is not None)


def report_lacks(kernel: kernels.Kernel, arch: str) -> list[kconfig.Lack]:
    """Tells what a kernel lacks, on standard error."""
    lacks = config_lacks(kernel, arch)
    if lacks is None:
        print(f"image.py: cannot check the configuration of kernel {kernel.release}: it is neither"
              " beside the file nor inside it (CONFIG_IKCONFIG); give it with CONFIG=FILE",
              file=sys.stderr)
        return []
    if lacks:
        print(f"image.py: kernel {kernel.release} lacks {len(lacks)} of the options in"
              " selftests/config:", file=sys.stderr)
    for lack in lacks:
        print(f"  {lack}", file=sys.stderr)
    if kernel.modules is None and any(lack.value == "m" for lack in lacks):
        print("  (MODULES=lib/modules/RELEASE puts the modules of a kernel into its image)",
              file=sys.stderr)
    return lacks


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def describe_items(items: Iterable[manifest.Item]) -> list[dict[str, str]]:
    """What the manifest says about a part: each member with its digest and origin."""
    described = []
    for item in sorted(items, key=lambda item: item.entry.path):
        member = {"path": item.entry.path, "mode": f"{item.entry.mode:06o}"}
        contents = item.entry.contents()
        if contents:
            member["sha256"] = sha256(contents)
        if item.entry.device != (0, 0):
            member["device"] = "{}:{}".format(*item.entry.device)
        if item.origin:
            member["origin"] = item.origin
        described.append(member)
    return described


def write_image(image: Image, output: Path) -> str:
    """Writes kernel, parts and manifest, each one replaced whole; returns the digest."""
    output.mkdir(parents=True, exist_ok=True)
    described: dict[str, object] = {
        "arch": image.arch,
        "kernel": {"name": image.kernel.name, "release": image.kernel.release, "file": "kernel",
                   "sha256": sha256(image.kernel.data), "origin": image.kernel.origin},
        "packages": [package.origin() for package in image.packages],
        "modules": image.modules,
        "missing": image.missing,
        "config": {"lacks": image.config},
        "parts": {name: {"file": part_file(name), "members": describe_items(items)}
                  for name, items in image.parts.items()},
    }
    digest = sha256(json.dumps(described, sort_keys=True).encode())
    replace(output / "kernel", image.kernel.data)
    for name, items in image.parts.items():
        archive = io.BytesIO()
        cpio.write(archive, [item.entry for item in items])
        replace(output / part_file(name), archive.getvalue())
        described["parts"][name].update(  # type: ignore[index]
            {"sha256": sha256(archive.getvalue()), "size": len(archive.getvalue())})
    for stale in set(output.glob("initrd*.img")) - {output / part_file(part)
                                                    for part in image.parts}:
        stale.unlink()
    if image.tests:
        tests = (json.dumps(image.tests, separators=(",", ":")) + "\n").encode()
        replace(output / TESTS, tests)
        described["tests"] = {"file": TESTS, "sha256": sha256(tests)}
    else:
        (output / TESTS).unlink(missing_ok=True)
    described["digest"] = digest
    text = json.dumps(described, indent=1, sort_keys=True) + "\n"
    # Last: a manifest says that the image is whole.
    replace(output / "manifest.json", text.encode())
    return digest


def part_file(part: str) -> str:
    """The name of the file with this part of the initrd."""
    return "initrd.img" if part == CORE else f"initrd-{part}.img"


def replace(path: Path, data: bytes) -> None:
    """Replaces a file so that nobody ever sees half of it; leaves an equal one alone."""
    if path.is_file() and path.read_bytes() == data:
        return
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(data)
    os.replace(scratch, path)


def build(arguments: argparse.Namespace) -> int:
    """`build`: one image."""
    kernel = kernels.find(arguments.kernel, arguments.arch, HERE / "kernels",
                          arguments.config, arguments.modules, arguments.refresh)
    lacks = report_lacks(kernel, arguments.arch)
    if any(lack.need.area == kconfig.AREA_AT_BOOT for lack in lacks):
        raise ImageError(f"cannot build an image of kernel {kernel.release}: without the options of"
                         " area boot no guest starts")
    image = Image(arguments.arch, kernel, config=[lack.need.option for lack in lacks])
    lines = manifest.read(HERE / "image.manifest")
    userland = packages.Suite(USERLAND, arguments.arch)
    wanted = packages.resolve(userland, "programs", manifest.package_names(lines),
                              arguments.refresh)
    trees = {packages.unpacked(package, userland.cache): package for package in wanted}
    by_name = {package.name: tree for tree, package in trees.items()}
    places = manifest.Places(HERE.parent, Path(arguments.build), HERE / "guest", arguments.arch,
                             lambda name: by_name[name],
                             manifest.named_files(lines, arguments.arch))
    gather(image, lines, places)
    if image.missing and not arguments.allow_missing:
        raise ImageError(f"cannot build the image: {', '.join(image.missing)} cannot be put into it"
                         " (make image builds what is missing)")
    add_applets(image.parts[CORE])
    add_libraries(image, trees)
    add_modules(image, modules.read_table(HERE / "modules"))
    add_promise(image)
    add_tests(image, Path(arguments.build))
    used = {item.origin.partition(":")[2] for items in image.parts.values() for item in items
            if item.origin.startswith("package:")}
    image.packages = [package for package in wanted if package.name in used]
    output = Path(arguments.build) / "image" / arguments.arch / kernel.name
    digest = write_image(image, output)
    print(f"{output}: {arguments.arch} {kernel.release} {digest[:12]}"
          + (f", {len(image.missing)} things missing" if image.missing else ""))
    return 0


def check_config(arguments: argparse.Namespace) -> int:
    """`check-config`: 0 when a kernel has all that the suite needs."""
    kernel = kernels.find(arguments.kernel, arguments.arch, HERE / "kernels",
                          arguments.config, arguments.modules, arguments.refresh)
    if report_lacks(kernel, arguments.arch) or kernel.config is None:
        return 1
    print(f"kernel {kernel.release}: has all options of selftests/config")
    return 0


def bundle(arguments: argparse.Namespace) -> int:
    """`bundle`: all built images of an architecture in one file."""
    names = [row.name for row in kernels.read_table(HERE / "kernels")
             if row.arch == arguments.arch]
    top = Path(arguments.build) / "image"
    output = top / f"bulkhead-{arguments.arch}.tar.gz"
    count = bundles.write(output, top / arguments.arch, names)
    print(f"{output}: {count} images, {output.stat().st_size >> 20} MiB")
    return 0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="image.py", description="Build guest images.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("build", help="build one image")
    check = commands.add_parser("check-config", help="compare a kernel with selftests/config")
    both = commands.add_parser("bundle", help="pack all images of an architecture into one file")
    for command, run in ((one, build), (check, check_config), (both, bundle)):
        command.set_defaults(run=run)
        command.add_argument("--arch", default="x86_64", choices=sorted(packages.DEBIAN_ARCH))
        command.add_argument("--build", default="build", metavar="DIR",
                             help="the build directory")
    for command in (one, check):
        add_kernel_options(command)
    one.add_argument("--allow-missing", action="store_true",
                     help="build without programs that are not there yet, and say which")
    return parser.parse_args(argv)


def add_kernel_options(one: argparse.ArgumentParser) -> None:
    """The options by which a kernel is chosen."""
    one.add_argument("--kernel", required=True, metavar="NAME|FILE",
                     help="a name of rootfs-builder/kernels, or a kernel file of your own")
    one.add_argument("--config", metavar="FILE", help="the configuration of your own kernel")
    one.add_argument("--modules", metavar="DIR",
                     help="the lib/modules/RELEASE directory of your own kernel")
    one.add_argument("--refresh", action="store_true",
                     help="ask the archive for newer packages")


def main(argv: Sequence[str]) -> int:
    """Runs one command; 2 for bad usage, 1 for what could not be done."""
    arguments = parse(argv)
    try:
        return int(arguments.run(arguments))
    except (ImageError, packages.PackageError, kernels.KernelError, modules.ModuleError,
            manifest.ManifestError, elf.ElfError, kconfig.ConfigError,
            bundles.BundleError, ValueError) as error:
        print(f"image.py: {error}", file=sys.stderr)
    except OSError as error:
        what = f"cannot use \"{error.filename}\": " if error.filename else ""
        print(f"image.py: {what}{error.strerror}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
