# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots: made once, never trusted blindly, and no two guests restored from one are alike."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest

from launcher import cpio, snapshot

from .conftest import ARCH, TREE, Finished, Launcher, our_guests


def counts(done: Finished) -> "tuple[int, int]":
    """How often guests were booted and restored; an emulator loses a boot now and then."""
    assert done.report, done.err
    run = done.report["runs"][0]
    lost = sum(text.startswith("boot ") for text in run["infra"])
    return run["boots"] - lost, run["restores"]


def snapshots(launch: Launcher) -> List[Path]:
    return list((launch.cache / "bulkhead/snapshots").iterdir())


def test_life_of_a_snapshot(own: Launcher) -> None:
    assert counts(own(tests="passes"))[0] == 1
    assert counts(own(tests="passes")) == (0, 1)
    folder, = snapshots(own)
    used = sum(os.stat(file).st_blocks * 512 for file in folder.iterdir())
    assert used <= 60_000_000, "on the disk"

    with open(folder / "ram", "r+b") as file:
        file.seek(33 << 20)
        file.write(b"corrupted")
    done = own(tests="passes")
    assert (done.status, counts(done)) == (0, (1, 0)), "rebuilt after it was damaged"
    assert counts(own(tests="passes")) == (0, 1)
    assert [path.name for path in snapshots(own)] == [folder.name], "nothing half made is left"


def overwrite(file: Path) -> None:
    with open(file, "r+b") as out:
        out.seek(20)
        out.write(b"corrupted")


@pytest.mark.parametrize("damage", [overwrite, Path.unlink, lambda file: os.truncate(file, 100)],
                         ids=["overwritten", "gone", "cut"])
@pytest.mark.parametrize("name", snapshot.FILES)
def test_a_damaged_snapshot_is_not_found(launch: Launcher, tmp_path: Path, damage: Any, name: str,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    launch(tests="passes")
    source = max(snapshots(launch), key=lambda path: path.stat().st_mtime)
    copy = tmp_path / "copy/bulkhead/snapshots" / source.name
    copy.mkdir(parents=True)
    subprocess.run(["cp", "--sparse=always", *source.iterdir(), copy], check=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "copy"))
    assert snapshot.find(source.name), "a sound copy"
    damage(copy / name)
    assert snapshot.find(source.name) is None


def images_of(launch: Launcher, tmp_path: Path, *names: str) -> None:
    """As many images as NAMES, each of another machine."""
    source = launch.image / ARCH / "6.12"
    for name in names:
        folder = tmp_path / "several" / name
        folder.mkdir(parents=True)
        (folder / "kernel").symlink_to(source / "kernel")
        (folder / "initrd.img").write_bytes((source / "initrd.img").read_bytes() + bytes(512))
        manifest = json.loads((source / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**manifest, "kernel": {"name": name}}))
        with open(folder / "initrd.img", "ab") as file:
            file.write(cpio.archive([(str(folder / "manifest.json"), "/mine.json")]))
    launch.image = tmp_path / "several"


def memories_of(pid: int) -> int:
    """How many memories of guests a launcher holds."""
    count = 0
    for path in Path(f"/proc/{pid}/fd").glob("*"):
        with contextlib.suppress(OSError):
            count += "memfd:guest" in os.readlink(path)
    return count


def test_many_machines_are_not_all_in_memory(own: Launcher, tmp_path: Path) -> None:
    names = ["a1", "a2", "a3", "a4"]
    images_of(own, tmp_path, *names)
    command = [*own.argv("--json", str(tmp_path / "r.json"), "--jobs", "1", tests="passes fails"),
               *[word for name in names for word in ("--kernel", name)]]
    most = 0
    with subprocess.Popen(command, env=own.environment, stdout=subprocess.PIPE,
                          encoding="utf-8") as run:
        assert run.stdout
        for _ in run.stdout:
            most = max(most, memories_of(run.pid))
    assert run.returncode == 1
    assert 1 <= most <= 2
    for mine in json.loads((tmp_path / "r.json").read_text())["runs"]:
        assert (mine["boots"] - len(mine["infra"]), len(mine["tests"])) == (1, 2)


def test_two_runs_side_by_side(own: Launcher) -> None:
    command = own.argv(tests="passes leaves_a_mark passes_again")
    runs = [subprocess.Popen(command, env=own.environment, stdout=subprocess.PIPE,
                             encoding="utf-8") for _ in range(2)]
    texts = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], texts
    assert len(snapshots(own)) == 1


def test_full_disk(own: Launcher, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("no-priv: only root can mount a small tmpfs here")
    own.cache.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", own.cache], check=True)
    try:
        done = own("--isolate", "test", tests="leaves_a_mark finds_no_mark passes")
    finally:
        subprocess.run(["umount", own.cache], check=True)
    assert done.status == 0, done.err
    assert "cannot keep a snapshot: No space left on device" in done.out
    assert counts(done)[0] == 1, "this run's guests need no disk"


def test_a_first_run_that_is_ended_leaves_nothing_half_made(own: Launcher) -> None:
    command = own.argv("--isolate", "test", tests="passes sleeps")
    with subprocess.Popen(command, env=own.environment, stdout=subprocess.PIPE,
                          encoding="utf-8") as run:
        assert run.stdout
        assert any("demo.passes" in line for line in run.stdout)
        run.terminate()
    assert run.returncode == 130
    assert not our_guests()
    assert not (own.cache / "bulkhead/refused").exists(), "nothing was refused"
    assert all(snapshot_is_whole(path) for path in snapshots(own))
    assert counts(own(tests="passes"))[0] <= 1


def snapshot_is_whole(folder: Path) -> bool:
    return sorted(path.name for path in folder.iterdir()) == \
        sorted([*snapshot.FILES, "checked.json"])


def test_a_cache_that_cannot_be_written(image: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    done = Launcher(image, tmp_path / "cache", tmp_path)(tests="passes")
    assert done.status == 0, done.err
    assert "warning: cannot keep a snapshot: Not a directory" in done.out


REFUSING = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from launcher import main, snapshot
snapshot.CAPABILITIES["capabilities"][0]["capability"] = "x-no-such-thing"
sys.exit(main.main(sys.argv[1:]))
"""


def test_a_qemu_that_cannot_save_is_asked_once(own: Launcher) -> None:
    def boots() -> int:
        options = own.argv("--json", str(own.scratch / "r.json"), tests="passes")[1:]
        done = subprocess.run([sys.executable, "-c", REFUSING, TREE / "vm", *options], check=True,
                              env=own.environment, capture_output=True, encoding="utf-8")
        assert "cannot keep a snapshot: QEMU refused migrate-set-capabilities" in done.stdout
        run = json.loads((own.scratch / "r.json").read_text())["runs"][0]
        return int(run["boots"]) - len(run["infra"])  # an emulator loses one now and then
    assert (boots(), boots()) == (2, 1)


def facts(done: Finished) -> Dict[str, str]:
    lines = done.tests()["demo.tells_entropy"]["diagnostics"]
    return dict(line[2:].split() for line in lines)


def test_restored_guests_differ_and_know_the_time(launch: Launcher) -> None:
    launch(tests="passes")
    first = facts(launch(tests="tells_entropy"))
    start = int(time.time())
    second = facts(launch(tests="tells_entropy"))
    assert first["entropy"] != second["entropy"]
    assert start <= int(second["clock"]) <= time.time()


def test_each_test_gets_a_pristine_guest(launch: Launcher) -> None:
    together = launch("--isolate", "none", tests="leaves_a_mark finds_no_mark")
    assert together.statuses() == {"leaves_a_mark": "pass", "finds_no_mark": "fail"}
    apart = launch("--isolate", "test", "--jobs", "2", tests="leaves_a_mark finds_no_mark")
    assert apart.status == 0
    assert apart.statuses() == {"leaves_a_mark": "pass", "finds_no_mark": "pass"}
    assert counts(apart)[1] >= 2


def test_cold_boots_give_the_same_results(launch: Launcher) -> None:
    done = launch("--no-snapshot")
    assert done.status == 1
    assert counts(done) == (1, 0)
    assert done.statuses() == launch().statuses()


AHEAD = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
from launcher import hosts, main, runner
hosts.cpu_count = lambda: 2
old_session = runner.Runner._session
def session(self, job, *words):
    print("# ahead", int(bool(job.supplier._ahead)), flush=True)
    if job.supplier._ahead:
        job.supplier._ahead.join()
        if "HURT" in os.environ:
            job.supplier._early.qemu.process.kill()
            job.supplier._early.qemu.process.wait()
    return old_session(self, job, *words)
runner.Runner._session = session
sys.exit(main.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("jobs, ahead", [("1", [1, 1, 0]), ("2", [0, 0, 0])])
def test_the_next_guest_is_restored_while_a_processor_is_idle(
        launch: Launcher, jobs: str, ahead: List[int]) -> None:
    launch(tests="passes")
    said, run = run_ahead(launch, jobs)
    assert said == ahead
    assert (run["restores"], run["infra"]) == (3, [])


def run_ahead(launch: Launcher, jobs: str, **environment: str) -> "tuple[List[int], Any]":
    """Whether another guest was expected when each of three tests began, and the run's report."""
    options = launch.argv("--isolate", "test", "--jobs", jobs,
                          "--json", str(launch.scratch / "r.json"),
                          tests="passes leaves_a_mark finds_no_mark")
    done = subprocess.run([sys.executable, "-c", AHEAD, TREE / "vm", *options[1:]], check=False,
                          env={**launch.environment, **environment}, capture_output=True,
                          encoding="utf-8")
    assert done.returncode == 0, done.stderr
    said = [int(line.split()[2]) for line in done.stdout.split("\n") if "# ahead" in line]
    return said, json.loads((launch.scratch / "r.json").read_text())["runs"][0]


def test_a_guest_that_dies_before_it_is_needed_is_replaced(launch: Launcher) -> None:
    launch(tests="passes")
    _, run = run_ahead(launch, "1", HURT="1")
    assert [text.split(":")[0] for text in run["infra"]] == \
        ["a guest died before it could do anything"] * 2
