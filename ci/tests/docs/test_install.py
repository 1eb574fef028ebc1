# SPDX-License-Identifier: GPL-2.0-or-later
"""make install and make uninstall."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("BULKHEAD_BUILD", ROOT / "build"))

# Every file that is installed, with its mode.
INSTALLED = {
    "bin/bulkhead": 0o755,
    "share/man/man1/bulkhead.1": 0o644,
    "share/bash-completion/completions/bulkhead": 0o644,
    "share/zsh/site-functions/_bulkhead": 0o644,
}


def make(target: str, *variables: str) -> None:
    """Runs make without what this make was told."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(["make", "-C", ROOT, f"BUILD={BUILD}", target, *variables],
                          check=False, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done


def files(directory: Path) -> dict[str, int]:
    """All files below a directory, with their modes."""
    return {str(path.relative_to(directory)): stat.S_IMODE(path.stat().st_mode)
            for path in directory.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("prefix", ["/usr/local", "/usr"])
def test_installs_what_it_says_and_removes_it(tmp_path: Path, prefix: str) -> None:
    """Under DESTDIR and PREFIX, with a umask that would hide it all."""
    variables = (f"DESTDIR={tmp_path}/a b", f"PREFIX={prefix}")
    before = os.umask(0o077)
    try:
        make("install", *variables)
    finally:
        os.umask(before)
    assert files(tmp_path / "a b") == {f"{prefix[1:]}/{name}": mode
                                       for name, mode in INSTALLED.items()}
    (tmp_path / "a b" / "theirs").touch()
    make("uninstall", *variables)
    assert list(files(tmp_path / "a b")) == ["theirs"]
    make("uninstall", *variables)


def test_the_installed_program_is_stripped_and_runs(tmp_path: Path) -> None:
    """And is no larger than promised: 150 KiB."""
    make("install", f"DESTDIR={tmp_path}")
    program = tmp_path / "usr/local/bin/bulkhead"
    assert program.stat().st_size <= 150 * 1024
    sections = subprocess.run(["readelf", "--sections", "--wide", program], check=True,
                              capture_output=True, text=True).stdout
    assert ".text" in sections and ".symtab" not in sections and ".debug" not in sections
    shown = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    assert shown.stdout.startswith("bulkhead ")
