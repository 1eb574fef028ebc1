# SPDX-License-Identifier: GPL-2.0-or-later
"""The container's root filesystem: what is in it, and that it is the same wherever it is built."""

from __future__ import annotations

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

BUILDER = Path(__file__).resolve().parents[3] / "rootfs-builder"
sys.path.insert(0, str(BUILDER))

import packages  # noqa: E402
import rootfs  # noqa: E402


def build(output: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the builder as a user would; its packages come from the user's cache."""
    inherited = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    return subprocess.run([sys.executable, "-B", str(BUILDER / "rootfs.py"),
                           "--output", str(output), *options], check=False, text=True,
                          capture_output=True, timeout=300, env={**inherited, **environment})


def made(output: Path, *options: str, **environment: str) -> Path:
    """Builds it and expects that to work without a word."""
    result = build(output, *options, **environment)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return output


def listing(top: Path) -> dict[str, tuple[int, int, bytes]]:
    """Path: (mode, time, contents or target) of all in a directory, and of itself."""
    found = {}
    for path in [top, *sorted(top.rglob("*"))]:
        status = path.lstat()
        data = b""
        if path.is_symlink():
            data = os.readlink(path).encode()
        elif path.is_file():
            data = path.read_bytes()
        found[str(path.relative_to(top))] = (status.st_mode, status.st_mtime_ns, data)
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("built") / "rootfs")


def test_same_bytes_wherever_and_whenever(built: Path, tmp_path: Path) -> None:
    previous = os.umask(0o077)
    try:
        again = made(tmp_path / "deep" / "er" / "other-name", TZ="Asia/Kathmandu", LC_ALL="C")
    finally:
        os.umask(previous)
    assert again.with_name("other-name.tar").read_bytes() \
        == built.with_name("rootfs.tar").read_bytes()
    assert listing(again) == listing(built)


def test_same_bytes_for_another_user(built: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    for part in ("debs", "resolved"):  # beside them may lie gigabytes of guests' snapshots
        shutil.copytree(packages.cache_directory() / part, tmp_path / "cache/bulkhead" / part)
    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.chown(path, 54321, 54321)
    for path in [tmp_path, *tmp_path.parents]:
        if not path.stat().st_mode & stat.S_IXOTH and path != tmp_path:
            path.chmod(path.stat().st_mode | stat.S_IXOTH)
    # The checkout itself may lie where only root can go, and be what only root can read.
    shutil.copytree(BUILDER, tmp_path / "source", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["chmod", "-R", "a+rX", tmp_path / "source"], check=True)
    subprocess.run(["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups",
                    sys.executable, "-B", tmp_path / "source/rootfs.py", "--output",
                    tmp_path / "rootfs"], check=True, timeout=300,
                   env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert (tmp_path / "rootfs.tar").read_bytes() == built.with_name("rootfs.tar").read_bytes()
    assert (tmp_path / "rootfs/usr/bin/busybox").stat().st_uid == 54321
    assert listing(tmp_path / "rootfs") == listing(built)


def test_source_date_epoch_is_the_time_of_every_file(built: Path, tmp_path: Path) -> None:
    old = made(tmp_path / "rootfs", SOURCE_DATE_EPOCH="86400")
    assert {at for _, at, _ in listing(old).values()} == {86400 * 10**9}
    with tarfile.open(tmp_path / "rootfs.tar") as archive:
        assert {member.mtime for member in archive} == {86400}
    assert {path: (mode, data) for path, (mode, _, data) in listing(old).items()} \
        == {path: (mode, data) for path, (mode, _, data) in listing(built).items()}


def test_archive_is_sorted_and_belongs_to_root(built: Path) -> None:
    with tarfile.open(built.with_name("rootfs.tar")) as archive:
        members = archive.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names) and len(names) == len(set(names)) > 250
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "root", "root")}


def test_archive_holds_what_the_directory_holds(built: Path) -> None:
    in_tar = {}
    with tarfile.open(built.with_name("rootfs.tar")) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            data = file.read() if file else member.linkname.encode()
            in_tar[member.name] = (member.mode, data)
    on_disk = {path: (stat.S_IMODE(mode), data) for path, (mode, _, data) in listing(built).items()
               if path != "."}
    assert in_tar == on_disk


def test_every_row_of_the_manifest_is_there(built: Path) -> None:
    rows = rootfs.read_manifest(BUILDER / "rootfs.manifest")
    assert len(rows) > 25
    for row in rows:
        if row.kind != "applets":
            assert (built / row.path.lstrip("/")).lstat().st_mode == row.mode, row.path


def test_every_applet_has_its_link(built: Path) -> None:
    busybox = built / "usr/bin/busybox"
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        assert os.path.samefile(built / "usr/bin" / name, busybox), name
    assert len(listed.stdout.split()) > 200


@pytest.mark.parametrize("path", ["bin/sh", "usr/bin/env", "sbin/init", "usr/sbin/chroot"])
def test_programs_are_at_their_usual_places(built: Path, path: str) -> None:
    assert (built / path).resolve() == (built / "usr/bin/busybox").resolve()


def test_no_link_leaves_the_root(built: Path) -> None:
    links = [path for path in built.rglob("*") if path.is_symlink()]
    assert len(links) > 200
    for link in links:
        target = os.readlink(link)
        assert not target.startswith("/")
        assert link.resolve().is_relative_to(built.resolve()), link


def test_other_architecture_has_the_same_files(built: Path, tmp_path: Path) -> None:
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[os.uname().machine]
    foreign = made(tmp_path / "rootfs", "--arch", other)
    assert sorted(listing(foreign)) == sorted(listing(built))
    machine = (foreign / "bin/busybox").read_bytes()[18:20]
    assert machine == {"x86_64": b"\x3e\0", "aarch64": b"\xb7\0"}[other]


def processor_time() -> float:
    """Seconds that programs started here have computed: unlike a clock, blind to other load."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_up_to_date_is_left_alone_and_quick(tmp_path: Path) -> None:
    made(tmp_path / "rootfs")
    first = (tmp_path / "rootfs.tar").stat()
    best = 1.0
    for _ in range(3):
        begin = processor_time()
        made(tmp_path / "rootfs")
        best = min(best, processor_time() - begin)
    assert (tmp_path / "rootfs.tar").stat().st_ctime_ns == first.st_ctime_ns
    assert best < 0.3


def test_another_request_is_not_up_to_date(tmp_path: Path) -> None:
    made(tmp_path / "rootfs")
    made(tmp_path / "rootfs", SOURCE_DATE_EPOCH="86400")
    assert {at for _, at, _ in listing(tmp_path / "rootfs").values()} == {86400 * 10**9}


def damage_file(top: Path) -> None:
    (top / "etc/passwd").write_text("root::0:0:::/bin/sh\n")


def damage_mode(top: Path) -> None:
    (top / "root").chmod(0o777)


def damage_link(top: Path) -> None:
    (top / "bin").unlink()


def damage_extra(top: Path) -> None:
    (top / "etc/extra").touch()


def damage_archive(top: Path) -> None:
    top.with_name("rootfs.tar").write_bytes(b"")


def damage_record(top: Path) -> None:
    top.with_name("rootfs.json").write_text("{")


@pytest.mark.parametrize("damage", [damage_file, damage_mode, damage_link, damage_extra,
                                    damage_archive, damage_record])
def test_damage_is_repaired(built: Path, tmp_path: Path, damage) -> None:  # type: ignore
    made(tmp_path / "rootfs")
    damage(tmp_path / "rootfs")
    made(tmp_path / "rootfs")
    assert listing(tmp_path / "rootfs") == listing(built)
    assert (tmp_path / "rootfs.tar").read_bytes() == built.with_name("rootfs.tar").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["rootfs", "rootfs.json", "rootfs.tar"]


def test_record_names_the_package_by_digest(built: Path) -> None:
    record = json.loads(built.with_name("rootfs.json").read_text())
    [package] = record["packages"]
    deb = packages.cache_directory() / "debs" / f"{package['sha256']}.deb"
    assert packages.sha256_of(deb) == package["sha256"]
    assert package["name"] == "busybox-static"
    assert record["tar_sha256"] == packages.sha256_of(built.with_name("rootfs.tar"))


def test_package_that_is_not_what_it_was_is_refused(tmp_path: Path) -> None:
    for part in ("debs", "resolved"):  # beside them may lie gigabytes of guests' snapshots
        shutil.copytree(packages.cache_directory() / part, tmp_path / "cache/bulkhead" / part)
    for deb in (tmp_path / "cache/bulkhead/debs").glob("*.deb"):
        with open(deb, "r+b") as stream:
            stream.seek(1000)
            stream.write(b"?")
    result = build(tmp_path / "rootfs", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert result.returncode == 1
    assert "it is not the package busybox-static any more" in result.stderr
    assert not (tmp_path / "rootfs").exists()


@pytest.mark.parametrize("options, environment, message", [
    ((), {"SOURCE_DATE_EPOCH": "yesterday"}, 'cannot use SOURCE_DATE_EPOCH "yesterday"'),
    (("--arch", "vax"), {}, "invalid choice: 'vax'"),
    (("--output", "/proc/rootfs"), {}, 'cannot build "/proc/rootfs"'),
])
def test_bad_requests_are_refused(tmp_path: Path, options: tuple[str, ...],
                                  environment: dict[str, str], message: str) -> None:
    result = build(tmp_path / "rootfs", *options, **environment)
    assert result.returncode != 0
    assert message in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("text, message", [
    ("/x dir 0755", "line 1: not PATH TYPE MODE SOURCE"),
    ("/x door 0755 -", "line 1: not PATH"),
    ("x dir 0755 -", "line 1: not PATH"),
    ("# comment\n/x dir rwx -", "line 2: not PATH"),
    ("/x dir 0755 -\n/x dir 0755 -", 'has "/x" twice'),
    ("/x/y dir 0755 -", '"/x/y" is in no directory'),
    ("/x deb 0755 bin/nothing", 'cannot find "bin/nothing"'),
])
def test_bad_manifests_are_refused(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "manifest"
    table.write_text(text + "\n")
    with pytest.raises(rootfs.RootfsError, match=message.replace("(", r"\(")):
        rootfs.entries(rootfs.read_manifest(table), tmp_path)
