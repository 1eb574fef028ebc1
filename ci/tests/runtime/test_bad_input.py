# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input: one clear line, status 125, and no command is run."""

from __future__ import annotations

import pytest

from containers import Runtime

# Options and values that cannot be meant; each must be refused before anything is made.
BAD_VALUES = [
    ("--memory", ["12x", "", "-1", "0", "1.5G", "0x1000", "99999999999999999999", "k", "4095",
                  " 8M", "8M ", "+8M", "18446744073709551615K"]),
    ("--pids", ["x", "", "0", "-5", "1.5", "99999999999", "5x", " 5"]),
    ("--cpus", ["x", "", "0", "-1", "1..5", "nan", "inf", "1e3", "0.00001", "1,5", "99999999"]),
    ("--bind", ["", "nocolon", ":", "/etc:", ":/etc", "/etc:relative", "/etc:/mnt:rw",
                "/etc:/mnt:ro:ro", "/etc:/", "/etc:/mnt:"]),
    ("--tmpfs", ["", "relative", "/", "/mnt:", "/mnt:size=", "/mnt:size=x", "/mnt:mode=777",
                 "/mnt:size=4k,mode=0", "/mnt:size=-1"]),
    ("--env", ["", "=", "=value", "NOEQUALS"]),
    ("--workdir", ["", "relative", "../x"]),
    ("--user", ["", "x", ":", "7:", ":7", " 7", "+7", "7x", "-1", "4294967295", "4294967296",
                "0:4294967295", "7:7:7", "7 ", "root"]),
    ("--hostname", ["", "x" * 65, "x" * 300, "a b", "a\nb", "a/b", "a\x01b", "ä"]),
    ("--domainname", ["", "x" * 65, "a\nb"]),
    ("--share", ["", "nothing", "net,", ",net", "net,,ipc", "mnt", "NET", "net ipc"]),
    ("--uid-map", ["", "0", "0:0", "a:b:c", "0:0:0", "0:0:-1", "0:0:1:1", "4294967295:0:1",
                   "0:4294967295:1", "0:0:4294967296", "1:1000:10"]),
    ("--gid-map", ["", "0:0:x", "0:0:0"]),
    ("--timens", ["", "1", "1,", ",1", "x,y", "1,2,3", "99999999999999999999,0", "1.5,0"]),
    ("--cap-add", ["", "NOTHING", "CAP_", "1", "chown,kill"]),
    ("--cap-drop", ["", "NOTHING", "CAP_NOTHING"]),
    ("--seccomp", ["", "/nonexistent", "/", "/etc/passwd", "Default"]),
    ("--rootfs", [""]),
    ("--layer", ["", "/nonexistent"]),
    ("--upper", ["", "/nonexistent"]),
]


@pytest.mark.parametrize("option, value", [
    pytest.param(option, value, id=f"{option[2:]}-{number}")
    for option, values in BAD_VALUES for number, value in enumerate(values)])
def test_bad_value_is_refused_by_name(any_caller: Runtime, option: str, value: str) -> None:
    text = any_caller.run(option, value, "--", "true").refused()
    # What was wrong stands in the line: the option, or the value in quotes.
    assert option in text or (value and f'"{value}"' in text) or "id map" in text, text


@pytest.mark.parametrize("option", [option for option, _ in BAD_VALUES])
def test_missing_value_is_refused(any_caller: Runtime, option: str) -> None:
    any_caller("run", option).refused(option)


@pytest.mark.parametrize("option", ["--read-only=yes", "--init=1", "--tty=no", "--userns=x"])
def test_switches_take_no_value(any_caller: Runtime, option: str) -> None:
    any_caller.run(option, "--", "true").refused(option.split("=")[0], "takes no value")


@pytest.mark.parametrize("arguments", [["--frobnicate"], ["-x"], ["--rootf", "."], ["--Init"],
                                       ["--hostname-x", "a"], ["--="], ["--env-"]])
def test_unknown_options_are_refused(any_caller: Runtime, arguments: list[str]) -> None:
    any_caller("run", *arguments, "--", "true").refused(arguments[0])


@pytest.mark.parametrize("arguments", [[], ["--"], ["--read-only"], ["--read-only", "--"]])
def test_no_command_is_refused(any_caller: Runtime, arguments: list[str]) -> None:
    any_caller.run(*arguments).refused("there is no command", "bulkhead run")


def test_empty_command_is_refused(any_caller: Runtime) -> None:
    result = any_caller.run("--", "")
    assert result.status in (125, 127)
    result.refused(status=result.status)


@pytest.mark.parametrize("verb", ["", "rum", "--frobnicate", "RUN", "init-of-container"])
def test_unknown_verbs_are_refused(any_caller: Runtime, verb: str) -> None:
    any_caller(verb).refused()


def test_no_verb_shows_the_usage(any_caller: Runtime) -> None:
    result = any_caller()
    assert result.status == 125 and result.out == ""
    assert "Usage: bulkhead run" in result.err


def test_no_rootfs_at_all(any_caller: Runtime) -> None:
    any_caller("run", "true").refused('cannot use the rootfs "rootfs"', "No such file",
                                      "--rootfs")


def test_rootfs_is_the_default(runtime: Runtime) -> None:
    runtime.copy_rootfs("rootfs")
    assert runtime("run", "--", "echo", "works").ok() == "works\n"


def test_rootfs_is_a_file(runtime: Runtime) -> None:
    file = runtime.file("rootfs.tar")
    runtime("run", "--rootfs", file, "true").refused(f'"{file}"', "Not a directory", "unpack")


def test_rootfs_is_a_loop_of_links(runtime: Runtime) -> None:
    for name, target in (("one", "two"), ("two", "one")):
        (runtime.work / name).symlink_to(target)
    text = runtime("run", "--rootfs", "one", "true").refused('"one"')
    assert "ymbolic link" in text


def test_rootfs_behind_a_closed_door(rootless: Runtime) -> None:
    inner = rootless.directory("closed/rootfs").parent
    inner.chmod(0)
    rootless("run", "--rootfs", inner / "rootfs", "true").refused("Permission denied")


def test_rootfs_without_the_command(runtime: Runtime) -> None:
    empty = runtime.directory("empty")
    result = runtime("run", "--rootfs", empty, "sh")
    assert result.status in (125, 127)
    result.refused(status=result.status)


def test_rootfs_that_is_a_link_to_a_directory(runtime: Runtime) -> None:
    (runtime.work / "link").symlink_to(runtime.rootfs)
    assert runtime("run", "--rootfs", "link", "--", "echo", "works").ok() == "works\n"


@pytest.mark.parametrize("missing", ["proc", "dev", "sys"])
def test_rootfs_without_a_mount_point(runtime: Runtime, missing: str) -> None:
    rootfs = runtime.copy_rootfs()
    (rootfs / missing).rmdir()
    result = runtime.with_rootfs(rootfs).run("ls", f"/{missing}")
    assert result.status == 0 and result.out or result.status == 125 and missing in result.err


def test_five_thousand_binds(runtime: Runtime) -> None:
    """They work, or the error says what the limit is; nothing hangs or crashes."""
    box = runtime.with_rootfs(runtime.copy_rootfs())
    source = box.directory("d")
    options = [f"--bind={source}:/many/{n}" for n in range(5000)]
    result = box.sh("ls /many | wc -l", *options, timeout=60)
    if result.status == 125:
        result.refused("bind")
    else:
        assert result.ok().strip() == "5000"


@pytest.mark.parametrize("length", [255, 4096, 100000])
def test_endless_paths(any_caller: Runtime, length: int) -> None:
    path = "/" + "x" * length
    for arguments in (["--rootfs", path], ["--bind", f"{path}:/mnt"], ["--bind", f"/etc:{path}"],
                      ["--workdir", path], ["--layer", path]):
        assert any_caller.run(*arguments, "--", "true").status in (0, 125)
    result = any_caller.run(path)
    assert result.status in (126, 127) and result.err.count("\n") == 1


def test_control_characters_do_not_reach_the_terminal(any_caller: Runtime) -> None:
    evil = "x\nbulkhead: all is well\x1b[2J"
    for arguments in (["--bind", evil], ["--rootfs", evil], ["--hostname", evil], ["--", evil],
                      [f"--{evil}"], ["--share", evil], ["--bind", f"/etc:/{evil}/passwd"]):
        result = any_caller.run(*arguments, "true")
        assert "\x1b" not in result.err and result.err.count("\n") == 1, result
        assert result.status != 0
    any_caller(evil).refused("there is no such verb", r'"x\x0abulkhead: all is well\x1b[2J"')


def test_bytes_that_are_no_text(any_caller: Runtime) -> None:
    for value in (b"\xff\xfe", b"\x80" * 70):
        for option in (b"--hostname", b"--bind", b"--rootfs", b"--user"):
            argv = [*map(str.encode, any_caller.run_argv()), option, value, b"--", b"true"]
            result = any_caller.execute(argv)
            assert result.status == 125 and result.err.count("\n") == 1, result


def test_full_standard_error_does_not_hang(any_caller: Runtime) -> None:
    argv = any_caller.argv("run", "--memory", "x", "true")
    assert any_caller.execute(["sh", "-c", '"$@" 2>/dev/full', "sh", *argv]).status == 125


def test_nothing_ran(any_caller: Runtime) -> None:
    """The sibling of all above: with a good value the very same command line runs."""
    good = ["--memory", "--pids", "--cpus", "--upper", "--layer", "--rootfs"]
    values = {"--bind": "/etc:/mnt", "--tmpfs": "/mnt:size=4k", "--env": "A=b",
              "--workdir": "/etc", "--user": "0:0", "--hostname": "a.b-c_d", "--domainname": "a",
              "--share": "net,ipc", "--timens": "1,2", "--cap-add": "CAP_CHOWN",
              "--cap-drop": "ALL", "--seccomp": "default"}
    for option, _ in BAD_VALUES:
        if option not in good and not option.endswith("-map"):
            any_caller.run(option, values[option], "--", "true").ok()
