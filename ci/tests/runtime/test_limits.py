# SPDX-License-Identifier: GPL-2.0-or-later
"""--memory, --pids and --cpus: a cgroup v2 of the container's own, or a refusal; never neither."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import host
from containers import Runtime

OPTIONS = {"memory": ["--memory", "32M"], "pids": ["--pids", "20"], "cpu": ["--cpus", "0.5"]}


def controllers() -> set[str]:
    """What cgroup v2 offers at its root."""
    top = host.cgroup_mount()
    return set((top / "cgroup.controllers").read_text().split()) if top else set()


@pytest.mark.parametrize("controller", OPTIONS)
def test_limit_that_cannot_be_kept_is_refused(runtime: Runtime, controller: str) -> None:
    """On a v1 or hybrid host, or without delegation: 125, and the text tells which of them."""
    if controller in controllers() and runtime.caller.is_root:
        pytest.skip("this host can keep the limit: see the tests below")
    text = runtime.run(*OPTIONS[controller], "--", "true").refused("cgroup")
    assert "v1" in text if controller not in controllers() else "Delegate" in text


@pytest.fixture
def limited(request: pytest.FixtureRequest) -> Runtime:
    missing = set(OPTIONS) - controllers()
    if missing:
        pytest.skip(f"no-kconfig: cgroup v2 without {' '.join(sorted(missing))} (v1 or hybrid)")
    runtime: Runtime = request.getfixturevalue("as_root")
    return runtime


def values(runtime: Runtime, *options: str) -> dict[str, str]:
    """The files of the container's cgroup, as the host sees them while it runs."""
    top = host.cgroup_mount()
    assert top
    box = runtime.start(*options, "--", "sh", "-c", "echo up; cat")
    assert box.stdout and box.stdout.readline() == b"up\n"
    [group] = [folder for folder, _, _ in os.walk(top) if "bulkhead" in Path(folder).name]
    found = {name: (Path(group) / name).read_text().strip()
             for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.max", "cgroup.procs")
             if (Path(group) / name).exists()}
    box.communicate()
    assert not os.path.exists(group)
    return found


@pytest.mark.parametrize("options, name, value", [
    (["--memory", "8388608"], "memory.max", "8388608"), (["--memory", "8M"], "memory.max",
                                                         "8388608"),
    (["--memory", "1G"], "memory.swap.max", "0"), (["--pids", "7"], "pids.max", "7"),
    (["--cpus", "0.5"], "cpu.max", "50000 100000"), (["--cpus", "2"], "cpu.max", "200000 100000")])
def test_limits_are_in_force(limited: Runtime, options: list[str], name: str, value: str) -> None:
    assert values(limited, *options)[name] == value


def test_too_much_memory_is_killed(limited: Runtime) -> None:
    result = limited.sh("dd if=/dev/zero of=/dev/null bs=64M count=1", "--memory", "16M")
    assert result.status in (128 + signal.SIGKILL, 1, 2)
    assert limited.sh("dd if=/dev/zero of=/dev/null bs=1M count=1 2>/dev/null", "--memory",
                      "64M").status == 0


def test_too_many_processes_are_refused(limited: Runtime) -> None:
    script = "i=0; while [ $i -lt 60 ]; do cat & i=$((i+1)); done; wait"
    assert "fork" in limited.sh(script, "--pids", "20", stdin=b"").err


def test_cgroup_is_gone_after_sigkill(limited: Runtime) -> None:
    box = limited.start("--pids", "20", "--", "sh", "-c", "echo up; cat")
    assert box.stdout and box.stdout.readline() == b"up\n"
    box.kill()
    box.communicate(timeout=10)


def test_namespace_root_is_the_limited_cgroup(limited: Runtime) -> None:
    report = limited.report("--pids", "50")
    assert all(line.split(":", 2)[2] == "/" for line in report.all("cgroup"))


def test_refused_limit_runs_nothing(any_caller: Runtime) -> None:
    shared = any_caller.directory("shared", 0o777)
    if controllers() >= set(OPTIONS) and any_caller.caller.is_root:
        pytest.skip("this host can keep the limits")
    result = any_caller.run("--memory", "32M", "--bind", f"{shared}:/mnt", "--", "touch", "/mnt/x")
    assert result.status == 125 and os.listdir(shared) == []
