# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests of all areas against the catalogue: no unknown behaviour, no double name."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
BUILD = Path(os.environ.get("BULKHEAD_BUILD", TOP / "build"))
AREAS = sorted({path.parent.name for path in TOP.glob("selftests/*/*.c")}
               - {"harness", "subjects"})


def rows() -> dict[str, dict[str, str]]:
    with (TOP / "selftests/catalogue.tsv").open(encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file, delimiter="\t",
                                                         quoting=csv.QUOTE_NONE)}


def listed(area: str) -> list[list[str]]:
    """name, layer, behaviour ids and needs of each test of an area."""
    done = subprocess.run([str(BUILD / "selftests" / area), "--list"], text=True, check=True,
                          capture_output=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_catalogue_is_well_formed() -> None:
    catalogue = rows()
    lines = (TOP / "selftests/catalogue.tsv").read_text(encoding="utf-8").splitlines()
    assert len(catalogue) == len(lines) - 1, "an id stands twice"
    for row in catalogue.values():
        assert row["layer"] in ("kernel", "runtime") and row["sentence"]
        assert row["id"].rpartition("-")[0] == row["area"]
        assert re.fullmatch(r"-|[0-9]+\.[0-9]+", row["min_kernel"])


@pytest.mark.parametrize("area", AREAS)
def test_every_test_checks_a_known_behaviour(area: str) -> None:
    catalogue = rows()
    assert listed(area)
    for name, _, ids, _ in listed(area):
        assert re.fullmatch(rf"{area}\.[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*", name), \
            f"{name}: a name is words in snake_case, none of them a number"
        unknown = [id_ for id_ in ids.split() if id_ not in catalogue]
        assert ids and not unknown, f"{name}: unknown behaviours {unknown}"


def test_names_are_unique_over_all_programs() -> None:
    names = [name for area in AREAS for name, *_ in listed(area)]
    assert len(names) == len(set(names))
