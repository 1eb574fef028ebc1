# SPDX-License-Identifier: GPL-2.0-or-later
"""The watchdog over a guest that says its lines at the times of a script, on a clock of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import pytest

from launcher import plan, session, splats, stopwatch
from launcher.errors import GuestDied
from launcher.guest import Event

TIMEOUT = 30.0
LIMIT = 3 * TIMEOUT + 5
FOREVER = 100000
Line = Tuple[float, str, str]


class ScriptedGuest:
    """Stands in for a guest. Each line of the script: seconds after the one before, kind, text."""

    patient, factor = False, 1.0

    def __init__(self, script: Sequence[Line], answers: bool = True, state: str = "running",
                 busy: float = 0.0) -> None:
        self.now = self._due = 1000.0
        self._busy = busy             # the part of the time for which the host lets it wait
        self.log = bytearray()
        self.sent: List[str] = []
        self.qmp = self
        self._script = iter(script)
        self._next: Any = self._following()
        self._answers, self._state = answers, state
        self._pongs = 0

    def _following(self) -> Any:
        line = next(self._script, None)
        self._due += line[0] if line else 0
        return line

    def waited(self) -> Dict[str, float]:
        return {"one": self._busy * (self.now - 1000.0), "other": 0.7}

    def execute(self, argv: List[str], job: str) -> None:
        pass

    def send(self, text: str) -> None:
        self.sent.append(text)
        self._pongs += self._answers and text.startswith("ping")

    def command(self, name: str, timeout: float) -> Dict[str, str]:
        if not self._state:
            raise GuestDied("qemu", "QEMU's monitor does not answer")
        return {"status": self._state}

    def events(self, timeout: float) -> Iterator[Event]:
        assert self.now < 1000 + FOREVER, "the watchdog sleeps"
        if self._pongs:
            self._pongs -= 1
            yield Event("pong", "1")
        elif self._next and self._due <= self.now + timeout:
            self.now = max(self.now, self._due)
            _, kind, text = self._next
            self._next = self._following()
            if kind == "gone":
                raise GuestDied("ended", "QEMU ended")
            if kind == "console":
                self.log += f"{text}\n".encode()
            yield Event(kind, text)
        else:
            self.now += max(timeout, 0.001)


def run(script: Sequence[Line], monkeypatch: pytest.MonkeyPatch, names: str = "a.one",
        **how: Any) -> Tuple[Dict[str, session.Verdict], session.Outcome, ScriptedGuest]:
    """Plays the script to a session; verdicts by name, published ones and the others."""
    guest = ScriptedGuest(script, **how)
    clock = SimpleNamespace(monotonic=lambda: guest.now)
    for module in (session, stopwatch):
        monkeypatch.setattr(module, "time", clock)
    verdicts: List[session.Verdict] = []
    tests = [plan.Planned(name, "a", "kernel", []) for name in names.split()]
    made = session.Session(guest, tests, TIMEOUT,  # type: ignore[arg-type]
                           (splats.load(), splats.load_allowed()), verdicts.append)
    outcome = made.run(["/a"], "job1")
    verdicts += outcome.verdicts
    return {verdict.test.name: verdict for verdict in verdicts}, outcome, guest


def out(text: str, after: float = 0.0) -> Line:
    return after, "out", text


def result(text: str, after: float = 0.0) -> List[Line]:
    """A result as init sends it: marked in the kernel's log first."""
    return [(after, "console", f"[    1.000000] bulkhead: {text}"), out(text)]


def end(lines: Sequence[Line], lag: float = 0.0, status: int = 0) -> List[Line]:
    """LINES, and the end of a program; its mark may lag behind it."""
    said = sum(kind == "out" for _, kind, _ in lines)
    return [*lines, (0.0, "exit", f"job1 {status} 0 {said}"),
            (lag, "console", "[    1.000000] bulkhead: done job1")]


HEAD = [out("KTAP version 1"), out("1..1")]


def test_subtests_show_that_a_slow_test_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [out(f"    ok {number} row", 0.9 * LIMIT) for number in range(1, 10)]
    verdicts, outcome, _ = run(end([*HEAD, *rows, *result("ok 1 a.one", 1.0)]), monkeypatch)
    assert verdicts["a.one"].status == "pass" and outcome.healthy
    assert verdicts["a.one"].duration == pytest.approx(9 * 0.9 * LIMIT + 1)


@pytest.mark.parametrize("line", ["    # ok it seems", "    hello", "# 1..2", "    1..3",
                                  "    KTAP version 1"])
def test_other_lines_do_not(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = [*HEAD, out("    ok 1 row", 50.0), *[out(line, 1.0)] * FOREVER]
    verdicts, outcome, guest = run(script, monkeypatch)
    assert (verdicts["a.one"].status, outcome.healthy) == ("timeout", False)
    assert verdicts["a.one"].reason == f"no result within {LIMIT:.0f} s"
    assert guest.now == pytest.approx(1000 + 50 + LIMIT, abs=2)
    assert "kill" in guest.sent


def test_subtests_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts, _, guest = run([*HEAD, *[out("    ok 1 row", 1.0)] * FOREVER], monkeypatch)
    assert verdicts["a.one"].status == "timeout"
    assert verdicts["a.one"].reason.startswith("subtests without end for ")
    assert guest.now == pytest.approx(1000 + session.SUBTESTS_MOST * LIMIT, abs=2)


def test_a_program_that_does_not_end_is_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts, outcome, guest = run([*HEAD, *result("ok 1 a.one")], monkeypatch)
    assert verdicts["a.one"].status == "pass" and not outcome.healthy
    assert verdicts["a.after_one"].status == "timeout"
    assert guest.now == pytest.approx(1000 + session.END_SECONDS, abs=3)
    two = [out("KTAP version 1"), out("1..2"), *result("ok 1 a.one")]
    verdicts, _, guest = run(end([*two, *result("ok 2 a.two", 2 * session.END_SECONDS)]),
                             monkeypatch, "a.one a.two")
    assert [verdict.status for verdict in verdicts.values()] == ["pass", "pass"]


def test_a_guest_that_is_lost_after_the_last_result_is_not_missed(
        monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts, outcome, _ = run([*HEAD, *result("ok 1 a.one")], monkeypatch, answers=False, state="")
    assert [verdict.status for verdict in verdicts.values()] == ["pass"] and not outcome.healthy


@pytest.mark.parametrize("state, status, blame", [
    ("running", "crash", ""), ("internal-error", "crash", "infra"), ("paused", "crash", "infra"),
    ("", "crash", "infra")])
def test_silence_is_the_kernels_fault_when_qemu_runs_it(state: str, status: str, blame: str,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts, _, _ = run(HEAD, monkeypatch, answers=False, state=state)
    verdict, splat = verdicts["a.one"], "" if blame else "hang"
    assert (verdict.status, verdict.blame, verdict.splat) == (status, blame, splat)
    assert state in verdict.reason or not blame


def test_a_guest_that_stands_still_is_no_slow_test(monkeypatch: pytest.MonkeyPatch) -> None:
    script = [*HEAD, *[out("# noise", 2.0)] * round(LIMIT / 2 - 1)]
    for state, status in (("running", "hang"), ("", "")):
        verdicts, _, _ = run(script, monkeypatch, answers=False, state=state)
        assert (verdicts["a.one"].status, verdicts["a.one"].splat) == ("crash", status)


def test_a_quiet_guest_that_answers_is_let_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    verdicts, _, guest = run(end([*HEAD, *result("ok 1 a.one", 0.9 * LIMIT)]), monkeypatch)
    assert verdicts["a.one"].status == "pass"
    assert guest.sent.count("ping 1") > 10


@pytest.mark.parametrize("busy", [0.8, 1.0])
def test_a_guest_that_is_not_let_run_is_waited_for(busy: float, monkeypatch: pytest.MonkeyPatch) \
        -> None:
    script = end([*HEAD, *result("ok 1 a.one", 2 * session.HANG_SECONDS)])
    verdicts, outcome, _ = run(script, monkeypatch, answers=False, busy=busy)
    assert verdicts["a.one"].status == "pass" and outcome.healthy
    verdicts, _, guest = run(HEAD, monkeypatch, answers=False, busy=busy)
    assert verdicts["a.one"].splat == "hang"
    assert guest.now < 1000 + 6 * session.HANG_SECONDS, "but not for ever"


def test_a_limit_is_in_the_guests_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    script = end([*HEAD, *result("ok 1 a.one", 1.5 * LIMIT)])
    assert run(script, monkeypatch)[0]["a.one"].status == "timeout"
    assert run(script, monkeypatch, busy=0.5)[0]["a.one"].status == "pass"
    verdicts, _, guest = run(HEAD, monkeypatch, busy=1.0)
    assert verdicts["a.one"].status == "timeout"
    assert guest.now == pytest.approx(1000 + 2 * LIMIT, abs=3)


OOPS = "[    1.000000] Oops: 0002 [#1] SMP"


def test_an_oops_is_complete_when_nothing_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    script = [*HEAD, (1.0, "console", OOPS),
              *[(0.2, "console", f"[    1.000000] frame {number}") for number in range(5)],
              (50.0, "console", "[   50.000000] much later")]
    verdicts, _, guest = run(script, monkeypatch)
    assert verdicts["a.one"].splat == "oops"
    assert "frame 4" in verdicts["a.one"].log and "later" not in verdicts["a.one"].log
    assert guest.now < 1000 + 1 + 5 * 0.2 + 1


@pytest.mark.parametrize("kind, text", [("out", "noise"), ("console", "[    1.000000] noise")])
def test_an_oops_ends_a_guest_that_talks_on(kind: str, text: str,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    script = [*HEAD, (1.0, "console", OOPS), *[(0.1, kind, text)] * FOREVER]
    verdicts, _, guest = run(script, monkeypatch)
    assert verdicts["a.one"].splat == "oops"
    assert guest.now == pytest.approx(1001 + session.SPLAT_SECONDS, abs=1)


WARNING = "[    1.000000] WARNING: CPU: 0 PID: 42 at kernel/demo.c:7 demo+0x1/0x2"


@pytest.mark.parametrize("lag", [0.0, 1.5])
def test_a_log_that_lags_is_waited_for(lag: float, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [*HEAD, *result("ok 1 a.one")]
    done = end(lines)
    script = [*done[:-1], (lag, "console", "[    1.0] slow"), (lag, "console", WARNING),
              (lag, *done[-1][1:])]
    verdicts, outcome, _ = run(script, monkeypatch)
    assert verdicts["a.one"].status == "pass"
    assert verdicts["a.after_one"].splat == "warning" and not outcome.healthy


def test_a_mark_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = end([*HEAD, out("ok 1 a.one")])[:-1]
    verdicts, outcome, guest = run(silent, monkeypatch)
    assert verdicts["a.one"].status == "pass" and outcome.healthy
    assert guest.now < 1000 + 3
    noisy = [*silent, *[(1.0, "console", "[    1.0] chatter")] * FOREVER]
    verdicts, outcome, guest = run(noisy, monkeypatch)
    assert verdicts["a.one"].status == "pass"
    assert guest.now < 1000 + session.LAG_SECONDS + 5
