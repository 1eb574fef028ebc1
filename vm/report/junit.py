# SPDX-License-Identifier: GPL-2.0-or-later
"""JUnit XML in the dialect that GitLab and Jenkins read: texts stand both in attribute and body."""

from __future__ import annotations

import re
from typing import List

from report import results

# What XML 1.0 has no way to write, and lone surrogates.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LOG_TAIL = 20000  # characters of a kernel log that are worth having in an XML file


def escape(text: str) -> str:
    """TEXT for attribute or body."""
    text = FORBIDDEN.sub("?", text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(char, entity)
    return text


def _case(run: results.Run, test: results.Test) -> List[str]:
    # The kernel is part of the class: GitLab drops all but the first of two equal names.
    classname = f"{results.title(run)}.{test['area']}".replace(" ", ".")
    lines = [f'  <testcase classname="{escape(classname)}" name="{escape(test["name"])}" '
             f'time="{test["duration"]:.3f}">']
    kind = {"fail": "failure", "timeout": "failure", "crash": "error", "skip": "skipped"}
    if test["status"] != "pass":
        tag = kind[test["status"]]
        body = "\n".join([test["reason"], *test["diagnostics"]]).strip()
        lines.append(f'   <{tag} message="{escape(test["reason"])}" type="{results.word(test)}">'
                     f"{escape(body)}</{tag}>")
    if test.get("log"):
        lines.append(f"   <system-out>{escape(test['log'][-LOG_TAIL:])}</system-out>")
    return lines + ["  </testcase>"]


def _suite(report: results.Report, run: results.Run) -> List[str]:
    counts = results.count(run["tests"])
    seconds = sum(test["duration"] for test in run["tests"])
    lines = [f' <testsuite name="{escape(results.title(run))}" tests="{len(run["tests"])}" '
             f'failures="{counts["fail"] + counts["timeout"]}" errors="{counts["crash"]}" '
             f'skipped="{counts["skip"]}" time="{seconds:.3f}" '
             f'timestamp="{escape(report["started"].rstrip("Z"))}" '
             f'hostname="{escape(report["host"]["name"])}">', "  <properties>"]
    facts = {"kernel.release": run["kernel"]["release"], "arch": run["arch"],
             "subject.version": run["subject"]["version"], "accel": run["accel"],
             "image.digest": run["image"]}
    lines += [f'   <property name="{name}" value="{escape(value)}"/>'
              for name, value in facts.items()]
    lines.append("  </properties>")
    for test in run["tests"]:
        lines += _case(run, test)
    return lines + [" </testsuite>"]


def render(report: results.Report) -> str:
    """The whole document."""
    tests = [test for _, test in results.each_test(report)]
    counts = results.count(tests)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<testsuites name="bulkhead" tests="{len(tests)}" '
             f'failures="{counts["fail"] + counts["timeout"]}" errors="{counts["crash"]}" '
             f'skipped="{counts["skip"]}" time="{report["duration"]:.3f}">']
    for run in report["runs"]:
        lines += _suite(report, run)
    return "\n".join([*lines, "</testsuites>", ""])
