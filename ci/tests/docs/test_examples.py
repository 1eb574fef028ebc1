# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command in README.md and docs/containers.md prints what stands below it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import containers
import examples
import host

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("BULKHEAD_BUILD", ROOT / "build"))
DOCUMENTS = ["README.md", "docs/containers.md"]
EXAMPLES = [pytest.param(example, id=f"{name}:{example.line}") for name in DOCUMENTS
            for example in examples.parse((ROOT / name).read_text(encoding="utf-8"))]

# An ordinary user for the examples that need no root, when the tests run as root.
USER = 65534
AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"]


def host_kind() -> str:
    """Whether this host can keep limits: "cgroup2", "hybrid", or "none" of the documented."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"],
                          check=False, capture_output=True, text=True).stdout.split()
    if kind[:1] == ["cgroup2fs"]:
        return "cgroup2"
    return "hybrid" if kind[1:] == ["cgroup2fs"] else "none"


@pytest.fixture(name="place")
def directory_of_the_reader(base: Path, tmp_path: Path) -> Path:
    """What a reader stands in: a directory with a rootfs in it. Removed with `base`."""
    place = base / tmp_path.name / "build"
    place.mkdir(parents=True)
    return place


def furnish(place: Path, uid: int) -> None:
    """Puts a rootfs of the user's own into a directory that belongs to the user."""
    archive = BUILD / "rootfs.tar"
    if not archive.is_file():
        pytest.fail(f"{archive} is not there: run the tests by make check")
    containers.unpack(archive, place / "rootfs", uid)
    if os.geteuid() == 0:
        os.chown(place, uid, uid)


def outputs(example: examples.Example, place: Path, binary: Path,
            caller: list[str]) -> list[list[str]]:
    """Runs an example."""
    path = f"{binary.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return examples.run(example, place, path, caller)


def check(example: examples.Example, printed: list[list[str]]) -> None:
    """Fails unless each command printed what is shown."""
    for step, got in zip(example.steps, printed):
        assert examples.matches(step.shown, got), "\n".join(
            ["$ " + step.command, "--- shown:", *step.shown, "--- printed:", *got])


@pytest.mark.parametrize("example", EXAMPLES)
def test_prints_what_is_shown(example: examples.Example, place: Path, binary: Path,
                              host_snapshot: host.Snapshot) -> None:
    """As whoever runs the tests; a limit that cannot be kept is refused, with the reason."""
    assert host_snapshot
    if "root" in example.needs and os.geteuid() != 0:
        pytest.skip("no-priv: this example is for root")
    if "hybrid" in example.needs and host_kind() != "hybrid":
        pytest.skip("no-kconfig:cgroup-v1: this example is for a hybrid host")
    furnish(place, os.geteuid())
    printed = outputs(example, place, binary, [])
    if "cgroup2" in example.needs and host_kind() != "cgroup2":
        for lines in printed:
            assert lines[0].startswith("bulkhead: cannot create a cgroup under"), lines
            assert "limits need cgroup v2" in lines[0], lines
            assert lines[1:] in ([], ["125"]), lines
    else:
        check(example, printed)


@pytest.mark.skipif(os.geteuid() != 0, reason="no-priv: only root can be somebody else")
@pytest.mark.parametrize("example", [param for param in EXAMPLES
                                     if not param.values[0].needs])  # type: ignore[union-attr]
def test_needs_no_root(example: examples.Example, place: Path, binary: Path,
                       host_snapshot: host.Snapshot) -> None:
    """What is not marked for root prints the same for an ordinary user."""
    assert host_snapshot
    furnish(place, USER)
    check(example, outputs(example, place, binary, AS_USER))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_is_marked(name: str) -> None:
    """No block escapes the tests by a slip of the fence."""
    fences = re.findall(r"^```(.+)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert fences and not {fence for fence in fences if not re.fullmatch(
        r"console( (root|cgroup2|hybrid))*|sh|text( demo)?", fence)}


def test_the_demonstration_is_as_shown(binary: Path, place: Path) -> None:
    """The README's excerpt is a part of what make demo prints; numbers may differ."""
    block = re.search(r"^```text demo\n(.*?)^```$", (ROOT / "README.md").read_text(),
                      re.MULTILINE | re.DOTALL)
    assert block
    furnish(place, os.geteuid())
    done = subprocess.run([ROOT / "runtime/demo", binary, place / "rootfs"], check=True,
                          capture_output=True, text=True)
    shown = re.sub(r"\d+", "1000", block[1]).splitlines()
    printed = re.sub(r"\d+", "1000", done.stdout).splitlines()
    assert any(examples.matches(shown, printed[start:start + len(shown)])
               for start in range(len(printed)))


def test_every_option_has_an_example(binary: Path) -> None:
    """In one document or the other."""
    done = subprocess.run([binary, "features"], check=True, capture_output=True, text=True)
    text = "\n".join(step.command for param in EXAMPLES
                     for step in param.values[0].steps)  # type: ignore[union-attr]
    text += (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in json.loads(done.stdout)["options"]
               if not re.search(rf"--{name}\b", text)]
    assert not missing


def test_every_target_exists() -> None:
    """What is named as `make TARGET` can be made."""
    database = subprocess.run(["make", "-C", ROOT, "-pnq"], check=False, capture_output=True,
                              text=True).stdout
    targets = set(re.findall(r"^([a-z][a-z-]*):", database, re.MULTILINE))
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not set(re.findall(r"\bmake ([a-z][a-z-]+)\b(?=[`\n ]*[`#\n(])", text)) - targets


def test_every_test_named_exists() -> None:
    """The tests behind the claims are those of the suite, or files of this tree."""
    test = re.compile(r"^TEST(?:_EACH\(\s*\w+, |\()(\w+), (\w+)", re.MULTILINE)
    suite = {f"{area}.{name}" for source in (ROOT / "selftests").glob("*/*.c")
             for area, name in test.findall(source.read_text(encoding="utf-8"))}
    text = (ROOT / "docs/containers.md").read_text(encoding="utf-8")
    named = [name for line in re.findall(r"^Tests: (.*?)\.$", text, re.MULTILINE | re.DOTALL)
             for name in re.findall(r"`([^`]+)`", line)]
    assert len(named) > 20
    assert not [name for name in named if name not in suite and not (ROOT / name).is_file()]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    """Files and folders that are named exist."""
    text = (ROOT / name).read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#:]+)\)", text)
    folders = re.findall(r"^\| `([a-z-]+/)` \|", text, re.MULTILINE)
    for link in linked + folders:
        assert ((ROOT / name).parent / link).exists(), link


@pytest.mark.parametrize("shown, printed, same", [
    (["a"], ["a"], True), (["a"], ["b"], False), (["a"], ["a", "b"], False), ([], ["a"], False),
    (["a", "..."], ["a"], True), (["...", "b"], ["a", "a", "b"], True),
    (["a 1234"], ["a 98765"], True), (["a 123"], ["a 124"], False), (["a ..."], ["a b c"], True),
    (["a."], ["ab"], False), (["..."], [], True), (["a", "...", "c"], ["a", "b"], False),
])
def test_compares_as_it_says(shown: list[str], printed: list[str], same: bool) -> None:
    """Numbers and dots stand for others; nothing else does."""
    assert examples.matches(shown, printed) == same


@pytest.mark.parametrize("text", ["```console\nx\n```\n", "```console nonsense\n$ x\n```\n",
                                  "```console\n$ x\n"])
def test_refuses_a_malformed_example(text: str) -> None:
    """Rather than leaving it out."""
    with pytest.raises(ValueError):
        examples.parse(text)


def test_fills_in_what_is_printed(tmp_path: Path) -> None:
    """And leaves alone what is right already."""
    document = "```console\n$ echo one\n$ echo 1234\n9999\n```\ntext\n"
    [example] = examples.parse(document)
    printed = examples.run(example, tmp_path, os.environ["PATH"], [])
    assert examples.filled_in(document, example, printed) == document.replace(
        "$ echo one\n", "$ echo one\none\n")
