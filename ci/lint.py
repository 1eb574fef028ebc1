#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""House rules and static analysers over all sources: prints what is wrong, a line each.

A file's verdict by a slow tool is kept in BUILD/lint under a digest of all that it depends on, so
that only what has changed is looked at again.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tokenize
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable, Iterator

LINES_PER_FILE = 500
LINES_PER_FUNCTION = 60
JOBS = 2

LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"
MARK = re.compile(r"(?:#|//|/\*|\*|--)\s*(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")
# The machine's own package sources say where packages are: a host's name ages and may be barred.
REGISTRY = re.compile(r"\b(?:[a-z0-9-]+\.)*(?:debian\.(?:org|net)|ubuntu\.com|kernel\.org"
                      r"|pypi\.(?:org|python\.org)|npmjs\.(?:org|com)|docker\.(?:io|com)|quay\.io"
                      r"|ghcr\.io)/(?:debian|ubuntu|simple|v2|pub|pool|dists)\b|"
                      r"\b(?:deb|security|snapshot|ftp|archive|ports|mirrors?)\."
                      r"(?:[a-z]{2}\.)?(?:debian\.org|ubuntu\.com)\b")
C_SLEEP = re.compile(r"\b(?:u|nano|clock_nano)?sleep\s*\(")


@dataclass(frozen=True)
class Source:
    """One file of the tree; `kind` is c, python, sh, bash, make or other."""

    path: str
    kind: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.splitlines()

    @property
    def is_test(self) -> bool:
        """Whether it is a test: those must not depend on time."""
        return self.path.startswith(("runtime/tests/", "selftests/")) or \
            self.path.startswith("ci/tests/") and Path(self.path).name.startswith("test_")


class Tree:
    """All sources below a directory."""

    def __init__(self, top: Path, build: Path) -> None:
        self.top, self.build = top, build
        self.sources = [source for path in sorted(self.paths()) if (source := self.read(path))]

    def paths(self) -> Iterable[str]:
        """Git's files and those that are not ignored; without git all but build/."""
        listed = None
        if shutil.which("git"):
            listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                                    cwd=self.top, capture_output=True, text=True, check=False)
        if listed and listed.returncode == 0:
            return {path for path in listed.stdout.splitlines() if (self.top / path).is_file()}
        return {str(path.relative_to(self.top)) for path in self.top.rglob("*")
                if path.is_file() and path.relative_to(self.top).parts[0] not in (".git", "build")}

    def read(self, path: str) -> Source | None:
        """A file and its kind, by its name or its first line; None for one that is no text."""
        try:
            text = (self.top / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return None
        first = text.partition("\n")[0]
        suffix = Path(path).suffix
        by_suffix = {".c": "c", ".h": "c", ".py": "python", ".sh": "sh", ".mk": "make",
                     ".bash": "bash"}
        kind = by_suffix.get(suffix, "make" if Path(path).name == "Makefile" else "other")
        if found := re.fullmatch(r"#!(?:/usr)?/bin/(?:env )?(sh|bash|python3)", first):
            kind = {"python3": "python"}.get(found[1], found[1])
        return Source(path, kind, text)

    def of(self, *kinds: str) -> list[Source]:
        """The sources of these kinds."""
        return [source for source in self.sources if source.kind in kinds]

    def run(self, *command: str) -> str:
        """What a tool says of the files that are named to it, if it does not like them."""
        done = subprocess.run(command, cwd=self.top, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        return said.strip() or f"{command[0]}: exit status {done.returncode}" \
            if done.returncode else ""

    def each(self, sources: Iterable[Source], *command: str) -> Iterator[str]:
        """Runs a tool on each file, two at a time, unless it liked the same file before."""
        headers = "".join(source.text for source in self.sources if source.path.endswith(".h"))
        common = hashlib.sha256((shlex.join(command) + headers + self.config()).encode())
        kept = self.build / "lint"
        kept.mkdir(parents=True, exist_ok=True)

        def look(source: Source) -> str:
            digest = common.copy()
            digest.update(source.path.encode() + b"\0" + source.text.encode())
            stamp = kept / digest.hexdigest()
            if stamp.exists():
                return ""
            said = self.run(*[source.path if word == "{}" else word for word in command])
            if not said:
                stamp.touch()
            return said

        with ThreadPoolExecutor(JOBS) as pool:
            yield from filter(None, pool.map(look, sources))

    def config(self) -> str:
        """The settings of the tools, which their verdicts depend on."""
        return "".join(source.text for source in self.sources
                       if Path(source.path).name in (".clang-tidy", ".clang-format"))


# --- house rules --------------------------------------------------------------------------------


def licence(tree: Tree) -> Iterator[str]:
    """The licence is on line 1, or 2 after the line that names the interpreter."""
    for source in tree.of("c", "python", "sh", "bash", "make"):
        first = 1 if source.text.startswith("#!") else 0
        if source.text and LICENCE not in "".join(source.lines[first:first + 1]):
            yield f"{source.path}:{first + 1}: no \"{LICENCE}\""


def length(tree: Tree) -> Iterator[str]:
    """No file is longer than a reader's patience."""
    for source in tree.of("c", "python", "sh", "make"):
        if len(source.lines) > LINES_PER_FILE:
            yield f"{source.path}: {len(source.lines)} lines, {LINES_PER_FILE} are allowed"


def functions(tree: Tree) -> Iterator[str]:
    """No C function is longer than two screens; it begins and ends with a brace in column 1."""
    for source in tree.of("c"):
        start = 0
        for number, line in enumerate(source.lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > LINES_PER_FUNCTION:
                    yield (f"{source.path}:{start}: a function of {number - start - 1} lines, "
                           f"{LINES_PER_FUNCTION} are allowed")
                start = 0


def sleeps(tree: Tree) -> Iterator[str]:
    """A test waits for what it needs, never for time to pass; the line may say "sleeps: WHY"."""
    for source in tree.sources:
        if not source.is_test:
            continue
        if source.kind == "c":
            text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"', blank, source.text,
                          flags=re.DOTALL)
            for found in C_SLEEP.finditer(text):
                yield f"{source.path}:{text.count(chr(10), 0, found.start()) + 1}: sleeps"
        elif source.kind == "python":
            yield from (f"{source.path}:{number}: sleeps" for number in python_sleeps(source)
                        if "# sleeps: " not in source.lines[number - 1])
        elif source.kind == "sh":
            yield from (f"{source.path}:{number}: sleeps"
                        for number, line in enumerate(source.lines, 1)
                        if re.match(r"[^#'\"]*\bsleep\s+[0-9$]", line))


def blank(found: re.Match[str]) -> str:
    """Nothing but the line ends of a comment or a string."""
    return "\n" * found[0].count("\n")


def python_sleeps(source: Source) -> Iterator[int]:
    """The lines of calls of sleep() in Python, but for a loop that polls until something is so."""
    tree = ast.parse(source.text)
    polls = {call for loop in ast.walk(tree) if isinstance(loop, ast.While)
             for call in ast.walk(loop) if isinstance(call, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in polls:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "sleep":
                yield node.lineno


def marks(tree: Tree) -> Iterator[str]:
    """What is left to do stands in the tracker, not in the sources."""
    for source in tree.sources:
        text = "\n".join(comments(source)) if source.kind == "python" else source.text
        for found in MARK.finditer(text):
            yield f"{source.path}: a mark of something left to do: {found[0]}"


def comments(source: Source) -> Iterator[str]:
    """The comments of Python: its strings may hold anything."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def registries(tree: Tree) -> Iterator[str]:
    """No name of a host that packages come from."""
    for source in tree.sources:
        for number, line in enumerate(source.lines, 1):
            if found := REGISTRY.search(line):
                yield f"{source.path}:{number}: a package registry's host: {found[0]}"


# --- tools --------------------------------------------------------------------------------------


def compilers(tree: Tree) -> Iterator[str]:
    """gcc and clang, all warnings being errors."""
    warnings = shlex.split(os.environ.get("WARNINGS", "-Wall -Wextra -Werror"))
    # The kernel's own structures end in an array of any length, and stand in larger ones.
    for compiler in (["gcc"], ["clang", "-Wno-gnu-variable-sized-type-not-at-end"]):
        for sources, flags in compiled(tree):
            yield from tree.each(sources, *compiler, "-fsyntax-only", *flags, *warnings, "{}")


def compiled(tree: Tree) -> Iterator[tuple[list[Source], list[str]]]:
    """The C files and what they are compiled with; a generated header lies in BUILD."""
    flags = ["-std=gnu11", '-DVERSION="0"', f"-I{tree.build}/runtime"]
    asks = [source for source in units(tree) if "#define _GNU_SOURCE" in source.text]
    yield asks, flags
    yield [source for source in units(tree) if source not in asks], [*flags, "-D_GNU_SOURCE"]


def units(tree: Tree) -> list[Source]:
    """The C files that a compiler is given; kbuild compiles the kernel module, as strictly."""
    return [source for source in tree.of("c") if source.path.endswith(".c")
            and not source.path.startswith("selftests/mutants/module/")]


def clang_format(tree: Tree) -> Iterator[str]:
    """The layout is the machine's business."""
    yield from tree.each(tree.of("c"), "clang-format", "--dry-run", "-Werror", "{}")


def clang_tidy(tree: Tree) -> Iterator[str]:
    """The analyser; its checks are in .clang-tidy.

    In the selftests it cannot follow the paths: a block of a duet runs in one process of two, and
    a failed ASSERT ends the test.
    """
    pathless = "--checks=-clang-analyzer-core.*,-clang-analyzer-deadcode.*"
    for sources, flags in compiled(tree):
        duets = [source for source in sources if source.path.startswith("selftests/")]
        others = [source for source in sources if source not in duets]
        yield from tree.each(others, "clang-tidy", "--quiet", "{}", "--", *flags)
        yield from tree.each(duets, "clang-tidy", "--quiet", pathless, "{}", "--", *flags)


def cppcheck(tree: Tree) -> Iterator[str]:
    """A second opinion; like clang-tidy, it does not know that a failed ASSERT ends a test."""
    asserted = [f"--suppress={name}:selftests/*" for name in
                ("nullPointer", "nullPointerRedundantCheck", "nullPointerArithmeticRedundantCheck")]
    yield from tree.each(units(tree), "cppcheck", "--quiet", "--std=c11", "--inline-suppr",
                         "--enable=warning,performance,portability", "--error-exitcode=1",
                         "--suppress=unknownMacro", "--suppress=syntaxError", *asserted, "{}")


# "Unreachable": it cannot see a function that is called by a name from elsewhere.
SHELLCHECK = ("--exclude=SC2317",)


def shells(tree: Tree) -> Iterator[str]:
    """shellcheck, and every shell that a script may meet reads it."""
    scripts = tree.of("sh")
    yield from tree.each(scripts, "shellcheck", "-x", "--shell=sh", *SHELLCHECK, "{}")
    yield from tree.each(tree.of("bash"), "shellcheck", "--shell=bash", *SHELLCHECK, "{}")
    for shell in (["dash"], ["busybox", "ash"], ["bash", "--posix"]):
        yield from tree.each(scripts, *shell, "-n", "{}")


def flake8(tree: Tree) -> Iterator[str]:
    """W191 and E101 are about tabs, which shell scripts in strings have."""
    yield from tree.each(tree.of("python"), "flake8", "--isolated", "--max-line-length=100",
                         "--extend-ignore=W191,E101,E203,W503", "{}")


def mypy(tree: Tree) -> Iterator[str]:
    """Each room's modules find each other by their bare names, so each is a run of its own."""
    rooms: dict[str, list[str]] = {}
    for source in tree.of("python"):
        if not source.path.startswith("ci/tests/") and not source.path.endswith("conftest.py"):
            rooms.setdefault(source.path.split("/")[0], []).append(source.path)
    for room, paths in rooms.items():
        said = tree.run("mypy", "--disallow-untyped-defs", "--ignore-missing-imports",
                        "--no-error-summary", "--cache-dir", str(tree.build / "lint/mypy" / room),
                        *paths)
        yield from said.splitlines()


Check = Callable[[Tree], Iterator[str]]
CHECKS: dict[str, tuple[Check, tuple[str, ...]]] = {
    "licence": (licence, ()),
    "length": (length, ()),
    "functions": (functions, ()),
    "sleeps": (sleeps, ()),
    "marks": (marks, ()),
    "registries": (registries, ()),
    "compilers": (compilers, ("gcc", "clang")),
    "clang-format": (clang_format, ("clang-format",)),
    "clang-tidy": (clang_tidy, ("clang-tidy",)),
    "cppcheck": (cppcheck, ("cppcheck",)),
    "shells": (shells, ("shellcheck", "dash", "busybox", "bash")),
    "flake8": (flake8, ("flake8",)),
    "mypy": (mypy, ("mypy",)),
}


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="lint.py", description="Checks all sources.")
    parser.add_argument("check", nargs="*", help=f"of {' '.join(CHECKS)} (default: all)")
    parser.add_argument("--top", type=Path, default=Path(__file__).resolve().parent.parent,
                        help="the tree to check (this one)")
    parser.add_argument("--build", type=Path, default=Path("build"),
                        help="where to keep what was found good (build)")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.check) - set(CHECKS):
        parser.error(f"no such check: {' '.join(sorted(unknown))}")
    tree = Tree(arguments.top, arguments.build.resolve())
    status = 0
    for name in arguments.check or CHECKS:
        check, tools = CHECKS[name]
        missing = [tool for tool in tools if not shutil.which(tool)]
        found = [f"not installed: {' '.join(missing)} (see ci/deps lint)"] if missing \
            else list(check(tree))
        for line in found:
            print(f"{name}: {line}")
        status = status or bool(found)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
