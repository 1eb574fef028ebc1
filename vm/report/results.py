# SPDX-License-Identifier: GPL-2.0-or-later
"""The model of results.json (ci/results.schema.json), the verdict and the baseline."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

FORMAT = 1
STATUSES = ("pass", "fail", "skip", "crash", "timeout")

# What reports show: of the skips, those for what the subject does not provide stand apart from
# those for what the kernel cannot do. The code is the harness's (selftests/harness/launch.c).
WORDS = ("pass", "fail", "skip", "lacks", "crash", "timeout")
LACKS_CODE = "subject-lacks:"

# Exit statuses of vm/run-tests.sh.
PASSED, FAILED, USAGE, INFRA, CRASHED = 0, 1, 2, 3, 4
BISECT_SKIP = 125

Test = Dict[str, Any]
Run = Dict[str, Any]
Report = Dict[str, Any]


def new_test(name: str, layer: str, behaviours: List[str], status: str, reason: str = "",
             duration: float = 0.0, diagnostics: Optional[List[str]] = None) -> Test:
    """One entry of a run's `tests`. A kernel's splat is added as `splat` (kind) and `log`."""
    assert status in STATUSES
    return {"name": name, "layer": layer, "area": name.split(".", 1)[0], "behaviours": behaviours,
            "status": status, "reason": reason, "duration": round(duration, 3),
            "diagnostics": diagnostics or []}


def each_test(report: Report) -> Iterator[Tuple[Run, Test]]:
    """Every test with the run that it belongs to."""
    for run in report["runs"]:
        for test in run["tests"]:
            yield run, test


def title(run: Run) -> str:
    """A run's name for people: kernel, architecture, subject."""
    return f"{run['kernel']['name']} {run['arch']} {run['subject']['name']}"


def count(tests: List[Test]) -> Dict[str, int]:
    """How many tests have which status."""
    return {status: sum(test["status"] == status for test in tests) for status in STATUSES}


def word(test: Test) -> str:
    """A test's word of WORDS."""
    lacks = test["status"] == "skip" and test["reason"].startswith(LACKS_CODE)
    return "lacks" if lacks else str(test["status"])


def tally(tests: List[Test]) -> Dict[str, int]:
    """How many tests have which word."""
    return {each: sum(word(test) == each for test in tests) for each in WORDS}


def _by_key(report: Report) -> Dict[Tuple[str, str, str, str], Test]:
    return {(run["kernel"]["name"], run["arch"], run["subject"]["name"], test["name"]): test
            for run, test in each_test(report)}


def compare(report: Report, baseline: Report, wanted: Callable[[str], bool]) -> None:
    """Marks each test that is worse than in BASELINE with `regression`, each failure that stood
    there already with `known`, and lists in the report the tests that vanished: those that were
    WANTED, by their names, and whose run took place."""
    before, now = _by_key(baseline), _by_key(report)
    for key, test in now.items():
        old = before.get(key)
        if old is None or test["status"] == "pass":
            continue
        if old["status"] == "pass":
            test["regression"] = True
        elif old["status"] == test["status"]:
            test["known"] = True
    ran = {key[:3] for key in now}
    report["vanished"] = [" ".join(key) for key, test in before.items()
                          if key not in now and key[:3] in ran and wanted(key[3])
                          and test["status"] == "pass"]


def load(path: str) -> Report:
    """Reads a results.json. Raises ValueError with a reason when it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        for _, test in each_test(report):
            if test["status"] not in STATUSES or not isinstance(test["name"], str):
                raise ValueError(f"bad test {test.get('name')!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"cannot read the results \"{path}\": {error}") from None
    return dict(report)


def dump(report: Report) -> str:
    """The text of results.json."""
    return json.dumps(report, indent=1, sort_keys=True) + "\n"


def verdict(report: Report) -> Tuple[int, str]:
    """Exit status and its reason, from the results alone."""
    tests = [test for _, test in each_test(report)]
    news = [test for test in tests if not test.get("known")]
    splats = [test for test in news if test.get("splat")]
    failed = [test for test in news if test["status"] in ("fail", "crash", "timeout")
              and test.get("blame") != "infra"]
    regressed = [test for test in tests if test.get("regression")]
    lost = [test for test in news if test.get("blame") == "infra"]
    if splats:
        return CRASHED, f"the kernel misbehaved: {splats[0]['reason']} in {splats[0]['name']}"
    if failed or regressed or report.get("vanished"):
        parts = [(len(failed), "failed"), (len(regressed), "regressed"),
                 (len(report.get("vanished", [])), "vanished")]
        return FAILED, ", ".join(f"{number} {what}" for number, what in parts if number)
    if report["problems"] or lost:
        return INFRA, (report["problems"] or [lost[0]["reason"]])[0]
    if not any(test["status"] == "pass" for test in tests) and not any(
            test.get("known") for test in tests):
        return INFRA, "nothing was tested: every test was skipped"
    return PASSED, "all passed"


def bisect_status(status: int) -> int:
    """What `git bisect run` has to hear: good, bad, or cannot tell."""
    return {PASSED: 0, FAILED: 1, CRASHED: 1}.get(status, BISECT_SKIP)
