# SPDX-License-Identifier: GPL-2.0-or-later
"""The state that a command starts in: nothing of the caller's passes but the standard streams."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest

from containers import Runtime

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_TIMERSLACK = 29
PR_CAPBSET_DROP = 24
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2


def test_only_the_standard_streams_are_open(runtime: Runtime) -> None:
    descriptors = [os.open("/etc/passwd", os.O_RDONLY) for _ in range(3)]
    descriptors.append(os.open("/", os.O_RDONLY | os.O_DIRECTORY))
    high = os.dup2(descriptors[0], 200)
    try:
        report = runtime.report(pass_fds=[*descriptors, high])
    finally:
        for descriptor in [*descriptors, high]:
            os.close(descriptor)
    assert sorted(report.table("fd")) == ["0", "1", "2"]


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1], [0, 1, 2]])
def test_closed_standard_streams_are_no_way_out(any_caller: Runtime, closed: list[int]) -> None:
    """With 0, 1 or 2 closed the runtime's own descriptors must not take their place."""
    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)
    any_caller.work.chmod(0o777)
    out = any_caller.file("out", mode=0o666)
    script = "ls -l /proc/self/fd >/mnt/out 2>&1; exit 0"
    result = any_caller.sh(script, "--bind", f"{any_caller.work}:/mnt", preexec_fn=close)
    assert result.status in (0, 125), result
    if result.status == 0:
        for line in out.read_text().splitlines():
            if " -> " in line and line.split(" -> ")[0].split()[-1] in map(str, closed):
                assert "/dev/null" in line or "/mnt/out" in line or "/proc/" in line, line


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_PATH], ids=["open", "path"])
@pytest.mark.parametrize("verb, descriptor, name", [
    ("run", 0, "input"), ("run", 1, "output"), ("run", 2, "error"),
    ("child", 0, "input"), ("child", 1, "output")])
def test_a_directory_is_no_standard_stream(runtime: Runtime, verb: str, flags: int,
                                           descriptor: int, name: str) -> None:
    """CVE-2024-21626 class: /proc/self/fd/N/.. would lead to the host."""
    def give() -> None:
        os.dup2(os.open("/etc", flags), descriptor)
    argv = runtime.argv(verb, "--rootfs", runtime.rootfs, "--", "ls",
                        f"/proc/self/fd/{descriptor}/")
    result = runtime.execute(argv, preexec_fn=give)
    assert (result.status, result.out) == (125, "")
    if descriptor != 2:
        result.refused(f'"standard {name}"', "is a directory")


def test_signals_are_as_after_boot(runtime: Runtime) -> None:
    def ignore_and_block() -> None:
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGUSR1, signal.SIGHUP,
                       signal.SIGCHLD, signal.SIGRTMAX):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGALRM})
    status = runtime.report(preexec_fn=ignore_and_block).table("status")
    for word in ("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"):
        assert int(status[word], 16) == 0, word


def test_umask_is_022(runtime: Runtime) -> None:
    assert runtime.report(preexec_fn=lambda: os.umask(0o777) and None).one("umask") == "022"


def test_supplementary_groups_are_dropped(as_root: Runtime) -> None:
    status = as_root.report(extra_groups=[4, 20, 27, 4242]).table("status")
    assert status["Groups"].strip() in ("", "0")
    assert status["Uid"].split() == ["0"] * 4 and status["Gid"].split() == ["0"] * 4


def test_ids_are_those_of_root(runtime: Runtime) -> None:
    status = runtime.report().table("status")
    assert status["Uid"].split() == ["0"] * 4 and status["Gid"].split() == ["0"] * 4


def test_session_is_its_own(runtime: Runtime) -> None:
    report = runtime.report()
    assert (report.one("pid"), report.one("sid"), report.one("pgid")) == ("1", "1", "1")


def test_environment_is_made_anew(runtime: Runtime) -> None:
    caller = {"PATH": os.environ["PATH"], "SECRET": "x", "LD_PRELOAD": "", "HOME": "/home/caller",
              "TERM": "vt220", "LANG": "C", "BASH_ENV": "/x"}
    table = runtime.report(env=caller).table("env")
    assert sorted(table) == ["HOME", "HOSTNAME", "PATH", "TERM"]
    assert table["HOME"] == "/root" and table["TERM"] == "vt220"
    assert table["HOSTNAME"] == runtime.report().one("hostname")
    assert "/bin" in table["PATH"].split(":") and "/usr/sbin" in table["PATH"].split(":")


@pytest.mark.parametrize("length", [122, 123, 5000])
def test_term_arrives_whole(runtime: Runtime, length: int) -> None:
    term = "x" * length
    assert runtime.report(env={**os.environ, "TERM": term}).table("env")["TERM"] == term


def test_environment_that_is_asked_for_is_added(runtime: Runtime) -> None:
    options = ["--env", "A=1", "--env=B=x=y z", "--env", "EMPTY=", "--env", "PATH=/bin",
               "--env", "A=2"]
    table = runtime.report(*options).table("env")
    assert (table["A"], table["B"], table["EMPTY"], table["PATH"]) == ("2", "x=y z", "", "/bin")
    assert [v for v in runtime.report(*options).all("env") if v.startswith("A=")] == ["A=2"]


def raise_capabilities() -> None:
    """Makes every capability inheritable and ambient, as a careless service manager may."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    assert LIBC.capget(header, data) == 0
    data[2], data[5] = data[1], data[4]
    assert LIBC.capset(header, data) == 0
    for number in range(41):
        LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)


def test_no_inheritable_or_ambient_capabilities(as_root: Runtime) -> None:
    plain = as_root.report().table("status")
    raised = as_root.report(preexec_fn=raise_capabilities).table("status")
    for word in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert raised[word] == plain[word], word
    assert int(raised["CapInh"], 16) == 0 and int(raised["CapAmb"], 16) == 0


@pytest.fixture
def keyring_of_the_test() -> Callable[[], None]:
    """Joins a session keyring with a name, as a login does."""
    def join() -> None:
        # keyctl(KEYCTL_JOIN_SESSION_KEYRING, name)
        number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
        assert LIBC.syscall(number, 1, b"secret-of-the-host") > 0
    return join


def test_keyring_of_the_session_stays_outside(runtime: Runtime,
                                              keyring_of_the_test: Callable[[], None]) -> None:
    report = runtime.report("--seccomp", "none", preexec_fn=keyring_of_the_test)
    assert "secret-of-the-host" not in report.one("keyring")
    assert "_ses" in report.one("keyring")


def test_scheduling_is_the_default(runtime: Runtime) -> None:
    def change() -> None:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        assert LIBC.prctl(PR_SET_TIMERSLACK, 123456, 0, 0, 0) == 0
        assert LIBC.personality(0x0040000) >= 0  # ADDR_NO_RANDOMIZE
        if os.geteuid() == 0 and runtime.caller.is_root:
            os.nice(7)
    report = runtime.report(preexec_fn=change)
    assert (report.one("scheduler"), report.one("timerslack")) == ("0", "50000")
    assert report.one("personality") == "0"
    assert report.one("nice") == "0"


@pytest.mark.parametrize("count", [None, 1], ids=["all", "one"])
def test_cpus_are_those_of_the_caller(runtime: Runtime, count: int | None) -> None:
    """The inside may be sent to another CPU for a while: see netns.c."""
    cpus = sorted(os.sched_getaffinity(0))[:count]

    def narrow() -> None:
        os.sched_setaffinity(0, cpus)
    script = "grep ^Cpus_allowed: /proc/self/status"
    outside = subprocess.run(["sh", "-c", script], preexec_fn=narrow, capture_output=True,
                             text=True, check=True)
    assert runtime.sh(script, preexec_fn=narrow).ok() == outside.stdout


@pytest.fixture(name="cpuset")
def cpuset_of_the_test() -> Iterator[Path]:
    """A cpuset of cgroup v1 with one CPU of at least two."""
    top = Path("/sys/fs/cgroup/cpuset")
    if os.geteuid() != 0 or not (top / "cpuset.cpus").exists() or os.cpu_count() == 1:
        pytest.skip("no-cpuset: needs root, two CPUs and the cpuset hierarchy of cgroup v1")
    path = top / f"bulkhead-test-{os.getpid()}"
    path.mkdir()
    try:
        for file, value in (("cpuset.mems", (top / "cpuset.mems").read_text()),
                            ("cpuset.cpus", "0")):
            (path / file).write_text(value)
        yield path
    finally:
        path.rmdir()


def test_cpus_that_a_cpuset_adds_later_are_the_containers(as_root: Runtime, cpuset: Path) -> None:
    """As those of any process that nobody gave a set of its own."""
    def enter() -> None:
        (cpuset / "tasks").write_text("0")
    script = "grep ^Cpus_allowed_list: /proc/self/status"
    with as_root.start("--", "sh", "-c", f"{script}; read go; {script}",
                       preexec_fn=enter) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline().split()[1] == b"0"
        (cpuset / "cpuset.cpus").write_text("0-1")
        process.stdin.write(b"go\n")
        process.stdin.flush()
        assert process.stdout.readline().split()[1] == b"0-1"
        assert process.wait() == 0


def test_nobody_is_shielded_from_the_oom_killer(as_root: Runtime) -> None:
    def shield() -> None:
        try:
            Path("/proc/self/oom_score_adj").write_text("-500")
        except PermissionError:  # needs CAP_SYS_RESOURCE
            os._exit(119)
    try:
        assert as_root.report(preexec_fn=shield).one("oom_score_adj") == "0"
    except (AssertionError, subprocess.SubprocessError):
        if Path("/proc/self/status").read_text().find("CapEff:\t000001ffffffffff") < 0:
            pytest.skip("no-priv: CAP_SYS_RESOURCE to shield a process")
        raise


def test_oom_score_that_makes_worse_is_kept(runtime: Runtime) -> None:
    def worsen() -> None:
        Path("/proc/self/oom_score_adj").write_text("300")
    assert runtime.report(preexec_fn=worsen).one("oom_score_adj") == "300"


def test_limits_are_the_callers(runtime: Runtime) -> None:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (333, 444))
    assert runtime.sh("ulimit -Sn; ulimit -Hn", preexec_fn=lower).lines() == ["333", "444"]


def test_working_directory_is_the_root(runtime: Runtime) -> None:
    assert runtime.report().one("cwd") == "/"


def test_no_new_privs_and_securebits(runtime: Runtime) -> None:
    report = runtime.report()
    assert report.table("status")["NoNewPrivs"] == "1"
    assert report.one("securebits") == "0"


def test_standard_streams_pass_through(runtime: Runtime) -> None:
    result = runtime.sh("cat; echo to-stderr >&2", stdin=b"to-stdin\n")
    assert (result.status, result.out, result.err) == (0, "to-stdin\n", "to-stderr\n")


def test_a_megabyte_passes_through_both_ways(runtime: Runtime) -> None:
    data = os.urandom(1 << 19).hex().encode()
    assert runtime.run("cat", stdin=data).ok().encode() == data


def test_end_of_input_arrives(runtime: Runtime) -> None:
    assert runtime.sh("wc -c", stdin=b"").ok().strip() == "0"
