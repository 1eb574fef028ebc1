# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages of any suite and architecture, through the host's own apt, without root.

The host's package sources say where the archive is and which keyring signs it; only the suite is
exchanged. apt runs on a state directory of its own, so that nothing of the host changes, and
checks the signatures. Packages are kept by their SHA-256 in the user's cache; what a request was
resolved to is kept too, so that a later build is offline and gets the same packages.
"""

from __future__ import annotations

import fcntl
import fnmatch
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Iterator, Mapping, Sequence

DEBIAN_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}
REQUIRED_TOOLS = ("apt-get", "apt-cache", "dpkg", "dpkg-deb")


class PackageError(Exception):
    """Something about packages that the user has to know; the text is the whole message."""


@dataclass(frozen=True)
class Source:
    """One entry of the host's package sources; `signed_by` is as apt spells it, or empty."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str


@dataclass(frozen=True)
class Package:
    """One package file; `pool_path` is its place below any mirror of the archive."""

    name: str
    version: str
    arch: str
    suite: str
    pool_path: str
    sha256: str
    depends: str
    section: str

    def origin(self) -> dict[str, str]:
        """What an image's manifest says about this package."""
        keys = ("name", "version", "arch", "suite", "pool_path", "sha256")
        return {key: getattr(self, key) for key in keys}


def cache_directory() -> Path:
    """The user's cache of this project (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification: a relative path is invalid and has to be ignored.
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "bulkhead"


# --- the host's package sources --------------------------------------------------------------


def parse_one_line(text: str) -> Iterator[Source]:
    """Sources in the one-line format of sources.list(5)."""
    pattern = re.compile(r"deb\s+(?:\[(?P<options>[^]]*)\]\s*)?(?P<rest>\S.*)")
    for line in text.splitlines():
        match = pattern.fullmatch(line.split("#", 1)[0].strip())
        if not match:
            continue
        rest = match["rest"].split()
        options = dict(item.split("=", 1) for item in (match["options"] or "").split()
                       if "=" in item)
        if len(rest) >= 2:
            yield Source((rest[0],), (rest[1],), tuple(rest[2:]), options.get("signed-by", ""))


def parse_deb822(text: str) -> Iterator[Source]:
    """Sources in the deb822 format of sources.list(5)."""
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in " \t" and name:
                fields[name] += "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        enabled = fields.get("enabled", "yes").lower() not in ("no", "false", "0")
        if enabled and "deb" in fields.get("types", "").split():
            yield Source(tuple(fields.get("uris", "").split()),
                         tuple(fields.get("suites", "").split()),
                         tuple(fields.get("components", "").split()),
                         fields.get("signed-by", ""))


def host_sources() -> list[Source]:
    """All sources that the host's apt uses."""
    shown = subprocess.run(["apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f",
                            "PARTS", "Dir::Etc::sourceparts/d"],
                           capture_output=True, text=True, check=True).stdout
    places = dict(re.findall(r"^(\w+)='([^']*)'$", shown, re.MULTILINE))
    files = [Path(places["LIST"]), *sorted(Path(places["PARTS"]).glob("*"))]
    sources: list[Source] = []
    for path in files:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        parse = parse_deb822 if path.suffix == ".sources" else parse_one_line
        sources += parse(path.read_text(encoding="utf-8", errors="replace"))
    return sources


def derive_sources(sources: Sequence[Source], suite: str) -> list[str]:
    """One-line sources for `suite`, at the places where the host has its own suites.

    A suite CODENAME lives beside the host's own CODENAME; its security updates live beside the
    host's CODENAME-security, when the host has that.
    """
    plain = re.compile(r"[a-z]+")
    security = re.compile(r"[a-z]+-security")
    lines: list[str] = []
    for pattern, wanted in ((plain, suite), (security, f"{suite}-security")):
        for source in sources:
            if "main" not in source.components or not any(map(pattern.fullmatch, source.suites)):
                continue
            # A key given in the text itself cannot be said in the one-line format.
            key = source.signed_by if "\n" not in source.signed_by else ""
            option = f"[signed-by={key}] " if key else ""
            lines += [f"deb {option}{uri} {wanted} main" for uri in source.uris]
    if not lines:
        raise PackageError("cannot find a Debian archive in the host's package sources: none has"
                           " a suite CODENAME with component main (see sources.list(5))")
    return list(dict.fromkeys(lines))


# --- apt on a state directory of its own ------------------------------------------------------


def run_apt(config: Path, *command: str, cwd: Path | None = None) -> str:
    """Runs an apt tool on a private configuration and returns what it prints."""
    environment = dict(os.environ, APT_CONFIG=str(config), LC_ALL="C")
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd,
                          env=environment, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        reason = "; ".join(errors) or done.stderr.strip() or f"exit status {done.returncode}"
        raise PackageError(f"cannot run \"{' '.join(command)}\": {reason}")
    return done.stdout


def private_config(root: Path, debian_arch: str) -> str:
    """The apt.conf(5) that keeps apt inside `root`."""
    return f'''
Dir::State "{root}/state";
Dir::State::status "{root}/state/status";
Dir::Cache "{root}/cache";
Dir::Etc::sourcelist "{root}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "{debian_arch}";
APT::Architectures {{ "{debian_arch}"; }};
// As root apt would drop to _apt, which cannot enter a private directory.
APT::Sandbox::User "root";
// An old suite's Release file has expired for good, a mirror may lag: the signature is still
// checked, and a package is known by its digest.
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Install-Recommends "false";
'''


class Suite:
    """One suite of the archive for one architecture; `update` is what needs the network."""

    def __init__(self, name: str, arch: str, cache: Path | None = None) -> None:
        self.name = name
        self.debian_arch = DEBIAN_ARCH[arch]
        self.cache = cache or cache_directory()
        self.root = self.cache / "apt" / f"{name}-{self.debian_arch}"
        self.config = self.root / "apt.conf"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second build from using the same apt state."""
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def update(self) -> None:
        """Makes the state directory and fetches the signed package lists."""
        require_tools()
        lines = derive_sources(host_sources(), self.name)
        for directory in ("state/lists/partial", "cache/archives/partial"):
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        (self.root / "state/status").write_text("", encoding="ascii")
        self.config.write_text(private_config(self.root, self.debian_arch), encoding="utf-8")
        try:
            self._update_from(lines)
        except PackageError as error:
            # A suite may have no security part (sid), or only that one be left on the mirror.
            working = [line for line in lines if self._works(line)]
            if not working:
                raise PackageError(f"cannot reach suite \"{self.name}\" at the places of the"
                                   f" host's package sources: {error}") from error
            self._update_from(working)

    def _update_from(self, lines: Sequence[str]) -> None:
        (self.root / "sources.list").write_text("\n".join(lines) + "\n", encoding="utf-8")
        run_apt(self.config, "apt-get", "update", "--error-on=any", "-q")

    def _works(self, line: str) -> bool:
        try:
            self._update_from([line])
        except PackageError:
            return False
        return True

    def names(self, pattern: str) -> list[str]:
        """Package names that match a shell pattern."""
        listed = run_apt(self.config, "apt-cache", "pkgnames", re.split(r"[*?[]", pattern)[0])
        return sorted(fnmatch.filter(listed.split(), pattern))

    def show(self, names: Sequence[str]) -> dict[str, Package]:
        """The newest version of each package."""
        text = run_apt(self.config, "apt-cache", "show", "--no-all-versions", *names)
        packages = {}
        for stanza in text.split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", stanza, re.MULTILINE))
            if "Filename" in fields:
                packages[fields["Package"]] = Package(
                    fields["Package"], fields["Version"], fields["Architecture"], self.name,
                    fields["Filename"], fields["SHA256"],
                    f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}",
                    fields.get("Section", ""))
        return packages

    def kernel(self, pattern: str) -> list[Package]:
        """The newest kernel whose package matches, and the packages that hold the rest of it.

        Up to 6.12 linux-image-RELEASE holds all; later it depends on linux-binary-RELEASE and
        linux-modules-RELEASE.
        """
        image = self.newest(pattern)
        release = image.name[len("linux-image-"):]
        names = [name for name in re.findall(r"[a-z0-9][a-z0-9+.-]+", image.depends)
                 if name.startswith("linux-") and name.endswith(f"-{release}")]
        return [image, *(self.show(names).values() if names else [])]

    def newest(self, pattern: str) -> Package:
        """The package with the highest version among those whose name matches."""
        names = self.names(pattern)
        if not names:
            # The suite may have moved on: tell what fits the pattern but for the version.
            near = self.names(re.sub(r"[0-9][0-9.]*", "[0-9]", pattern, count=1))
            raise PackageError(f"cannot find a package \"{pattern}\" in suite \"{self.name}\" for"
                               f" {self.debian_arch} (there: {' '.join(near) or 'none like it'})")
        order = functools.cmp_to_key(compare_versions)
        return max(self.show(names).values(), key=lambda package: order(package.version))

    def programs(self, names: Sequence[str]) -> list[Package]:
        """`names` and the libraries that they depend on, directly or through other libraries.

        A package names those that hold the shared libraries of its programs (Debian Policy, 8.6);
        what else it depends on is there to be installed and run, which none is.
        """
        found: dict[str, Package] = {}
        seen: set[str] = set()
        queue = set(names)
        while queue:
            seen |= queue
            shown = self.show(sorted(queue))
            wanted = {name: package for name, package in shown.items()
                      if name in names or package.section == "libs"}
            found.update(wanted)
            queue = {name for package in wanted.values()
                     for name in first_alternatives(package.depends)} - seen
        absent = set(names) - set(found)
        if absent:
            raise PackageError(f"cannot find {', '.join(sorted(absent))} in suite"
                               f" \"{self.name}\" for {self.debian_arch}")
        return [found[name] for name in sorted(found)]

    def download(self, packages: Sequence[Package]) -> None:
        """Puts packages into the cache; apt checks them against the signed lists."""
        missing = [package for package in packages if not cached(package, self.cache).is_file()]
        if not missing:
            return
        store = self.cache / "debs"
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.cache, prefix="download-") as scratch:
            run_apt(self.config, "apt-get", "download", "-q",
                    *[f"{package.name}={package.version}" for package in missing],
                    cwd=Path(scratch))
            found = {sha256_of(path): path for path in Path(scratch).glob("*.deb")}
            for package in missing:
                if package.sha256 not in found:
                    raise PackageError(f"cannot download \"{package.name}\": the archive's index"
                                       " and its file do not agree (try again later)")
                os.replace(found[package.sha256], cached(package, self.cache))


def require_tools() -> None:
    """Says which tools of a Debian-like host are missing."""
    missing = [tool for tool in REQUIRED_TOOLS if not shutil.which(tool)]
    if missing:
        raise PackageError(f"cannot get packages: {', '.join(missing)} not found (images are built"
                           " on a Debian-like host; other hosts take a file of make image-bundle)")


def first_alternatives(depends: str) -> list[str]:
    """Package names of a Depends field; of alternatives the one that apt would choose."""
    return [re.split(r"[ (:|]", item.strip(), maxsplit=1)[0] for item in depends.split(",")
            if item.strip()]


def compare_versions(left: str, right: str) -> int:
    """-1, 0 or 1, by the rules of deb-version(7)."""
    for relation, result in (("lt", -1), ("gt", 1)):
        if subprocess.run(["dpkg", "--compare-versions", left, relation, right],
                          check=False).returncode == 0:
            return result
    return 0


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


# --- requests, resolved once and cached by digest ---------------------------------------------


def cached(package: Package, cache: Path) -> Path:
    """Where the cache keeps a package's file."""
    return cache / "debs" / f"{package.sha256}.deb"


def resolve(suite: Suite, kind: str, names: Sequence[str], refresh: bool = False) -> list[Package]:
    """The packages for a request, from the cache if the same request was resolved before.

    `kind` is `kernel` (one name, a pattern) or `programs`. With `refresh` the archive is asked
    again. The packages' files are in the cache afterwards.
    """
    if not names:
        return []
    request: dict[str, object] = {"suite": suite.name, "arch": suite.debian_arch,
                                  kind: sorted(names)}
    key = hashlib.sha256(json.dumps(request).encode()).hexdigest()
    lock = suite.cache / "resolved" / f"{key}.json"
    known = None if refresh else usable_resolution(lock, request, suite.cache)
    if known is not None:
        return known
    with suite.locked():
        # Whoever held the lock may have asked the same.
        known = None if refresh else usable_resolution(lock, request, suite.cache)
        if known is not None:
            return known
        suite.update()
        packages = suite.kernel(names[0]) if kind == "kernel" else suite.programs(names)
        suite.download(packages)
        lock.parent.mkdir(parents=True, exist_ok=True)
        answer = {"request": request, "packages": [asdict(package) for package in packages]}
        write_atomically(lock, json.dumps(answer, indent=1) + "\n")
        return packages


def usable_resolution(lock: Path, request: Mapping[str, object], cache: Path,
                      ) -> list[Package] | None:
    """What the request was resolved to, if the cache still has all of it."""
    known = read_resolution(lock, request)
    if known is not None and all(cached(package, cache).is_file() for package in known):
        return known
    return None


def read_resolution(lock: Path, request: Mapping[str, object]) -> list[Package] | None:
    """What the request was resolved to, or None when it was not or the file is of no use."""
    try:
        answer = json.loads(lock.read_text(encoding="utf-8"))
        if answer["request"] != request:
            return None
        return [Package(**package) for package in answer["packages"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_atomically(path: Path, text: str) -> None:
    """Replaces a file so that nobody ever sees half of it."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="utf-8")
    os.replace(scratch, path)


def unpacked(package: Package, cache: Path) -> Path:
    """The tree of a package's files, unpacked once into the cache."""
    tree = cache / "unpacked" / package.sha256
    if tree.is_dir():
        return tree
    tree.parent.mkdir(parents=True, exist_ok=True)
    file = cached(package, cache)
    if sha256_of(file) != package.sha256:
        file.unlink()
        raise PackageError(f"cannot use \"{file}\": it is not the package {package.name} any more"
                           " (removed; the next build fetches it again)")
    scratch = Path(tempfile.mkdtemp(dir=tree.parent, prefix=f"{package.name}-"))
    try:
        subprocess.run(["dpkg-deb", "-x", str(file), str(scratch)], check=True,
                       capture_output=True)
        scratch.chmod(0o755)
        os.rename(scratch, tree)
    except subprocess.CalledProcessError as error:
        raise PackageError(f"cannot unpack \"{file}\": {error.stderr.decode().strip()}") from error
    except OSError:
        # Another build was faster; its tree is as good.
        if not tree.is_dir():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return tree
