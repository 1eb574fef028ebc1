# SPDX-License-Identifier: GPL-2.0-or-later
"""Capabilities, users and the system call filter."""

from __future__ import annotations

import errno
import os
import signal
import struct
from pathlib import Path

import pytest

from containers import Report, Runtime

# Docker's default set (moby, oci/caps/defaults.go).
DEFAULT = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6,
           "SETUID": 7, "SETPCAP": 8, "NET_BIND_SERVICE": 10, "NET_RAW": 13, "SYS_CHROOT": 18,
           "MKNOD": 27, "AUDIT_WRITE": 29, "SETFCAP": 31}
DEFAULT_MASK = sum(1 << number for number in DEFAULT.values())
ALL_SETS = ("CapPrm", "CapEff", "CapBnd")


def sets(report: Report) -> dict[str, int]:
    status = report.table("status")
    return {name: int(status[name], 16) for name in (*ALL_SETS, "CapInh", "CapAmb")}


def test_default_set_is_dockers(runtime: Runtime) -> None:
    found = sets(runtime.report())
    assert found == {**{name: DEFAULT_MASK for name in ALL_SETS}, "CapInh": 0, "CapAmb": 0}


@pytest.mark.parametrize("spelling", ["SYS_ADMIN", "CAP_SYS_ADMIN", "cap_sys_admin", "sys_admin"])
def test_capability_is_added(runtime: Runtime, spelling: str) -> None:
    found = sets(runtime.report("--cap-add", spelling))
    assert {found[name] for name in ALL_SETS} == {DEFAULT_MASK | 1 << 21}


def test_capabilities_are_dropped(runtime: Runtime) -> None:
    found = sets(runtime.report("--cap-drop", "CHOWN", "--cap-drop", "CAP_KILL"))
    assert {found[name] for name in ALL_SETS} == {DEFAULT_MASK & ~(1 << 0 | 1 << 5)}


def test_all_capabilities_are_dropped(runtime: Runtime) -> None:
    assert set(sets(runtime.report("--cap-drop", "ALL")).values()) == {0}
    found = sets(runtime.report("--cap-drop", "ALL", "--cap-add", "CHOWN"))
    assert {found[name] for name in ALL_SETS} == {1}


def test_unknown_bits_of_the_kernel_are_gone(runtime: Runtime) -> None:
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    found = sets(runtime.report("--cap-add", "ALL"))
    assert all(value < 1 << last + 1 for value in found.values())


def test_dropped_capability_has_an_effect(runtime: Runtime) -> None:
    script = "chown 0:0 /dev/shm/x 2>&1; touch /dev/shm/x; chmod 0 /dev/shm/x; cat /dev/shm/x"
    assert runtime.sh(script + " && echo read").out.endswith("read\n")
    result = runtime.sh(script, "--cap-drop", "DAC_OVERRIDE", "--cap-drop", "DAC_READ_SEARCH")
    assert "ermission denied" in result.err


@pytest.mark.parametrize("user, uid, gid", [("1000", "1000", "0"), ("1000:4", "1000", "4"),
                                            ("0:5", "0", "5"), ("7:0", "7", "0"),
                                            ("007", "7", "0")])
def test_user(as_root: Runtime, user: str, uid: str, gid: str) -> None:
    result = as_root.run("--user", user, "--", "probe", "report")
    if result.status == 125:  # a spelling may be refused, but never taken for another
        result.refused("--user")
        assert user == "007"
        return
    status = Report(result.ok()).table("status")
    assert status["Uid"].split() == [uid] * 4
    assert status["Gid"].split() == [gid] * 4
    assert status["Groups"].split() in ([], [gid])


def test_user_has_no_capability(as_root: Runtime, with_subids: Runtime) -> None:
    for runtime in (as_root, with_subids):
        found = sets(runtime.report("--user", "1000:1000"))
        assert found["CapEff"] == found["CapPrm"] == found["CapInh"] == found["CapAmb"] == 0
        assert runtime.report("--user", "1000:1000").table("env")["HOME"] != "/root"


def test_user_outside_the_map_is_refused(rootless: Runtime) -> None:
    rootless.run("--user", "1000", "--", "true").refused("--user", "id map")


def test_files_of_others_cannot_be_read(as_root: Runtime) -> None:
    script = "cat /usr/share/bulkhead/private"
    assert as_root.sh(script).ok()
    result = as_root.sh(script, "--user", "1000:1000")
    assert result.status == 1 and "ermission denied" in result.err


def test_set_id_program_gains_nothing(as_root: Runtime) -> None:
    rootfs = as_root.copy_rootfs()
    (rootfs / "usr/bin/probe").chmod(0o6755)
    status = as_root.with_rootfs(rootfs).report("--user", "1000:1000").table("status")
    assert status["Uid"].split() == ["1000"] * 4


def test_rootless_maps(rootless: Runtime, with_subids: Runtime) -> None:
    report = rootless.report()
    assert report.one("uid_map").split() == ["0", str(rootless.caller.uid), "1"]
    assert report.one("setgroups") == "deny"
    rows = [row.split() for row in with_subids.report().all("uid_map")]
    assert rows == [["0", str(with_subids.caller.uid), "1"], ["1", "700000000", "65536"]]


def test_files_made_by_a_user_inside_belong_to_a_subordinate_id(with_subids: Runtime) -> None:
    shared = with_subids.directory("shared", 0o777)
    with_subids.sh("touch /mnt/root; chown 5:6 /mnt/root; touch /mnt/own",
                   "--bind", f"{shared}:/mnt").ok()
    status = (shared / "root").stat()
    assert (status.st_uid, status.st_gid) == (700000004, 700000005)
    assert (shared / "own").stat().st_uid == with_subids.caller.uid


# --- the system call filter -------------------------------------------------------------------


def calls(report: Report) -> dict[str, list[str]]:
    return {value.split()[0]: value.split()[1:] for value in report.all("call")}


def outcomes(runtime: Runtime, *options: str) -> dict[str, list[str]]:
    return calls(Report(runtime.run(*options, "--", "probe", "calls").ok()))


REFUSED = [["error", str(errno.EPERM)], ["error", str(errno.ENOSYS)], ["signal", "31"]]
# What the entry of 32-bit programs answers where there is none.
NO_ENTRY = ["signal", str(int(signal.SIGSEGV))]


def test_dangerous_calls_are_refused(runtime: Runtime) -> None:
    found = outcomes(runtime)
    assert len(found) > 35
    # personality(2) may also answer with the error of a value that does not exist.
    through = {name: what for name, what in found.items() if what not in REFUSED}
    if through.get("compat_getpid") == NO_ENTRY:  # then it is the same without a filter
        assert outcomes(runtime, "--seccomp", "none")["compat_getpid"] == NO_ENTRY
        del through["compat_getpid"]
    assert through == {}


def test_it_is_the_filter_that_refuses_them(as_root: Runtime) -> None:
    """The sibling of the test above: without the filter many of them get to the kernel."""
    found = outcomes(as_root, "--seccomp", "none")
    for name in ("keyctl", "clone3", "personality_aslr", "add_key", "socket_vsock"):
        assert found[name] not in (["error", "1"], ["signal", "31"]), (name, found[name])


def test_filter_is_told_by_the_kernel(runtime: Runtime) -> None:
    status = runtime.report().table("status")
    assert status["Seccomp"] == "2" and int(status["Seccomp_filters"]) >= 1
    none = runtime.report("--seccomp", "none").table("status")
    assert int(none["Seccomp_filters"]) == int(
        dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines()
             if ":\t" in line)["Seccomp_filters"])


def test_ordinary_programs_work_under_the_filter(runtime: Runtime) -> None:
    script = """
        set -e
        mkdir /dev/shm/d; echo text >/dev/shm/d/f; ln -s f /dev/shm/d/l
        mv /dev/shm/d/f /dev/shm/d/g
        tar c -C /dev/shm d | gzip | gunzip | tar t >/dev/null
        (sleep 0 & wait) ; ps >/dev/null; date >/dev/null; ip addr >/dev/null; id >/dev/null
        timeout 5 true; setsid true; mkfifo /dev/shm/p; chmod 600 /dev/shm/p
        echo fine
    """
    assert runtime.sh(script).ok() == "fine\n"


def instruction(code: int, k: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, k)


RET = 0x06
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000


def test_filter_of_a_file(runtime: Runtime) -> None:
    """A filter that lets everything through, but for mkdir(2), which gets errno 42."""
    number = {"x86_64": 83, "aarch64": 34}[os.uname().machine]
    program = (struct.pack("=HBBI", 0x20, 0, 0, 0)          # load the number
               + struct.pack("=HBBI", 0x15, 0, 1, number)   # mkdir? else skip one
               + instruction(RET, ERRNO | 42) + instruction(RET, ALLOW))
    path = runtime.work / "filter"
    path.write_bytes(program)
    runtime.own(path)
    result = runtime.run("--seccomp", str(path), "--", "mkdir", "/dev/shm/d")
    assert result.status == 1 and os.strerror(42) in result.err
    assert runtime.run("--seccomp", str(path), "--", "echo", "x").ok() == "x\n"


@pytest.mark.parametrize("content", [b"", b"\0", b"\0" * 8, b"\xff" * 64, b"\0" * 9,
                                     instruction(RET, ALLOW) * 5000, b"text\n"],
                         ids=["empty", "byte", "load", "ones", "odd", "long", "text"])
def test_broken_filters_are_refused(runtime: Runtime, content: bytes) -> None:
    path = runtime.work / "filter"
    path.write_bytes(content)
    runtime.own(path)
    runtime.run("--seccomp", str(path), "--", "true").refused("seccomp filter")
