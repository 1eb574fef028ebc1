# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole images, made of a made-up kernel: their contents, byte for byte, and bundles of them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
BUILDER = TOP / "rootfs-builder"
sys.path.insert(0, str(BUILDER))

import bundles  # noqa: E402
import cpio  # noqa: E402
import image  # noqa: E402
import kconfig  # noqa: E402
import manifest  # noqa: E402

HOST = os.uname().machine


def members(archive: Path) -> dict[str, bytes]:
    """Path: contents of all files and links of an uncompressed newc archive."""
    found: dict[str, bytes] = {}
    data, place = archive.read_bytes(), 0
    while True:
        fields = [int(data[place + 6 + 8 * n:place + 14 + 8 * n], 16) for n in range(13)]
        size, length = fields[6], fields[11]
        name = data[place + 110:place + 110 + length - 1].decode()
        start = (place + 110 + length + 3) & ~3
        if name == cpio.TRAILER:
            return found
        found[name] = data[start:start + size]
        place = (start + size + 3) & ~3


# --- the table of contents -------------------------------------------------------------------


def table(tmp_path: Path, *lines: str) -> list[manifest.Line]:
    """A manifest with these lines."""
    file = tmp_path / "image.manifest"
    file.write_text("\n".join(("# comment", *lines)) + "\n")
    return manifest.read(file)


@pytest.mark.parametrize("line", [
    "core /x 0755", "core /x 755 dir", "core x 0755 dir", "core /x 0755 unknown:x",
    "core /x 0755 dir extra"])
def test_bad_line(tmp_path: Path, line: str) -> None:
    """The error tells the line."""
    with pytest.raises(manifest.ManifestError, match="line 2"):
        table(tmp_path, line)


def places(tmp_path: Path) -> manifest.Places:
    """Sources below a scratch directory."""
    for folder in ("top", "build", "guest", "package"):
        (tmp_path / folder).mkdir(exist_ok=True)
    return manifest.Places(tmp_path / "top", tmp_path / "build", tmp_path / "guest", "x86_64",
                           lambda name: tmp_path / "package",
                           {"build:programs/x86_64/own"})


def items(tmp_path: Path, line: str) -> dict[str, tuple[str, bytes]]:
    """Path: (mode, contents) of what a line puts into the archive."""
    [parsed] = table(tmp_path, line)
    return {item.entry.path: (f"{item.entry.mode:o}", item.entry.contents())
            for item in manifest.items(parsed, places(tmp_path))}


def test_every_program_of_a_folder(tmp_path: Path) -> None:
    """Programs come along, sources and what has a line of its own do not."""
    folder = tmp_path / "build/programs/x86_64"
    folder.mkdir(parents=True)
    for name, mode in (("uts", 0o700), ("own", 0o755), ("uts.d", 0o644), ("common.sh", 0o600)):
        (folder / name).write_text(name)
        (folder / name).chmod(mode)
    assert items(tmp_path, "core /selftests 0755 build-each:programs/%A") == {
        "/selftests/uts": ("100755", b"uts"), "/selftests/common.sh": ("100644", b"common.sh")}
    (folder / "uts").unlink()
    with pytest.raises(manifest.ManifestError, match="where is none"):
        items(tmp_path, "core /selftests 0755 build-each:programs/%A")


def test_a_tree_from_an_archive(tmp_path: Path) -> None:
    """Modes and links of the archive reach the guest; the user's umask and owner do not."""
    (tmp_path / "build").mkdir()
    with tarfile.open(tmp_path / "build/rootfs.tar", "w") as archive:
        for name, kind, mode in ((".", tarfile.DIRTYPE, 0o755), ("./tmp", tarfile.DIRTYPE, 0o1777),
                                 ("./tmp/link", tarfile.SYMTYPE, 0o777),
                                 ("./su", tarfile.REGTYPE, 0o4711)):
            member = tarfile.TarInfo(name)
            member.type, member.mode, member.linkname = kind, mode, "target"
            archive.addfile(member)
    assert items(tmp_path, "core /rootfs 0755 tar:rootfs.tar") == {
        "/rootfs": ("40755", b""), "/rootfs/tmp": ("41777", b""),
        "/rootfs/tmp/link": ("120777", b"target"), "/rootfs/su": ("104711", b"")}


def test_programs_for_another_machine(tmp_path: Path) -> None:
    """%X leads to a folder only for an architecture that is not this machine's; the origin that
    the manifest tells is the same, so that the digest is."""
    folder = tmp_path / "build"
    [line] = table(tmp_path, "core /usr/bin/bulkhead 0755 build:%Xbulkhead")
    there = places(tmp_path)
    for arch, place in ((HOST, "bulkhead"), ("other", "other/bulkhead")):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(arch)
        [item] = manifest.items(line, dataclasses.replace(there, arch=arch))
        assert (item.entry.contents(), item.origin) == (arch.encode(), "build:bulkhead")


def test_nodes_and_links(tmp_path: Path) -> None:
    """A device is only text in the archive: no privilege is asked for."""
    assert items(tmp_path, "core /dev/null 0666 char:1:3") == {"/dev/null": ("20666", b"")}
    assert items(tmp_path, "core /bin 0777 link:usr/bin") == {"/bin": ("120777", b"usr/bin")}


def test_the_projects_own_table() -> None:
    """What the launcher counts on is in the table, and all in the core but the big subjects."""
    lines = manifest.read(BUILDER / "image.manifest")
    paths = {line.path: line for line in lines}
    assert len(paths) == len(lines)
    for path in ("/init", "/usr/bin/busybox", "/usr/bin/bulkhead", "/selftests", "/rootfs",
                 "/selftests/subjects", "/dev/console", "/etc/bulkhead/sysctls"):
        assert paths[path].part == "core"
    assert manifest.parts(lines)[0] == "core"


def test_applets_do_not_hide_programs() -> None:
    """Every applet is linked but for those that the guest has a real program for; a program in
    the container's tree is not the guest's."""
    busybox = b"\x7fELF junk\0[\0[[\0cat\0ip\0unshare\0zcat\0\0\x01more"
    held = [manifest.Item(cpio.Entry(path, 0o100755, data), "package:p") for path, data in (
        ("/usr/bin/busybox", busybox), ("/usr/bin/unshare", b"real"), ("/rootfs/usr/bin/cat", b""))]
    image.add_applets(held)
    links = {item.entry.path: item.entry.contents() for item in held[3:]}
    assert links == {"/usr/bin/[": b"busybox", "/usr/bin/[[": b"busybox",
                     "/usr/bin/cat": b"busybox", "/usr/bin/zcat": b"busybox",
                     "/usr/sbin/ip": b"../bin/busybox"}


# --- a made-up image, twice --------------------------------------------------------------------


def own_kernel(folder: Path, arch: str) -> tuple[Path, Path]:
    """A file that looks like a kernel, and a configuration with all that is asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    head = bytearray(2048)
    if arch == "x86_64":
        head[0x1F1], head[0x1FE:0x200], head[0x202:0x206] = 1, b"\x55\xaa", b"HdrS"
        head[0x20E:0x210] = b"\x00\x01"
        head[0x300:0x30B] = b"6.9.0-mine "
    else:
        head[0x38:0x3C] = b"ARM\x64"
        head += b"Linux version 6.9.0-mine (x)"
    (folder / "kernel-file").write_bytes(head)
    needs = kconfig.read_fragment((TOP / "selftests/config").read_text())
    (folder / "options").write_text("".join(f"{need.option}=y\n" for need in needs))
    return folder / "kernel-file", folder / "options"


@pytest.fixture(name="sources")
def fixture_sources(tmp_path: Path) -> Path:
    """A tiny copy of the builder, with a manifest that needs no package."""
    top = tmp_path / "sources"
    shutil.copytree(BUILDER, top / "rootfs-builder", ignore=shutil.ignore_patterns("__pycache__"))
    (top / "selftests/subjects").mkdir(parents=True)
    shutil.copy(TOP / "selftests/config", top / "selftests/config")
    adapter = top / "selftests/subjects/crun"
    adapter.write_text("#!/bin/sh\n")
    adapter.chmod(0o755)
    lines = [line for line in (BUILDER / "image.manifest").read_text().splitlines()
             if "deb:" not in line and "build" not in line and "tar:" not in line]
    (top / "rootfs-builder/image.manifest").write_text("\n".join(lines) + "\n"
                                                       "core /init 0755 build:init\n")
    return top


# Runs a script at another time of day: what it learns of the clock, it learns from time.time.
AT_ANOTHER_TIME = """
import os, runpy, sys, time
delta, start = float(sys.argv[1]), time.time()
time.time = lambda: start + delta
sys.argv = sys.argv[2:]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def build(sources: Path, output: Path, *options: str, umask: int = 0o022, later: float = 0,
          ) -> subprocess.CompletedProcess[str]:
    """Builds an image of the made-up kernel as a user would, without any network."""
    kernel, config = own_kernel(output.parent / "kernel", HOST)
    (output / "init").parent.mkdir(parents=True, exist_ok=True)
    if not (output / "init").exists():
        (output / "init").write_text("#!/bin/sh\n")
    return subprocess.run(
        [sys.executable, "-B", "-c", AT_ANOTHER_TIME, str(later),
         str(sources / "rootfs-builder/image.py"), "build", "--kernel", str(kernel),
         "--config", str(config), "--arch", HOST, "--build", str(output), *options],
        check=False, text=True, capture_output=True, timeout=60, umask=umask)


def tree_of(output: Path) -> dict[str, bytes]:
    """Name: contents of all files of the one image."""
    folder = output / "image" / HOST / "6.9.0-mine"
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_twice_the_same(sources: Path, tmp_path: Path) -> None:
    """In another directory, a year later, under another umask: the same bytes."""
    first = build(sources, tmp_path / "one/build")
    assert first.returncode == 0, first.stderr
    moved = tmp_path / "deeper/in/another"
    shutil.copytree(sources, moved)
    for file in moved.rglob("*"):
        os.utime(file, (time.time() + 365 * 86400,) * 2)
    second = build(moved, tmp_path / "two/different/build", umask=0o077, later=365 * 86400)
    assert second.returncode == 0, second.stderr
    assert tree_of(tmp_path / "one/build") == tree_of(tmp_path / "two/different/build")
    assert str(tmp_path).encode() not in b"".join(tree_of(tmp_path / "one/build").values())


@pytest.mark.parametrize("changed", ["rootfs-builder/guest/etc/passwd", "selftests/subjects/crun",
                                     "build/init", "kernel"])
def test_a_changed_input_changes_the_digest(sources: Path, tmp_path: Path, changed: str) -> None:
    """The negative control: each kind of input reaches the digest."""
    output = tmp_path / "one/build"
    assert build(sources, output).returncode == 0
    before = json.loads(tree_of(output)["manifest.json"])["digest"]
    if changed == "build/init":
        (output / "init").write_text("#!/bin/sh -x\n")
        after = build(sources, output)
    elif changed == "kernel":
        other = own_kernel(tmp_path / "other", HOST)[0]
        other.write_bytes(other.read_bytes() + b"\0")
        after = build(sources, output, "--kernel", str(other))
    else:
        with open(sources / changed, "a", encoding="utf-8") as file:
            file.write("# changed\n")
        after = build(sources, output)
    assert after.returncode == 0, after.stderr
    assert json.loads(tree_of(output)["manifest.json"])["digest"] != before


def test_manifest_tells_the_truth(sources: Path, tmp_path: Path) -> None:
    """Digests and sizes are those of the files, and members are those of the archive."""
    output = tmp_path / "one/build"
    assert build(sources, output).returncode == 0
    files = tree_of(output)
    told = json.loads(files["manifest.json"])
    core = told["parts"]["core"]
    assert hashlib.sha256(files["kernel"]).hexdigest() == told["kernel"]["sha256"]
    assert hashlib.sha256(files["initrd.img"]).hexdigest() == core["sha256"]
    assert len(files["initrd.img"]) == core["size"]
    held = members(output / "image" / HOST / "6.9.0-mine/initrd.img")
    for member in core["members"]:
        contents = held[member["path"].lstrip("/")]
        assert member.get("sha256", hashlib.sha256(b"").hexdigest()) == \
            hashlib.sha256(contents).hexdigest()
    assert told["missing"] == []
    assert (told["arch"], told["kernel"]["release"]) == (HOST, "6.9.0-mine")


def test_no_stale_part_is_left(sources: Path, tmp_path: Path) -> None:
    """A part that the table has no more goes away; a part that it gets is written."""
    table_file = sources / "rootfs-builder/image.manifest"
    before = table_file.read_text()
    table_file.write_text(before + "extra /usr/bin/tool 0755 build:init\n")
    output = tmp_path / "one/build"
    assert build(sources, output).returncode == 0
    assert members(output / "image" / HOST / "6.9.0-mine/initrd-extra.img").keys() == {
        "usr", "usr/bin", "usr/bin/tool"}
    table_file.write_text(before)
    assert build(sources, output).returncode == 0
    assert set(tree_of(output)) == {"kernel", "initrd.img", "manifest.json"}


def test_tests_are_listed(sources: Path, tmp_path: Path) -> None:
    """Beside the image, with a digest in the manifest and in bundles; an image whose programs do
    not tell loses a list that was there."""
    with open(sources / "rootfs-builder/image.manifest", "a", encoding="utf-8") as file:
        file.write("core /selftests 0755 build-each:selftests\n")
    output = tmp_path / "one/build"
    (output / "selftests").mkdir(parents=True)
    (output / "selftests/helper.sh").write_text("")
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-static", "-o", output / "selftests/demo", "-x", "c",
                    "-"], text=True, check=True,
                   input=f'#include "{TOP}/selftests/harness/selftest.h"\n'
                         'TEST(demo, one, .says = "", .checks = "demo-01") {}\n'
                         "int main(void) { return 1; }\n")
    assert build(sources, output).returncode == 0
    files = tree_of(output)
    told = json.loads(files["manifest.json"])
    assert json.loads(files["tests.json"]) == [["demo.one", "demo", "kernel", ["demo-01"]]]
    assert told["tests"] == {"file": "tests.json",
                             "sha256": hashlib.sha256(files["tests.json"]).hexdigest()}
    bundles.write(tmp_path / "bundle", output / "image" / HOST, ["6.9.0-mine"])
    with tarfile.open(tmp_path / "bundle") as archive:
        assert "6.9.0-mine/tests.json" in archive.getnames()
    (output / "selftests/other").write_text("#!/bin/sh\n")
    (output / "selftests/other").chmod(0o755)
    assert build(sources, output).returncode == 0
    assert set(tree_of(output)) == {"kernel", "initrd.img", "manifest.json"}
    assert "tests" not in json.loads(tree_of(output)["manifest.json"])


def test_missing_programs(sources: Path, tmp_path: Path) -> None:
    """An image without init is an error, or, on request, says what is missing."""
    with open(sources / "rootfs-builder/image.manifest", "a", encoding="utf-8") as file:
        file.write("core /usr/bin/bulkhead 0755 build:bulkhead\n")
    refused = build(sources, tmp_path / "one/build")
    assert refused.returncode == 1
    assert "cannot build the image: /usr/bin/bulkhead" in refused.stderr
    assert not (tmp_path / "one/build/image").exists()
    allowed = build(sources, tmp_path / "one/build", "--allow-missing")
    assert allowed.returncode == 0
    assert json.loads(tree_of(tmp_path / "one/build")["manifest.json"])["missing"] == [
        "/usr/bin/bulkhead"]


def test_a_complete_kernel_is_told_to_the_tests(sources: Path, tmp_path: Path) -> None:
    """The image names the release of a kernel that has all that the suite needs."""
    output = tmp_path / "one/build"
    assert build(sources, output).returncode == 0
    members = json.loads(tree_of(output)["manifest.json"])["parts"]["core"]["members"]
    promise = [member for member in members if member["path"] == "/etc/bulkhead/complete"]
    assert [member["sha256"] for member in promise] == [hashlib.sha256(b"6.9.0-mine\n").hexdigest()]


def test_kernel_that_cannot_boot(sources: Path, tmp_path: Path) -> None:
    """A kernel without initrd support is refused; one without VETH only draws a remark."""
    output = tmp_path / "one/build"
    config = own_kernel(tmp_path / "other", HOST)[1]
    good = config.read_text()
    config.write_text(good.replace("CONFIG_VETH=y", "CONFIG_VETH=m"))
    remark = build(sources, output, "--config", str(config))
    assert remark.returncode == 0
    assert "CONFIG_VETH is only a module" in remark.stderr
    assert json.loads(tree_of(output)["manifest.json"])["config"] == {"lacks": ["CONFIG_VETH"]}
    assert b"/complete" not in tree_of(output)["manifest.json"]
    config.write_text(good.replace("CONFIG_BLK_DEV_INITRD=y", ""))
    refused = build(sources, output, "--config", str(config))
    assert refused.returncode == 1
    assert "CONFIG_BLK_DEV_INITRD is not set" in refused.stderr
    assert "no guest starts" in refused.stderr


# --- bundles -----------------------------------------------------------------------------------


def test_bundle_holds_the_images(sources: Path, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes out of a bundle is what went in; equal files are in it once; twice the same."""
    output = tmp_path / "one/build"
    assert build(sources, output).returncode == 0
    images = output / "image" / HOST
    shutil.copytree(images / "6.9.0-mine", images / "copy")
    for number, name in enumerate(("first", "second")):
        monkeypatch.setattr(time, "time", lambda year=number: 1e9 + year * 365 * 86400)
        assert bundles.write(tmp_path / name, images, ["6.9.0-mine", "copy"]) == 2
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    with tarfile.open(tmp_path / "first") as archive:
        kinds = {member.name: member.type for member in archive}
        archive.extractall(tmp_path / "out")
    assert kinds["6.9.0-mine/kernel"] == tarfile.REGTYPE
    assert kinds["copy/kernel"] == kinds["copy/initrd.img"] == tarfile.LNKTYPE
    for name in ("6.9.0-mine", "copy"):
        for file in (images / name).iterdir():
            assert (tmp_path / "out" / name / file.name).read_bytes() == file.read_bytes()


def test_bundle_of_half_an_image(sources: Path, tmp_path: Path) -> None:
    """An image that is not built, or was built without something, is not given away."""
    with pytest.raises(bundles.BundleError, match="build the image first"):
        bundles.write(tmp_path / "bundle", tmp_path, ["6.1"])
    with open(sources / "rootfs-builder/image.manifest", "a", encoding="utf-8") as file:
        file.write("core /usr/bin/bulkhead 0755 build:bulkhead\n")
    output = tmp_path / "one/build"
    assert build(sources, output, "--allow-missing").returncode == 0
    with pytest.raises(bundles.BundleError, match="built without /usr/bin/bulkhead"):
        bundles.write(tmp_path / "bundle", output / "image" / HOST, ["6.9.0-mine"])
    assert not (tmp_path / "bundle").exists()
