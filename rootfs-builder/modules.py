# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes the kernel modules that the suite needs out of a kernel's package, with all that they
depend on, and writes the index by which modprobe finds them in the guest.

A package has no modules.dep: that is made by depmod where it is installed. Names, dependencies,
soft dependencies and aliases come from the .modinfo section of each module instead.
"""

from __future__ import annotations

import lzma
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Sequence

import elf

SUFFIXES = (".ko", ".ko.xz", ".ko.gz", ".ko.zst")


class ModuleError(Exception):
    """Something about modules that the user has to know."""


@dataclass(frozen=True)
class Module:
    """One module; `path` is below /lib/modules/RELEASE, `data` is decompressed."""

    name: str
    path: str
    data: bytes
    depends: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """One line of the table of modules."""

    name: str
    option: str
    at_boot: bool
    why: str


def read_table(path: Path) -> list[Wanted]:
    """The table of modules: NAME, OPTION, `boot` or `demand`, and what it is for."""
    wanted = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("#", 1)[0].split(None, 3)
        if not fields:
            continue
        if len(fields) != 4 or fields[2] not in ("boot", "demand"):
            raise ModuleError(f"cannot read \"{path}\", line {number}:"
                              " it is not NAME OPTION boot|demand REASON")
        wanted.append(Wanted(fields[0], f"CONFIG_{fields[1]}", fields[2] == "boot", fields[3]))
    return wanted


def canonical(name: str) -> str:
    """A module's name as the kernel has it: `-` and `_` are the same."""
    return name.replace("-", "_")


def stem(path: str) -> str:
    """The canonical name of the module in this file."""
    return canonical(Path(path).name.split(".ko", 1)[0])


def decompress(path: Path) -> bytes:
    """A module's ELF file: not every kernel can load compressed modules."""
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    for suffix, tool in ((".gz", "gzip"), (".zst", "zstd")):
        if path.suffix == suffix:
            return subprocess.run([tool, "-dc", str(path)], check=True,
                                  stdout=subprocess.PIPE).stdout
    return path.read_bytes()


def parse_modinfo(data: bytes) -> dict[str, list[str]]:
    """The KEY=VALUE strings of a module's .modinfo section."""
    info: dict[str, list[str]] = {}
    for item in elf.section(data, ".modinfo").split(b"\0"):
        key, separator, value = item.decode("utf-8", "replace").partition("=")
        if separator:
            info.setdefault(key, []).append(value)
    return info


def parse_softdep(texts: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(before, after) of `softdep=pre: a b post: c` (modprobe.d(5))."""
    sides: dict[str, list[str]] = {"pre:": [], "post:": []}
    for text in texts:
        side = sides["pre:"]
        for word in text.split():
            if word in sides:
                side = sides[word]
            else:
                side.append(canonical(word))
    return tuple(sides["pre:"]), tuple(sides["post:"])


class Tree:
    """The modules of one kernel, in the tree of its unpacked package."""

    def __init__(self, directory: Path, builtin: Path | None = None) -> None:
        self.directory = directory
        self.files = {stem(file.name): file for file in sorted(directory.rglob("*.ko*"))
                      if file.name.endswith(SUFFIXES)}
        builtin = builtin or directory / "modules.builtin"
        text = builtin.read_text(encoding="ascii") if builtin.is_file() else ""
        self.builtin = {stem(line) for line in text.split()}

    def load(self, name: str) -> Module:
        """Reads the module of this canonical name."""
        file = self.files[name]
        data = decompress(file)
        info = parse_modinfo(data)
        depends = [canonical(item) for text in info.get("depends", []) for item in text.split(",")
                   if item]
        before, after = parse_softdep(info.get("softdep", []))
        path = re.sub(r"\.ko\..*$", ".ko", str(file.relative_to(self.directory)))
        return Module(name, path, data, tuple(depends), before, after,
                      tuple(info.get("alias", [])))

    def closure(self, names: Sequence[str]) -> list[Module]:
        """`names` and what they depend on, in an order in which they can be loaded.

        A soft dependency that the kernel does not have is left out; a hard one is an error.
        """
        order: dict[str, Module] = {}
        for name in names:
            self._visit(canonical(name), order, ())
        return list(order.values())

    def _visit(self, name: str, order: dict[str, Module], above: tuple[str, ...]) -> None:
        if name in order or name in self.builtin or name in above:
            return
        if name not in self.files:
            raise ModuleError(f"cannot find module \"{name}\" in \"{self.directory}\""
                              + (f": \"{above[-1]}\" depends on it" if above else ""))
        module = self.load(name)
        for soft in module.before:
            if soft in self.files:
                self._visit(soft, order, (*above, name))
        for hard in module.depends:
            self._visit(hard, order, (*above, name))
        order[name] = module
        for soft in module.after:
            if soft in self.files:
                self._visit(soft, order, (*above, name))

    def is_builtin(self, name: str) -> bool:
        """Whether the module is part of the kernel itself."""
        return canonical(name) in self.builtin


def dep_file(in_order: Sequence[Module]) -> str:
    """modules.dep(5) for modules in an order in which they can be loaded.

    modprobe loads the modules of a line from its end: the one that needs no other comes last.
    """
    by_name = {module.name: module for module in in_order}

    def all_below(module: Module, seen: set[str]) -> set[str]:
        for name in (*module.depends, *module.before):
            if name in by_name and name not in seen and name != module.name:
                seen.add(name)
                all_below(by_name[name], seen)
        return seen

    lines = []
    for module in in_order:
        below = all_below(module, set())
        paths = [other.path for other in reversed(in_order) if other.name in below]
        lines.append(" ".join([f"{module.path}:", *paths]) + "\n")
    return "".join(sorted(lines))


def alias_file(modules: Sequence[Module]) -> str:
    """modules.alias: by which names the kernel asks for a module (`fs-overlay`)."""
    lines = {f"alias {alias} {module.name}\n" for module in modules for alias in module.aliases}
    return "".join(sorted(lines))
