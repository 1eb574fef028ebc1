# SPDX-License-Identifier: GPL-2.0-or-later
"""The cpio writer: what others read from its archives, and that they hold no trace of the host."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "rootfs-builder"))

import cpio  # noqa: E402


def archive(*entries: cpio.Entry) -> bytes:
    """The archive with these entries."""
    stream = io.BytesIO()
    cpio.write(stream, entries)
    return stream.getvalue()


SAMPLE = (
    cpio.directory("/tmp", 0o1777),
    cpio.character_device("/dev/console", 0o600, 5, 1),
    cpio.text_file("/etc/passwd", "root:x:0:0::/:/bin/sh\n"),
    cpio.text_file("/usr/bin/newuidmap", "not a program", 0o4755),
    cpio.link("/bin", "usr/bin"),
    cpio.text_file("/empty", ""),
)

EXPECTED = [
    ("lrwxrwxrwx", "bin -> usr/bin"),
    ("drwxr-xr-x", "dev"),
    ("crw-------", "dev/console"),
    ("-rw-r--r--", "empty"),
    ("drwxr-xr-x", "etc"),
    ("-rw-r--r--", "etc/passwd"),
    ("drwxrwxrwt", "tmp"),
    ("drwxr-xr-x", "usr"),
    ("drwxr-xr-x", "usr/bin"),
    ("-rwsr-xr-x", "usr/bin/newuidmap"),
]


def test_gnu_cpio_reads_what_was_written() -> None:
    """Modes, types, devices, owners and links as another program sees them."""
    if not shutil.which("cpio"):
        pytest.skip("cpio is not installed")
    listed = subprocess.run(["cpio", "-itvn", "--quiet"], input=archive(*SAMPLE), check=True,
                            capture_output=True, env={**os.environ, "LC_ALL": "C", "TZ": "UTC"})
    lines = listed.stdout.decode().splitlines()
    assert listed.stderr == b""
    found = [(line.split()[0], line.split("1970 ", 1)[1]) for line in lines]
    assert found == EXPECTED
    assert all(line.split()[2:4] == ["0", "0"] for line in lines)
    assert "5,   1" in next(line for line in lines if "console" in line)


def test_contents_survive(tmp_path: Path) -> None:
    """Files of every length modulo four come out as they went in."""
    if not shutil.which("cpio"):
        pytest.skip("cpio is not installed")
    texts = {f"/d/{length}": "x" * length for length in range(9)}
    data = archive(*(cpio.text_file(path, text) for path, text in texts.items()))
    subprocess.run(["cpio", "-idm", "--quiet"], input=data, check=True, cwd=tmp_path)
    for path, text in texts.items():
        assert (tmp_path / path.lstrip("/")).read_text() == text


def test_archives_can_follow_one_another() -> None:
    """The kernel takes archives one after the other, each at a multiple of four bytes."""
    assert len(archive(*SAMPLE)) % cpio.ALIGNMENT == 0
    assert len(archive()) % cpio.ALIGNMENT == 0


def test_order_and_host_leave_no_trace(tmp_path: Path) -> None:
    """The order of the entries, a file's times, owner and mode do not reach the archive."""
    first, second = tmp_path / "a", tmp_path / "deeper" / "b"
    second.parent.mkdir()
    for file, age, mode in ((first, 0, 0o600), (second, 86400 * 365, 0o755)):
        file.write_text("same")
        file.chmod(mode)
        os.utime(file, (time.time() - age, time.time() - age))
    one = archive(cpio.host_file("/f", first), *SAMPLE)
    other = archive(*reversed(SAMPLE), cpio.host_file("/f", second))
    assert one == other


@pytest.mark.parametrize("changed", [
    cpio.text_file("/f", "changed"), cpio.text_file("/f", "text", 0o600),
    cpio.text_file("/g", "text"), cpio.link("/f", "text"),
    cpio.character_device("/f", 0o644, 1, 3)])
def test_every_difference_reaches_the_archive(changed: cpio.Entry) -> None:
    """Contents, mode, name, type and device each change the bytes."""
    assert archive(cpio.text_file("/f", "text")) != archive(changed)


def test_a_path_is_given_once() -> None:
    """Two different things cannot have one path; the same thing twice is one."""
    with pytest.raises(ValueError, match='"/f" is in the archive twice'):
        archive(cpio.text_file("/f", "a"), cpio.text_file("/f", "b"))
    once = archive(cpio.text_file("/f", "a"))
    assert archive(cpio.text_file("/f", "a"), cpio.text_file("/f", "a")) == once


def test_directories_come_first() -> None:
    """A directory is before what is in it, even where a name sorts below the slash."""
    paths = [entry.path for entry in cpio.with_parents(
        [cpio.text_file("/a-b/f", ""), cpio.text_file("/a/f", ""), cpio.text_file("/a!", "")])]
    assert paths == ["/a", "/a/f", "/a!", "/a-b", "/a-b/f"]
