# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages: where the archive is said to be, what is asked of apt, and what the cache trusts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "rootfs-builder"))

import packages  # noqa: E402

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://switched-off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
Components: main
"""

ONE_LINE = """\
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main non-free # tail
deb-src http://mirror.example/debian trixie main
# deb http://old.example/debian buster main
deb http://mirror.example/debian-security trixie-security main
deb http://vendor.example/apt vendor-suite main
deb http://vendor.example/flat ./
"""


def test_deb822_sources() -> None:
    """Both formats of sources.list(5) are read; what is switched off or only sources is not."""
    first, second = packages.parse_deb822(DEB822)
    assert first == packages.Source(("http://mirror.example/debian",),
                                    ("bookworm", "bookworm-updates"), ("main", "contrib"),
                                    "/usr/share/keyrings/archive.gpg")
    assert second.suites == ("bookworm-security",)


def test_one_line_sources() -> None:
    """Options in brackets, comments, and repositories without components."""
    found = list(packages.parse_one_line(ONE_LINE))
    assert [source.suites[0] for source in found] == ["trixie", "trixie-security", "vendor-suite",
                                                      "./"]
    assert found[0].signed_by == "/k.gpg"
    assert found[0].components == ("main", "non-free")


def test_an_embedded_key_is_read() -> None:
    """A key inside the stanza goes on over lines, and does not become a path."""
    [source] = packages.parse_deb822("Types: deb\nURIs: http://a.example/debian\nSuites: trixie\n"
                                     "Components: main\nSigned-By:\n -----BEGIN-----\n .\n AB\n")
    assert "-----BEGIN-----" in source.signed_by
    assert packages.derive_sources([source], "sid") == ["deb http://a.example/debian sid main"]


@pytest.mark.parametrize("text, parse", [(DEB822, packages.parse_deb822),
                                         (ONE_LINE, packages.parse_one_line)])
def test_only_the_suite_is_exchanged(text: str, parse: Callable[[str], object]) -> None:
    """Another suite is looked for where the host has its own, under the same key."""
    lines = packages.derive_sources(list(parse(text)), "bullseye")  # type: ignore[call-overload]
    assert len(lines) == 2
    assert lines[0].endswith(" http://mirror.example/debian bullseye main")
    assert lines[1].split()[-2:] == ["bullseye-security", "main"]
    assert "signed-by=" in lines[0]
    assert not any("vendor" in line or "switched-off" in line for line in lines)


def test_no_archive_is_an_error() -> None:
    """A host without a Debian archive is told what is looked for."""
    with pytest.raises(packages.PackageError, match="none has a suite CODENAME"):
        packages.derive_sources(list(packages.parse_one_line("deb http://v.example/ ./")), "sid")


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A host without apt is told so, and what to use instead."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(packages.PackageError, match="apt-get.*dpkg-deb not found.*image-bundle"):
        packages.require_tools()


def test_cache_follows_the_xdg_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """An absolute XDG_CACHE_HOME is used; a relative one is invalid and ignored."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/where")
    assert packages.cache_directory() == Path("/some/where/bulkhead")
    for useless in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", useless)
        assert packages.cache_directory() == Path.home() / ".cache/bulkhead"


# --- with an apt that only plays its part ----------------------------------------------------

FAKE_APT = r"""#!/bin/sh
# Plays apt-get: logs its calls, and fails for the suites in $REFUSED.
root=$(sed -n 's/^Dir::State "\(.*\)\/state";/\1/p' "$APT_CONFIG")
echo "$1 $(tr '\n' ' ' < "$root/sources.list")" >> "$LOG"
for suite in $REFUSED; do
    if grep -q " $suite " "$root/sources.list"; then
        echo "E: no Release file for $suite" >&2
        exit 100
    fi
done
"""


@pytest.fixture(name="fake")
def fixture_fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH where apt-get is the fake one, and host sources as in the sample; gives its log."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/apt-get"
    script.write_text(FAKE_APT)
    script.chmod(0o755)
    for tool in ("apt-cache", "dpkg", "dpkg-deb"):
        (tmp_path / "bin" / tool).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setattr(packages, "host_sources", lambda: list(packages.parse_deb822(DEB822)))
    return tmp_path / "log"


def test_a_suite_without_security_part(fake: Path, tmp_path: Path,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    """sid has no security updates: what is there is used."""
    monkeypatch.setenv("REFUSED", "sid-security")
    suite = packages.Suite("sid", "x86_64", tmp_path / "cache")
    suite.update()
    last = fake.read_text().splitlines()[-1]
    assert last.split() == ["update", "deb", "[signed-by=/usr/share/keyrings/archive.gpg]",
                            "http://mirror.example/debian", "sid", "main"]


def test_a_suite_that_is_nowhere(fake: Path, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """The error tells the suite and apt's own reason."""
    monkeypatch.setenv("REFUSED", "etch etch-security")
    suite = packages.Suite("etch", "x86_64", tmp_path / "cache")
    with pytest.raises(packages.PackageError,
                       match='cannot reach suite "etch".*no Release file for etch'):
        suite.update()
    assert fake.exists()


def test_a_version_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a suite has moved on, the error tells to what."""
    known = "linux-image-7.4.1-cloud-amd64\nlinux-image-7.4.1-amd64\nlinux-image-cloud-amd64\n"
    monkeypatch.setattr(packages, "run_apt", lambda *arguments: known)
    suite = packages.Suite("sid", "x86_64", tmp_path)
    with pytest.raises(packages.PackageError, match=r"\(there: linux-image-7.4.1-cloud-amd64\)"):
        suite.newest("linux-image-7.2.*-cloud-amd64")


ARCHIVE = {
    # name: (section, depends)
    "tool": ("admin", "libone (>= 1.0), perl:any, liba | libb,"),
    "libone": ("libs", "libtwo, tool"),
    "libtwo": ("oldlibs", ""),
    "liba": ("libs", "libone"),
    "libb": ("libs", ""),
    "perl": ("interpreters", "libperl"),
    "libperl": ("libs", ""),
}


def test_libraries_of_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries of libraries come along, once; of alternatives the first; what is only needed to
    install or to run other programs, and its libraries, stays away."""
    def show(_: packages.Suite, names: list[str]) -> dict[str, packages.Package]:
        return {name: packages.Package(name, "1", "all", "sid", "", "", ARCHIVE[name][1],
                                       ARCHIVE[name][0]) for name in names if name in ARCHIVE}

    monkeypatch.setattr(packages.Suite, "show", show)
    suite = packages.Suite("sid", "x86_64", tmp_path)
    assert [package.name for package in suite.programs(["tool"])] == ["liba", "libone", "tool"]
    assert [package.name for package in suite.programs(["libtwo", "libb"])] == ["libb", "libtwo"]
    with pytest.raises(packages.PackageError, match='cannot find nothing in suite "sid"'):
        suite.programs(["tool", "nothing"])


def test_apt_stays_inside_its_directory(fake: Path, tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting leads out of the cache, and the architecture is the guest's."""
    monkeypatch.setenv("REFUSED", "")
    suite = packages.Suite("sid", "aarch64", tmp_path / "cache")
    suite.update()
    config = suite.config.read_text()
    assert 'APT::Architecture "arm64";' in config
    paths = [line.split('"')[1] for line in config.splitlines() if line.startswith("Dir::")]
    assert all(path.startswith(f"{tmp_path}/cache/") or path == "/dev/null" for path in paths)
    assert "Allow" not in config and "Trusted" not in config
    assert fake.exists()


# --- the cache ---------------------------------------------------------------------------------


@pytest.fixture(name="package")
def fixture_package(tmp_path: Path) -> packages.Package:
    """A real package in a cache, made here."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("dpkg-deb is not installed")
    top = tmp_path / "make"
    (top / "DEBIAN").mkdir(parents=True)
    (top / "DEBIAN/control").write_text("Package: sample\nVersion: 1\nArchitecture: all\n"
                                        "Maintainer: nobody <n@example>\nDescription: s\n")
    (top / "usr").mkdir()
    (top / "usr/file").write_text("contents\n")
    top.chmod(0o755)
    made = tmp_path / "sample.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(top), str(made)], check=True,
                   capture_output=True)
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    package = packages.Package("sample", "1", "all", "sid", "pool/s.deb", digest, "", "misc")
    stored = packages.cached(package, tmp_path / "cache")
    stored.parent.mkdir(parents=True)
    made.rename(stored)
    return package


def test_a_package_is_unpacked_once(package: packages.Package, tmp_path: Path) -> None:
    """The tree has the package's files; the second time it is only looked up."""
    cache = tmp_path / "cache"
    tree = packages.unpacked(package, cache)
    assert (tree / "usr/file").read_text() == "contents\n"
    packages.cached(package, cache).unlink()
    assert packages.unpacked(package, cache) == tree


def test_a_changed_package_is_not_used(package: packages.Package, tmp_path: Path) -> None:
    """A file whose digest is not its name is removed with a clear error."""
    stored = packages.cached(package, tmp_path / "cache")
    stored.write_bytes(stored.read_bytes() + b"\n")
    with pytest.raises(packages.PackageError, match="is not the package sample any more"):
        packages.unpacked(package, tmp_path / "cache")
    assert not stored.exists()
    assert list((tmp_path / "cache/unpacked").iterdir()) == []


def test_a_damaged_package_leaves_nothing(package: packages.Package, tmp_path: Path) -> None:
    """What cannot be unpacked is an error and leaves no half a tree."""
    cache = tmp_path / "cache"
    broken = dataclasses.replace(package, sha256=hashlib.sha256(b"no package").hexdigest())
    packages.cached(broken, cache).write_bytes(b"no package")
    with pytest.raises(packages.PackageError, match="cannot unpack"):
        packages.unpacked(broken, cache)
    assert list((cache / "unpacked").iterdir()) == []


def test_a_resolved_request_needs_no_network(package: packages.Package, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    """The same request is answered from the cache; another one, or a refresh, asks again."""
    calls: list[str] = []
    monkeypatch.setattr(packages.Suite, "update", lambda self: calls.append("update"))
    monkeypatch.setattr(packages.Suite, "programs", lambda self, names: [package])
    suite = packages.Suite("sid", "x86_64", tmp_path / "cache")
    for expected in (1, 1):
        assert packages.resolve(suite, "programs", ["sample"]) == [package]
        assert len(calls) == expected
    packages.resolve(suite, "programs", ["sample", "other"])
    assert len(calls) == 2
    packages.resolve(suite, "programs", ["sample"], refresh=True)
    assert len(calls) == 3
    for lock in (tmp_path / "cache/resolved").iterdir():
        lock.write_text("{ half a file")
    packages.resolve(suite, "programs", ["sample"])
    assert len(calls) == 4


def test_a_cache_that_others_own(package: packages.Package, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the cache can be used where nothing can be written, not even a lock."""
    monkeypatch.setattr(packages.Suite, "update", lambda self: None)
    monkeypatch.setattr(packages.Suite, "programs", lambda self, names: [package])
    suite = packages.Suite("sid", "x86_64", tmp_path / "cache")
    packages.resolve(suite, "programs", ["sample"])
    shutil.rmtree(suite.root)
    assert packages.resolve(suite, "programs", ["sample"]) == [package]
    assert not suite.root.exists()


def test_an_answer_holds_what_was_asked(package: packages.Package, tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """The stored answer names its request, so that a clash of names cannot be believed."""
    monkeypatch.setattr(packages.Suite, "update", lambda self: None)
    monkeypatch.setattr(packages.Suite, "programs", lambda self, names: [package])
    suite = packages.Suite("sid", "x86_64", tmp_path / "cache")
    packages.resolve(suite, "programs", ["sample"])
    [lock] = (tmp_path / "cache/resolved").iterdir()
    stored = json.loads(lock.read_text())
    assert stored["request"] == {"suite": "sid", "arch": "amd64", "programs": ["sample"]}
    assert packages.read_resolution(lock, {"suite": "trixie"}) is None


@pytest.mark.parametrize("left, right, result", [
    ("6.1.192-2", "6.1.99-1", 1), ("1.0~rc1", "1.0", -1), ("1:0.9", "1.0", 1), ("1", "1", 0)])
def test_versions(left: str, right: str, result: int) -> None:
    """Versions compare by Debian's rules, not as text."""
    if not shutil.which("dpkg"):
        pytest.skip("dpkg is not installed")
    assert packages.compare_versions(left, right) == result
