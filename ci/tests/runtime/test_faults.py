# SPDX-License-Identifier: GPL-2.0-or-later
"""A selection of the fault campaign (ci/faults.py); `make faults` runs all of it."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path
from typing import Callable

import pytest

import conftest
import containers
import faults

MINUTES = 4


@pytest.fixture
def campaign_of(base: Path, binary: Path, probe: Path,
                all_callers: dict[str, containers.Caller]) -> Callable[[str], faults.Campaign]:
    """The campaign of a variant of faults.py."""
    signal.alarm(60 * MINUTES)  # more than the time limit of ordinary tests

    def make(name: str) -> faults.Campaign:
        assert shutil.which("strace"), "strace is in the table of ci/deps: it must be there"
        variant = faults.VARIANTS[name]
        caller = all_callers.get(variant.caller)
        if caller is None:
            pytest.skip(f"no-priv: only root can test as {variant.caller}")
        archive = conftest.BUILD / "rootfs.tar"
        return faults.campaign(variant, base, binary, probe, archive, caller)
    return make


def once_each() -> Callable[[faults.Fault], bool]:
    """Lets one of those calls through that differ in a number only: a signal, a capability."""
    seen: set[str] = set()

    def select(call: faults.Fault) -> bool:
        name = f"{call.call} {call.number}"
        if call.call == "rt_sigaction" or "PR_CAPBSET_DROP" in call.text:
            name = call.call + call.text[:12] * (call.call == "prctl")
        known = name in seen
        seen.add(name)
        return not known
    return select


@pytest.mark.parametrize("kind", faults.KINDS)
@pytest.mark.parametrize("name", ["root", "user"])
def test_every_call_may_fail(campaign_of: Callable[[str], faults.Campaign], name: str,
                             kind: str) -> None:
    outcomes = list(campaign_of(name).run([kind], once_each()))
    assert len(outcomes) > 80
    found = faults.problems(outcomes)
    assert not found, "\n".join(found)


# Calls of which a variant has its own: caller and options, and what the calls look like.
OWN_CALLS = {
    "user with subordinate ids": r"faccessat.*/newuid.*= 0|read \d+, \"(root|tester)|clone3|wait4|"
                                 r"setgroups",
    "root, many options": r"memfd|sendfile|execveat",
    "the init alone": r"(clone|getpid|wait4|setpgid|rt_sig\w+) ",
    "root, terminal": r"dup3|ioctl.*(PT|SCTTY|GSID)|.*(ptmx|dev/console)",
    "root, upper": r"flock|epoll|.*u\.work(?!.*AT_REMOVEDIR)",
}


def dies_twice(fault: faults.Fault) -> bool:
    """That the janitor dies of the call that bulkhead died of leaves --upper its work directory;
    the next run takes it over, and a janitor that lives removes it (test_layers.py)."""
    return fault.kind == "SIGKILL" and (
        fault.call == "flock" or fault.call == "statx" and "u.work" in fault.text)


@pytest.mark.parametrize("name", OWN_CALLS)
def test_calls_of_a_variant_may_fail(campaign_of: Callable[[str], faults.Campaign],
                                     name: str) -> None:
    def select(call: faults.Fault) -> bool:
        return re.match(OWN_CALLS[name], f"{call.call} {call.text}") is not None
    outcomes = [outcome for outcome in campaign_of(name).run(select=select)
                if not dies_twice(outcome.fault)]
    assert len(outcomes) >= 12
    found = faults.problems(outcomes)
    assert not found, "\n".join(found)


def test_the_campaign_sees_what_it_should(campaign_of: Callable[[str], faults.Campaign]) -> None:
    """The judge judged: less isolation is seen when a container has less."""
    campaign = campaign_of("root")
    sound, calls = campaign.learn()
    assert len(calls) > 100 and {"pivot_root", "mount", "clone3", "execve"} <= {
        call.call for call in calls}
    for options in (["--share", "net"], ["--cap-add", "SYS_ADMIN"], ["--seccomp", "none"],
                    ["--hostname", "other"], ["--tmpfs", "/tmp"]):
        campaign.options = options
        result, _ = campaign.execute("-e", "trace=none")
        assert result and faults.isolation(result.out) != sound, options
    campaign.options = []
    nothing = faults.Fault("getrandom", 1000, "EPERM", "never called")
    assert campaign.try_one(nothing, sound).verdict == faults.COMPLETE
    assert campaign.try_one(nothing, [*sound, "more"]).verdict == faults.WEAKER
