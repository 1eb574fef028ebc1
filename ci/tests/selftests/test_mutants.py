# SPDX-License-Identifier: GPL-2.0-or-later
"""The campaign of mutants: its table, and its verdicts with a launcher that only plays one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "selftests/mutants"))

import mutants  # noqa: E402

MODULE = (TOP / "selftests/mutants/module/mutant.c").read_text(encoding="utf-8")
TABLE = mutants.read_table(TOP / "selftests/mutants/mutants.tsv")

# Says what the launcher would of the guest that the mutant's name asks for.
PLAY = r"""#!/bin/sh
case "$*" in
*--subject\ bulkhead*) who=bulkhead ;;
*) who=kernel ;;
esac
case "$*" in
*--list*) printf '%s\tboth\t\n' uts.one pid.two pid.three rootfs.four rootfs.five; exit ;;
esac
bad() { echo "$1 6.12 x86_64 $who  $2 (0.10 s)"; }
case "$*:$who" in
*absent*) bad CRASH 'uts.one: no result: cannot run --before "insmod": no such symbol' ;;
*barred*) echo 'run-tests.sh: cannot run the tests: no space left'; exit 3 ;;
*deaf*) bad FAIL 'mutant.was_reached: not reached' ;;
*early*) bad FAIL uts.one; bad TIMEOUT pid.two; bad CRASH 'pid.three: oops'; exec sleep 60 ;;
*tardy*--tests\ pid*:kernel) bad FAIL pid.two ;;
*through*:bulkhead) bad FAIL rootfs.four; bad FAIL rootfs.five ;;
esac
bad ok uts.fine
"""


@pytest.fixture
def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign of seven mutants whose launcher plays."""
    play = tmp_path / "run-tests.sh"
    play.write_text(PLAY)
    play.chmod(0o755)
    monkeypatch.setattr(mutants, "LAUNCHER", play)
    monkeypatch.setattr(mutants, "HERE", tmp_path)
    names = "early tardy through hale deaf absent barred".split()
    rows = [f"{name}\tuts\tfunction={name}\twhat is broken\n" for name in names]
    (tmp_path / "mutants.tsv").write_text("name\tareas\tparameters\tbroken\n" + "".join(rows))
    return tmp_path


def verdicts(campaign: Path, *options: str) -> dict[str, tuple[str, list[str]]]:
    """Runs the campaign; name to verdict and tests."""
    results = campaign / "results.json"
    status = mutants.main(["--module", "mutant.ko", "--json", str(results), *options])
    found = {one["name"]: (one["verdict"], one["tests"])
             for one in json.loads(results.read_text())}
    assert status == int(any(word == "survived" for word, _ in found.values()))
    return found


def test_verdicts(campaign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Caught by the first failure, wherever it comes; survived, unreached, unmade."""
    assert verdicts(campaign, "--subject", "bulkhead") == {
        "early": ("caught", ["uts.one"]),
        "tardy": ("caught", ["pid.two"]),
        "through": ("caught", ["rootfs.four (bulkhead)"]),
        "hale": ("survived", []),
        "deaf": ("unreached", []),
        "absent": ("unmade", []),
        "barred": ("unmade", []),
    }
    said = capsys.readouterr().out
    assert re.search(r"^caught +early +uts\.one \(\d+ s\)$", said, re.MULTILINE)
    assert re.search(r"^unmade +barred +.*no space left", said, re.MULTILINE)
    assert re.search(r"^unmade +absent +.*no such symbol", said, re.MULTILINE)
    assert said.endswith("3 caught, 1 survived, 1 unreached, 2 unmade\n")


def test_selection(campaign: Path) -> None:
    """Only some mutants, only the areas that they name, no runtime unless asked for."""
    assert verdicts(campaign, "--run", "t?rd*", "--run", "thr*", "--quick") == {
        "tardy": ("survived", []), "through": ("survived", [])}


def test_table_speaks_the_modules_language() -> None:
    """Every parameter and every way of the table is one of the module's."""
    parameters = set(re.findall(r"^module_param\((\w+),", MODULE, re.MULTILINE)) - {"reached"}
    ways = set(re.findall(r'\{ "(\w+)", \.(?:begin|end) =', MODULE))
    objects = set(re.findall(r'^\t\{ "(\w+)", &\1 \}', MODULE, re.MULTILINE))
    assert len(ways) == 7 and len(objects) == 4
    for mutant in TABLE:
        given = dict(word.split("=", 1) for word in mutant.parameters.split())
        assert "function" in given and set(given) <= parameters, mutant.name
        assert given.get("how", "none") in ways, mutant.name
        assert re.fullmatch(r"-?\d+|0x[0-9a-f]+", given.get("value", "0")) or \
            given["value"] in objects, mutant.name
        assert 0 <= int(given.get("argument", 0)) <= 5, mutant.name


def test_table_is_well_formed() -> None:
    """Names are words and unique, areas are there, each mutant says what it breaks."""
    assert TABLE[0].name == "control" and "how=none" in TABLE[0].parameters
    assert len({mutant.name for mutant in TABLE}) == len(TABLE) > 150
    assert len({mutant.parameters for mutant in TABLE}) == len(TABLE)
    areas = {source.parent.name for source in TOP.glob("selftests/*/*.c")}
    for mutant in TABLE:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", mutant.name), mutant.name
        assert mutant.areas and set(mutant.areas) <= areas, mutant.name
        assert mutant.broken and not mutant.broken.endswith("."), mutant.name
