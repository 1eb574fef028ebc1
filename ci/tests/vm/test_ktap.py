# SPDX-License-Identifier: GPL-2.0-or-later
"""The KTAP reader: its own programs' output, the dialects of others, and everything broken."""

from __future__ import annotations

from typing import List

import pytest

from report import ktap


def read(text: str) -> ktap.Parser:
    parser = ktap.Parser()
    for line in text.split("\n"):
        parser.feed(line)
    parser.finish()
    return parser


def statuses(text: str) -> List[str]:
    return [result.status for result in read(text).results]


@pytest.mark.parametrize("line, name, status, reason", [
    ("ok 1 a.b", "a.b", "pass", ""),
    ("ok 1 - a.b", "a.b", "pass", ""),
    ("not ok 1 a.b", "a.b", "fail", ""),
    ("not ok 1 a.b # FAIL 2 of 7 checks", "a.b", "fail", "2 of 7 checks"),
    ("not ok 1 a.b # ERROR broken no mount", "a.b", "fail", "error: broken no mount"),
    ("not ok 1 a.b # ERROR crash signal 11", "a.b", "crash", "crash signal 11"),
    ("not ok 1 a.b # TIMEOUT 30 seconds", "a.b", "timeout", "30 seconds"),
    ("ok 1 a.b # SKIP no-priv", "a.b", "skip", "no-priv"),
    ("ok 1 a.b # skip no-priv", "a.b", "skip", "no-priv"),
    ("ok 1 a.b # skipped: no-priv", "a.b", "skip", "no-priv"),
    ("not ok 1 a.b # SKIP why", "a.b", "skip", "why"),
    ("ok 1 # SKIP a.b", "a.b", "skip", ""),
    ("ok 1 a.b # rcode=0", "a.b", "pass", ""),
    ("ok 1 a.b # skipping=3 is data", "a.b", "pass", ""),
    ("not ok 1 a.b # TODO later", "a.b", "skip", "todo: later"),
    ("not ok 1 a.b # XFAIL known", "a.b", "skip", "xfail: known"),
    ("ok 1 a.b # XPASS it works", "a.b", "fail", "xpass: it works"),
    ("ok 1 a.b\r", "a.b", "pass", ""),
    ("\x1bc\x1b[?7l\x1b[2Jok 1 a.b", "a.b", "pass", ""),
])
def test_one_line(line: str, name: str, status: str, reason: str) -> None:
    result, = read(f"KTAP version 1\n1..1\n{line}").results
    assert (result.name, result.status, result.reason) == (name, status, reason)


def test_diagnostics_belong_to_the_result_after_them() -> None:
    first, second = read("KTAP version 1\n1..2\n# one\nok 1 a\n# two\nstray\nnot ok 2 b").results
    assert (first.diagnostics, second.diagnostics) == (["# one"], ["# two", "stray"])


@pytest.mark.parametrize("indent", ["  ", "    ", "# ", "#   "])
def test_subtests_do_not_count_as_tests(indent: str) -> None:
    text = f"TAP version 13\n1..1\n{indent}1..2\n{indent}ok 1 x\n{indent}not ok 2 y\nnot ok 1 a"
    parser = read(text)
    assert [result.name for result in parser.results] == ["a"]
    assert not parser.problems


def test_a_failed_subtest_fails_a_test_that_claims_to_pass() -> None:
    assert statuses("KTAP version 1\n1..1\n  1..1\n  not ok 1 x\nok 1 a") == ["fail"]
    assert statuses("KTAP version 1\n1..1\n  1..1\n  not ok 1 x # SKIP y\nok 1 a") == ["pass"]


@pytest.mark.parametrize("text, problem", [
    ("", "no KTAP output"),
    ("hello", "no KTAP output"),
    ("ok 1 a", "no plan"),
    ("1..2\nok 1 a", "2 tests planned, 1 reported"),
    ("1..1\nok 1 a\nok 2 b", "1 tests planned, 2 reported"),
    ("1..2\nok 1 a\nok 3 b", "result 3 (b) where 2 was due"),
    ("1..2\nok 1 a\nok 2 A", "a second result for A"),
    ("1..1\n1..1\nok 1 a", "a second plan"),
    ("1..1\nBail out! no root", "Bail out! no root"),
])
def test_a_broken_shape_is_reported(text: str, problem: str) -> None:
    assert problem in read(text).problems


@pytest.mark.parametrize("text", ["ok", "not ok", "ok 1", "okay 1 a", "not okay", "ok1 a", "1..x",
                                  "ok 99999999999999999999 a", "# ok 1 a # SKIP", "\0\0", "é ok"])
def test_odd_lines_never_raise(text: str) -> None:
    read(text)


def test_a_late_plan_and_skip_all() -> None:
    assert read("TAP version 14\nok 1 a\n1..1").problems == []
    parser = read("TAP version 13\n1..0 # SKIP no namespaces")
    assert (parser.skip_all, parser.problems) == ("no namespaces", [])
