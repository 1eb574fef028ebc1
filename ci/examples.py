# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the examples of a Markdown file, and compares or fills in what they print.

An example is a fenced block marked `console`: commands behind "$ " (continued behind "> "), each
followed by what it prints. Words behind `console` say what it needs: `root`, `cgroup2` (a host
that can limit), `hybrid` (one that cannot). A line "..." stands for any lines, "..." behind a line
for any rest of it, and a number of four or more digits for any such number.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Sequence

FENCE = re.compile(r"^```console *([a-z0-9 ]*)$")
NUMBER = re.compile(r"\d{4,}")
NEEDS = {"root", "cgroup2", "hybrid"}


@dataclass
class Step:
    """One command with what it should print."""

    command: str
    shown: list[str] = field(default_factory=list)


@dataclass
class Example:
    """One block; `line` is that of its fence, from 1 on."""

    line: int
    needs: frozenset[str]
    steps: list[Step]


def parse(text: str) -> list[Example]:
    """All examples of a document."""
    examples: list[Example] = []
    current: Example | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if current is None:
            found = FENCE.match(line)
            if found:
                needs = frozenset(found[1].split())
                if needs - NEEDS:
                    raise ValueError(f"line {number}: unknown word in \"{line}\"")
                current = Example(number, needs, [])
        elif line == "```":
            examples.append(current)
            current = None
        elif line.startswith("$ "):
            current.steps.append(Step(line[2:]))
        elif not current.steps:
            raise ValueError(f"line {number}: an example begins with \"$ \"")
        elif line.startswith("> ") and not current.steps[-1].shown:
            current.steps[-1].command += "\n" + line[2:]
        else:
            current.steps[-1].shown.append(line)
    if current:
        raise ValueError(f"line {current.line}: the block has no end")
    return examples


def run(example: Example, place: Path, path: str, caller: Sequence[str]) -> list[list[str]]:
    """What the commands of an example print in a directory; `caller` is put before them."""
    env = {"PATH": path, "LC_ALL": "C.UTF-8", "TERM": "xterm", "HOME": "/"}
    printed = []
    for step in example.steps:
        done = subprocess.run([*caller, "sh", "-c", step.command], cwd=place, env=env, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        printed.append(done.stdout.decode(errors="replace").splitlines())
    return printed


def matches(shown: list[str], printed: list[str]) -> bool:
    """Whether a command printed what the document shows."""
    pattern = ""
    for line in shown:
        start = line.rstrip().removesuffix("...")
        literal = NUMBER.pattern.join(map(re.escape, NUMBER.split(start)))
        if line == "...":
            pattern += "(?:.*\n)*?"
        else:
            pattern += literal + ("\n" if start == line.rstrip() else ".*\n")
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in printed)) is not None


def filled_in(text: str, example: Example, printed: list[list[str]]) -> str:
    """The document with the real output of an example, where that is another."""
    lines = text.splitlines()
    start = example.line
    end = lines.index("```", start)
    block = []
    for step, output in zip(example.steps, printed):
        block.append("$ " + step.command.replace("\n", "\n> "))
        block += step.shown if matches(step.shown, output) else output
    return "\n".join(lines[:start] + block + lines[end:]) + "\n"


def main() -> int:
    """Fills in what the examples of a document print on this machine, bottom up."""
    parser = argparse.ArgumentParser(description="Fill in the output of a document's examples.")
    parser.add_argument("document", type=Path)
    parser.add_argument("--bulkhead", type=Path, default=Path("build/bulkhead"))
    parser.add_argument("--rootfs", type=Path, default=Path("build/rootfs"))
    parser.add_argument("--has", action="append", default=[], choices=sorted(NEEDS),
                        help="run the examples that need this, too")
    arguments = parser.parse_args()
    text = arguments.document.read_text(encoding="utf-8")
    for example in reversed(parse(text)):
        if example.needs - set(arguments.has):
            continue
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            place.chmod(0o755)
            subprocess.run(["cp", "-a", arguments.rootfs, place / "rootfs"], check=True)
            (place / "bin").mkdir()
            shutil.copy2(arguments.bulkhead, place / "bin/bulkhead")
            work = place / "work"
            work.mkdir()
            (place / "rootfs").rename(work / "rootfs")
            printed = run(example, work, f"{place}/bin:/usr/sbin:/usr/bin:/sbin:/bin", [])
        text = filled_in(text, example, printed)
    arguments.document.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
