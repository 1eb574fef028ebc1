# SPDX-License-Identifier: GPL-2.0-or-later
"""The end of a guest, with programs in place of QEMU that end in one way or another."""

from __future__ import annotations

import os
import sys
from typing import List

import pytest

from launcher import plan, session, splats
from launcher.errors import GuestDied
from launcher.guest import Guest
from launcher.qemu import Qemu
from launcher.stopwatch import Stopwatch

# Closes its channels as QEMU does at its end, and takes its time to go.
SLOWLY = "import os, sys, time; os.closerange(3, 256); time.sleep(1); {}"


def start(script: str, *channels: str) -> Guest:
    """A guest whose QEMU is a script."""
    return Guest(Qemu([sys.executable, "-I", "-S", "-c", script], channels, []))


@pytest.mark.parametrize("ending, splat, reason", [
    ("sys.exit(0)", "reboot", "the guest restarted or switched itself off"),
    ("sys.exit(1)", "", "QEMU ended with 1"),
    ("print('terminating on signal 15', file=sys.stderr)", "", "terminating on signal 15"),
    ("os.abort()", "", "QEMU ended with -6")])
def test_how_qemu_ends_tells_whose_doing_it_was(ending: str, splat: str, reason: str) -> None:
    guest = start(SLOWLY.format(ending), "console", "results", "monitor")
    tests = [plan.Planned("a.one", "a", "kernel", [])]
    verdicts: List[session.Verdict] = []
    made = session.Session(guest, tests, 30.0, (splats.load(), []), verdicts.append)
    verdicts += made.run(["/a"], "job1").verdicts
    guest.close()
    verdict, = verdicts
    assert (verdict.status, verdict.splat) == ("crash", splat)
    assert reason in verdict.reason
    assert verdict.blame == ("" if splat else "infra")


def test_what_a_busy_host_costs_a_guest_is_seen() -> None:
    if not os.path.exists("/proc/self/schedstat"):
        pytest.skip("no-kconfig:SCHED_INFO")
    both = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nwhile True: pass"
    guests = [start(both, "results", "monitor") for _ in range(2)]
    watches = [Stopwatch(guest) for guest in guests]
    while watches[0].seconds() < 60 and \
            sum(sum(guest.waited().values()) for guest in guests) < 0.5:
        list(guests[0].events(0.1))
    assert not all(watch.passed(watch.seconds() - 0.05) for watch in watches)
    for guest in guests:
        guest.close()
    assert not guests[0].waited(), "it is gone"
    assert watches[0].passed(0.01)


def test_a_guest_on_a_terminal_may_end_as_well() -> None:
    guest = start("import os; os.closerange(3, 256)", "results", "monitor")
    with pytest.raises(GuestDied, match="QEMU ended"):
        guest.await_frame("exit", 20)
    guest.close()
