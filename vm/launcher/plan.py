# SPDX-License-Identifier: GPL-2.0-or-later
"""What is to be run: the tests that an image holds, the ones asked for, and in which guests."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import zlib
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from launcher import cache
from launcher.errors import InfraError, UsageError
from launcher.guest import Guest
from launcher.stopwatch import Stopwatch

KERNEL_SUBJECT = "kernel"  # the pseudo subject: tests of the kernel alone, no runtime between
LIST_SECONDS = 60

# Says each program's name and its list, unless the list is KNOWN; for a subject also what its
# adapter tells about it. Packed, since an emulated UART costs more a byte than gzip does.
ASK, KNOWN = "ask", "known"
LIST_SCRIPT = """
list() {
    if [ -n "$2" ]; then
        [ -x "$2" ] || { echo "no-subject"; return; }
        "$2" describe | sed 's/^/describe /'
    fi
    [ "$1" = ask ] || return
    for program in /selftests/*; do
        [ -f "$program" ] && [ -x "$program" ] || continue
        echo "program ${program##*/}"
        "$program" --list ${2:+--subject "$2"} || echo "broken $program $?"
    done
}
list "$1" "$2" | gzip | base64
"""


class Planned(NamedTuple):
    """One test of the plan."""

    name: str
    program: str
    layer: str
    behaviours: List[str]


class Catalogue(NamedTuple):
    """What an image offers for one subject."""

    tests: List[Planned]
    subject: Dict[str, str]          # what the adapter's `describe` said


class Batch(NamedTuple):
    """Tests of one program, run by one call of it."""

    program: str
    tests: List[Planned]


def adapter(subject: str) -> str:
    """The guest path of a subject's adapter; "" for the kernel alone."""
    return "" if subject == KERNEL_SUBJECT else f"/selftests/subjects/{subject}"


def _check_helper(program: str, status: str) -> None:
    """Something that stands among the programs and knows no --list helps a subject, and is left
    out; one that crashes or cannot start is a broken test program."""
    if int(status) >= 126:
        raise InfraError(f"cannot list the tests of \"{program}\": it ended with status {status}")


def unpack_list(lines: Sequence[str], said: str = "") -> List[str]:
    """The lines that LIST_SCRIPT packed. Raises InfraError, with what the guest SAID besides."""
    try:
        packed = base64.b64decode("".join(lines))
        return zlib.decompress(packed, zlib.MAX_WBITS | 16).decode().split("\n")
    except (ValueError, zlib.error) as error:
        raise InfraError("cannot list the tests: the guest's answer is no list: "
                         f"{said or error}") from None


def parse_list(lines: Sequence[str], subject: str, known: Sequence[Planned] = ()) -> Catalogue:
    """Reads what LIST_SCRIPT found, beside tests that are KNOWN. Raises InfraError when it makes
    no sense."""
    tests: List[Planned] = list(known)
    describe: Dict[str, str] = {}
    program = ""
    for line in lines:
        word, _, rest = line.partition(" ")
        fields = line.split("\t")
        if line == "no-subject":
            raise InfraError(f"cannot find subject \"{subject}\" in the image")
        if word == "program":
            program = rest
        elif word == "describe":
            key, _, value = rest.partition("=")
            describe[key] = value
        elif word == "broken":
            _check_helper(*rest.split())
        elif len(fields) >= 2 and program:
            tests.append(Planned(fields[0], program, fields[1], "".join(fields[2:3]).split()))
    other_layer = "runtime" if subject == KERNEL_SUBJECT else "kernel"
    tests = [test for test in tests if test.layer != other_layer]
    names = [test.name.lower() for test in tests]
    doubles = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) \
        else set()
    if doubles:
        raise InfraError(f"cannot tell apart tests of one name: {', '.join(sorted(doubles))}")
    return Catalogue(tests, describe)


def read_known(file: str) -> List[Planned]:
    """The tests that rootfs-builder listed in a FILE beside the image. Raises OSError, ValueError
    and TypeError."""
    with open(file, encoding="utf-8") as source:
        return [Planned(*entry) for entry in json.load(source)]


def read_catalogue(guest: Guest, subject: str, known: Sequence[Planned] = ()) -> Catalogue:
    """Asks a guest for its tests, or for the subject alone when they are KNOWN. Raises InfraError
    when it cannot say, and GuestDied."""
    asked = [KNOWN if known else ASK, *filter(None, [adapter(subject)])]
    guest.execute(["/bin/sh", "-c", LIST_SCRIPT, "list", *asked], "list")
    lines: List[str] = []
    said = ""
    limit = LIST_SECONDS * guest.factor
    watch = Stopwatch(guest)
    while not watch.passed(limit):
        for event in guest.events(1.0):
            if event.kind == "out":
                lines.append(event.text)
            if event.kind == "err":
                said = event.text
            if event.kind == "exit":
                return parse_list(unpack_list(lines, said), subject, known)
    raise InfraError(f"cannot list the tests: no answer within {limit:.0f} s")


def cached_catalogue(digests: Dict[str, str], subject: str, fresh: Any) -> Catalogue:
    """The catalogue of the image with these digests; FRESH makes it when none is remembered."""
    text = json.dumps([sorted(digests.items()), subject, LIST_SCRIPT])
    place = cache.path("lists", hashlib.sha256(text.encode()).hexdigest()[:32] + ".json")
    known = cache.read_json(place)
    if isinstance(known, list) and len(known) == 2:
        return Catalogue([Planned(*entry) for entry in known[0]], known[1])
    catalogue: Catalogue = fresh()
    try:
        cache.folder("lists")
        cache.write_json(place, [[list(test) for test in catalogue.tests], catalogue.subject])
    except OSError:
        pass  # only costs time
    return catalogue


def matches(name: str, globs: Sequence[str]) -> bool:
    """Whether a test's name, or its area, matches one of the patterns; there may be none."""
    return not globs or any(fnmatch.fnmatchcase(name, glob) or name.split(".", 1)[0] == glob
                            for glob in globs)


def select(tests: Sequence[Planned], globs: Sequence[str]) -> List[Planned]:
    """The tests that match."""
    return [test for test in tests if matches(test.name, globs)]


def jobs(tests: Sequence[Planned], isolate: str) -> List[List[Batch]]:
    """Which tests share a guest: each list of batches gets a guest of its own."""
    by_program: Dict[str, List[Planned]] = {}
    for test in tests:
        by_program.setdefault(test.program, []).append(test)
    batches = [Batch(program, mine) for program, mine in by_program.items()]
    if isolate == "none":
        return [batches] if batches else []
    if isolate == "area":
        return [[batch] for batch in batches]
    return [[Batch(test.program, [test])] for test in tests]


def check_globs(globs: Sequence[str], catalogues: Sequence[Catalogue]) -> None:
    """Raises UsageError for a pattern that matches nothing anywhere: most likely a slip."""
    for glob in globs:
        if not any(select(catalogue.tests, [glob]) for catalogue in catalogues):
            raise UsageError(f"cannot run \"{glob}\": no test has a name like that (see --list)")


def chunk(tests: Sequence[Planned], limit: int, words: int) -> Tuple[List[Planned], List[Planned]]:
    """The first tests whose names fit into one request of LIMIT bytes and WORDS names, and the
    others."""
    size = 0
    for index, test in enumerate(tests):
        size += len(test.name) + len(" --run ")
        if index >= words or size > limit:
            return list(tests[:index]), list(tests[index:])
    return list(tests), []
