# SPDX-License-Identifier: GPL-2.0-or-later
"""/proc, /sys and /dev: what is there, what is masked, what is read-only."""

from __future__ import annotations

import os
import re
import stat
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from containers import Runtime

# The defaults of the OCI runtime specification as Docker and containerd apply them.
MASKED_FILES = ["/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                "/proc/timer_stats", "/proc/sched_debug", "/proc/interrupts"]
MASKED_DIRECTORIES = ["/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware",
                      "/sys/devices/virtual/powercap"]
MASKED_PER_CPU = sorted(str(path) for path in
                        Path("/sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle"))
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
           "tty": (5, 0)}


def on_the_host(paths: list[str]) -> list[str]:
    return [path for path in paths if os.path.exists(path)]


def test_masked_files_are_empty(runtime: Runtime) -> None:
    paths = on_the_host(MASKED_FILES)
    assert "/proc/keys" in paths or "/proc/timer_list" in paths or "/proc/interrupts" in paths
    script = "for f in %s; do stat -c '%%n %%F %%t:%%T' $f; wc -c <$f; done" % " ".join(paths)
    lines = runtime.sh(script).lines()
    assert lines == [text for path in paths
                     for text in (f"{path} character special file 1:3", "0")]


def test_masked_directories_are_empty_and_read_only(runtime: Runtime) -> None:
    for path in on_the_host(MASKED_DIRECTORIES + MASKED_PER_CPU):
        result = runtime.sh(f"ls -A {path}; touch {path}/x 2>&1")
        assert result.status != 0
        assert "ead-only file system" in result.out and len(result.out.splitlines()) == 1, path


@pytest.mark.parametrize("hidden, trusted", [
    ("/proc/driver", True), ("/sys", False), ("/sys/devices/virtual", False),
    ("/sys/devices/system", False)])
def test_the_hosts_sysfs_is_asked_for_what_is_absent_where_it_is_whole(
        as_root: Runtime, hidden: str, trusted: bool) -> None:
    """What something hides from the host may be there in the container's own sysfs."""
    if on_the_host(MASKED_DIRECTORIES[-1:] + MASKED_PER_CPU):
        pytest.skip("hardware: this machine has what is looked for")
    trace = as_root.work / "trace"
    setup = f"mount -t tmpfs none {hidden} && exec \"$@\""
    around = ("unshare", "-m", "sh", "-c", setup, "sh", "strace", "-f", "-qq", "-e",
              "trace=statfs", "-o", str(trace))
    box = replace(as_root, caller=replace(as_root.caller, switch=around))
    assert box.sh("echo run").ok() == "run\n"
    own = [re.search(rf"statfs\(\"devices/{path}", trace.read_text()) is None
           for path in ("virtual/powercap", "system/cpu/cpu0/thermal_throttle")]
    assert all(own) if trusted else not all(own)


def test_what_a_mask_would_hide_is_there_on_the_host() -> None:
    """The tests above compare with an empty file: the real ones are not empty."""
    assert any(Path(path).read_bytes() for path in on_the_host(MASKED_FILES[1:])
               if os.access(path, os.R_OK))


def test_kernel_settings_are_read_only(runtime: Runtime) -> None:
    mounts = runtime.report().mounts()
    for path in on_the_host(READ_ONLY):
        assert {"ro", "nosuid", "nodev", "noexec"} <= mounts[path].flags, path
    settings = on_the_host(["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
                            "/proc/sysrq-trigger", "/proc/sys/vm/overcommit_memory"])
    assert len(settings) >= 2
    for path in settings:
        result = runtime.sh(f"cat {path} >/tmp/value 2>/dev/null; echo x >{path}",
                            "--tmpfs", "/tmp")
        assert result.status != 0 and "ead-only file system" in result.err, (path, result)


def test_proc_is_its_own_and_hardened(runtime: Runtime) -> None:
    proc = runtime.report().mounts()["/proc"]
    assert proc.kind == "proc" and {"nosuid", "nodev", "noexec"} <= proc.flags


def test_sys_is_read_only(runtime: Runtime) -> None:
    sys = runtime.report().mounts()["/sys"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= sys.flags
    assert "ead-only" in runtime.sh("mkdir /sys/fs/cgroup/x; echo 1 >/sys/kernel/profiling").err


def test_sys_shows_no_network_device_of_the_host(runtime: Runtime) -> None:
    assert runtime.sh("ls /sys/class/net").ok().split() in (["lo"], [])


def test_cgroup_hierarchy_of_the_host_cannot_be_written(runtime: Runtime) -> None:
    """CVE-2023-25809: with the host's cgroup namespace /sys/fs/cgroup was writable."""
    script = "find /sys/fs/cgroup -maxdepth 2 -type d 2>/dev/null | while read d; do " \
             "mkdir $d/canary 2>/dev/null && echo $d; done; true"
    for options in ([], ["--share", "cgroup"]):
        assert runtime.sh(script, *options).ok() == ""


def test_devices(runtime: Runtime) -> None:
    names = " ".join(DEVICES)
    lines = runtime.sh(f"cd /dev; stat -c '%n %F %t:%T %a' {names}").lines()
    assert lines == [f"{name} character special file {major:x}:{minor:x} 666"
                     for name, (major, minor) in DEVICES.items()]


def test_dev_holds_nothing_else(runtime: Runtime) -> None:
    names = set(runtime.sh("ls /dev").ok().split())
    needed = set(DEVICES) | {"fd", "stdin", "stdout", "stderr", "ptmx", "pts", "shm"}
    assert needed <= names <= needed | {"mqueue", "core", "console"}


@pytest.mark.parametrize("name, target", [
    ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx")])
def test_links_of_dev(runtime: Runtime, name: str, target: str) -> None:
    assert runtime.run("readlink", f"/dev/{name}").ok() == target + "\n"


def test_devices_work(runtime: Runtime) -> None:
    script = """
        echo lost >/dev/null
        head -c 3 /dev/zero | od -An -tx1
        [ "$(head -c 16 /dev/urandom | wc -c)" = 16 ] && echo random
        echo x 2>/dev/null >/dev/full || echo full
        echo in | cat /dev/stdin
        echo shm >/dev/shm/file && cat /dev/shm/file
    """
    assert runtime.sh(script).lines() == [" 00 00 00", "random", "full", "in", "shm"]


def test_mounts_below_dev(runtime: Runtime) -> None:
    mounts = runtime.report().mounts()
    dev, pts, shm = (mounts[path] for path in ("/dev", "/dev/pts", "/dev/shm"))
    assert dev.kind == "tmpfs" and {"nosuid", "noexec"} <= dev.flags
    assert pts.kind == "devpts" and {"nosuid", "noexec"} <= pts.flags
    assert "ptmxmode=666" in pts.options or "ptmxmode=0666" in pts.options
    assert shm.kind == "tmpfs" and {"nosuid", "nodev", "noexec"} <= shm.flags
    assert runtime.run("stat", "-c", "%a", "/dev/shm").ok() == "1777\n"


def test_pts_instance_is_its_own(runtime: Runtime) -> None:
    assert runtime.sh("ls /dev/pts").ok() == "ptmx\n"


@pytest.mark.parametrize("place", ["/", "/tmp/", "/dev/", "/dev/shm/"])
def test_no_device_node_can_be_made(runtime: Runtime, place: str) -> None:
    """Docker's default set has CAP_MKNOD, and it has a device cgroup besides."""
    script = f"mknod {place}disk b 254 0; mknod {place}zero c 1 5; mknod {place}fifo p && echo made"
    result = runtime.sh(script + f"; rm {place}fifo", "--tmpfs", "/tmp")
    assert result.out == "made\n"
    assert result.err.count("Operation not permitted") == 2


def test_mounts_below_a_borrowed_proc_are_read_only(as_root: Runtime) -> None:
    """As binfmt_misc is one: to write there would name the host an interpreter."""
    around = ("unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc/sys/fs && exec \"$@\"", "sh")
    box = replace(as_root, caller=replace(as_root.caller, switch=around))
    result = box.sh("touch /proc/sys/fs/file || echo refused", "--userns", "--share", "pid")
    assert result.out == "refused\n" and "Read-only file system" in result.err


@pytest.mark.parametrize("filtered", ["none", "a file"])
def test_no_device_node_can_be_made_without_the_default_filter(runtime: Runtime,
                                                               filtered: str) -> None:
    """Then it is for the capability to forbid it."""
    allow = struct.pack("=HBBI", 6, 0, 0, 0x7fff0000)  # BPF_RET, SECCOMP_RET_ALLOW
    choice = filtered
    if filtered != "none":
        choice = str(runtime.file("filter"))
        Path(choice).write_bytes(allow)
    script = "mknod /dev/zero2 c 1 5; mknod /dev/fifo p && echo made"
    result = runtime.sh(script, "--seccomp", choice)
    assert result.out == "made\n" and "Operation not permitted" in result.err


def test_who_asks_for_mknod_without_a_filter_has_it(as_root: Runtime) -> None:
    script = "mknod /dev/zero2 c 1 5 && head -c 1 /dev/zero2 | wc -c"
    assert as_root.sh(script, "--seccomp", "none", "--cap-add", "MKNOD").ok() == "1\n"


@pytest.mark.parametrize("layered", [False, True], ids=["rootfs", "layer"])
def test_no_device_node_of_an_image_opens(as_root: Runtime, layered: bool) -> None:
    """Whoever unpacks an image as root makes the nodes that it brings."""
    root = as_root.copy_rootfs()
    os.mknod(root / "zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    choice = ["--layer" if layered else "--rootfs", root]
    script = "head -c 1 /zero; head -c 1 /dev/zero | wc -c"
    result = as_root("run", *choice, "--seccomp", "none", "--", "sh", "-c", script)
    assert result.out == "1\n"
    assert "Permission denied" in result.err


def test_read_only_root(runtime: Runtime) -> None:
    result = runtime.sh("touch /x /etc/x; echo y >/dev/shm/y && cat /dev/shm/y", "--read-only")
    assert result.status == 0 and result.out == "y\n"
    assert result.err.count("ead-only file system") == 2
    assert "ro" in runtime.report("--read-only").mounts()["/"].flags
    assert "rw" in runtime.report().mounts()["/"].flags


def test_proc_in_a_nested_namespace_shows_no_more(as_root: Runtime) -> None:
    """The kernel refuses a new /proc where parts of the old one are masked."""
    script = "unshare -p -f --mount-proc=/mnt true 2>&1; cat /mnt/timer_list 2>/dev/null"
    result = as_root.sh(script, "--seccomp", "none")
    assert "CPU" not in result.out
