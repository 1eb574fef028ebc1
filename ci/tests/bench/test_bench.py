# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark's own tools: what they count, and what they say when something is wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[3] / "bench"
sys.path.insert(0, str(HERE))

import bench  # noqa: E402
import contest  # noqa: E402

TOOLS = Path(os.environ.get("BULKHEAD_BUILD", HERE.parent / "build")) / "bench"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="no-priv: the floor makes namespaces")


def run(*argv: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          timeout=60, check=False, **options)


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    """A root with a static shell and an empty /proc."""
    busybox = shutil.which("busybox")
    assert busybox, "busybox is missing (ci/deps)"
    (tmp_path / "proc").mkdir()
    shutil.copy(busybox, tmp_path / "busybox")
    return tmp_path


@pytest.mark.parametrize("together", [1, 3])
def test_turns_gives_each_command_all_its_rounds(tmp_path: Path, together: int) -> None:
    logs = [tmp_path / "a", tmp_path / "b"]
    first, second = (["sh", "-c", f"echo x >> {log}"] for log in logs)
    done = run(TOOLS / "turns", 10, together, 0, *first, ";;", *second)
    assert (done.returncode, done.stderr) == (0, "")
    times = json.loads(done.stdout)
    assert [len(own) for own in times] == [10, 10]
    assert all(time > 0 for own in times for time in own)
    for log in logs:  # ten rounds and two to warm up
        assert log.read_text() == "x\n" * 12 * together


def test_turns_waits_for_the_slowest_copy() -> None:
    done = run(TOOLS / "turns", 1, 2, 0, "sleep", "0.2")
    assert json.loads(done.stdout)[0][0] >= 200_000


def test_turns_rests_before_each_turn() -> None:
    start = time.monotonic()
    done = run(TOOLS / "turns", 2, 1, 50, "true", ";;", "true")
    rests = 0.05 * 2 * 3  # two commands, two rounds and one to warm up
    counted = sum(sum(own) for own in json.loads(done.stdout)) / 1e6
    assert counted + rests <= time.monotonic() - start


@pytest.mark.parametrize("argv", [[], ["1", "1", "0"], ["0", "1", "0", "true"],
                                  ["1", "0", "0", "true"], ["x", "1", "0", "true"],
                                  ["-1", "1", "0", "true"], ["1", "1", "-1", "true"],
                                  ["1", "1", "1000", "true"]])
def test_turns_says_how_it_is_used(argv: list[str]) -> None:
    done = run(TOOLS / "turns", *argv)
    assert done.returncode == 1 and done.stderr.startswith("usage: turns ")


@pytest.mark.parametrize("command, said", [
    (["false"], "status 1"),
    (["sh", "-c", "kill -KILL $$"], "signal 9"),
    (["/no/such"], 'cannot start "/no/such": No such file or directory'),
    (["true", ";;"], "a command is empty"),
])
def test_turns_stops_at_the_first_failure(command: list[str], said: str) -> None:
    done = run(TOOLS / "turns", 1, 1, 0, "true", ";;", *command)
    assert done.returncode == 1 and done.stdout == "" and said in done.stderr


@needs_root
def test_floor_makes_a_container(rootfs: Path) -> None:
    script = ("echo $$; ./busybox wc -l < /proc/self/mountinfo; ./busybox ls /;"
              "./busybox readlink /proc/self/ns/net; exit 7")
    shell = [rootfs, "/busybox", "sh", "-c", script]
    done = run(TOOLS / "floor", "mnt,pid,uts,ipc,net,cgroup", *shell)
    assert done.returncode == 7
    pid, mounts, *names, net = done.stdout.split()
    assert (pid, mounts, names) == ("1", "2", ["busybox", "proc"])
    assert net != os.readlink("/proc/self/ns/net")
    assert run(TOOLS / "floor", "mnt,pid", *shell).stdout.split()[-1] == \
        os.readlink("/proc/self/ns/net")
    assert str(rootfs) not in Path("/proc/self/mountinfo").read_text()


def walls(*argv: object) -> str:
    """What is mounted where, read-only or not, and what the process may do, by ARGV's shell."""
    script = ("while read -r _ _ _ _ at flags _; do echo $at ${flags%%,*}; done"
              "< /proc/self/mountinfo | ./busybox sort; ./busybox ls -l /dev | ./busybox sort;"
              "./busybox grep -E 'Cap|NoNewPrivs|Seccomp' /proc/self/status")
    done = run(*argv, "/busybox", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    return re.sub(r"[A-Z][a-z]{2} +[0-9]+ [0-9:]+", "DATE", done.stdout)


@needs_root
@pytest.mark.parametrize("namespaces, shared", [("mnt,pid,uts,ipc,net,cgroup", []),
                                                ("mnt,pid,uts", ["--share", "net,ipc,cgroup"])])
def test_the_hardened_floor_is_as_hard_as_bulkhead(rootfs: Path, namespaces: str,
                                                   shared: list[str]) -> None:
    """Else it would not tell what the same isolation costs without checks."""
    for name in ("dev", "sys"):
        (rootfs / name).mkdir()
    floor = walls(TOOLS / "floor", "--hardened", namespaces, rootfs)
    assert floor == walls(TOOLS.parent / "bulkhead", "run", *shared, "--rootfs", rootfs)
    assert "/proc/sys ro" in floor and "Seccomp:\t2" in floor


@needs_root
def test_floor_knows_its_namespaces(rootfs: Path) -> None:
    done = run(TOOLS / "floor", "mnt,net2", rootfs, "/busybox", "true")
    assert (done.returncode, done.stderr) == (125, 'floor: no such namespace "net2"\n')


@needs_root
def test_floor_names_what_failed() -> None:
    done = run(TOOLS / "floor", "mnt,pid", "/no/such", "/true")
    assert done.returncode == 125
    assert done.stderr == "floor: cannot bind the rootfs: No such file or directory\n"


def test_hold_stays_until_its_input_ends() -> None:
    with subprocess.Popen([TOOLS / "hold"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == b"ready\n"
        memory = bench.memory_of(process.pid)
        assert 0 < memory["private"] <= memory["pss"] < 1 << 20
        assert process.poll() is None
        process.stdin.close()
    assert process.returncode == 0


def test_ratios_are_paired_by_round() -> None:
    times = {"ours": [10.0, 400.0, 30.0], "floor": [5.0, 100.0, 10.0]}
    assert bench.paired(times, "ours", "floor") == 3.0
    assert bench.paired(times, "ours", "absent") is None


def test_goals_are_judged_on_their_own_side() -> None:
    result = {
        "start": [{"name": "bulkhead", "to_floor": 1.36, "to_bulkhead": None},
                  {"name": "bwrap", "to_floor": 4.0, "to_bulkhead": 3.5}],
        "start_rested": [{"name": "bulkhead", "to_floor": 1.34, "to_bulkhead": None}],
        "memory": [{"name": "bulkhead", "pss": 100 * 1024}],
        "together": [],
        "stripped_bytes": None,
    }
    met = {row["goal"]: row["met"] for row in bench.goal_rows(result)}
    assert met["start, default isolation, x floor"] is False
    assert met["the same, rested, x floor"] is True
    assert met["bwrap, x ours"] is True
    assert met["supervisor's PSS, KiB"] is True
    assert met["crun, x ours"] is None and met["stripped binary, KiB"] is None


def test_who_cannot_take_part_is_told_why(tmp_path: Path) -> None:
    ground = contest.Ground(tmp_path / "ground", TOOLS.parent)
    no_tool = contest.Peer("peer", "no-such-runtime", ["run"])
    no_build = contest.Peer("ours", "/no/such/bulkhead", ["run"])
    fails = contest.Peer("fails", "sh", ["-c", "echo first >&2; echo why >&2; exit 3"])
    second = contest.Peer("second", "env", ["sh", "-c", 'test "$X" = 1'], more=[[], ["X=1"]])
    assert contest.trouble(no_tool, ground) == "not installed (ci/deps --bench)"
    assert contest.trouble(no_build, ground) == "not built"
    assert contest.trouble(fails, ground) == "status 3: why"
    assert contest.trouble(second, ground) == "" and second.more == [["X=1"]]


@pytest.mark.parametrize("argv, status, said", [
    (["--rounds", "0"], 2, "above 0"),
    (["--rounds", "many"], 2, "invalid int"),
    (["--build", "/no/such"], 1, "/no/such/bench/noop"),
])
def test_bad_input_is_told(argv: list[str], status: int, said: str) -> None:
    done = run(sys.executable, HERE / "bench.py", *argv)
    assert done.returncode == status and said in done.stderr
    assert "Traceback" not in done.stderr


@needs_root
def test_the_whole_benchmark_runs_and_leaves_nothing(tmp_path: Path) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    done = run(sys.executable, HERE / "bench.py", "--build", TOOLS.parent, "--rounds", "2",
               "--copies", "2", "--json", tmp_path / "out.json", "--bulkhead", "/no/such",
               env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["absent"]["bulkhead"] == "not built"
    assert [row["name"] for row in result["start"]][:2] == ["spawn alone", "floor uts,pid,mnt"]
    assert len(result["samples_us"]["spawn alone"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    assert Path("/proc/self/mountinfo").read_text() == before
