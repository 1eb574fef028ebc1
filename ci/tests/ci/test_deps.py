# SPDX-License-Identifier: GPL-2.0-or-later
"""ci/deps against a made-up machine: its PATH holds only what the test puts there."""

from __future__ import annotations

import os
import pty
import resource
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

DEPS = Path(__file__).resolve().parents[2] / "deps"
DASH = "/bin/sh"


class Machine:
    """A directory of fake commands, a fake / for file probes, and a log of what was called."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.log = root / "log"
        self.bin.mkdir()
        self.log.touch()

    def command(self, name: str, script: str = "") -> None:
        """Adds a command that notes its arguments, then runs SCRIPT."""
        path = self.bin / name
        path.write_text(f'#!{DASH}\necho "{name} $*" >>{self.log}\n{script}\n')
        path.chmod(0o755)

    def debian(self, uid: int = 0, known: bool = True, install: str = "exit 0") -> None:
        """Makes it a Debian machine; KNOWN: its package lists name every package."""
        lists = self.root / "lists"
        if known:
            lists.touch()
        self.command("id", f"echo {uid}")
        self.command("uname", "echo x86_64")
        self.command("apt-cache", f"[ -e {lists} ]")
        self.command("env", 'shift; exec "$@"')
        self.command("apt-get", f': >{lists}.$1; case $1 in update) : >{lists} ;; '
                                f'install) {install} ;; esac')

    def install_makes(self, *names: str) -> str:
        """A script for apt-get install: the commands and files NAMES appear."""
        lines = []
        for name in names:
            path = self.root / name.lstrip("/") if "/" in name else self.bin / name
            path.parent.mkdir(parents=True, exist_ok=True)
            lines.append(f"echo '#!{DASH}' >{path}; /bin/chmod 755 {path}")
        return "\n".join(lines)

    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.bin), "DEPS_ROOT": str(self.root)}

    def deps(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([DASH, str(DEPS), *arguments], env=self.environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20, check=False)

    def calls(self, command: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines()
                if line.startswith(command + " ")]


VM_TOOLS = ("qemu-system-x86_64", "qemu-system-aarch64")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    # deps reads its table with cat: the one tool that even a bare machine has.
    made = Machine(tmp_path)
    (made.bin / "cat").symlink_to("/bin/cat")
    return made


def processor_time() -> float:
    """Seconds that programs started here have computed: unlike a clock, blind to other load."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_nothing_missing_is_silent_and_quick(machine: Machine) -> None:
    for tool in VM_TOOLS:
        machine.command(tool)
    best = 1.0
    for _ in range(3):
        begin = processor_time()
        result = machine.deps("vm")
        best = min(best, processor_time() - begin)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert best < 0.1
    assert machine.log.read_text() == ""


def test_root_installs_without_asking_off_a_terminal(machine: Machine) -> None:
    machine.debian(install=machine.install_makes(*VM_TOOLS))
    result = machine.deps("vm")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("deps: missing: qemu-system-x86 qemu-system-arm\n")
    assert "deps: running: apt-get install" in result.stdout
    assert machine.calls("apt-get") == [
        "apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "
        "qemu-system-x86 qemu-system-arm"]


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.command(VM_TOOLS[0])
    machine.debian(install=machine.install_makes(VM_TOOLS[1]))
    assert machine.deps("vm").returncode == 0
    assert machine.calls("apt-get")[0].endswith(" qemu-system-arm")
    assert "qemu-system-x86" not in machine.calls("apt-get")[0]


def test_lists_are_updated_when_they_do_not_know_a_package(machine: Machine) -> None:
    machine.debian(known=False, install=machine.install_makes(*VM_TOOLS))
    assert machine.deps("vm").returncode == 0
    assert [call.split()[1] for call in machine.calls("apt-get")] == ["update", "install"]


def test_lists_too_old_to_download_from_are_updated_once(machine: Machine) -> None:
    works = machine.install_makes(*VM_TOOLS)
    machine.debian(install=f"[ -e {machine.root}/lists.update ] || exit 100\n{works}")
    result = machine.deps("vm")
    assert result.returncode == 0, result.stderr
    assert [call.split()[1] for call in machine.calls("apt-get")] == [
        "install", "update", "install"]


def test_a_failing_install_fails(machine: Machine) -> None:
    machine.debian(install="echo 'E: broken' >&2; exit 100")
    result = machine.deps("vm")
    assert result.returncode == 1
    assert "E: broken" in result.stderr
    assert "deps: cannot install qemu-system-x86 qemu-system-arm" in result.stderr


def test_an_install_that_brings_no_tool_fails(machine: Machine) -> None:
    machine.debian()
    result = machine.deps("vm")
    assert result.returncode == 1
    assert "still missing: qemu-system-x86_64 qemu-system-aarch64" in result.stderr


def test_print_prints_and_runs_nothing(machine: Machine) -> None:
    machine.debian(known=False)
    result = machine.deps("--print", "vm")
    assert result.returncode == 0
    update, install = result.stdout.splitlines()
    assert update == "apt-get update"
    assert install.endswith(" qemu-system-x86 qemu-system-arm")
    assert machine.calls("apt-get") == []


def test_print_as_a_user_names_sudo(machine: Machine) -> None:
    machine.debian(uid=1000)
    result = machine.deps("--print", "vm")
    assert result.stdout.startswith("sudo apt-get install ")


def test_user_without_sudo_is_told_what_to_run(machine: Machine) -> None:
    machine.debian(uid=1000, known=False)
    result = machine.deps("vm")
    assert result.returncode == 1
    assert "not root, and there is no sudo; run this as root:" in result.stderr
    assert "  apt-get update\n  apt-get install " in result.stderr
    assert machine.calls("apt-get") == []


def test_user_whose_sudo_wants_a_password_is_told_what_to_run(machine: Machine) -> None:
    machine.debian(uid=1000)
    machine.command("sudo", "exit 1")
    result = machine.deps("vm")
    assert result.returncode == 1
    assert "sudo wants a password and there is no terminal" in result.stderr
    assert machine.calls("sudo") == ["sudo -n true"]


def test_user_with_sudo_installs_through_it(machine: Machine) -> None:
    machine.debian(uid=1000, install=machine.install_makes(*VM_TOOLS))
    machine.command("true")
    machine.command("sudo", 'shift; exec "$@"')
    result = machine.deps("vm")
    assert result.returncode == 0, result.stderr
    assert machine.calls("sudo")[1].startswith(
        "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install ")


def test_other_machines_get_the_names_of_the_tools(machine: Machine) -> None:
    result = machine.deps("vm")
    assert result.returncode == 1
    assert result.stderr == (
        "deps: this is not a Debian machine (no apt-get); install these yourself:"
        " qemu-system-x86_64 qemu-system-aarch64\n")


@pytest.mark.parametrize("option, package", [
    ("--bench", "crun"), ("--image", "gcc-aarch64-linux-gnu"), ("--vm", "qemu-system-x86")])
def test_shorthands_add_to_the_default_groups(machine: Machine, option: str,
                                              package: str) -> None:
    machine.debian()
    plain = machine.deps("--print").stdout.split()
    more = machine.deps("--print", option).stdout.split()
    assert {"gcc", "musl-tools", "python3-pytest"} <= set(plain) < set(more)
    assert package in more and package not in plain


def test_cross_compiler_is_for_x86_only(machine: Machine) -> None:
    machine.debian()
    machine.command("uname", "echo aarch64")
    result = machine.deps("--print", "image")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("argument", ["--frobnicate", "tests", ""])
def test_bad_arguments_are_named(machine: Machine, argument: str) -> None:
    result = machine.deps(argument)
    assert result.returncode == 2
    assert f'unknown option or group "{argument}"' in result.stderr


def on_terminal(machine: Machine, answer: bytes, *arguments: str) -> tuple[int, str]:
    """Runs deps on a pty where ANSWER is typed; returns its status and what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(DASH, [DASH, str(DEPS), *arguments], machine.environment())
    os.write(terminal, answer)
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
            if not select.select([terminal], [], [], 10)[0]:
                os.kill(pid, signal.SIGKILL)  # it waits for an answer that never comes
    except OSError:  # EIO: the other end has closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


@pytest.mark.parametrize("answer", [b"\n", b"y\n", b"yes\n"])
def test_a_terminal_is_asked_and_may_agree(machine: Machine, answer: bytes) -> None:
    machine.debian(install=machine.install_makes(*VM_TOOLS))
    status, shown = on_terminal(machine, answer, "vm")
    assert status == 0 and "install these packages? [Y/n]" in shown
    assert len(machine.calls("apt-get")) == 1


@pytest.mark.parametrize("answer", [b"n\n", b"what\n", b"\x04"])
def test_a_terminal_is_asked_and_may_refuse(machine: Machine, answer: bytes) -> None:
    machine.debian()
    status, shown = on_terminal(machine, answer, "vm")
    assert status == 1 and "not installed, as you said" in shown
    assert machine.calls("apt-get") == []


def test_yes_does_not_ask_on_a_terminal(machine: Machine) -> None:
    machine.debian(install=machine.install_makes(*VM_TOOLS))
    status, shown = on_terminal(machine, b"", "--yes", "vm")
    assert status == 0 and "[Y/n]" not in shown


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "ash"], ["bash"]])
def test_runs_in_each_shell(machine: Machine, shell: list[str]) -> None:
    machine.debian()
    program = shutil.which(shell[0], path="/bin:/usr/bin")
    assert program, f"{shell[0]} is in the table of ci/deps: it must be there"
    # Not the default groups: busybox ash takes its own applets (mount, ip) for commands.
    result = subprocess.run([program, *shell[1:], str(DEPS), "--print", "vm"], text=True,
                            env=machine.environment(), capture_output=True, check=True)
    assert result.stdout == machine.deps("--print", "vm").stdout != ""
