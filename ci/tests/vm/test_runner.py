# SPDX-License-Identifier: GPL-2.0-or-later
"""Which guests are given up, with guests and sessions out of a script."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from launcher import plan, runner, session


class Guest:
    """One that nothing is asked of."""

    def __init__(self) -> None:
        self.troubles: List[str] = []

    def close(self) -> None:
        pass


class Supplier:
    """Guests that cost nothing."""

    def __init__(self) -> None:
        self.troubles: List[str] = []
        self.dead = ""

    def fresh(self) -> Any:
        if self.dead:
            raise runner.InfraError(self.dead)
        return Guest()

    def stop(self, reason: str) -> None:
        self.dead = reason

    def rest(self) -> None:
        pass

    def expect(self) -> None:
        pass


def outcomes(fates: str, monkeypatch: pytest.MonkeyPatch, unused: str = "") -> Dict[str, str]:
    """Runs tests a, b, c, each in a guest of its own. FATES says of each guest whether it is alive
    after --before (.) or dead (x); what became of each test comes back."""
    script = iter(fates)

    def before(*_: Any) -> str:
        return "panic" if next(script) == "x" else ""

    def run(self: runner.Runner, job: runner.Job, _guest: Any, _program: str,
            pending: List[plan.Planned]) -> session.Outcome:
        verdicts = [session.Verdict(test, "pass", "", 0.1, []) for test in pending]
        for verdict in verdicts:
            self._record(job, verdict)
        return session.Outcome([], {test.name for test in pending}, True, [])
    monkeypatch.setattr(runner.Runner, "_before", before)
    monkeypatch.setattr(runner.Runner, "_session", run)
    record: Dict[str, Any] = {"tests": []}
    supplier: Any = Supplier()
    jobs = [runner.Job(record, supplier, "kernel",
                       [plan.Batch("p", [plan.Planned(name, "p", "kernel", [])])], {"p": 3})
            for name in "abc"]
    runner.Runner(runner.Settings(30.0, 1, "true"), lambda *_: None).work(jobs, 1)
    assert "".join(script) == unused
    return {test["name"]: test["status"] for test in record["tests"]}


def test_a_program_that_decides_nothing_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kernel complains each time, and what it reports is not what was asked for."""
    monkeypatch.setattr(runner.Runner, "_session",
                        lambda *_: session.Outcome([], set(), False, ["a result for p.x"]))
    record: Dict[str, Any] = {"tests": []}
    supplier: Any = Supplier()
    tests = [plan.Planned(name, "p", "kernel", []) for name in "ab"]
    job = runner.Job(record, supplier, "kernel", [plan.Batch("p", tests)], {"p": 2})
    work = runner.Runner(runner.Settings(30.0, 1, ""), lambda *_: None)
    work.work([job], 1)
    assert [(test["name"], test["status"]) for test in record["tests"]] == \
        [("a", "crash"), ("b", "crash")]
    assert work.problems == ["a result for p.x"]


def test_three_dead_guests_in_a_row_cost_their_own_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcomes(".xxx.", monkeypatch) == {"a": "pass", "b": "crash", "c": "pass"}
    assert outcomes("xx.xx..", monkeypatch) == {"a": "pass", "b": "pass", "c": "pass"}


def test_no_more_are_tried_when_none_has_ever_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcomes("xxx..", monkeypatch, "..") == {"a": "crash", "b": "crash", "c": "crash"}
