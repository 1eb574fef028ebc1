# SPDX-License-Identifier: GPL-2.0-or-later
"""virtme-ng, to be timed beside the launcher: `true` in a guest with the very kernel of an image.

It is the one that is installed, else Debian's package, unpacked into the cache. Its guest's root is
the host's, over virtio-fs or 9p. Debian's cloud kernels have no 9p, and QEMU before 8 brings a
virtiofsd with other options than virtme-ng gives: a small program in front of it translates them.
The guest's init names its virtio ports by the host's udev, and runs nothing without it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, List

TREE = Path(__file__).resolve().parents[1]
SUITE = "trixie"
OLD_VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
UDEV = ("/usr/lib/systemd/systemd-udevd", "/lib/systemd/systemd-udevd")
LIMIT = 900

TRANSLATOR = f"""#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in
    --version) exec {OLD_VIRTIOFSD} --version ;;
    --socket-path) socket=$2 && shift ;;
    --shared-dir) folder=$2 && shift ;;
    esac
    shift
done
echo $$ >"$socket.pid"
exec {OLD_VIRTIOFSD} --socket-path="$socket" -o source="$folder" -o sandbox=chroot
"""


class PeerMissing(Exception):
    """Why virtme-ng cannot be timed here."""


def _unpacked(*words: str) -> List[Path]:
    """The folders of packages in the cache."""
    done = subprocess.run([sys.executable, str(TREE / "rootfs-builder/unpack.py"), *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          check=False)
    if done.returncode:
        raise PeerMissing(done.stderr.strip().split("\n")[-1])
    return [Path(line) for line in done.stdout.split()]


def _only(trees: List[Path], pattern: str) -> Path:
    found = [path for tree in trees for path in tree.glob(pattern)]
    if not found:
        raise PeerMissing(f"cannot find \"{pattern}\" in the kernel's packages")
    return found[0]


class Virtme:
    """virtme-ng and one kernel, with all it writes below FOLDER."""

    def __init__(self, kernel: str, arch: str, accel: str, folder: Path) -> None:
        if not any(os.access(program, os.X_OK) for program in UDEV):
            raise PeerMissing("its guest needs udev (ci/deps --bench installs it)")
        trees = _unpacked("--arch", arch, "--kernel", kernel)
        modules = _only(trees, "usr/lib/modules/*/kernel").parent
        self._file = folder / "boot" / f"vmlinuz-{modules.name}"
        self._file.parent.mkdir(parents=True)
        shutil.copy2(next(iter(tree_file for tree in trees for tree_file in
                               [*tree.glob("boot/vmlinuz-*"), modules / "vmlinuz"]
                               if tree_file.is_file())), self._file)
        shutil.copytree(modules, folder / "lib/modules" / modules.name, symlinks=True)
        (folder / "bin").mkdir()
        self._command, self._environment = self._program(folder / "bin")
        self._accel = [] if accel == "kvm" else ["--disable-kvm"]

    def _program(self, folder: Path) -> "tuple[List[str], Dict[str, str]]":
        """The command and its environment; what it lacks is put into FOLDER, which is searched."""
        path = [str(folder), os.environ["PATH"], "/usr/sbin", "/sbin"]
        if not shutil.which("virtiofsd") and os.access(OLD_VIRTIOFSD, os.X_OK):
            (folder / "virtiofsd").write_text(TRANSLATOR, encoding="ascii")
            (folder / "virtiofsd").chmod(0o755)
        installed = shutil.which("vng")
        environment = {**os.environ, "PATH": ":".join(path)}
        if installed:
            return [installed], environment
        tree = _unpacked(SUITE, "virtme-ng")[0]
        environment.update(PATH=":".join([str(tree / "usr/bin"), *path]),
                           PYTHONPATH=str(tree / "usr/lib/python3/dist-packages"))
        return ["/usr/bin/python3", str(tree / "usr/bin/vng")], environment

    def run(self) -> float:
        """Seconds from typing the command to its end; the guest has run `true` then."""
        command = [*self._command, "--run", str(self._file), *self._accel, "--", "true"]
        start = time.monotonic()
        with subprocess.Popen(command, env=self._environment, cwd=self._file.parent,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                              start_new_session=True) as process:
            try:
                said = process.communicate(timeout=LIMIT)[0]
            except subprocess.TimeoutExpired:
                raise PeerMissing(f"virtme-ng was not done in {LIMIT} s") from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # its QEMU and virtiofsd, too
        if process.returncode:  # of `true`, or 255 when the guest died
            last = said.strip().split("\n")[-1]
            raise PeerMissing(f"virtme-ng ended with {process.returncode}: {last}")
        return time.monotonic() - start
