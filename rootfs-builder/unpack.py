#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Unpacks packages of another suite into the cache, and prints the folder of each: for tools that
are compared with, and that must not change the host."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import kernels
import packages

HERE = Path(__file__).resolve().parent


def main() -> int:
    """`unpack.py SUITE PACKAGE...` or `unpack.py --kernel NAME`, for one architecture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", default="x86_64", choices=sorted(packages.DEBIAN_ARCH))
    parser.add_argument("--kernel", metavar="NAME",
                        help="the packages of a kernel of rootfs-builder/kernels")
    parser.add_argument("words", nargs="*", metavar="SUITE PACKAGE...",
                        help="the programs of a suite")
    options = parser.parse_args()
    kind, (suite_name, *names) = "programs", options.words or [""]
    try:
        if options.kernel:
            row = next((row for row in kernels.read_table(HERE / "kernels")
                        if (row.name, row.arch) == (options.kernel, options.arch)), None)
            if row is None:
                parser.error(f"there is no kernel \"{options.kernel}\" for {options.arch}")
            kind, suite_name, names = "kernel", row.suite, [row.package]
        suite = packages.Suite(suite_name, options.arch)
        for package in packages.resolve(suite, kind, names):
            print(packages.unpacked(package, suite.cache))
    except packages.PackageError as error:
        print(f"unpack.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
