# SPDX-License-Identifier: GPL-2.0-or-later
"""--bind and --tmpfs: what appears inside, with which flags, and where it can never land."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import host
from containers import Runtime


def test_bind_of_a_directory_is_writable(runtime: Runtime) -> None:
    shared = runtime.directory("shared")
    runtime.file("shared/in", "from the host\n")
    script = "cat /mnt/in; echo from inside >/mnt/out"
    assert runtime.sh(script, "--bind", f"{shared}:/mnt").ok() == "from the host\n"
    assert (shared / "out").read_text() == "from inside\n"
    assert (shared / "out").stat().st_uid == runtime.caller.uid


def test_bind_of_a_file(runtime: Runtime) -> None:
    file = runtime.file("file", "one\n")
    script = "cat /etc/hosts; echo two >/etc/hosts"
    assert runtime.sh(script, "--bind", f"{file}:/etc/hosts").ok() == "one\n"
    assert file.read_text() == "two\n"


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_read_only_bind_is_read_only(runtime: Runtime, kind: str) -> None:
    source = runtime.directory("d") if kind == "directory" else runtime.file("f", "old")
    target = "/mnt" if kind == "directory" else "/etc/hosts"
    name = f"{target}/x" if kind == "directory" else target
    result = runtime.sh(f"echo new >{name}", "--bind", f"{source}:{target}:ro")
    assert result.status != 0 and "ead-only file system" in result.err
    report = runtime.report("--bind", f"{source}:{target}:ro")
    assert "ro" in report.mounts()[target].flags


def test_read_only_bind_is_recursive(as_root: Runtime) -> None:
    """A mount below the source: binds are recursive, and so is their read-only flag."""
    top = as_root.directory("top")
    (top / "below").mkdir()
    script = f"mount -t tmpfs none {top}/below && exec \"$@\""
    argv = ["unshare", "--mount", "sh", "-c", script, "sh",
            *as_root.run_argv("--bind", f"{top}:/mnt:ro", "--", "sh", "-c",
                              "grep -c ' /mnt' /proc/self/mountinfo; echo x >/mnt/below/x")]
    result = as_root.execute(argv)
    assert result.out == "2\n" and "ead-only file system" in result.err


def test_read_only_bind_cannot_be_made_writable(as_root: Runtime) -> None:
    source = as_root.directory("d")
    result = as_root.sh("mount -o remount,rw,bind /data; touch /mnt/x",
                        "--bind", f"{source}:/mnt:ro", "--seccomp", "none")
    assert result.status != 0
    assert not list(source.iterdir())


def test_missing_targets_are_made(runtime: Runtime) -> None:
    box = runtime.with_rootfs(runtime.copy_rootfs())
    source, file = box.directory("d"), box.file("f", "text\n")
    result = box.sh("ls -d /a/b/c; cat /x/y/z", "--bind", f"{source}:/a/b/c",
                    "--bind", f"{file}:/x/y/z")
    assert result.ok() == "/a/b/c\ntext\n"


def test_missing_targets_under_a_read_only_root(runtime: Runtime) -> None:
    box = runtime.with_rootfs(runtime.copy_rootfs())
    source = box.directory("d")
    result = box.sh("ls -d /a/b /t", "--bind", f"{source}:/a/b", "--tmpfs", "/t", "--read-only")
    assert result.ok() == "/a/b\n/t\n"


def test_binds_stack_in_their_order(runtime: Runtime) -> None:
    one, two = runtime.directory("one"), runtime.directory("two")
    runtime.file("one/name", "one\n")
    runtime.file("two/name", "two\n")
    result = runtime.sh("cat /mnt/name", "--bind", f"{one}:/mnt", "--bind", f"{two}:/mnt")
    assert result.ok() == "two\n"


def test_hundreds_of_binds(runtime: Runtime) -> None:
    box = runtime.with_rootfs(runtime.copy_rootfs())
    source = box.directory("d")
    options = [word for n in range(300) for word in ("--bind", f"{source}:/many/{n}")]
    assert box.sh("ls /many | wc -l", *options).ok().strip() == "300"


def test_bind_of_the_rootfs_itself_and_of_proc(runtime: Runtime) -> None:
    assert "etc" in runtime.sh("ls /mnt", "--bind", f"{runtime.rootfs}:/mnt").ok().split()


def test_tmpfs(runtime: Runtime) -> None:
    report = runtime.report("--tmpfs", "/tmp", "--tmpfs", "/mnt:size=64k")
    tmp, mnt = report.mounts()["/tmp"], report.mounts()["/mnt"]
    assert tmp.kind == mnt.kind == "tmpfs"
    assert {"nosuid", "nodev"} <= tmp.flags and {"nosuid", "nodev"} <= mnt.flags
    assert "size=64k" in mnt.options
    script = "dd if=/dev/zero of=/mnt/x bs=1k count=100 2>/dev/null || stat -c %s /mnt/x"
    assert runtime.sh(script, "--tmpfs", "/mnt:size=64k").ok() == "65536\n"
    assert runtime.sh("stat -c %a /tmp", "--tmpfs", "/tmp").ok() == "1777\n"


@pytest.mark.parametrize("size", ["65536", "64k", "1m", "50%"])
def test_sizes_of_a_tmpfs(any_caller: Runtime, size: str) -> None:
    result = any_caller.run("--tmpfs", f"/mnt:size={size}", "--", "true")
    if size == "50%":
        assert result.status in (0, 125)
    else:
        result.ok()


def plant(runtime: Runtime, link: str, target: str) -> Path:
    """A rootfs with a symbolic link where a mount is to go."""
    rootfs = runtime.copy_rootfs()
    path = rootfs / link
    if path.is_dir() and not path.is_symlink():
        for item in path.iterdir():
            item.unlink()
        path.rmdir()
    elif path.is_symlink() or path.exists():
        path.unlink()
    path.symlink_to(target)
    runtime.own(path)
    return rootfs


def canary_of(runtime: Runtime) -> Path:
    canary = runtime.directory("canary")
    runtime.file("canary/file", "untouched\n")
    return canary


def assert_untouched(canary: Path) -> None:
    assert [path.name for path in canary.iterdir()] == ["file"]
    assert (canary / "file").read_text() == "untouched\n"


@pytest.mark.parametrize("deeper", ["", "/a/b"])
@pytest.mark.parametrize("relative", [False, True])
def test_bind_target_never_leaves_through_a_link(runtime: Runtime, deeper: str,
                                                 relative: bool) -> None:
    """CVE-2019-18837, CVE-2021-30465, CVE-2024-45310: the link leads to the host's canary."""
    canary = canary_of(runtime)
    target = "../" * 12 + str(canary)[1:] if relative else str(canary)
    box = runtime.with_rootfs(plant(runtime, "link", target))
    source = box.directory("source")
    before = sorted(os.listdir(box.work))
    result = box.sh("echo x >/link%s/new; ls /" % deeper, "--bind", f"{source}:/link{deeper}")
    assert result.status in (0, 125), result
    assert_untouched(canary)
    assert sorted(os.listdir(box.work)) == before


@pytest.mark.parametrize("option", ["--tmpfs", "--bind"])
def test_file_link_as_target(runtime: Runtime, option: str) -> None:
    canary = canary_of(runtime)
    box = runtime.with_rootfs(plant(runtime, "link", f"{canary}/file"))
    value = "/link" if option == "--tmpfs" else f"{box.file('source', 'y')}:/link"
    result = box.sh("echo x >/link; true", option, value)
    assert result.status in (0, 125), result
    assert_untouched(canary)


def test_loop_of_links_as_target_is_an_error(runtime: Runtime) -> None:
    box = runtime.with_rootfs(plant(runtime, "loop", "loop"))
    result = box.sh("true", "--bind", f"{box.directory('d')}:/loop/x")
    assert "ymbolic link" in result.refused("/loop/x")  # the words are the C library's


def test_magic_links_are_no_targets(runtime: Runtime) -> None:
    source = runtime.directory("d")
    for target in ("/proc/self/cwd/x", "/proc/1/root/mnt", "/proc/self/fd"):
        result = runtime.sh("true", "--bind", f"{source}:{target}")
        assert result.status == 125 and result.err.startswith("bulkhead: cannot "), result


def test_source_that_is_a_link_is_followed_on_the_host(runtime: Runtime) -> None:
    real = runtime.directory("real")
    runtime.file("real/name", "real\n")
    (runtime.work / "alias").symlink_to(real)
    result = runtime.sh("cat /mnt/name", "--bind", f"{runtime.work}/alias:/mnt")
    assert result.ok() == "real\n"


def test_relative_source(runtime: Runtime) -> None:
    runtime.directory("here")
    runtime.file("here/name", "here\n")
    assert runtime.sh("cat /mnt/name", "--bind", "here:/mnt").ok() == "here\n"


def test_mounts_of_a_shared_host_do_not_come_in_nor_go_out(as_root: Runtime) -> None:
    """The host's mounts are shared, as systemd makes them: nothing propagates either way."""
    source = as_root.directory("source")
    inner = as_root.run_argv("--bind", f"{source}:/mnt", "--seccomp", "none",
                             "--cap-add", "SYS_ADMIN", "--", "sh", "-c",
                             "mkdir -p /mnt/in; mount -t tmpfs inside /mnt/in && echo mounted")
    script = ('mount --bind "$0" "$0" && mount --make-rshared / && "$@" && '
              'grep -c inside /proc/self/mountinfo')
    result = as_root.execute(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c",
                              script.replace("mount --make-rshared /",
                                             "mount --make-rshared \"$0\""),
                              str(source), *inner])
    assert (result.out, result.err) == ("mounted\n0\n", "")


def test_set_id_bits_of_a_bind_gain_nothing(runtime: Runtime) -> None:
    source = runtime.directory("d")
    (source / "id").write_bytes((runtime.rootfs / "usr/bin/busybox").read_bytes())
    runtime.own(source / "id")
    (source / "id").chmod(0o6755)
    status = runtime.sh("cp /mnt/id /dev/shm/ 2>/dev/null; grep -h NoNewPrivs /proc/self/status",
                        "--bind", f"{source}:/mnt").ok()
    assert status.split() == ["NoNewPrivs:", "1"]


@pytest.mark.parametrize("option", ["--tmpfs", "--bind"])
def test_target_that_is_swapped_after_the_check(as_root: Runtime, option: str) -> None:
    """By somebody who may write to the rootfs: for a link to /proc, which no mount may hide."""
    rootfs = as_root.copy_rootfs()
    # The first look makes the target, the second opens it; what follows comes seconds later.
    slow = ("strace", "-f", "-qq", "-o", "/dev/null",
            "-e", "inject=openat2:delay_exit=3000000:when=2")
    box = replace(as_root.with_rootfs(rootfs), caller=replace(as_root.caller, switch=slow))
    value = "/t" if option == "--tmpfs" else f"{as_root.directory('source')}:/t"
    process = box.start(option, value, "--", "ls", "/proc")
    assert host.wait_until((rootfs / "t").is_dir, 20)
    (rootfs / "t").rename(rootfs / "moved")
    (rootfs / "t").symlink_to("/proc")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 125 and out == b"" and err.startswith(b"bulkhead: cannot mount")


def test_rootfs_behind_a_door_that_only_the_caller_may_pass(as_root: Runtime) -> None:
    """Root of the user namespace is somebody else there."""
    rootfs = as_root.copy_rootfs("closed")
    shifted = as_root.directory("door", 0o700) / "rootfs"
    rootfs.rename(shifted)
    for path in [shifted, *shifted.rglob("*")]:
        os.chown(path, 100000, 100000, follow_symlinks=False)
    maps = ("--uid-map", "0:100000:65536", "--gid-map", "0:100000:65536")
    box = as_root.with_rootfs(shifted)
    told = box.run(*maps, "--", "cat", "/proc/self/uid_map").ok()
    assert told.split() == ["0", "100000", "65536"]
