# SPDX-License-Identifier: GPL-2.0-or-later
"""The sabotage of runtimes: which calls are told apart, and what the tracer does to them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import sabotage

TOP = Path(__file__).parents[3]
UNSHARE = shutil.which("unshare") or "unshare"
NEWUTS = sabotage.CLONE_FLAGS["CLONE_NEWUTS"]


@pytest.mark.parametrize("one, other", [
    ('write(</proc/4711/uid_map>, "0 0 1 ", 6)', 'write(</proc/815/uid_map>, "0 0 1 ", 6)'),
    ('chdir("/tmp/selftest-U0xiGd/tmp.hcJVWREMWJ")',
     'chdir("/tmp/selftest-a1B2c3/tmp.Aa0Bb1Cc2D")'),
    ('mount("/b/selftests/x86_64/uts", "/mnt", NULL, 0x5000, NULL)',
     'mount("/b/selftests/x86_64/mnt", "/mnt", NULL, 0x5000, NULL)'),
])
def test_calls_that_differ_by_run_only_are_one(one: str, other: str) -> None:
    assert one != other and sabotage.pattern(one) == sabotage.pattern(other)


@pytest.mark.parametrize("one, other", [
    ('mount(NULL, "/", NULL, 0x44000, NULL)', 'mount(NULL, "/", NULL, 0x84000, NULL)'),
    ('mount("proc", "/proc", "proc", 0xe, NULL)', 'mount("proc", "/sys", "proc", 0xe, NULL)'),
    ("prctl(24, 0x2, 0x0)", "prctl(24, 0x3, 0x0)"),
])
def test_calls_that_do_something_else_are_two(one: str, other: str) -> None:
    assert sabotage.pattern(one) != sabotage.pattern(other)


def test_only_containers_whose_command_ran_are_learnt_from() -> None:
    log = ['1\tumount2("a", 0x2)', '2\tchdir("/")', '2\tchdir("/")', "2\tcommand",
           "3\tunshare(CLONE_NEWNS|CLONE_NEWUTS)", "3\tcommand"]
    told = [str(call) for call in sabotage.calls_of(log)]
    flags = "unshare(CLONE_NEWNS|CLONE_NEWUTS) without CLONE_NEW"
    assert told == ['chdir("/")', 'chdir("/") #2', f"{flags}NS", f"{flags}UTS"]


def test_a_faked_write_has_written_all() -> None:
    call = sabotage.calls_of(['1\twrite(</proc/9/x>, "0 0 1 ", 6)', "1\tcommand"])[0]
    assert call.options()[-2:] == ["--return", "6"]


@pytest.fixture(scope="module")
def saboteur(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracer, built as make builds it."""
    if os.geteuid() != 0:
        pytest.skip("the containers of these tests need root")
    build = tmp_path_factory.mktemp("build")
    subprocess.run(["make", "-s", f"BUILD={build}", str(build / "saboteur")], cwd=TOP, check=True,
                   stdout=subprocess.DEVNULL)
    return build / "saboteur"


def run(saboteur: Path, directory: Path, *options: str, command: str = "uname",
        script: str = 'hostname inside; exec "$0" -n') -> subprocess.CompletedProcess[str]:
    """A container of unshare(1) under the saboteur; its command is COMMAND by another name."""
    link = directory / "selftest"
    link.symlink_to(shutil.which(command) or command)
    return subprocess.run(
        [str(saboteur), "--runtime", os.path.realpath(UNSHARE), "--command", str(link),
         "--log", str(directory / "log"), *options, "--",
         UNSHARE, "--uts", "sh", "-c", script, str(link)],
        text=True, capture_output=True, check=False, timeout=60)


def test_the_runtimes_calls_are_told(saboteur: Path, tmp_path: Path) -> None:
    assert run(saboteur, tmp_path).stdout == "inside\n"
    log = (tmp_path / "log").read_text().splitlines()
    assert "1\tunshare(CLONE_NEWUTS)" in log and '1\tsethostname("inside", 6)' in log
    assert log[-1] == "1\tcommand"


def test_a_skipped_call_succeeds_and_does_nothing(saboteur: Path, tmp_path: Path) -> None:
    done = run(saboteur, tmp_path, "--call", "sethostname(*", "--nth", "1", "--return", "0")
    assert (done.stdout, done.stderr, done.returncode) == (os.uname().nodename + "\n", "", 0)


def test_another_result_is_seen_by_the_runtime(saboteur: Path, tmp_path: Path) -> None:
    done = run(saboteur, tmp_path, "--call", "sethostname(*", "--nth", "1", "--return", "-1")
    assert "hostname" in done.stderr and done.stdout == os.uname().nodename + "\n"


def test_only_the_nth_call_is_skipped(saboteur: Path, tmp_path: Path) -> None:
    done = run(saboteur, tmp_path, "--call", "sethostname(*", "--nth", "2", "--return", "0",
               script='hostname one; hostname two; exec "$0" -n')
    assert done.stdout == "one\n"


@pytest.mark.parametrize("flags, shared", [([], False), (["--clear", str(NEWUTS)], True)])
def test_a_namespace_is_left_out(saboteur: Path, tmp_path: Path, flags: list[str],
                                 shared: bool) -> None:
    options = ["--call", "unshare(*", "--nth", "1", *flags] if flags else []
    done = run(saboteur, tmp_path, *options, command="readlink",
               script='exec "$0" /proc/self/ns/uts')
    assert (done.stdout.strip() == os.readlink("/proc/self/ns/uts")) == shared


def test_the_programs_status_is_passed_on(saboteur: Path, tmp_path: Path) -> None:
    assert run(saboteur, tmp_path, script="exit 7").returncode == 7
