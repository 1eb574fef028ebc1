# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts other than this one, by simulation: shells, a fake uname, a bare PATH, TCP channels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from launcher import cpio, hosts
from launcher.arch import ARCHES
from launcher.errors import InfraError

from .conftest import ARCH, TREE, Launcher
from .test_boot import fake_qemu

SCRIPT = str(TREE / "vm/run-tests.sh")
SHELLS = [["dash"], ["busybox", "ash"], ["bash", "--posix"], ["bash"]]
# What run-tests.sh may call besides Python: nothing that a bare POSIX system lacks.
POSIX_TOOLS = ("readlink", "uname")


def bare_path(folder: Path, **scripts: str) -> Path:
    """A PATH with the POSIX tools, python3 and the scripts alone."""
    folder.mkdir()
    for tool in POSIX_TOOLS:
        (folder / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    (folder / "python3").symlink_to(sys.executable)
    for name, script in scripts.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


def call(shell: List[str], path: Path, *options: str, **environment: str) \
        -> "subprocess.CompletedProcess[str]":
    shell = [shutil.which(shell[0]) or shell[0], *shell[1:]]
    return subprocess.run([*shell, SCRIPT, *options], capture_output=True, encoding="utf-8",
                          env={"PATH": str(path), "HOME": str(path), **environment}, check=False)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_version_managers_script_is_the_last_choice(shell: List[str], tmp_path: Path) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"no-tool: {shell[0]}")
    path = bare_path(tmp_path / "bin", python3='printf "by the script"')
    (path / "python").symlink_to(sys.executable)
    done = call(shell, path, "--version")
    assert (done.returncode, done.stdout) == (0, "bulkhead run-tests 0.1.0\n"), done.stderr
    # /usr/bin/python3, which run-tests.sh knows by its whole name, would be taken here, too.
    assert "by the script" in call(shell, path, "--version", PYTHON="python3").stdout


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_script_runs_in_every_shell_with_a_bare_path(shell: List[str], tmp_path: Path) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"no-tool: {shell[0]}")
    done = call(shell, bare_path(tmp_path / "bin"), "--version")
    assert (done.returncode, done.stdout) == (0, "bulkhead run-tests 0.1.0\n"), done.stderr


def test_arguments_come_through_unharmed(tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin", echo='for word; do printf "<%s>" "$word"; done')
    done = call(["sh"], path, "--before", "a  b 'c' $d *", "", "--add", "x:/y", PYTHON="echo")
    assert done.stdout.endswith("<--before><a  b 'c' $d *><><--add><x:/y>")


@pytest.mark.parametrize("system, advice", [
    ("Darwin", "brew install python3"), ("MINGW64_NT-10.0-22631", "winget install Python"),
    ("MSYS_NT-10.0", "winget install Python"), ("Linux", "install the package python3")])
def test_no_python(system: str, advice: str, tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin", uname=f"echo {system}")
    (path / "python3").unlink()
    script = (TREE / "vm/run-tests.sh").read_text()
    # The usual places of Python cannot be emptied for a test; the search list can.
    for place in ("/usr/bin/python3", "/usr/local/bin/python3"):
        script = script.replace(place, "/nonexistent/python3")
    (tmp_path / "run-tests.sh").write_text(script)
    for options, status in ((["--list"], 3), (["--list", "--bisect"], 125)):
        done = subprocess.run(["/bin/sh", tmp_path / "run-tests.sh", *options], check=False,
                              env={"PATH": str(path)}, capture_output=True, encoding="utf-8")
        assert done.returncode == status
        assert advice in done.stderr


def test_bytecode_is_kept_in_the_cache_alone(tmp_path: Path) -> None:
    """The launcher's own, since that of the standard library is where Python was installed; and
    none beside the sources, however the script is called."""
    tree = tmp_path / "tree"
    shutil.copytree(TREE / "vm", tree / "vm", ignore=shutil.ignore_patterns("__pycache__"))
    for number, words in enumerate((["vm/run-tests.sh"], ["./run-tests.sh"],
                                    [str(tree / "vm/run-tests.sh")])):
        cache = tmp_path / f"cache{number}"
        subprocess.run(["/bin/sh", *words, "--help"], check=True, stdout=subprocess.DEVNULL,
                       cwd=tree / "vm" if words[0].startswith(".") else tree,
                       env={**os.environ, "XDG_CACHE_HOME": str(cache)})
        kept = {file.relative_to(cache / "bulkhead/bytecode") for file in cache.rglob("*.pyc")}
        assert kept and all(str(tree)[1:] in str(file) for file in kept), kept
        assert not list(tree.rglob("*.pyc"))


def test_macos_skips_a_python_that_is_too_old(tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin", uname="echo Darwin", python3="exit 1",
                     python=f'exec {sys.executable} "$@"')
    assert call(["sh"], path, "--version").stdout == "bulkhead run-tests 0.1.0\n"


def test_msys_gets_native_paths_and_no_rewriting(tmp_path: Path) -> None:
    path = bare_path(tmp_path / "bin", uname="echo MINGW64_NT-10.0", cygpath='echo "C:$2"',
                     python3='[ "$1" != -c ] || exit 0; echo "$MSYS_NO_PATHCONV '
                             '$MSYS2_ARG_CONV_EXCL"; printf "<%s>" "$@"')
    lines = call(["sh"], path, "--add", "m.ko:/m.ko").stdout.split("\n")
    assert lines[0] == "1 *"
    assert f"<C:{TREE}/vm><--add><m.ko:/m.ko>" in lines[1]
    assert "<bytecode=C:" in lines[1]


@pytest.mark.parametrize("system, folder", [
    ("darwin", "/opt/homebrew/bin"), ("darwin", "/opt/local/bin"),
    ("win32", r"C:\Program Files\qemu")])
def test_qemu_is_found_where_hosts_keep_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                           system: str, folder: str) -> None:
    suffix = ".exe" if system == "win32" else ""
    real = tmp_path / f"qemu-system-{ARCH}{suffix}"
    real.write_text("")
    real.chmod(0o755)
    monkeypatch.setattr(hosts, "host_system", lambda: system)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("BULKHEAD_QEMU_DIR", raising=False)
    assert folder in hosts.FOLDERS[system]
    monkeypatch.setitem(hosts.FOLDERS, system, ["/nonexistent", str(tmp_path)])
    assert hosts.find_qemu(ARCHES[ARCH]) == str(real)
    monkeypatch.setitem(hosts.FOLDERS, system, [])
    with pytest.raises(InfraError, match=hosts.ADVICE[system].split()[0]):
        hosts.find_qemu(ARCHES[ARCH])


WITHOUT_POSIX = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from launcher import cache, main, qemu, snapshot
qemu.POSIX = False
snapshot.supported = lambda: False
sys.exit(main.main(sys.argv[1:]))
"""


def test_guests_work_over_tcp_and_without_snapshots_as_on_windows(launch: Launcher) -> None:
    command = launch.argv("--isolate", "none", "--jobs", "1", tests="passes panics passes_again")
    done = subprocess.run([sys.executable, "-c", WITHOUT_POSIX, TREE / "vm", *command[1:]],
                          env=launch.environment, capture_output=True, encoding="utf-8",
                          timeout=400, check=False)
    assert done.returncode == 4, done.stderr
    assert "ok      6.12" in done.stdout and "CRASH   6.12" in done.stdout
    assert "3 results" in done.stdout


# Records its arguments and behaves like a QEMU that dies at once.
RECORDER = """[ "$1" != --version ] || { echo QEMU emulator version 9.1.0; exit; }
for word; do printf '%s\\n' "$word"; done >>"$RECORD"
case "$*" in *isa-debug-exit*) exit 85 ;; *-bios*) exit 0 ;; esac
echo "fake QEMU ends" >&2
exit 1
"""


@pytest.mark.parametrize("system, machine, accel", [
    ("darwin", "arm64" if ARCH == "aarch64" else "x86_64", "hvf"), ("win32", "AMD64", "whpx")])
def test_qemu_arguments_on_other_hosts(launch: Launcher, tmp_path: Path, system: str,
                                       machine: str, accel: str) -> None:
    folder = fake_qemu(tmp_path / "qemu dir", RECORDER)
    shutil.copy2(folder / f"qemu-system-{ARCH}", folder / f"qemu-system-{ARCH}.exe")
    driver = f"""
import sys
sys.path.insert(0, {str(TREE / "vm")!r})
from launcher import hosts, main, snapshot
hosts.host_system = lambda: {system!r}
hosts.host_machine = lambda: {machine!r}
snapshot.supported = lambda: False
sys.exit(main.main(sys.argv[1:]))
"""
    record = tmp_path / "record"
    done = subprocess.run(
        [sys.executable, "-c", driver, *launch.argv("--arch", ARCH)[1:]], capture_output=True,
        env={**launch.environment, "BULKHEAD_QEMU_DIR": str(folder), "RECORD": str(record)},
        encoding="utf-8", check=False)
    assert done.returncode == 3
    assert f"accel {accel}" in done.stdout
    assert "fake QEMU ends" in done.stdout + done.stderr
    words = record.read_text().split("\n")
    boot = words[len(words) - words[::-1].index("-kernel") - 1:]
    assert boot[1].endswith("/kernel") and boot[3].endswith("/initrd.img")
    assert accel in words and "-nographic" not in words


def test_add_takes_drive_letters_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) \
        -> None:
    there = {r"C:\work\m.ko", "C:/work/m.ko"}
    monkeypatch.setattr(os.path, "exists", there.__contains__)
    assert cpio.parse(r"C:\work\m.ko:/lib/m.ko") == (r"C:\work\m.ko", "/lib/m.ko")
    assert cpio.parse("C:/work/m.ko") == ("C:/work/m.ko", "/m.ko")
