# SPDX-License-Identifier: GPL-2.0-or-later
"""Every verdict is provoked for real: what a guest does, and which exit status, attribution and
text come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Launcher


def test_results_of_an_orderly_run(launch: Launcher) -> None:
    done = launch()
    assert done.status == 1
    assert done.statuses() == {"passes": "pass", "fails": "fail", "skips": "skip",
                               "passes_again": "pass"}
    failed = done.tests()["demo.fails"]
    assert failed["diagnostics"] == ['# demo:1: expected 1, got <2> & "more"']
    assert failed["behaviours"] == ["demo-01", "demo-02"]
    assert done.tests()["demo.skips"]["reason"] == "no-kconfig:DEMO"
    assert "NOT PASSED: 1 failed (4 results" in done.out


def test_all_passed(launch: Launcher) -> None:
    done = launch(tests="passes*")
    assert (done.status, len(done.tests())) == (0, 2), done.err
    assert done.report and done.report["runs"][0]["kernel"]["release"].startswith("6.12.")


def test_nothing_but_skips_is_no_pass(launch: Launcher) -> None:
    done = launch(tests="skips")
    assert done.status == 3
    assert "nothing was tested" in done.out


def test_a_pattern_without_a_test_is_a_usage_error(launch: Launcher) -> None:
    done = launch(tests="pases")
    assert done.status == 2
    assert 'cannot run "demo.pases": no test has a name like that' in done.err


def test_panic_is_put_down_to_the_running_test_and_the_others_go_on(launch: Launcher) -> None:
    done = launch(tests="passes panics passes_again")
    assert done.status == 4
    assert done.statuses() == {"passes": "pass", "panics": "crash", "passes_again": "pass"}
    crashed = done.tests()["demo.panics"]
    assert crashed["splat"] == "panic"
    assert "sysrq triggered crash" in crashed["reason"]
    assert "Call Trace" in crashed["log"] and "bulkhead: ok 1 demo.passes" in crashed["log"]
    assert "Call Trace" in done.out
    assert crashed["duration"] < 5


@pytest.mark.parametrize("how", ["reboots", "powers_off"])
def test_a_guest_that_goes_without_a_word(launch: Launcher, how: str) -> None:
    done = launch(tests=f"passes {how} passes_again")
    assert done.status == 4
    assert done.statuses() == {"passes": "pass", how: "crash", "passes_again": "pass"}
    assert done.tests()[f"demo.{how}"]["splat"] == "reboot"


def test_a_warning_fails_the_test_it_came_in(launch: Launcher) -> None:
    done = launch(tests="passes warns warns_again passes_again")
    assert done.status == 4
    assert done.statuses() == {"passes": "pass", "warns": "crash", "warns_again": "crash",
                               "passes_again": "pass"}
    assert "kernel/demo.c:7" in done.tests()["demo.warns"]["reason"]
    assert "(the test itself: pass)" in done.tests()["demo.warns"]["reason"]
    assert done.report
    run, = done.report["runs"]
    assert run["boots"] + run["restores"] >= 3, "a fresh guest after each"


def test_an_oops_ends_the_guest_at_once(launch: Launcher) -> None:
    done = launch(tests="oopses passes_again")
    assert done.status == 4
    crashed = done.tests()["demo.oopses"]
    assert (crashed["status"], crashed["splat"]) == ("crash", "oops")
    assert "RIP: 0010:demo" in crashed["log"]
    assert crashed["duration"] < 3
    assert done.statuses()["passes_again"] == "pass"


def test_an_oops_that_takes_the_program_with_it(launch: Launcher) -> None:
    done = launch(tests="passes oops_kills passes_again")
    assert done.status == 4
    assert done.statuses() == {"passes": "pass", "oops_kills": "crash", "passes_again": "pass"}
    assert done.tests()["demo.oops_kills"]["splat"] == "oops"


def test_a_panic_after_the_last_result_is_not_lost(launch: Launcher) -> None:
    done = launch(tests="passes panics_afterwards")
    assert done.status == 4
    assert done.statuses() == {"passes": "pass", "panics_afterwards": "pass",
                               "after_panics_afterwards": "crash"}


def test_panics_after_several_last_results_have_names_of_their_own(launch: Launcher) -> None:
    names = "panics_afterwards warns_afterwards"
    done = launch("--isolate", "test", tests=names)
    assert done.status == 4
    assert done.report and sorted(test["name"] for test in done.report["runs"][0]["tests"]) == \
        sorted(f"demo.{prefix}{name}" for name in names.split() for prefix in ("", "after_"))


def test_a_guest_that_panics_at_random_points(launch: Launcher) -> None:
    names = "passes skips reads_added sees_before passes_again"
    done = launch("--before", "echo done > /root/before; (usleep 150000; echo c > "
                  "/proc/sysrq-trigger) >/dev/null 2>&1 &", "--isolate", "none", tests=names)
    assert done.status in (1, 4)
    assert set(done.statuses()) - {"command", "after_passes_again"} == set(names.split())


def test_a_kernel_that_hangs(launch: Launcher) -> None:
    done = launch(tests="passes hangs passes_again")
    assert done.status == 4
    assert done.statuses() == {"passes": "pass", "hangs": "crash", "passes_again": "pass"}
    crashed = done.tests()["demo.hangs"]
    assert crashed["splat"] == "hang"
    assert "did not answer" in crashed["reason"]


def test_a_test_that_hangs_while_the_kernel_lives(launch: Launcher) -> None:
    done = launch("--timeout", "0.2", tests="passes sleeps passes_again")
    assert done.status == 1
    assert done.statuses() == {"passes": "pass", "sleeps": "timeout", "passes_again": "pass"}
    assert "no result within" in done.tests()["demo.sleeps"]["reason"]


@pytest.mark.parametrize("how, reason", [("stops_halfway", "killed by signal 9"),
                                         ("exits_early", "ended with status 3")])
def test_a_program_that_dies_before_its_result(launch: Launcher, how: str, reason: str) -> None:
    done = launch(tests=f"passes {how} passes_again")
    assert done.status in (1, 3)
    assert done.statuses() == {"passes": "pass", how: "crash", "passes_again": "pass"}
    assert reason in done.tests()[f"demo.{how}"]["reason"]


def test_results_cannot_be_forged_or_drowned(launch: Launcher) -> None:
    done = launch(tests="passes forges floods")
    assert done.status == 0, done.out + done.err
    assert done.statuses() == {"forges": "pass", "floods": "pass", "passes": "pass"}
    assert len(done.tests()["demo.floods"]["diagnostics"]) == 3000
    assert "\033" not in done.out


def test_an_exit_status_that_contradicts_the_results(launch: Launcher) -> None:
    done = launch(tests="lies")
    assert done.status == 3
    assert "demo ended with status 5 though no test failed" in done.out


def test_panic_in_before(launch: Launcher) -> None:
    done = launch("--before", "echo c > /proc/sysrq-trigger; sleep 9", "--jobs", "1")
    assert done.status == 4
    assert done.tests()["before.command"]["splat"] == "panic"
    assert "no result" in done.tests()["demo.passes"]["reason"]


@pytest.mark.parametrize("how, splat", [("c", "panic"), ("b", "reboot")])
def test_a_guest_that_goes_between_before_and_the_first_test(launch: Launcher, how: str,
                                                             splat: str) -> None:
    names = "passes skips passes_again"
    # init says that --before has ended as soon as it has reaped it.
    done = launch("--before", "shell=$$; (while kill -0 $shell; do :; done; "
                  f"echo {how} >/proc/sysrq-trigger) >/dev/null 2>&1 &", tests=names)
    assert done.status == 4
    assert "the launcher failed" not in done.out
    assert set(names.split()) <= set(done.statuses())
    crashed = [test for test in done.tests().values() if test.get("splat")]
    assert {test["splat"] for test in crashed} == {splat}
    assert crashed[0]["name"] in ("before.command", "demo.passes")


def test_a_panic_while_the_tests_are_listed(launch: Launcher, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho c >/proc/sysrq-trigger\nsleep 9\n")
    program.chmod(0o755)
    done = launch("--add", f"{program}:/selftests/panics")
    assert done.status == 3
    assert "cannot list the tests: Kernel panic - not syncing: sysrq triggered crash" in done.err
    assert "Kernel Offset:" in done.err, "the guest's last words"


def test_before_that_fails(launch: Launcher) -> None:
    done = launch("--before", "insmod /mine.ko")
    assert done.status == 3
    assert 'cannot run --before "insmod /mine.ko"' in done.out
    assert "/mine.ko" in done.out
