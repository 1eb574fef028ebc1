# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists the tests of a test program without running it: it may be for another architecture.

TEST() of selftests/harness/selftest.h puts a pointer to each `struct test` into a section; the
fields read here are held at their places by selftests/harness/registry.c.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Iterable, List, Tuple

import elf

SECTION = "selftests"
CHECKS, LAYER, NAME, FILE, LINE = 16, 48, 72, 80, 88  # offsets in struct test, bytes
LAYERS = ("kernel", "runtime", "both")                # enum layer

Test = Tuple[str, str, str, List[str]]                # name, program, layer, behaviours


def listed(programs: Iterable[Path]) -> list[Test]:
    """All tests of these programs; none when one of them does not tell: only a whole list is of
    use to the launcher, which can still ask a guest."""
    found: list[Test] = []
    for program in programs:
        try:
            mine = tests(program.read_bytes())
        except elf.ElfError:
            mine = []
        if not mine:
            return []
        found += [(name, program.name, layer, behaviours) for name, layer, behaviours in mine]
    return found


def tests(program: bytes) -> list[tuple[str, str, list[str]]]:
    """(name, layer, behaviours) of each test, in the order of --list; none when the program
    declares none. Raises elf.ElfError when it is no whole program."""
    found = []
    pointers = elf.section(program, SECTION)
    for test, in struct.iter_unpack("<Q", pointers[:len(pointers) // 8 * 8]):
        layer, = struct.unpack("<I", elf.at(program, test + LAYER, 4))
        line, = struct.unpack("<I", elf.at(program, test + LINE, 4))
        checks = _pointed(program, test + CHECKS)
        if layer >= len(LAYERS):
            raise elf.ElfError("a test of an unknown layer")
        found.append((_pointed(program, test + FILE).encode(), line,
                      (_pointed(program, test + NAME), LAYERS[layer], checks.split())))
    return [test for _, _, test in sorted(found)]


def _pointed(program: bytes, address: int) -> str:
    """The string that a pointer at ADDRESS leads to; empty for a null pointer."""
    pointer, = struct.unpack("<Q", elf.at(program, address, 8))
    return elf.text_at(program, pointer) if pointer else ""
