# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual and the completions say what the program can, no more and no less."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MANUAL = ROOT / "runtime/bulkhead.1"
BASH = ROOT / "runtime/completions/bulkhead.bash"
ZSH = ROOT / "runtime/completions/_bulkhead"

# The options that the table of options does not hold.
GENERAL = {"help", "version"}


@pytest.fixture(scope="module", name="options")
def options_of_the_program(binary: Path) -> set[str]:
    """The options that `bulkhead features` lists."""
    done = subprocess.run([binary, "features"], check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout)["options"])


@pytest.fixture(scope="module", name="help_of")
def help_by_option(binary: Path) -> dict[str, str]:
    """The line of --help for each option."""
    done = subprocess.run([binary, "--help"], check=True, capture_output=True, text=True)
    return {line.split()[0].removeprefix("--"): line for line in done.stdout.splitlines()
            if line.startswith("  --")}


def run_bash(script: str) -> list[str]:
    """The lines that a bash with the completion loaded prints."""
    done = subprocess.run(["bash", "--norc", "-c", f". {BASH}\n{script}"], check=True,
                          capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == ""
    return done.stdout.splitlines()


def bash_offers(*words: str) -> set[str]:
    """What bash offers for the last of the words."""
    line = " ".join(f"'{word}'" for word in words)
    return set(run_bash(f"COMP_WORDS=({line}) COMP_CWORD={len(words) - 1}\n_bulkhead\n"
                        "printf '%s\\n' \"${COMPREPLY[@]}\"")) - {""}


# zsh's own helpers, in whose place what they are called with is printed.
ZSH_STAND_INS = """
fpath=({directory} $fpath)
autoload -U _bulkhead
_arguments() {{ print -rl -- "$@" }}
compadd() {{ [[ $1 == -a ]] && print -rl -- ${{(P)2}} || print -rl -- "$@" }}
_files() {{ print files }}
words=({words})
CURRENT=$#words
_bulkhead
{then}
"""


def zsh_offers(*words: str, then: str = "") -> list[str]:
    """What the completion tells zsh for the last of the words, and `then`, a line each."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = ZSH_STAND_INS.format(directory=ZSH.parent, words=quoted, then=then)
    done = subprocess.run(["zsh", "-f", "-c", script], check=False, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def manual_options() -> set[str]:
    """The options that have an entry of their own in the manual."""
    return set(re.findall(r"^\.It Fl -([a-z-]+)", MANUAL.read_text(), re.MULTILINE))


def test_the_manual_is_clean() -> None:
    """Neither formatter finds a fault in the manual's text."""
    lint = subprocess.run(["mandoc", "-T", "lint", MANUAL], check=False, capture_output=True,
                          text=True)
    # That a referenced page is not installed here is no fault of this page.
    found = [line for line in (lint.stdout + lint.stderr).splitlines()
             if "outdated mandoc.db" not in line and "referenced manual not found" not in line]
    assert not found
    groff = subprocess.run(["groff", "-mdoc", "-ww", "-z", "-Tutf8", MANUAL], check=True,
                           capture_output=True, text=True)
    assert groff.stdout + groff.stderr == ""


def test_the_manual_has_every_option(options: set[str]) -> None:
    """And none that the program does not have."""
    assert manual_options() == options | GENERAL


def test_the_manual_says_what_child_cannot(help_of: dict[str, str]) -> None:
    """As --help does by its asterisks."""
    text = MANUAL.read_text()
    limits = text[text.index(".Ss Limits"):text.index(".Ss Privileges")]
    assert "None of these options goes with" in limits
    for option, line in help_of.items():
        entry = re.search(rf"^\.It Fl -{option}\b.*?(?=^\.It Fl -(?!gid-map)|^\.El)", text,
                          re.MULTILINE | re.DOTALL)
        assert entry, option
        refused = bool(re.search(r"Not with\n\.Cm child", entry[0])) or entry[0] in limits
        assert refused == line.endswith("*"), option


def kernel_paths(*covers: str) -> set[str]:
    """The paths that are covered in one of these ways."""
    text = (ROOT / "runtime/kernelpaths.c").read_text(encoding="utf-8")
    rows = re.findall(r'\{ "([^"]+)", (\w+)', text)
    assert len(rows) > 10
    return {path for path, cover in rows if cover in covers}


def test_the_manual_lists_what_is_masked() -> None:
    """And what is read-only: the tables of kernelpaths.c, no more and no less."""
    text = MANUAL.read_text(encoding="utf-8")
    masked, read_only = text[text.index("\nMasked:"):].split("\nRead-only:")
    masked_paths = set(re.findall(r"/(?:proc|sys)/[a-z_/]+(?= [,.])", masked))
    assert masked_paths - {"/sys/devices/system/cpu/cpu"} == \
        kernel_paths("HIDE_FILE", "HIDE_DIR")
    assert "/thermal_throttle" in masked
    first = read_only[:read_only.index(".It")]
    assert set(re.findall(r"/proc/[a-z-]+", first)) == kernel_paths("READ_ONLY")


def test_the_manual_lists_the_capabilities_that_stay() -> None:
    """By the default set in names.c."""
    kept = (ROOT / "runtime/names.c").read_text(encoding="utf-8").split("default_caps =")[1]
    names = set(re.findall(r"BIT\(CAP_(\w+)\)", kept))
    sentence = re.search(r"Capabilities are reduced to ([A-Z_, \nand]+), in the bounding",
                         MANUAL.read_text(encoding="utf-8"))
    assert sentence and set(re.findall(r"[A-Z_]+", sentence[1])) == names


def test_the_help_has_every_option(options: set[str], help_of: dict[str, str]) -> None:
    """Each on a line of its own."""
    assert set(help_of) == options


def test_bash_offers_every_option(options: set[str]) -> None:
    """After run, all of them."""
    assert bash_offers("bulkhead", "run", "--") == {f"--{name}" for name in options | {"help"}}


def test_bash_knows_what_child_cannot(help_of: dict[str, str]) -> None:
    """After child, those without an asterisk."""
    offered = bash_offers("bulkhead", "child", "--")
    assert offered == {f"--{name}" for name, line in help_of.items()
                       if not line.endswith("*")} | {"--help"}


@pytest.mark.parametrize("words, offers", [
    (("bulkhead", ""), {"run", "child", "features", "--version", "--help"}),
    (("bulkhead", "r"), {"run"}),
    (("bulkhead", "run", "--share", "u"), {"uts", "user"}),
    (("bulkhead", "run", "--share", "net,i"), {"net,ipc"}),
    (("bulkhead", "run", "--cap-drop", "SYS_T"), {"SYS_TIME", "SYS_TTY_CONFIG"}),
    (("bulkhead", "run", "--seccomp", "d"), {"default", "docs"}),
    (("bulkhead", "run", "--rootfs", "docs", "--mem"), {"--memory"}),
    (("bulkhead", "run", "--rootfs", "doc"), {"docs"}),
    (("bulkhead", "run", "--hostname", "--read"), set()),
    (("bulkhead", "run", "ls", "--"), set()),
    (("bulkhead", "run", "--", "--"), set()),
    (("bulkhead", "features", "--"), set()),
])
def test_bash_completes(words: tuple[str, ...], offers: set[str]) -> None:
    """Verbs, values and nothing behind the command."""
    assert bash_offers(*words) == offers


def test_both_shells_know_every_capability() -> None:
    """By the names in the kernel's header."""
    header = Path("/usr/include/linux/capability.h").read_text(encoding="utf-8")
    names = set(re.findall(r"^#define CAP_(\w+)\s+\d+$", header, re.MULTILINE)) | {"ALL"}
    assert bash_offers("bulkhead", "run", "--cap-add", "") == names
    offered = zsh_offers("bulkhead", "run", "--cap-add", "", then="_bulkhead_capabilities")
    assert {name for name in offered if name.isupper() and "-" not in name} == names


@pytest.mark.parametrize("verb", ["run", "child"])
def test_zsh_has_every_option(verb: str, help_of: dict[str, str]) -> None:
    """After child, those without an asterisk."""
    offered = {found[1] for line in zsh_offers("bulkhead", verb, "--")
               if (found := re.match(r"\*?--([a-z-]+)\[", line))}
    assert offered == {name for name, line in help_of.items()
                       if verb == "run" or not line.endswith("*")} | {"help"}


def test_zsh_marks_the_options_that_repeat() -> None:
    """Those of which the manual says so."""
    repeated = {found[1] for line in zsh_offers("bulkhead", "run", "--")
                if (found := re.match(r"\*--([a-z-]+)\[", line))}
    entries = re.findall(r"((?:^\.It Fl -[a-z-]+.*\n)+)((?:(?!\.It Fl|\.El).*\n)+)",
                         MANUAL.read_text(), re.MULTILINE)
    said = {name for heads, body in entries if "May be\nrepeated" in body
            or "May be repeated" in body for name in re.findall(r"Fl -([a-z-]+)", heads)}
    assert repeated == said


@pytest.mark.parametrize("words, offers", [
    (("bulkhead", ""), ["run", "child", "features", "--version", "--help"]),
    (("bulkhead", "features", ""), []),
])
def test_zsh_completes_verbs(words: tuple[str, ...], offers: list[str]) -> None:
    """And nothing behind one that takes no options."""
    assert [line for line in zsh_offers(*words) if line != "--"] == offers
