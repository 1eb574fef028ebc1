# SPDX-License-Identifier: GPL-2.0-or-later
"""The other verbs: child, features, --version, --help."""

from __future__ import annotations

import json
import os
import re

import pytest

from containers import Report, Runtime

UNSHARE = ["unshare", "--uts", "--mount", "--pid", "--ipc", "--net", "--cgroup", "--fork"]


def child(runtime: Runtime, *arguments: str, unshare: list[str] | None = None) -> list[str]:
    """`bulkhead child …` in namespaces that unshare(1) makes."""
    argv = runtime.argv("child", "--rootfs", str(runtime.rootfs), *arguments)
    head = len(runtime.caller.prefix)
    return [*argv[:head], *(UNSHARE if unshare is None else unshare), *argv[head:]]


def test_child_runs_on_the_new_root(as_root: Runtime) -> None:
    result = as_root.execute(child(as_root, "--hostname", "inner", "--", "probe", "report"))
    report = Report(result.ok())
    assert (report.one("pid"), report.one("hostname")) == ("1", "inner")
    assert report.mounts()["/proc"].kind == "proc"
    assert report.table("status")["NoNewPrivs"] == "1"
    assert sorted(report.table("fd")) == ["0", "1", "2"]


def test_child_isolates_like_run(as_root: Runtime) -> None:
    """Mounts, capabilities and the filter are the inner stage's: they are the same."""
    ours = Report(as_root.execute(child(as_root, "--", "probe", "report")).ok())
    runs = as_root.report()
    assert sorted(ours.mounts()) == sorted(runs.mounts())
    for word in ("CapEff", "CapBnd", "CapInh", "Seccomp", "NoNewPrivs", "SigIgn"):
        assert ours.table("status")[word] == runs.table("status")[word], word


@pytest.mark.parametrize("missing", ["--mount", "--pid"])
def test_child_in_a_namespace_of_the_host_is_refused(as_root: Runtime, missing: str) -> None:
    """It would pivot the host's own root, or mount the host's /proc."""
    unshare = [word for word in UNSHARE if word != missing]
    if missing == "--pid":
        unshare.remove("--fork")
    result = as_root.execute(child(as_root, "--", "true", unshare=unshare))
    result.refused()
    assert os.path.ismount("/proc")


def test_child_of_a_user_with_a_user_namespace(rootless: Runtime) -> None:
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--uts", "--ipc",
               "--net", "--fork"]
    result = rootless.execute(child(rootless, "--share", "cgroup", "--", "id", "-u",
                                    unshare=unshare))
    assert result.ok() == "0\n"


def nested(runtime: Runtime, *unshare: str) -> list[str]:
    """`bulkhead run` in namespaces that unshare(1) makes, as in a container."""
    argv = runtime.run_argv("--", "sh", "-c", "id -u; echo $$; cat /proc/self/comm")
    head = len(runtime.caller.prefix)
    return [*argv[:head], "unshare", *unshare, *argv[head:]]


def test_run_as_pid_1(as_root: Runtime) -> None:
    """The init of a VM and the entry point of a container are PID 1 as the command will be."""
    argv = nested(as_root, "--mount", "--pid", "--fork", "--mount-proc")
    assert as_root.execute(argv).lines() == ["0", "1", "cat"]


@pytest.mark.parametrize("options", [["--userns"], ["--userns", "--timens", "1,1"]])
def test_proc_of_another_pid_namespace(as_root: Runtime, options: list[str]) -> None:
    """Its numbers are those of strangers, whose id maps are not ours to write."""
    argv = ["unshare", "--pid", "--fork", *as_root.run_argv(*options, "--", "true")]
    as_root.execute(argv).refused('cannot write the id map "/proc"',
                                  "it shows another PID namespace", "unshare --mount-proc")
    argv.insert(1, "--mount-proc")
    as_root.execute(argv).ok()


def test_run_by_root_of_a_user_namespace(rootless: Runtime) -> None:
    argv = nested(rootless, "--user", "--map-root-user")
    assert rootless.execute(argv).lines() == ["0", "1", "cat"]


def test_hosts_binary_in_a_bind_is_refused(as_root: Runtime) -> None:
    """CVE-2019-5736: what runs inside may write to it through /proc/self/exe."""
    inner = as_root.binary
    result = as_root.run("--cap-add", "ALL", "--seccomp", "none", "--bind",
                         f"{inner.parent}:/opt", "--", "/opt/bulkhead", "run", "--rootfs", "/",
                         "echo", "inner")
    result.refused("bulkhead itself", status=126)


@pytest.mark.parametrize("option", ["--userns", "--uid-map=0:0:1", "--timens=1,1", "--memory=8M",
                                    "--pids=5", "--cpus=1", "--tty"])
def test_child_refuses_what_only_run_can_do(any_caller: Runtime, option: str) -> None:
    any_caller("child", option, "--", "true").refused(option.split("=")[0], "child")


def test_status_of_child(as_root: Runtime) -> None:
    assert as_root.execute(child(as_root, "--", "sh", "-c", "exit 7")).status == 7
    as_root.execute(child(as_root, "--", "no-such")).refused(status=127)


def test_version(any_caller: Runtime) -> None:
    assert re.fullmatch(r"bulkhead \d+\.\d+\.\d+\n", any_caller("--version").ok())


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["run", "--help"], ["child", "--help"]])
def test_help_names_every_option(any_caller: Runtime, arguments: list[str]) -> None:
    text = any_caller(*arguments).ok()
    for option in ("rootfs layer upper read-only hostname domainname share userns uid-map gid-map "
                   "timens bind tmpfs env workdir user memory pids cpus cap-add cap-drop seccomp "
                   "init tty").split():
        assert f"--{option}" in text, option
    assert max(map(len, text.splitlines())) <= 80


def test_features(any_caller: Runtime) -> None:
    features = json.loads(any_caller("features").ok())
    assert features["version"] == any_caller("--version").ok().split()[1]
    assert set(features["namespaces"]) >= {"mnt", "pid", "uts", "ipc", "net", "user", "cgroup"}
    options = {name.lstrip("-") for name in features["options"]}
    named = set(re.findall(r"^  --([a-z-]+)", any_caller("--help").ok(), re.MULTILINE))
    assert options == named


def test_features_need_no_rootfs_and_no_privilege(rootless: Runtime) -> None:
    assert json.loads(rootless("features", cwd="/").ok())["options"]


def test_output_that_cannot_be_written_is_an_error(any_caller: Runtime) -> None:
    for verb in ("features", "--version", "--help"):
        argv = any_caller.argv(verb)
        status = any_caller.execute(["sh", "-c", '"$@" >/dev/full', "sh", *argv]).status
        assert status != 0, verb
