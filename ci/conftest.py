# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of all tests. BULKHEAD_BUILD is the build directory, BULKHEAD another binary."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

CI = Path(__file__).resolve().parent
sys.path.insert(0, str(CI))

import containers  # noqa: E402
import host  # noqa: E402

# What started us may ignore signals, as nohup and a shell's background do; a program under
# test would inherit that, and rightly not end on them.
for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1,
               signal.SIGUSR2, signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
os.umask(0o022)  # other users must reach what tests make

BUILD = Path(os.environ.get("BULKHEAD_BUILD", CI.parent / "build"))


@pytest.fixture(scope="session")
def base() -> Iterator[Path]:
    """A directory where programs, devices and set-id files work, for every user."""
    place = next((path for path in (Path(tempfile.gettempdir()), Path("/var/tmp"), BUILD)
                  if containers.usable(path)), None)
    if place is None:
        pytest.fail("no directory for the tests: all are nosuid, noexec or nodev (set TMPDIR)")
    directory = Path(tempfile.mkdtemp(prefix="pytest-bulkhead-", dir=place))
    directory.chmod(0o755)
    yield directory
    for folder, _, _ in os.walk(directory):
        os.chmod(folder, 0o700)
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def binary(base: Path) -> Path:
    """The program under test, where every user can execute it."""
    source = Path(os.environ.get("BULKHEAD", BUILD / "bulkhead"))
    if not source.is_file():
        pytest.fail(f"{source} is not there: run the tests by make check")
    return containers.install(source, base)


@pytest.fixture(scope="session")
def all_callers(base: Path) -> dict[str, containers.Caller]:
    """Everybody that this session can be."""
    return containers.callers(base)


@pytest.fixture(scope="session")
def probe(base: Path) -> Path:
    """The program that tells what it finds inside."""
    return containers.compile_probe(base)


@pytest.fixture(scope="session")
def rootfs_of(base: Path, probe: Path,
              all_callers: dict[str, containers.Caller]) -> dict[str, Path]:
    """A rootfs for each caller, with the probe in it; tests do not change it."""
    archive = BUILD / "rootfs.tar"
    if not archive.is_file():
        pytest.fail(f"{archive} is not there: run the tests by make check")
    made: dict[int, Path] = {}
    for caller in all_callers.values():
        if caller.uid not in made:
            directory = base / f"rootfs-{caller.uid}"
            made[caller.uid] = containers.unpack_with_probe(archive, directory, caller.uid, probe)
    return {name: made[caller.uid] for name, caller in all_callers.items()}


@pytest.fixture(scope="session")
def namespaces_allowed(all_callers: dict[str, containers.Caller]) -> dict[str, str]:
    """For each caller why it cannot make containers here, or an empty text."""
    why = {}
    for name, caller in all_callers.items():
        flags = ["--mount"] if caller.is_root else ["--user", "--map-root-user", "--mount"]
        tried = subprocess.run([*caller.prefix, "unshare", *flags, "true"], check=False,
                               capture_output=True, text=True)
        why[name] = tried.stderr.strip()
    return why


TEST_SECONDS = 60


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """A test that hangs fails; what it has started is ended by host_snapshot."""
    def stop(*_: object) -> None:
        raise TimeoutError(f"the test took longer than {TEST_SECONDS} s")
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)


@pytest.fixture
def host_snapshot() -> Iterator[host.Snapshot]:
    """Fails the test when the host is not as it was before."""
    before = host.Snapshot.take()
    yield before
    left = before.difference_when_settled()
    host.kill_children()
    assert not left, left


def make_runtime(request: pytest.FixtureRequest, name: str) -> containers.Runtime:
    """bulkhead for a caller; skips when this session cannot be that caller."""
    caller = request.getfixturevalue("all_callers").get(name)
    if caller is None:
        pytest.skip(f"no-priv: only root can test as {name}")
    why = request.getfixturevalue("namespaces_allowed")[name]
    if why:
        pytest.skip(f"no-priv: {why}")
    base = request.getfixturevalue("base")
    return containers.Runtime(request.getfixturevalue("binary"),
                              request.getfixturevalue("rootfs_of")[name],
                              containers.work_directory(base, caller), caller)


@pytest.fixture(params=["root", "rootless", "subids"] if os.geteuid() == 0 else ["rootless"])
def runtime(request: pytest.FixtureRequest, host_snapshot: host.Snapshot) -> containers.Runtime:
    """bulkhead, for each kind of caller in turn; the host must be as before afterwards."""
    return make_runtime(request, request.param)


@pytest.fixture
def as_root(request: pytest.FixtureRequest, host_snapshot: host.Snapshot) -> containers.Runtime:
    """bulkhead called by root."""
    return make_runtime(request, "root")


@pytest.fixture
def rootless(request: pytest.FixtureRequest, host_snapshot: host.Snapshot) -> containers.Runtime:
    """bulkhead called by a user without subordinate ids (nor any privilege)."""
    return make_runtime(request, "rootless")


@pytest.fixture
def with_subids(request: pytest.FixtureRequest,
                host_snapshot: host.Snapshot) -> containers.Runtime:
    """bulkhead called by a user who has subordinate ids."""
    return make_runtime(request, "subids")


@pytest.fixture
def any_caller(request: pytest.FixtureRequest, host_snapshot: host.Snapshot) -> containers.Runtime:
    """bulkhead, for what does not depend on the caller: whoever runs the tests."""
    return make_runtime(request, "root" if os.geteuid() == 0 else "rootless")


host.adopt_orphans()
