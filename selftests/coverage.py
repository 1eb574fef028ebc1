#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which behaviours of the catalogue have a test: derived from what the test programs list."""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

CATALOGUE = Path(__file__).resolve().parent / "catalogue.tsv"


def read_catalogue() -> dict[str, dict[str, str]]:
    """The rows by behaviour id."""
    with CATALOGUE.open(encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file, delimiter="\t",
                                                         quoting=csv.QUOTE_NONE)}


def covering(programs: list[Path]) -> dict[str, list[str]]:
    """For each behaviour id the names of the tests that check it."""
    tests: dict[str, list[str]] = defaultdict(list)
    for program in programs:
        listed = subprocess.run([str(program), "--list"], text=True, check=True,
                                capture_output=True).stdout
        for line in listed.splitlines():
            name, _, ids, _ = line.split("\t")
            for id_ in ids.split():
                tests[id_].append(name)
    return tests


def counts(rows: dict[str, dict[str, str]], tests: dict[str, list[str]]) -> list[str]:
    """One line an area and layer: how many of its behaviours have a test."""
    total: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for id_, row in rows.items():
        total[row["area"], row["layer"]].append(id_ in tests)
    return [f"{area:10} {layer:8} {sum(covered):4} of {len(covered):4}"
            for (area, layer), covered in sorted(total.items())]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="+", type=Path, help="test programs")
    parser.add_argument("--missing", action="store_true", help="name what has no test")
    parser.add_argument("--tests", action="store_true", help="name the tests of each behaviour")
    options = parser.parse_args(arguments)
    rows, tests = read_catalogue(), covering(options.programs)
    print("\n".join(counts(rows, tests)))
    for id_, row in rows.items():
        if options.tests and id_ in tests:
            print(f"{id_}: {row['sentence']}\n    {' '.join(tests[id_])}")
        elif options.missing and id_ not in tests:
            print(f"{id_}: {row['sentence']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
