# SPDX-License-Identifier: GPL-2.0-or-later
"""Known ways out of containers, each as a harmless detection: with canaries of its own."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

import host
from containers import Runtime


@pytest.fixture
def canary(request: pytest.FixtureRequest) -> Path:
    """A directory that no container may touch, beside the rootfs."""
    runtime: Runtime = request.getfixturevalue("runtime")
    path = runtime.directory("canary", 0o777)
    runtime.file("canary/file", "untouched\n", 0o666)
    return path


def assert_untouched(canary: Path) -> None:
    assert [path.name for path in canary.iterdir()] == ["file"]
    assert (canary / "file").read_text() == "untouched\n"


def replaced(runtime: Runtime, path: str, target: str) -> Runtime:
    """A rootfs in which a symbolic link to TARGET stands in place of PATH."""
    rootfs = runtime.copy_rootfs()
    place = rootfs / path
    if place.is_dir() and not place.is_symlink():
        place.rmdir()
    elif os.path.lexists(place):
        place.unlink()
    place.symlink_to(target)
    return runtime.with_rootfs(rootfs)


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("path", ["proc", "sys", "dev"])
def test_kernel_mount_points_that_are_links(runtime: Runtime, canary: Path, path: str,
                                            absolute: bool) -> None:
    """CVE-2019-19921, CVE-2023-27561, CVE-2025-54867, CVE-2026-41579."""
    box = replaced(runtime, path, str(canary) if absolute else "../canary")
    result = box.run("ls", "/")
    assert result.status == 125 and f"/{path}" in result.err, result
    assert_untouched(canary)


@pytest.mark.parametrize("path", ["proc", "sys", "dev"])
def test_kernel_mount_points_that_are_links_within(runtime: Runtime, path: str) -> None:
    """The same with a target in the rootfs: the masks would be applied elsewhere."""
    box = replaced(runtime, path, "mnt")
    result = box.run("stat", "-f", "-c", "%T", f"/{path}")
    assert result.status in (0, 125)
    if result.status == 0:
        assert result.out.strip() in ("proc", "sysfs", "tmpfs", "UNKNOWN")


def exchange(one: Path, other: Path) -> None:
    """renameat2(2) with RENAME_EXCHANGE."""
    assert host.LIBC.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2) == 0


def some_process_sees(*mounts: str) -> bool:
    """Whether all MOUNTS, as mountinfo has them, are in the mount table of one process."""
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            text = table.read_text()
        except OSError:
            continue
        if all(mount in text for mount in mounts):
            return True
    return False


def test_rootfs_that_is_written_to_meanwhile(as_root: Runtime) -> None:
    """Another process puts a directory of its own in the place of the one that procfs is mounted
    on, before the masks are: procfs moves along, to where no path of a mask leads."""
    rootfs = as_root.copy_rootfs()
    (rootfs / "evil/self").mkdir(parents=True)
    for file in ("oom_score_adj", "status"):
        (rootfs / "evil/self" / file).write_text(as_root.run("cat", f"/proc/self/{file}").out)
    (rootfs / "evil/self/exe").touch()
    slow = ("strace", "-f", "-qq", "-o", "/dev/null", "-e",
            "inject=symlinkat:delay_enter=1000000:when=1")  # when /dev is filled
    box = replace(as_root, rootfs=rootfs, caller=replace(as_root.caller, switch=slow))
    script = ("for place in /proc /evil; do"
              " [ ! -e $place/version ] || echo kernel;"
              " wc -c <$place/timer_list;"
              " panic=$(cat $place/sys/kernel/panic) && echo $panic >$place/sys/kernel/panic &&"
              " echo writable; done 2>/dev/null")
    process = box.start("--share", "net", "--", "sh", "-c", script)
    assert host.wait_until(lambda: some_process_sees(f"{rootfs} / rw", " /proc rw,", " /dev rw,"),
                           10)
    exchange(rootfs / "proc", rootfs / "evil")
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out.decode(), err) == (1, "kernel\n0\n", b"")


@pytest.mark.parametrize("kind", ["link", "file"])
def test_devices_that_the_image_brings(runtime: Runtime, canary: Path, kind: str) -> None:
    """CVE-2025-31133: masks bind /dev/null: it has to be the device, not what an image has there.

    CVE-2025-52565: the same for /dev/console and the terminal's path."""
    rootfs = runtime.copy_rootfs()
    for name in ("null", "console", "pts", "ptmx", "shm"):
        place = rootfs / "dev" / name
        if kind == "link":
            place.symlink_to(canary / "file")
        else:
            place.write_text("from the image\n")
        runtime.own(place)
    box = runtime.with_rootfs(rootfs)
    script = "stat -c %t:%T /dev/null; wc -c </proc/keys; echo x >/dev/null; ls /dev/pts"
    for options in ([], ["--tty"]):
        out = box.sh(script, *options).out.replace("\r", "").splitlines()
        assert out[:2] == ["1:3", "0"], out
    assert_untouched(canary)


@pytest.mark.parametrize("target", ["/proc", "/proc/sys", "/proc/self", "/sys", "/dev", "/dev/pts",
                                    "/", "/proc/../proc", "/proc/self/attr", "//proc", "/./proc",
                                    "/sys/fs/cgroup", "/dev/shm/.."])
@pytest.mark.parametrize("option", ["--bind", "--tmpfs"])
def test_mounts_over_what_isolates(runtime: Runtime, canary: Path, option: str,
                                   target: str) -> None:
    """CVE-2019-16884: a volume over /proc is refused, or the kernel's files are there even so."""
    value = f"{canary}:{target}" if option == "--bind" else target
    script = "stat -f -c %t /proc; test -e /proc/self/status; stat -c %t:%T /dev/null; " \
             "grep -c . /proc/self/mountinfo >/dev/null; cat /proc/keys"
    result = runtime.sh(script, option, value)
    if result.status != 125:
        assert result.out.splitlines() == ["9fa0", "1:3"], (target, result)
    assert_untouched(canary)


@pytest.mark.parametrize("depth", range(1, 6))
def test_the_hosts_binary_is_no_interpreter_of_an_interpreter(runtime: Runtime,
                                                              depth: int) -> None:
    """CVE-2019-5736, as deep as the kernel goes: five interpreters, and one deeper it refuses."""
    rootfs = runtime.copy_rootfs()
    for number in range(depth):
        target = "/proc/self/exe" if number == depth - 1 else f"/s{number + 1}"
        script = rootfs / f"s{number}"
        script.write_text(f"#!{target} --version\n")
        script.chmod(0o755)
    runtime.with_rootfs(rootfs).run("/s0").refused('"/s0"', "bulkhead itself", status=126)


def test_scripts_of_scripts_run(runtime: Runtime) -> None:
    rootfs = runtime.copy_rootfs()
    for number, target in enumerate(["/s1", "/s2", "/s3", "/s4", "/bin/echo"]):
        script = rootfs / f"s{number}"
        script.write_text(f"#!{target}\n")
        script.chmod(0o755)
    assert runtime.with_rootfs(rootfs).run("/s0", "end").ok().split()[-1] == "end"


@pytest.mark.parametrize("target", ["/proc/self/exe", "/proc/1/exe"])
@pytest.mark.parametrize("how", ["argument", "link", "interpreter"])
def test_the_hosts_binary_cannot_be_overwritten(runtime: Runtime, target: str, how: str) -> None:
    """CVE-2019-5736: the command is made to be the runtime itself, then written to."""
    rootfs = runtime.copy_rootfs()
    before = runtime.binary.read_bytes(), runtime.binary.stat().st_mtime_ns
    command = target
    if how == "link":
        (rootfs / "usr/bin/evil").symlink_to(target)
        command = "evil"
    elif how == "interpreter":
        (rootfs / "usr/bin/evil").write_text(f"#!{target}\n")
        (rootfs / "usr/bin/evil").chmod(0o755)
        command = "evil"
    box = runtime.with_rootfs(rootfs)
    for options in ([], ["--init"]):
        result = box.run(*options, "--", command, "--version")
        assert result.status in (125, 126, 127), result
        assert "bulkhead 0" not in result.out
    script = "for f in /proc/[0-9]*/exe; do (echo evil >$f) 2>/dev/null; done; true"
    box.sh(script, "--cap-add", "ALL")
    assert (runtime.binary.read_bytes(), runtime.binary.stat().st_mtime_ns) == before


def test_no_file_of_the_host_through_descriptors(runtime: Runtime) -> None:
    """CVE-2024-21626: a directory of the host left open, and a working directory through it."""
    directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.set_inheritable(directory, True)
        for number in range(3, 25):
            result = runtime.run("--workdir", f"/proc/self/fd/{number}", "--", "pwd",
                                 close_fds=False)
            assert result.status == 125, result
            assert "--workdir" in result.err or "working directory" in result.err
    finally:
        os.close(directory)


def test_workdir_is_resolved_inside(runtime: Runtime, canary: Path) -> None:
    box = replaced(runtime, "srv", str(canary))
    result = box.run("--workdir", "/srv", "--", "ls")
    assert result.status == 125 and "file" not in result.out
    assert runtime.report("--workdir", "/usr/share").one("cwd") == "/usr/share"
    assert "unreachable" not in runtime.report("--workdir", "/tmp").one("cwd")


def test_dot_dot_stays_inside(runtime: Runtime) -> None:
    script = "cd /usr/share; ls -d ../../../../../../../../etc/passwd /../../etc/passwd; ls /.."
    names = runtime.sh(script).lines()
    assert "canary" not in names and "usr" in names


def test_root_cannot_be_left_by_chroot(runtime: Runtime) -> None:
    """The classic double chroot: CAP_SYS_CHROOT is in the default set."""
    script = "mkdir -p /dev/shm/d; cd /; chroot /dev/shm/d /bin/true 2>/dev/null; " \
             "ls -d ../../../../work 2>&1; ls ../../../.. | grep -c etc"
    assert runtime.sh(script).out.splitlines()[-1] == "1"


def test_file_handles_of_the_host(as_root: Runtime) -> None:
    """Shocker: open_by_handle_at(2) needs CAP_DAC_READ_SEARCH, which is not in the set."""
    assert ["call", "open_by_handle_at"] == as_root.run("probe", "calls").ok().split(
        "open_by_handle_at")[0].split()[-1:] + ["open_by_handle_at"]
    status = as_root.report().table("status")
    assert not int(status["CapEff"], 16) & 1 << 2


def test_abstract_socket_of_the_host(runtime: Runtime) -> None:
    """CVE-2020-15257: reachable with the host's network namespace only."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0bulkhead-canary-{os.getpid()}")
        server.listen()
        script = "cat /proc/net/unix"
        name = f"@bulkhead-canary-{os.getpid()}"
        assert name not in runtime.sh(script).ok()
        assert name in runtime.sh(script, "--share", "net").ok()


def test_kernel_is_not_told_a_helper(runtime: Runtime) -> None:
    """CVE-2022-0811 and CVE-2022-0492 class: core_pattern, modprobe, release_agent."""
    names = [path for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
                               "/proc/sys/kernel/hotplug", "/proc/sys/fs/binfmt_misc/register")
             if os.path.exists(path)]
    before = {name: Path(name).read_bytes() for name in names if os.access(name, os.R_OK)}
    for name in names:
        assert runtime.sh(f"echo '|/tmp/x' >{name}").status != 0
    script = "find /sys -name release_agent -o -name uevent_helper 2>/dev/null | while read f; " \
             "do (echo /tmp/x >$f) 2>/dev/null && echo wrote $f; done; true"
    assert runtime.sh(script).ok() == ""
    assert {name: Path(name).read_bytes() for name in before} == before


def test_new_user_namespace_gives_nothing(runtime: Runtime) -> None:
    result = runtime.sh("unshare -Ur id; unshare -m true; unshare -n true; true")
    assert "uid=" not in result.out and result.err.count("not permitted") >= 3


def test_host_processes_cannot_be_signalled(runtime: Runtime) -> None:
    script = f"kill -0 {os.getpid()} 2>/dev/null && echo reached; kill -0 -1 2>/dev/null; true"
    assert runtime.sh(script).ok() == ""


def test_runtime_is_not_traceable_from_inside(as_root: Runtime) -> None:
    """CVE-2016-9962: with the host's PID namespace bulkhead itself is in sight."""
    script = "for p in /proc/[0-9]*; do readlink $p/exe; done 2>/dev/null | grep -c bulkhead; true"
    assert as_root.sh(script).ok() == "0\n"


def test_socket_between_host_and_inside_is_closed(runtime: Runtime) -> None:
    assert "socket:" not in runtime.sh("ls -l /proc/self/fd /proc/1/fd", "--init").out
    assert "socket:" not in runtime.sh("ls -l /proc/self/fd").out


def test_image_cannot_name_the_hosts_users(runtime: Runtime) -> None:
    """CVE-2026-30892 class: a user is numbers, and no file of the image has a say."""
    for user in ("root", "user", "nobody", "+0", "0x0", "1e3", "", "-0"):
        assert runtime.run("--user", user, "--", "id").status == 125, user
