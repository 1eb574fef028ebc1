# SPDX-License-Identifier: GPL-2.0-or-later
"""The runner's command line, seen from outside: output, exit status, selection, skips."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import ktap  # noqa: E402

BUILD = Path(os.environ.get("BULKHEAD_BUILD", Path(__file__).parents[3] / "build"))
SELFCHECK = BUILD / "selfcheck/gcc/selfcheck"
HARNESS = Path(__file__).resolve().parents[3] / "selftests/harness"
GOOD = ["--run", "selfcheck.good_rows_pass", "--run", "selfcheck.true_claims_pass"]
SKIPS = "selfcheck.absent_need_skips"


def run(*arguments: str, program: Path = SELFCHECK) -> subprocess.CompletedProcess[str]:
    assert program.is_file(), f"{program} is not built: run the tests by make selftest-check"
    return subprocess.run([str(program), *arguments], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=60, check=False)


def names(text: str) -> list[str]:
    return [test.name for test in ktap.read(text)]


def test_golden_output_is_ktap() -> None:
    for golden in sorted(Path(__file__).parents[3].glob("selftests/harness/selfcheck/golden.*")):
        assert len(ktap.read(golden.read_text())) > 10


def test_passing_run() -> None:
    done = run(*GOOD)
    tests = ktap.read(done.stdout)
    assert done.returncode == 0
    assert [(test.name, test.ok) for test in tests] == [
        ("selfcheck.true_claims_pass", True), ("selfcheck.good_rows_pass", True)]
    assert [row.name for row in tests[1].subtests] == ["one", "two", "three"]


@pytest.mark.skipif(not shutil.which("prove"), reason="no prove")
@pytest.mark.parametrize("arguments, status", [(GOOD, 0), (["--run", "*false_claims*"], 1)])
def test_prove_agrees(arguments: list[str], status: int) -> None:
    done = subprocess.run(["prove", "--exec", "", str(SELFCHECK), "::", *arguments], text=True,
                          capture_output=True, timeout=60, check=False)
    assert bool(done.returncode) == bool(status), done.stdout + done.stderr


@pytest.mark.parametrize("arguments, status", [
    (["--run", "selfcheck.one_bad_row_fails_the_test"], 1),
    (["--run", SKIPS], 4),
    (["--run", "no.such.test"], 1),
    (["--no-such-option"], 64),
    (["--timeout", "0"], 64),
    (["--timeout", "1x"], 64),
    (["--repeat", "-1"], 64),
    (["--rootfs", "/nonexistent"], 64),
    (["--subject", "/bin/true"], 64),
    (["--expect-skips", "/nonexistent"], 64),
    (["argument"], 64),
    (["--help"], 0),
])
def test_exit_status(arguments: list[str], status: int) -> None:
    done = run(*arguments)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if status == 64:
        assert done.stderr.startswith(("selftest: ", "usage: ", str(SELFCHECK)))


def test_list_has_four_columns_and_runs_nothing() -> None:
    done = run("--list", "--run", "selfcheck.mount_left_behind", "--run", "selfcheck.blocks_al*")
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["selfcheck.mount_left_behind\tkernel\t\troot",
                                        "selfcheck.blocks_alternate\tboth\t\tadmin utsns"]


def test_order_is_by_file_and_line() -> None:
    order = names(run("--run", "*_row*", "--run", "*claims_*").stdout)
    assert order == ["selfcheck.true_claims_pass", "selfcheck.false_claims_fail",
                     "selfcheck.good_rows_pass", "selfcheck.one_bad_row_fails_the_test"]


def test_a_name_declared_twice_is_refused(tmp_path: Path) -> None:
    """Whatever stands between the two; both places are told."""
    source = tmp_path / "twice.c"
    source.write_text(f'#include "{HARNESS}/selftest.h"\n'
                      'TEST(demo, one, .says = "") {}\nTEST(demo, two, .says = "") {}\n'
                      '#define demo_one demo_again\n#define demo_one_run demo_again_run\n'
                      '#define demo_one_test demo_again_test\n'
                      '#define demo_one_entry demo_again_entry\n'
                      'TEST(demo, one, .says = "") {}\n')
    program = tmp_path / "twice"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-static", "-o", program, source,
                    *HARNESS.glob("*.c")], check=True)
    done = run("--list", program=program)
    assert (done.returncode, done.stdout) == (64, "")
    assert f'"demo.one": declared twice ({source}:2, {source}:8)' in done.stderr


def test_shuffle_is_told_and_repeatable() -> None:
    arguments = ["--run", "*_row*", "--run", "*claims_*"]
    orders = {seed: names(run(*arguments, f"--shuffle={seed}").stdout) for seed in "123456"}
    assert len({tuple(order) for order in orders.values()}) > 1
    assert len({tuple(sorted(order)) for order in orders.values()}) == 1
    again = run(*arguments, "--shuffle=3")
    assert names(again.stdout) == orders["3"] and "# shuffle seed 3\n" in again.stdout


def test_repeat_runs_as_often(tmp_path: Path) -> None:
    done = run("--run", "selfcheck.true_claims_pass", "--repeat", "40", "--verbose")
    assert done.returncode == 0 and len(ktap.read(done.stdout)) == 1


def test_a_skip_that_must_run_fails() -> None:
    done = run("--run", SKIPS, "--must-run", "selfcheck.abs*")
    assert done.returncode == 1 and "ERROR broken must not skip: no-syscall:never" in done.stdout


@pytest.mark.parametrize("expected, status", [
    (f"# a comment\n{SKIPS} no-syscall:*\n", 4),
    (f"{SKIPS}\n", 4),
    ("\n", 1),
    (f"{SKIPS} no-priv\n", 1),
    (f"{SKIPS}\nselfcheck.true*\n", 1),
])
def test_expected_skips(tmp_path: Path, expected: str, status: int) -> None:
    (tmp_path / "skips").write_text(expected)
    names_ = ["--run", SKIPS, *(GOOD if "true" in expected else [])]
    assert run(*names_, "--expect-skips", str(tmp_path / "skips")).returncode == status


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever is no root is promised no privilege")
def test_a_complete_kernel_has_no_excuse() -> None:
    """Root of a user namespace is not the machine's root, but looks like it to the caller."""
    needy = ["--run", "selfcheck.mount_left_behind", "--run", SKIPS]
    inside = ["unshare", "--user", "--map-root-user", str(SELFCHECK), *needy]
    assert "# SKIP no-priv (root" in subprocess.run(inside, text=True, capture_output=True,
                                                    timeout=60, check=False).stdout
    done = subprocess.run([*inside, "--complete"], text=True, capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 1 and "not ok 2 selfcheck.mount_left_behind # FAIL should be " \
        "there: no-priv (root" in done.stdout
    assert f"{SKIPS} # SKIP no-syscall:never" in done.stdout, "no version has it: no promise"


def test_results_appear_while_the_run_goes_on() -> None:
    with subprocess.Popen([str(SELFCHECK), "--run", "*true_claims*", "--run", "*hang_of_the_host*",
                           "--timeout", "30"], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        lines = [program.stdout.readline() for _ in range(3)]
        assert lines[2] == "ok 1 selfcheck.true_claims_pass\n" and program.poll() is None
        program.terminate()


def group_of(leader: int) -> list[str]:
    """The living processes of a process group."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == leader and state not in "ZX":
            members.append(stat.parent.name)
    return members


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_runner_leaves_nothing(number: int, tmp_path: Path) -> None:
    with subprocess.Popen([str(SELFCHECK), "--run", "*ignoring_every*", "--run", "*true_claims*",
                           "--timeout", "30"], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "TMPDIR": str(tmp_path)},
                          start_new_session=True) as program:
        assert program.stdout
        while "true_claims" not in program.stdout.readline():
            pass
        program.send_signal(number)
        rest = program.stdout.read()
    deadline = time.monotonic() + 10
    while group_of(program.pid) and time.monotonic() < deadline:
        os.sched_yield()
    assert not group_of(program.pid)
    if number != signal.SIGKILL:
        assert f"Bail out! {signal.strsignal(number)}" in rest
        assert program.returncode == 128 + number
        assert not list(tmp_path.iterdir())


def test_a_runner_that_nobody_reads_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen([str(SELFCHECK), "--run", "*true_claims*", "--run", "*hang_of_the_host*",
                           "--timeout", "30"], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "TMPDIR": str(tmp_path)}) as program:
        assert program.stdout
        while "true_claims" not in program.stdout.readline():
            pass
        program.stdout.close()
        program.terminate()
        assert program.wait(timeout=60) == 128 + signal.SIGPIPE
    assert not list(tmp_path.iterdir())


CGROUPS = next((path for path in (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
                if (path / "cgroup.procs").exists()), None)
needs_cgroups = pytest.mark.skipif(os.geteuid() != 0 or not CGROUPS,
                                   reason="makes a cgroup: needs root and cgroup v2")


@needs_cgroups
@pytest.mark.parametrize("caller", [
    pytest.param([], id="root"),
    pytest.param(["setpriv", "--bounding-set=-all", "--inh-caps=-all"], id="powerless root"),
    pytest.param(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], id="user"),
])
def test_a_cgroup_of_another_program_is_not_charged(caller: list[str]) -> None:
    """It appears in the middle of a test, and stays, empty."""
    ours = CGROUPS / f"another-program-{os.getpid()}"  # type: ignore[operator]
    with tempfile.TemporaryDirectory(dir="/tmp") as public:
        os.chmod(public, 0o755)
        program = shutil.copy2(SELFCHECK, public)
        with subprocess.Popen([*caller, program, "--run", "selfcheck.input_ends_the_test"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as runner:
            assert runner.stdin and runner.stdout
            assert [runner.stdout.readline() for _ in range(2)] == ["KTAP version 1\n", "1..1\n"]
            ours.mkdir()
            runner.stdin.close()
            rest = runner.stdout.read()
    ours.rmdir()  # it was not taken away
    assert rest.startswith("ok 1 selfcheck.input_ends_the_test\n"), rest


HOSTILE = ("trap '' INT HUP TERM USR1 PIPE; umask 077; ulimit -S -c unlimited; exec 0<&- 2>&-; "
           "exec \"$@\"")


def test_who_starts_the_runner_decides_nothing() -> None:
    def block() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1})
    done = subprocess.run(["sh", "-c", HOSTILE, "sh", SELFCHECK, "--run",
                           "selfcheck.who_starts_the_program*", "--run",
                           "selfcheck.true_claims_pass"], preexec_fn=block, text=True,
                          stdout=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_nohup_is_obeyed() -> None:
    with subprocess.Popen(["nohup", str(SELFCHECK), "--run", "*hang_of_the_host*"], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as program:
        assert program.stdout
        assert program.stdout.readline() == "KTAP version 1\n"
        assert program.stdout.readline() == "1..1\n"
        program.send_signal(signal.SIGHUP)
        assert "TIMEOUT 1 s" in program.stdout.read()
    assert program.returncode == 1


@pytest.mark.parametrize("output", ["/dev/full", "&-"])
def test_results_that_cannot_be_written_are_a_failure(output: str) -> None:
    done = run("-c", f"exec \"$@\" >{output}", "sh", str(SELFCHECK), *GOOD, program=Path("/bin/sh"))
    assert done.returncode == 1
    assert done.stderr == "selftest: cannot write all results to stdout\n"


def test_scratch_is_not_where_leftovers_are_looked_for() -> None:
    done = subprocess.run([str(SELFCHECK), *GOOD], text=True, capture_output=True, check=False,
                          env={**os.environ, "TMPDIR": "/dev/shm"})
    assert done.returncode == 0, done.stdout
    assert not list(Path("/dev/shm").glob("selftest-*"))


def test_unknown_test_inside_is_refused() -> None:
    assert run("--inside", "x", "0").returncode == 2
