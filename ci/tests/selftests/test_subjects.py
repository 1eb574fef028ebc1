# SPDX-License-Identifier: GPL-2.0-or-later
"""The adapters keep their contract; and the harness believes none that does not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]
BUILD = Path(os.environ.get("BULKHEAD_BUILD", TOP / "build"))
SUBJECTS = TOP / "selftests/subjects"
ROOTFS = BUILD / "subjects/rootfs"
SELFCHECK = BUILD / "selfcheck/gcc/selfcheck"
NAMES = sorted(path.name for path in SUBJECTS.iterdir() if os.access(path, os.X_OK))
SHELLS = [shell for shell in (["dash"], ["bash"], ["busybox", "ash"]) if shutil.which(shell[0])]
CGROUPS = next((path for path in (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
                if (path / "cgroup.procs").exists()), None)
ONE = ["--run", "selfcheck.blocks_alternate"]


def run(*command: str | Path, **keywords: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=60, check=False, **keywords)  # type: ignore


def describe(name: str) -> dict[str, str]:
    done = run(SUBJECTS / name, "describe")
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.fixture(params=NAMES)
def subject(request: pytest.FixtureRequest) -> str:
    """A subject that is there; one that is not says why."""
    about = describe(request.param)
    if about["available"] != "yes":
        assert about["reason"]
        pytest.skip(about["reason"])
    return str(request.param)


@pytest.mark.parametrize("name", NAMES)
def test_describe(name: str) -> None:
    about = describe(name)
    assert set(about) == {"name", "version", "available", "reason", "provides"}
    assert about["name"] == name and about["available"] in ("yes", "no")
    assert "uts" in about["provides"].split()


@pytest.mark.parametrize("name", NAMES)
def test_a_user_without_user_namespaces_is_told(name: str) -> None:
    """A machine that gives a normal user none: the reason, and no attempt that must fail."""
    adapter = SUBJECTS / name
    done = run("unshare", "--user", "--keep-caps", "sh", "-c",
               f"echo 0 >/proc/sys/user/max_user_namespaces && id -u && exec {adapter} describe")
    assert done.stdout.startswith("65534\n"), done.stderr
    about = dict(line.split("=", 1) for line in done.stdout.splitlines()[1:])
    assert about["available"] == "no"
    usual = describe(name)
    if usual["available"] == "no":  # what keeps root from it keeps a user, too
        assert about["reason"] == usual["reason"]
    else:
        assert about["reason"].endswith(("root only", "both cgroup versions",
                                         "/proc/sys/user/max_user_namespaces is 0"))


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@pytest.mark.parametrize("name", NAMES)
def test_every_shell_reads_it(name: str, shell: list[str]) -> None:
    assert run(*shell, SUBJECTS / name, "describe").stdout == run(SUBJECTS / name,
                                                                  "describe").stdout


def test_command_runs_with_stdio_arguments_and_status(subject: str) -> None:
    done = run(SUBJECTS / subject, "run", "--rootfs", ROOTFS, "--env", "COLOUR=deep  blue", "--",
               "/bin/sh", "-c", 'echo "<$1> <$COLOUR>"; echo told >&2; exit 7', "sh", 'a "b" \\c')
    assert done.stdout == '<a "b" \\c> <deep  blue>\n' and "told\n" in done.stderr
    assert done.returncode == (1 if subject == "naive" else 7)


def test_what_it_lacks_ends_before_anything_runs(subject: str) -> None:
    words = describe(subject)["provides"].split()
    for option in ("memory", "pids", "cpus", "tmpfs", "read-only"):
        if option in words:
            continue
        value = [] if option == "read-only" else ["/tmp" if option == "tmpfs" else "1"]
        done = run(SUBJECTS / subject, "run", "--rootfs", ROOTFS, f"--{option}", *value, "--",
                   "/bin/sh", "-c", "echo ran")
        assert done.returncode == 95 and "ran" not in done.stdout, option
    if "exec" not in words:
        assert run(SUBJECTS / subject, "exec", "--id", "x", "--", "/bin/true").returncode == 95


@pytest.mark.skipif(not shutil.which("busybox"), reason="busybox is not installed")
def test_unshare_claims_no_user_with_the_chroot_of_busybox(tmp_path: Path) -> None:
    (tmp_path / "chroot").symlink_to(shutil.which("busybox") or "")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    about = run(SUBJECTS / "unshare", "describe", env=environment).stdout
    assert "available=yes" in about and "run-as" not in about
    assert run(SUBJECTS / "unshare", "run", "--rootfs", ROOTFS, "--user", "5", "--", "/bin/true",
               env=environment).returncode == 95


@pytest.mark.parametrize("arguments", [
    ["run"], ["run", "--rootfs"], ["exec", "--id", "x"],
    ["run", "--no-such-option", "x", "--", "/bin/true"], [], ["no-such-verb"],
])
def test_bad_usage_is_told(arguments: list[str]) -> None:
    for name in NAMES:
        done = run(SUBJECTS / name, *arguments)
        assert done.returncode in (64, 125) and done.stderr, name


def test_a_root_that_is_not_there_is_an_error(subject: str) -> None:
    done = run(SUBJECTS / subject, "run", "--rootfs", "/nonexistent", "--", "/bin/true")
    assert done.returncode not in (0, 95) and done.stderr


def test_bundle_is_gone_after_the_run(subject: str, tmp_path: Path) -> None:
    run(SUBJECTS / subject, "run", "--rootfs", ROOTFS, "--", "/bin/true",
        env={**os.environ, "TMPDIR": str(tmp_path)})
    assert not list(tmp_path.iterdir())


FAKE = """#!/bin/sh
if [ "$1" = describe ]; then
	printf 'name=fake\\nversion=1\\navailable={available}\\nreason=it is fake\\n'
	echo 'provides={provides}'
	exit 0
fi
{action}
"""


def through(tmp_path: Path, action: str, provides: str = "uts", available: str = "yes",
            caller: tuple[str, ...] = (), test: tuple[str | Path, ...] = (SELFCHECK, *ONE)) \
        -> subprocess.CompletedProcess[str]:
    """One test through a subject that does this."""
    fake = tmp_path / "fake"
    fake.write_text(FAKE.format(action=action, provides=provides, available=available))
    fake.chmod(0o755)
    (tmp_path / "root").mkdir(exist_ok=True)
    return run(*caller, *test, "--timeout", "2", "--subject", fake, "--rootfs", tmp_path / "root")


@pytest.mark.parametrize("action, told", [
    ("exit 95", "ok 1 selfcheck.blocks_alternate # SKIP subject-lacks:option-asked-for"),
    ("exit 0", "the container did not start: exit status 0"),
    ("exit 3", "the container did not start: exit status 3"),
    ("echo its own words >&2; exit 125", "# its own words"),
    ("kill -9 $$", "the container did not start: signal 9"),
    ("exec sleep 60", "# TIMEOUT 2 s"),
    ("trap '' TERM; while :; do sleep 1; done", "# TIMEOUT 2 s"),
    ("cat >/dev/null & exit 0", "the container did not start: exit status 0"),
    ('while [ "$1" != -- ]; do shift; done; shift; shift; '
     f'{SELFCHECK} "$@"; exit 9', "inside ended early with exit status 9"),
])
def test_a_bad_subject_is_seen(tmp_path: Path, action: str, told: str) -> None:
    done = through(tmp_path, action)
    assert told in done.stdout, done.stdout + done.stderr
    assert done.returncode == (4 if "SKIP" in told else 1)


def test_a_subject_that_does_nothing_at_all_passes_only_where_it_may(tmp_path: Path) -> None:
    """The command in no container: the sides meet, and the test that needs no wall passes."""
    done = through(tmp_path, 'while [ "$1" != -- ]; do shift; done; shift; shift; '
                             f'exec {SELFCHECK} "$@"')
    assert done.returncode == 0, done.stdout


def test_where_nothing_starts_nothing_is_refused(tmp_path: Path) -> None:
    """A container that does not start says nothing of what was asked for, then."""
    name = "uts.a_shared_namespace_is_not_renamed"
    done = through(tmp_path, "exit 1", provides="uts hostname share",
                   test=(BUILD / "selftests/uts", "--run", name))
    assert "no container starts, whatever is asked for" in done.stdout, done.stdout
    assert f"not ok 1 {name} # ERROR broken" in done.stdout


def test_namespace_not_provided_is_a_skip(tmp_path: Path) -> None:
    done = through(tmp_path, "exit 1", provides="pid utsx xuts")
    assert done.returncode == 4 and "# SKIP subject-lacks:uts" in done.stdout


def test_subject_that_is_not_there_skips_all(tmp_path: Path) -> None:
    done = through(tmp_path, "exit 1", available="no")
    assert done.returncode == 4
    assert done.stdout == ("KTAP version 1\n1..1\n# subject fake 1\n"
                           f"ok 1 {ONE[1]} # SKIP subject-absent (it is fake)\n"
                           "# Totals: pass:0 fail:0 xfail:0 xpass:0 skip:1 error:0\n")


def test_subject_that_is_not_there_is_told_by_the_table(tmp_path: Path) -> None:
    """Neither a failure nor a pass: its column is skipped, with the reason below."""
    done = run(TOP / "selftests/run.py", SELFCHECK, *ONE, "--subject", "bulkhead", "--rootfs",
               tmp_path, env={**os.environ, "BULKHEAD": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    assert "bulkhead: not judged: /nonexistent is not executable\n" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="naive works for root only")
def test_what_is_not_provided_stands_apart_in_the_table() -> None:
    name = "uts.domainname_is_set_as_asked"
    done = run(TOP / "selftests/run.py", BUILD / "selftests/uts", "--run", name, "--subject",
               "naive", "--rootfs", ROOTFS)
    rows = {line[:len(name)].strip(): line[len(name):].split() for line in done.stdout.split("\n")}
    assert rows[name] == ["lacks"]
    assert (rows["skipped"], rows["not provided"]) == (["0"], ["1"])


@pytest.mark.skipif(os.geteuid() != 0 or not CGROUPS, reason="needs root and cgroup v2")
@pytest.mark.parametrize("caller", [
    pytest.param((), id="root"),
    pytest.param(("unshare", "--map-root-user"), id="root of a user namespace"),
])
def test_a_container_leaves_its_cgroup(tmp_path: Path, caller: tuple[str, ...]) -> None:
    """Known by the kernel's count or, where that needs more power, by who was in it."""
    name = f"selftest-{os.getpid()}"
    done = through(tmp_path, f"mkdir {CGROUPS}/{name} && echo $$ >{CGROUPS}/{name}/cgroup.procs\n"
                   'while [ "$1" != -- ]; do shift; done; shift; shift; '
                   f'exec {SELFCHECK} "$@"', caller=caller)
    assert f"not ok 1 {ONE[1]} # ERROR leak cgroup {CGROUPS}/{name}\n" in done.stdout
    assert not (CGROUPS / name).exists()  # type: ignore[operator]


def test_mount_point_does_not_stay(tmp_path: Path) -> None:
    through(tmp_path, "exit 0")
    assert not list((tmp_path / "root").iterdir())
