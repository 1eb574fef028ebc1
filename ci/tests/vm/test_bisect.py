# SPDX-License-Identifier: GPL-2.0-or-later
"""git bisect run over a history of kernel files, and what --bisect answers."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from .conftest import Launcher


def git(folder: Path, *words: str) -> str:
    """Runs git there, as nobody in particular."""
    return subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", "-C", folder, *words],
        check=True, capture_output=True, encoding="utf-8").stdout


def make_history(folder: Path, kernel: Path, kinds: str) -> "list[str]":
    """A commit each: g good, u a kernel that cannot be booted, b bad; `kind` decides how the test
    ends and stands in for the kernel's behaviour, the file is what is booted."""
    git(folder, "init", "-q")
    commits = []
    for number, kind in enumerate(kinds):
        data = kernel.read_bytes()
        (folder / "bzImage").write_bytes(data[:9000] if kind == "u" else data)
        (folder / "command").write_text("true" if kind == "g" else "echo c >/proc/sysrq-trigger; "
                                        "sleep 9" if kind == "b" else "true")
        (folder / "number").write_text(str(number))
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", f"{number}: {kind}")
        commits.append(git(folder, "rev-parse", "HEAD").strip())
    return commits


def test_git_bisect_run_finds_the_first_bad_kernel(launch: Launcher, kernel: Path,
                                                   tmp_path: Path) -> None:
    history = tmp_path / "history"
    history.mkdir()
    commits = make_history(history, kernel, "gggubbb")
    script = tmp_path / "step.sh"
    words = launch.argv("--bisect", "--kernel", "bzImage", tests="passes")
    script.write_text(f"#!/bin/sh\nexec {shlex.join(words)} --before \"$(cat command)\"\n")
    script.chmod(0o755)
    git(history, "bisect", "start", commits[-1], commits[0])
    done = subprocess.run(["git", "bisect", "run", script], cwd=history, capture_output=True,
                          env={**launch.environment, "HOME": str(tmp_path)}, encoding="utf-8",
                          check=False)
    said = done.stdout + done.stderr
    # Commit 3 cannot be judged, so git names it and the first bad one after it.
    suspects = re.findall(r"^([0-9a-f]{40})$", said, re.MULTILINE)
    assert set(suspects) == {commits[3], commits[4]}, said
    assert "only 'skip'ped commits left to test" in said


def test_git_bisect_run_without_skips(launch: Launcher, kernel: Path, tmp_path: Path) -> None:
    history = tmp_path / "history"
    history.mkdir()
    commits = make_history(history, kernel, "ggbb")
    script = tmp_path / "step.sh"
    words = launch.argv("--bisect", "--kernel", "bzImage", tests="passes")
    script.write_text(f"#!/bin/sh\nexec {shlex.join(words)} --before \"$(cat command)\"\n")
    script.chmod(0o755)
    git(history, "bisect", "start", commits[-1], commits[0])
    done = subprocess.run(["git", "bisect", "run", script], cwd=history, capture_output=True,
                          env={**launch.environment, "HOME": str(tmp_path)}, encoding="utf-8",
                          check=False)
    assert f"{commits[2]} is the first bad commit" in done.stdout, done.stdout + done.stderr


def test_answers(launch: Launcher) -> None:
    assert launch("--bisect", tests="passes").status == 0
    assert launch("--bisect", tests="fails").status == 1
    assert launch("--bisect", tests="panics").status == 1
    assert launch("--bisect", tests="skips").status == 125
    assert launch("--bisect", tests="lies").status == 125
