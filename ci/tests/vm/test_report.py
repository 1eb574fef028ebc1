# SPDX-License-Identifier: GPL-2.0-or-later
"""results.json against its schema, its renderings, the baseline and the verdict."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as etree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Dict, List

import pytest

from launcher import splats
from report import html, junit, render, results

from .conftest import TREE, Launcher

NASTY = "<script>alert(1)</script> & \"quotes\" 'too' ]]> \x1b[31m \x00 \ud800 ::error::x\n% \u202e"


def check(value: Any, schema: Dict[str, Any], root: Dict[str, Any], where: str = "$") -> List[str]:
    """The part of JSON Schema that the project's schema uses."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    unknown = set(schema) - {"$schema", "$defs", "title", "description", "type", "required",
                             "properties", "additionalProperties", "items", "enum", "const",
                             "pattern", "minimum", "minLength"}
    assert not unknown, f"this checker does not know {unknown}"
    types = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}
    wrong = []
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        return [f"{where}: {value!r} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"] or value != schema.get("const", value):
        wrong.append(f"{where}: {value!r} is not allowed")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        wrong.append(f"{where}: {value!r} does not match")
    if "minimum" in schema and value < schema["minimum"]:
        wrong.append(f"{where}: {value!r} is too small")
    if isinstance(value, dict):
        wrong += [f"{where}: {name} is missing" for name in schema.get("required", [])
                  if name not in value]
        for name, part in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            if inner is False:
                wrong.append(f"{where}: {name} is unknown")
            elif isinstance(inner, dict):
                wrong += check(part, inner, root, f"{where}.{name}")
    if isinstance(value, list):
        for index, part in enumerate(value):
            wrong += check(part, schema.get("items", {}), root, f"{where}[{index}]")
    return wrong


SCHEMA = json.loads((TREE / "ci/results.schema.json").read_text())


def sample(**statuses: str) -> Dict[str, Any]:
    """A report with a test of each name and status."""
    tests = [results.new_test(f"demo.{name}", "kernel", ["demo-01"], status, "why", 0.5, ["# said"])
             for name, status in statuses.items()]
    run = {"kernel": {"name": "6.12", "release": "6.12.1", "digest": "0" * 64}, "arch": "x86_64",
           "image": "1" * 64, "subject": {"name": "kernel", "version": ""}, "accel": "tcg",
           "infra": [], "boots": 1, "restores": 2, "tests": tests}
    return {"format": 1, "started": "2026-01-02T03:04:05Z", "duration": 1.5, "runs": [run],
            "host": {"name": "h", "system": "Linux", "machine": "x86_64", "python": "3.11"},
            "problems": [], "verdict": {"status": 0, "reason": "all passed"}}


def nasty() -> Dict[str, Any]:
    """A report in which all that comes from a guest is hostile."""
    report = sample(one="fail", two="crash")
    for test in report["runs"][0]["tests"]:
        test.update(reason=NASTY, diagnostics=[NASTY], log=NASTY)
    report["runs"][0]["kernel"]["name"] = NASTY
    return report


def test_a_real_report_follows_the_schema(launch: Launcher) -> None:
    done = launch("--baseline", str(_file(launch, sample(gone="pass", fails="fail"))),
                  tests="passes fails skips warns")
    assert done.report
    assert check(done.report, SCHEMA, SCHEMA) == []
    for key in ("started", "runs", "verdict"):
        broken = {name: value for name, value in done.report.items() if name != key}
        assert check(broken, SCHEMA, SCHEMA), "the checker checks"
    broken = copy.deepcopy(done.report)
    broken["runs"][0]["tests"][0]["status"] = "fine"
    assert check(broken, SCHEMA, SCHEMA)


def _file(launch: Launcher, report: Dict[str, Any]) -> Path:
    path = launch.scratch / "baseline.json"
    path.write_text(json.dumps(report))
    return path


@pytest.mark.parametrize("changes, status", [
    ({}, 0), ({"status": "fail"}, 1), ({"status": "timeout"}, 1), ({"status": "crash"}, 1),
    ({"status": "crash", "splat": "panic"}, 4), ({"status": "crash", "blame": "infra"}, 3),
    ({"status": "fail", "known": True}, 0), ({"status": "skip"}, 0),
    ({"status": "skip", "regression": True}, 1),
])
def test_verdict(changes: Dict[str, Any], status: int) -> None:
    report = sample(one="pass", two="pass")
    report["runs"][0]["tests"][1].update(changes)
    assert results.verdict(report)[0] == status
    report["problems"] = ["something"]
    assert results.verdict(report)[0] == (status or 3)


def test_baseline() -> None:
    before = sample(a="pass", b="pass", c="fail", d="pass", e="skip")
    now = sample(a="pass", b="skip", c="fail", e="fail")
    results.compare(now, before, lambda name: True)
    marks = {test["name"]: [key for key in ("known", "regression") if key in test]
             for test in now["runs"][0]["tests"]}
    assert marks == {"demo.a": [], "demo.b": ["regression"], "demo.c": ["known"], "demo.e": []}
    assert now["vanished"] == ["6.12 x86_64 kernel demo.d"]
    assert results.verdict(now) == (1, "1 failed, 1 regressed, 1 vanished")


def test_a_baseline_in_use(launch: Launcher) -> None:
    first = launch(tests="passes fails passes_again")
    assert first.report
    baseline = str(_file(launch, first.report))
    again = launch("--baseline", baseline, tests="passes fails passes_again")
    assert again.status == 0, "the failure is known"
    worse = launch("--baseline", baseline, tests="passes fails")
    assert worse.status == 0, "what was not asked for has not vanished"
    (launch.scratch / "bad.json").write_text('{"runs": [{}]}')
    assert launch("--baseline", str(launch.scratch / "bad.json")).status == 2


def test_junit_is_well_formed_and_tells_all() -> None:
    suites = etree.fromstring(junit.render(nasty()))
    cases = suites.findall("testsuite/testcase")
    assert [case[0].tag for case in cases] == ["failure", "error"]
    assert "<script>" in (cases[0][0].text or "") and "<script>" in cases[0][0].get("message", "")
    plain = etree.fromstring(junit.render(sample(a="pass", b="skip", c="timeout")))
    assert dict(plain.attrib, time="")["tests"] == "3"
    assert (plain.get("failures"), plain.get("skipped"), plain.get("errors")) == ("1", "1", "0")


class Page(HTMLParser):
    """Collects the elements of a page, and complains about any that runs or loads something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: List[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        assert tag not in ("script", "img", "iframe", "object", "link")
        assert not [name for name, value in attrs if name.startswith("on") or name == "src"]


def test_html_is_one_harmless_page() -> None:
    text = html.render(nasty())
    page = Page()
    page.feed(text)
    assert "<script" not in text and "&lt;script&gt;" in text and "\x1b" not in text
    assert page.tags.count("details") == 2 and page.tags.count("pre") == 4
    assert "http" not in text


def test_what_a_subject_lacks_stands_apart_from_what_the_kernel_cannot() -> None:
    report = sample(a="pass", b="skip", c="skip", d="skip")
    for test, reason in zip(report["runs"][0]["tests"][1:],
                            ("no-syscall:x", "subject-lacks:uts", "subject-lacks:pid")):
        test["reason"] = reason
    head, row = (line.split() for line in render.matrix(report))
    counts = dict(zip(head[3:], row[3:]))
    assert counts == {"pass": "1", "fail": "-", "skip": "1", "lacks": "2", "crash": "-",
                      "timeout": "-"}
    assert '<td class="n lacks">2</td>' in html.render(report)
    assert junit.render(report).count('type="lacks"') == 2


def test_ktap_rendering_can_be_read_again() -> None:
    text = render.ktap(sample(a="pass", b="skip", c="fail", d="crash", e="timeout"))
    inner = "\n".join(line[2:] for line in text.split("\n") if line.startswith("  "))
    from report import ktap
    parser = ktap.Parser()
    for line in inner.split("\n"):
        parser.feed(line)
    assert parser.finish() == []
    assert [result.status for result in parser.results] == \
        ["pass", "skip", "fail", "fail", "timeout"]


def test_github_workflow_cannot_be_commanded_by_a_guest(launch: Launcher) -> None:
    for line in render.github_annotations(nasty()):
        assert line.startswith("::error title=demo.") and "\n" not in line
    done = launch(tests="passes fails", GITHUB_ACTIONS="true")
    guarded = re.search(r"::stop-commands::(\w+)\n.*demo.fails.*\n(?:.*\n)*?::\1::\n", done.out)
    assert guarded, done.out
    assert "::error title=demo.fails::" in done.out
    crowd = sample(**{f"t{number}": "fail" for number in range(30)})
    assert len(render.github_annotations(crowd)) == 10


@pytest.mark.parametrize("line, kind", [
    ("[    1.000000] Kernel panic - not syncing: Attempted to kill init!", "panic"),
    ("[    1.000000][  T12] BUG: KASAN: slab-out-of-bounds in foo+0x1/0x2", "kasan"),
    ("BUG: KFENCE: use-after-free read in foo", "kasan"),
    ("UBSAN: shift-out-of-bounds in kernel/x.c:1:2", "ubsan"),
    ("[    1.0] WARNING: possible circular locking dependency detected", "lockdep"),
    ("[    1.0] WARNING: suspicious RCU usage", "lockdep"),
    ("[    1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]", "soft-lockup"),
    ("[    1.0] rcu: INFO: rcu_preempt self-detected stall on CPU", "rcu-stall"),
    ("[    1.0] rcu: INFO: rcu_sched detected expedited stalls on CPUs/tasks: {", "rcu-stall"),
    ("[    1.0] INFO: task mount:12 blocked for more than 120 seconds.", "hung-task"),
    ("[    1.0] Oops: 0002 [#1] PREEMPT SMP PTI", "oops"),
    ("[    1.0] Oops: int3: 0000 [#1] SMP", "oops"),
    ("[    1.0] Internal error: Oops: 0000000096000004 [#1] SMP", "oops"),
    ("[    1.0] Unable to handle kernel NULL pointer dereference at virtual address 00", "oops"),
    ("[    1.0] kernel BUG at fs/namespace.c:1234!", "oops"),
    ("[    1.0] BUG: Bad page state in process x  pfn:1", "page-state"),
    ("[    1.0] BUG: sleeping function called from invalid context at x.c:1", "sleeping"),
    ("[    1.0] WARNING: CPU: 0 PID: 1 at fs/namespace.c:12 foo+0x1/0x2", "warning"),
    ("[    1.0] WARNING: fs/namespace.c:12 at foo+0x1/0x2, CPU#0: init/1", "warning"),
    ("[    1.0] refcount_t: underflow; use-after-free.", "refcount"),
    ("[    1.0] bulkhead: not ok 3 a.b # Kernel panic - not syncing", ""),
    ("[    1.0] Warning: unable to open an initial console.", ""),
    ("[    1.0] debug: the word panic in a sentence", ""),
    ("[    1.0] Memory cgroup out of memory: Killed process 12 (x)", ""),
])
def test_splats(line: str, kind: str) -> None:
    splat = splats.Watcher((splats.load(), splats.load_allowed())).feed(line)
    assert (splat.kind if splat else "") == kind


def test_pattern_files_must_make_sense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splats, "FOLDER", str(tmp_path))
    (tmp_path / "splats").write_text("# nothing\n")
    with pytest.raises(splats.InfraError, match="has no patterns"):
        splats.load()
    (tmp_path / "splats.allow").write_text("^WARNING: CPU\n")
    with pytest.raises(splats.InfraError, match="no reason is given"):
        splats.load_allowed()
    (tmp_path / "splats").write_text("warning survivable ^WARNING:\n")
    (tmp_path / "splats.allow").write_text("at demo.c:1  # an example\n")
    watcher = splats.Watcher((splats.load(), splats.load_allowed()))
    assert watcher.feed("WARNING: at demo.c:1") is None
    assert watcher.feed("WARNING: at demo.c:2")


def crash_log(before: int, after: int) -> Dict[str, Any]:
    lines = [f"[    1.000000] before {n}" for n in range(before)]
    lines += ["[    2.000000] Kernel panic - not syncing: demo", "[    2.000001] Call Trace:"]
    lines += [f"[    2.000002]  frame {n}" for n in range(after)]
    test = results.new_test("demo.panics", "kernel", [], "crash",
                            "Kernel panic - not syncing: demo (the test itself: pass)")
    return {**test, "log": "\n".join(lines)}


@pytest.mark.parametrize("after", [0, 3, 33, 34, 500])
def test_a_long_trace_does_not_push_its_beginning_off_the_screen(after: int) -> None:
    shown = render.log_excerpt(crash_log(300, after))
    assert "[    2.000001] Call Trace:" in shown
    assert "[    1.000000] before 299" in shown
    assert len(shown) <= render.LOG_LINES + 1
    assert shown[-1].endswith("more lines)") == (after > render.LOG_LINES - render.LOG_BEFORE - 2)


def test_a_log_without_the_complaint_shows_its_end() -> None:
    test = {**crash_log(300, 100), "reason": "hang: the guest did not answer"}
    assert render.log_excerpt(test)[-1] == "[    2.000002]  frame 99"
    assert len(render.log_excerpt(test)) == render.LOG_LINES
    assert render.log_excerpt({**test, "log": "one"}) == ["one"]
