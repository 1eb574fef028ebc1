#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts together what a module for a kernel of the table is built with: its headers and kbuild.

The packages are the ones that belong to the kernel's own; they are not installed. Prints the
directory that kbuild is started in.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

import kernels
import packages

HERE = Path(__file__).resolve().parent


def header_packages(row: kernels.Row) -> tuple[str, list[packages.Package]]:
    """The release of a row's kernel, and the packages with its headers and build programs."""
    suite = packages.Suite(row.suite, row.arch)
    image = packages.resolve(suite, "kernel", [row.package])[0]
    release = image.name[len("linux-image-"):]
    flavour = f"-cloud-{suite.debian_arch}"
    version = release[:-len(flavour)] if release.endswith(flavour) else release
    names = [f"linux-headers-{release}", f"linux-headers-{version}-common",
             f"linux-kbuild-{version}"]
    return release, packages.resolve(suite, "programs", names)


def merge(tree: Path, into: Path) -> None:
    """Adds a package's files, by hard links where that can be: headers are many."""
    def copy(source: str, target: str) -> str:
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError:
            shutil.copy2(source, target, follow_symlinks=False)
        return target

    shutil.copytree(tree, into, symlinks=True, dirs_exist_ok=True, copy_function=copy)


def replace(path: Path, text: str) -> None:
    """A file with other contents; the one that it was linked with stays as it is."""
    path.unlink()
    path.write_text(text, encoding="utf-8")


def is_program(path: Path) -> bool:
    """Whether a file is one that this machine's kernel runs."""
    if path.is_symlink() or not path.is_file() or not os.access(path, os.X_OK):
        return False
    with open(path, "rb") as stream:
        return stream.read(4) == b"\x7fELF"


def wrap(program: Path, libraries: Path) -> None:
    """Makes a program of the kernel's release run on a host with an older C library."""
    aside = program.with_name(f".{program.name}")
    program.rename(aside)
    top = '"${0%/*}"/' + os.path.relpath(libraries, program.parent)
    paths = ":".join(f"{top}/usr/{path.relative_to(libraries / 'usr')}"
                     for path in sorted((libraries / "usr/lib").glob("*-linux-gnu*")))
    loader = next(path for path in sorted((libraries / "usr/lib").rglob("ld-linux*")))
    program.write_text(f'#!/bin/sh\nexec {top}/{loader.relative_to(libraries)}'
                       f' --argv0 "$0" --library-path {paths} "${{0%/*}}/{aside.name}" "$@"\n',
                       encoding="utf-8")
    program.chmod(0o755)


def assemble(row: kernels.Row, output: Path) -> Path:
    """Makes the tree below `output`, unless it is there; returns where kbuild is started."""
    release, found = header_packages(row)
    place = output / release
    start = place / "usr/src" / f"linux-headers-{release}"
    if start.is_dir():
        return start
    scratch = output / f"{release}.{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    cache = packages.cache_directory()
    for package in found:
        kind = "" if package.name.startswith("linux-") else "libraries"
        merge(packages.unpacked(package, cache), scratch / kind)
    for path in (scratch / "usr/lib").rglob("*"):
        if is_program(path):
            wrap(path, scratch / "libraries")
    makefile = scratch / "usr/src" / f"linux-headers-{release}" / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    replace(makefile, text.replace("/usr/src/", f"{place.resolve()}/usr/src/"))
    os.replace(scratch, place)
    return start


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="headers.py", description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", required=True, help="a name of the table of kernels")
    parser.add_argument("--arch", default="x86_64", choices=sorted(packages.DEBIAN_ARCH))
    parser.add_argument("--output", required=True, type=Path, help="where the trees are kept")
    options = parser.parse_args(argv)
    try:
        rows = [row for row in kernels.read_table(HERE / "kernels")
                if (row.name, row.arch) == (options.kernel, options.arch)]
        if not rows:
            raise kernels.KernelError(f"cannot find kernel \"{options.kernel}\" for"
                                      f" {options.arch} in the table of kernels")
        print(assemble(rows[0], options.output))
    except (kernels.KernelError, packages.PackageError) as error:
        print(f"headers.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
