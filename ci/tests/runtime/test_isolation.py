# SPDX-License-Identifier: GPL-2.0-or-later
"""The default walls: namespaces of the container's own, and the host out of sight."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from containers import Runtime

NAMESPACES = ["mnt", "pid", "uts", "ipc", "net", "cgroup"]


def host_namespace(name: str) -> str:
    return os.readlink(f"/proc/self/ns/{name}")


def test_default_namespaces_are_new(runtime: Runtime) -> None:
    inside = runtime.report().table("ns")
    for name in NAMESPACES:
        assert inside[name] != host_namespace(name), name
    assert (inside["user"] == host_namespace("user")) == runtime.caller.is_root
    assert inside["time"] == host_namespace("time")


@pytest.mark.parametrize("shared", [["net"], ["ipc"], ["uts"], ["cgroup"], ["pid"],
                                    ["net", "ipc", "cgroup"]])
def test_shared_namespaces_are_the_hosts_and_no_others(runtime: Runtime,
                                                       shared: list[str]) -> None:
    inside = runtime.report("--share", ",".join(shared)).table("ns")
    for name in NAMESPACES:
        assert (inside[name] == host_namespace(name)) == (name in shared), name


def test_share_may_be_repeated(any_caller: Runtime) -> None:
    inside = any_caller.report("--share", "net", "--share", "uts").table("ns")
    assert inside["net"] == host_namespace("net") and inside["uts"] == host_namespace("uts")


@pytest.mark.parametrize("options", [[], ["--share", "net"], ["--share", "ipc"]])
def test_two_containers_share_nothing(any_caller: Runtime, options: list[str]) -> None:
    one, two = (any_caller.start(*options, "--", "probe", "signals") for _ in range(2))
    try:
        for box in (one, two):
            assert box.stdout and box.stdout.readline() == b"ready\n"
        three = any_caller.report(*options).table("ns")
        assert three["pid"] not in (host_namespace("pid"),)
    finally:
        for box in (one, two):
            box.terminate()
            assert box.communicate(timeout=10)[1] == b""
            assert box.returncode == 7


def test_command_is_pid_1(runtime: Runtime) -> None:
    report = runtime.report()
    assert (report.one("pid"), report.one("ppid")) == ("1", "0")


def test_only_its_own_processes_are_visible(runtime: Runtime) -> None:
    assert runtime.sh("echo /proc/[0-9]*").ok() == "/proc/1\n"


def under_load(box: Runtime, load: str, *options: str) -> Runtime:
    """BOX by strace with OPTIONS, on a machine whose /proc/loadavg says LOAD."""
    if len(os.sched_getaffinity(0)) == 1:
        pytest.skip("one-cpu: there is no other")
    setup = f"mount --bind {box.file('loadavg', load + chr(10))} /proc/loadavg && exec \"$@\""
    around = ("unshare", "-m", "sh", "-c", setup, "sh", "strace", "-f", "-qq", *options)
    return replace(box, caller=replace(box.caller, switch=around))


@pytest.mark.parametrize("load, moves", [
    ("0.00 0.00 0.00 1/99 1234", 2),
    ("9.00 9.00 9.00 9999/9999 1234", 3),
    ("0.00 0.00 0.00", 3),
    ("", 3),
    ("1" * 200, 3),
])
def test_namespaces_are_not_made_by_clone3_where_there_are_two_cpus(as_root: Runtime, load: str,
                                                                    moves: int) -> None:
    """The host side and the inside make them: see namespaces.c. The inside is sent to another
    CPU and, where that may have other work, fetched, before it may use all: see netns.c."""
    trace = as_root.work / "trace"
    report = under_load(as_root, load, "-o", str(trace), "-e",
                        "trace=clone3,unshare,sched_setaffinity").report()
    assert report.all("interface") == ["lo up"]
    assert trace.read_text().count("sched_setaffinity(") == moves
    for name in ("net", "mnt", "uts", "ipc", "cgroup"):
        assert report.table("ns")[name] != host_namespace(name)
        assert who_made(trace, name) == ["unshare"]


def who_made(trace: Path, name: str) -> list[str]:
    """The system calls of a trace that were to make a namespace."""
    flag = f"CLONE_NEW{'NS' if name == 'mnt' else name.upper()}"
    return [line.split("(")[0].split()[-1] for line in trace.read_text().splitlines()
            if re.search(rf"{flag}\b", line)]


def test_namespaces_are_made_by_clone3_where_there_is_one_cpu(as_root: Runtime) -> None:
    trace = as_root.work / "trace"
    around = ("taskset", "-c", str(min(os.sched_getaffinity(0))), "strace", "-f", "-qq",
              "-o", str(trace), "-e", "trace=clone3,unshare")
    box = replace(as_root, caller=replace(as_root.caller, switch=around))
    assert box.report().all("interface") == ["lo up"]
    for name in ("net", "mnt", "uts", "ipc", "cgroup"):
        assert who_made(trace, name) == ["clone3"]


def test_container_that_stayed_in_the_hosts_namespaces_runs_nothing(as_root: Runtime) -> None:
    box = under_load(as_root, "0.00 0.00 0.00 1/99 1234", "-o", "/dev/null",
                     "-e", "inject=unshare:retval=0")
    box.sh("echo run").refused("cannot leave the host's namespaces with \"unshare\"")


@pytest.mark.parametrize("error, reason", [
    ("ENOSPC", "No space left on device (a limit on namespaces is reached: see "
               "/proc/sys/user/max_*_namespaces)"),
    ("EINVAL", "Invalid argument (this kernel lacks one of the namespaces: see bulkhead "
               "features)")], ids=["limit", "kconfig"])
def test_namespaces_that_the_host_side_cannot_make(as_root: Runtime, error: str,
                                                   reason: str) -> None:
    """The network's or the IPC's: the message blames neither."""
    around = ("strace", "-qq", "-o", "/dev/null", "-e", f"inject=unshare:error={error}")
    if len(os.sched_getaffinity(0)) == 1:
        pytest.skip("one-cpu: clone3() makes them")
    box = replace(as_root, caller=replace(as_root.caller, switch=around))
    told = box.sh("echo run").refused("cannot make the container's namespaces with")
    assert reason in told


def test_idle_machine_in_a_user_namespace(as_root: Runtime) -> None:
    """Its /sys is mounted early, so clone3() makes the network namespace that it shows."""
    idle = b"0.00 0.00 0.00 1/99 1234\n".hex()
    around = ("unshare", "--user", "--map-root-user", "strace", "-f", "-qq", "-o", "/dev/null",
              "-e", f"inject=read:poke_exit=@arg2={idle}:when=1")
    box = replace(as_root, caller=replace(as_root.caller, switch=around))
    assert box.sh("echo /sys/class/net/*").ok() == "/sys/class/net/lo\n"


def test_only_the_loopback_interface_and_it_is_up(runtime: Runtime) -> None:
    assert runtime.report().all("interface") == ["lo up"]
    assert runtime.sh("ping -c 1 -w 5 127.0.0.1 >/dev/null && echo pong").ok() == "pong\n"


def test_old_root_is_gone(runtime: Runtime) -> None:
    mounts = runtime.report().all("mount")
    points = [line.split()[4] for line in mounts]
    assert points[0] == "/"
    for point in points:
        assert point == "/" or point.split("/")[1] in ("proc", "dev", "sys"), point
    result = runtime.sh("ls /; cd /..; ls; ls /proc/1/root/")
    listed = result.ok().split()
    assert listed.count("etc") == 3
    assert "oldrootfs" not in listed and "work" not in listed


def test_root_of_the_mount_namespace_is_the_rootfs(runtime: Runtime) -> None:
    """With chroot alone, entering the mount namespace again would show the host's root."""
    script = ("f=/proc/1/ns/mnt; [ -e $f ]; chroot /proc/1/root ls -d /root /proc; "
              "cat /proc/1/mountinfo | wc -l")
    assert int(runtime.sh(script).lines()[-1]) < 60


def test_propagation_is_cut(runtime: Runtime) -> None:
    for line in runtime.report().all("mount"):
        fields = line.split(" - ")[0].split()[6:]
        assert not [tag for tag in fields if tag.startswith(("shared:", "master:"))], line


def test_hostname_is_its_own(runtime: Runtime) -> None:
    report = runtime.report("--hostname", "ship", "--domainname", "sea")
    assert (report.one("hostname"), report.one("domainname")) == ("ship", "sea")
    assert report.table("env")["HOSTNAME"] == "ship"


def test_default_hostname_is_not_the_hosts(runtime: Runtime) -> None:
    around = ("unshare", "--uts", "sh", "-c", 'hostname the-host && exec "$@"', "sh",
              *runtime.caller.around)
    box = replace(runtime, caller=replace(runtime.caller, around=around))
    assert box.report().one("hostname") not in ("", "the-host")


@pytest.mark.parametrize("name", ["a", "x" * 64])
def test_hostname_of_any_allowed_length(any_caller: Runtime, name: str) -> None:
    assert any_caller.report("--hostname", name).one("hostname") == name


def test_root_of_the_cgroup_namespace_is_its_own_cgroup(runtime: Runtime) -> None:
    for line in runtime.report().all("cgroup"):
        assert line.split(":", 2)[2] == "/", line


def test_clocks_are_shifted(runtime: Runtime) -> None:
    def uptime(text: str) -> float:
        return float(text.split()[0])
    before = uptime(Path("/proc/uptime").read_text())
    inside = uptime(runtime.run("--timens", "1000,86400", "--", "cat", "/proc/uptime").ok())
    after = uptime(Path("/proc/uptime").read_text())
    assert before + 86400 - 1 <= inside <= after + 86400 + 1
    report = runtime.report("--timens", "1000,86400").table("ns")
    assert report["time"] != host_namespace("time")


def test_time_namespace_in_the_past(any_caller: Runtime) -> None:
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    back = -int(uptime / 2)
    inside = any_caller.run("--timens", f"{back},{back}", "--", "cat", "/proc/uptime").ok()
    assert float(inside.split()[0]) < uptime * 0.9 + 5


def test_clock_below_zero_is_refused(any_caller: Runtime) -> None:
    any_caller.run("--timens", "-1000000000,0", "--", "true").refused(
        "cannot set the clock offsets", "no clock may go below 0")


def test_system_v_objects_stay_inside(runtime: Runtime) -> None:
    # host_snapshot looks at the host's System V objects; inside there are none at first.
    assert runtime.sh("cat /proc/sysvipc/shm /proc/sysvipc/sem | wc -l").ok() == "2\n"


def test_abstract_sockets_of_the_host_are_out_of_reach(runtime: Runtime) -> None:
    """CVE-2020-15257: they are reachable where the network namespace is shared."""
    listed = runtime.sh("cat /proc/net/unix").lines()
    assert [line for line in listed if "@" in line] == []
    shared = runtime.sh("cat /proc/net/unix", "--share", "net").lines()
    assert len(shared) >= len(listed)


def test_userns_for_root(as_root: Runtime) -> None:
    report = as_root.report("--userns", "--uid-map", "0:100000:65536",
                            "--gid-map", "0:100000:65536")
    assert report.table("ns")["user"] != host_namespace("user")
    assert report.one("uid_map").split() == ["0", "100000", "65536"]
    assert report.one("gid_map").split() == ["0", "100000", "65536"]
    assert report.table("status")["Uid"].split() == ["0"] * 4
