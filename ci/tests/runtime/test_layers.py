# SPDX-License-Identifier: GPL-2.0-or-later
"""--layer and --upper: layered roots on overlayfs."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest

import host
from containers import Runtime


def layer(runtime: Runtime, directory: str, **files: str) -> Path:
    """A directory with files, to lie upon the rootfs."""
    top = runtime.directory(directory)
    for path, text in files.items():
        runtime.file(f"{directory}/{path}", text)
    return top


def layered(runtime: Runtime, script: str, *options: str | Path) -> list[str | Path]:
    return ["run", "--layer", runtime.rootfs, *options, "--", "sh", "-c", script]


def test_one_layer(runtime: Runtime) -> None:
    assert "etc" in runtime(*layered(runtime, "ls /")).ok().split()


def test_upper_layers_cover_lower_ones(runtime: Runtime) -> None:
    one = layer(runtime, "one", a="one\n", b="one\n")
    two = layer(runtime, "two", b="two\n")
    result = runtime(*layered(runtime, "cat /a /b", "--layer", one, "--layer", two))
    assert result.ok() == "one\ntwo\n"
    result = runtime(*layered(runtime, "cat /a /b", "--layer", two, "--layer", one))
    assert result.ok() == "one\none\n"


def test_writes_are_thrown_away(runtime: Runtime) -> None:
    one = layer(runtime, "one", a="one\n")
    names = sorted(os.listdir(runtime.rootfs)), sorted(os.listdir(one))
    script = "echo new >/a; rm /etc/passwd; mkdir /new; cat /a; ls /etc/passwd 2>/dev/null"
    result = runtime(*layered(runtime, script, "--layer", one))
    assert result.out == "new\n"
    assert (one / "a").read_text() == "one\n"
    assert (sorted(os.listdir(runtime.rootfs)), sorted(os.listdir(one))) == names
    assert runtime(*layered(runtime, "cat /a", "--layer", one)).ok() == "one\n"


def test_writes_are_kept_in_upper(runtime: Runtime) -> None:
    upper = runtime.directory("upper")
    options = ("--upper", upper)
    runtime(*layered(runtime, "echo kept >/kept; rm /etc/hosts", *options)).ok()
    assert (upper / "kept").read_text() == "kept\n"
    result = runtime(*layered(runtime, "cat /kept; ls /etc/hosts 2>&1", *options))
    assert result.out.startswith("kept\n") and "No such file" in result.out
    assert [path.name for path in runtime.work.iterdir()] == ["upper"]
    assert not (runtime.rootfs / "kept").exists() and (runtime.rootfs / "etc/hosts").exists()


def test_read_only_layers(runtime: Runtime) -> None:
    result = runtime(*layered(runtime, "touch /x", "--read-only"))
    assert result.status != 0 and "ead-only file system" in result.err


@pytest.mark.parametrize("name", ["with space", "comma,comma", "colon:colon", "back\\slash",
                                  "upperdir=x", "ü"])
def test_odd_names_of_layers(runtime: Runtime, name: str) -> None:
    top = layer(runtime, name, a="text\n")
    assert runtime(*layered(runtime, "cat /a", "--layer", top)).ok() == "text\n"


@pytest.mark.parametrize("name", ["with space", "comma,comma", "colon:colon", "back\\slash"])
def test_odd_names_of_upper(runtime: Runtime, name: str) -> None:
    upper = runtime.directory(name)
    runtime(*layered(runtime, "echo kept >/kept", "--upper", upper)).ok()
    assert (upper / "kept").read_text() == "kept\n"


def test_many_layers(runtime: Runtime) -> None:
    options: list[str | Path] = []
    for n in range(60):
        options += ["--layer", layer(runtime, f"layer-{n}", **{f"f{n}": "", "top": f"{n}\n"})]
    assert runtime(*layered(runtime, "cat /top; ls /f* | wc -l", *options)).ok() == "59\n60\n"


def test_layers_of_the_container_cannot_be_seen(runtime: Runtime) -> None:
    one = layer(runtime, "one", a="")
    result = runtime(*layered(runtime, "cat /proc/self/mountinfo; ls /", "--layer", one))
    assert str(one) not in result.ok() and str(runtime.work) not in result.out


def test_mounts_work_on_layers(runtime: Runtime) -> None:
    data = layer(runtime, "data", name="data\n")
    options = ("--bind", f"{data}:/new/place", "--tmpfs", "/scratch")
    result = runtime(*layered(runtime, "cat /new/place/name; touch /scratch/x", *options))
    assert result.ok() == "data\n"
    assert not (runtime.rootfs / "new").exists()


@pytest.mark.parametrize("make, reason", [
    (lambda path: None, "No such file or directory"),
    (lambda path: path.touch(), "Not a directory"),
])
@pytest.mark.parametrize("option", ["--layer", "--upper"])
def test_bad_layers_are_named(runtime: Runtime, option: str, make: Callable[[Path], None],
                              reason: str) -> None:
    path = runtime.work / "bad"
    make(path)
    result = runtime(*layered(runtime, "true", option, path))
    result.refused(f'"{path}"', reason)


def test_layers_that_overlap_are_told(any_caller: Runtime) -> None:
    layer = any_caller.directory("layer")
    inner = any_caller.directory("layer/inner")
    for options in (["--layer", any_caller.rootfs], ["--layer", layer, "--layer", inner],
                    ["--layer", inner, "--upper", layer]):
        any_caller.run(*options, "--", "true").refused(
            "cannot stack the layers", "a layer stands there twice, or lies within another")


def test_upper_over_a_rootfs(any_caller: Runtime) -> None:
    """--rootfs with --upper: the rootfs is the lowest layer and stays as it is."""
    upper = any_caller.directory("upper")
    any_caller.run("--upper", upper, "--", "touch", "/x").ok()
    assert (upper / "x").exists() and not (any_caller.rootfs / "x").exists()


def test_layer_over_a_rootfs(any_caller: Runtime) -> None:
    one = layer(any_caller, "one", a="one\n")
    result = any_caller.run("--layer", one, "--", "sh", "-c", "cat /a; ls -d /etc")
    assert result.ok() == "one\n/etc\n"
    assert not (any_caller.rootfs / "a").exists()


def test_one_container_at_a_time_works_on_upper(runtime: Runtime) -> None:
    upper = runtime.directory("upper")
    first = runtime.start("--upper", upper, "--", "sh", "-c", "echo started; read line")
    assert first.stdout and first.stdout.readline() == b"started\n"
    result = runtime.run("--upper", upper, "--", "true")
    result.refused(f'"{upper}.work"', "esource busy", "another container uses it")
    assert Path(f"{upper}.work/work").is_dir()
    first.communicate(b"\n", timeout=20)  # ends its read
    assert first.returncode == 0 and not Path(f"{upper}.work").exists()


def test_a_work_directory_that_was_left_is_taken_over(any_caller: Runtime) -> None:
    """bulkhead and its janitor are killed at once: nobody removes it, nobody holds its lock."""
    upper = any_caller.directory("upper")
    box = any_caller.start("--upper", upper, "--", "sh", "-c", "echo up; read line")
    assert box.stdout and box.stdout.readline() == b"up\n"
    os.kill(box.pid, signal.SIGSTOP)  # it sees nobody die
    for child in Path(f"/proc/{box.pid}/task/{box.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    box.kill()
    box.communicate(timeout=10)
    assert Path(f"{upper}.work/work").is_dir()
    any_caller.run("--upper", upper, "--", "touch", "/kept").ok()
    assert [path.name for path in any_caller.work.iterdir()] == ["upper"]


OURS = 0o1700  # the mode of a work directory that bulkhead has made


@pytest.mark.parametrize("mode, name, inner", [(OURS, "data", 0), (OURS, "work", 0o755),
                                               (0o755, "work", 0), (0o700, None, 0)])
def test_a_directory_that_is_no_work_directory_is_left_alone(any_caller: Runtime, mode: int,
                                                             name: str | None,
                                                             inner: int) -> None:
    upper = any_caller.directory("upper")
    theirs = any_caller.directory("upper.work", mode)
    if name:
        any_caller.directory(f"upper.work/{name}", inner)
    result = any_caller.run("--upper", upper, "--", "true")
    result.refused(f'"{upper}.work"', "File exists", "not of bulkhead's making")
    assert os.listdir(theirs) == ([name] if name else [])


def delayed(runtime: Runtime, call: str, delay: str) -> Runtime:
    """The same, where strace delays a system call."""
    strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:{delay}")
    return replace(runtime, caller=replace(runtime.caller, switch=strace))


def test_who_ends_leaves_the_next_ones_work_directory_alone(as_root: Runtime) -> None:
    upper = as_root.directory("upper")
    work = Path(f"{upper}.work")
    slow = delayed(as_root, "unlinkat", "delay_exit=1000000:when=2+")
    first = slow.start("--upper", upper, "--", "sh", "-c", "echo up; read line")
    assert first.stdout and first.stdout.readline() == b"up\n"
    assert first.stdin
    first.stdin.write(b"\n")
    first.stdin.flush()
    assert host.wait_until(lambda: not work.exists(), 20)
    second = as_root.start("--upper", upper, "--", "sh", "-c",
                           "echo up; read line; rm -r /etc && mkdir /etc && echo done")
    assert second.stdout and second.stdout.readline() == b"up\n"
    first.communicate(timeout=30)
    assert first.returncode == 0 and (work / "work").is_dir()
    out, err = second.communicate(b"\n", timeout=10)
    assert (second.returncode, out, err) == (0, b"done\n", b"")
    assert not work.exists()


def test_who_is_refused_leaves_the_first_ones_work_directory_alone(as_root: Runtime) -> None:
    """While that is still empty: the first one is about to start its container."""
    upper = as_root.directory("upper")
    work = Path(f"{upper}.work")
    first = delayed(as_root, "clone3", "delay_enter=1500000:when=2").start(
        "--upper", upper, "--", "sh", "-c", "rm -r /etc && mkdir /etc && echo done")

    def is_locked() -> bool:
        return work.exists() and f":{work.stat().st_ino} " in Path("/proc/locks").read_text()
    assert host.wait_until(is_locked, 20)
    as_root.run("--upper", upper, "--", "true").refused(f'"{work}"', "esource busy")
    out, err = first.communicate(timeout=30)
    assert (first.returncode, out, err) == (0, b"done\n", b"")


@pytest.mark.parametrize("when", ["delay_enter", "delay_exit"])
def test_who_is_killed_while_taking_it_leaves_no_work_directory(as_root: Runtime,
                                                                when: str) -> None:
    """Before it is locked and just after: the janitor finds it as it is."""
    work = as_root.directory("upper").with_name("upper.work")
    strace = delayed(as_root, "flock", f"{when}=1000000:when=1").start(
        "--upper", "upper", "--", "true")
    assert host.wait_until(work.exists, 20)
    for child in Path(f"/proc/{strace.pid}/task/{strace.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    strace.communicate(timeout=30)
    assert host.wait_until(lambda: not work.exists(), 20)


def with_mount(runtime: Runtime, point: Path) -> Runtime:
    """The same in a mount namespace with a tmpfs on that directory."""
    around = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"',
              str(point))
    return replace(runtime, caller=replace(runtime.caller, around=around))


@pytest.mark.parametrize("options", [[], ["--userns"]])
def test_an_upper_that_is_a_mount_point_is_refused(as_root: Runtime, options: list[str]) -> None:
    """What is written would go beneath the mount."""
    upper = as_root.directory("upper")
    box = with_mount(as_root, upper)
    for name in (str(upper), "upper"):
        box.run(*options, "--upper", name, "--", "touch", "/x").refused(
            f'"{name}"', "name a directory below it")
    assert os.listdir(as_root.work) == ["upper"] and not os.listdir(upper)


@pytest.mark.parametrize("options", [[], ["--userns"]])
def test_a_mount_beside_upper_is_not_in_the_way(as_root: Runtime, options: list[str]) -> None:
    upper, other = as_root.directory("upper"), as_root.directory("other")
    with_mount(as_root, other).run(*options, "--upper", upper, "--", "touch", "/x").ok()
    assert os.listdir(upper) == ["x"]


def test_a_mount_below_a_layer_is_left_out_or_refused(as_root: Runtime) -> None:
    layer(as_root, "one", a="text\n")
    below = as_root.directory("one/below")
    box = with_mount(as_root, below)
    options = ("--layer", as_root.work / "one")
    assert box.run(*options, "--", "cat", "/a").ok() == "text\n"
    box.run("--userns", *options, "--", "cat", "/a").refused(
        f'"{as_root.work / "one"}"', "mounts below it")


def test_a_mount_below_upper_is_left_out_or_refused(as_root: Runtime) -> None:
    upper, below = as_root.directory("upper"), as_root.directory("upper/below")
    box = with_mount(as_root, below)
    box.run("--upper", upper, "--", "touch", "/below/x").ok()
    assert os.listdir(below) == ["x"]
    box.run("--userns", "--upper", upper, "--", "true").refused("mounted below --upper")
