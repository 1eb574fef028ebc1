# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as one HTML file that needs nothing else: a matrix, then every test, bad ones open."""

from __future__ import annotations

import re
from typing import Dict, List

from report import results

UNSAFE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")

STYLE = """
:root { color-scheme: light dark; --ok: #1a7f37; --bad: #cf222e; --skip: #9a6700; --line: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid var(--line); text-align: left; }
td.n { text-align: right; font-variant-numeric: tabular-nums; }
.pass { color: var(--ok); }
.fail, .crash, .timeout { color: var(--bad); }
.skip, .lacks { color: var(--skip); }
details { border-bottom: 1px solid var(--line); padding: .25rem 0; } summary { cursor: pointer; }
pre { overflow: auto; max-height: 30rem; background: #8881; padding: .6rem; font-size: 12.5px; }
.verdict { font-size: 1.3rem; font-weight: 600; } .dim { opacity: .7; } code { font-size: .95em; }
"""


def escape(text: str) -> str:
    """TEXT as HTML text or attribute; what no page should hold becomes a question mark."""
    text = UNSAFE.sub("?", text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"),
                         ("'", "&#39;")):
        text = text.replace(char, entity)
    return text


def _anchor(index: int) -> str:
    return f"run-{index}"


def _matrix(report: results.Report) -> List[str]:
    head = "".join(f"<th>{word}</th>" for word in results.WORDS)
    lines = [f"<table><tr><th>kernel</th><th>arch</th><th>subject</th>{head}</tr>"]
    for index, run in enumerate(report["runs"]):
        counts = results.tally(run["tests"])
        cells = "".join(f'<td class="n {word if counts[word] else ""}">'
                        f'{counts[word] or "&middot;"}</td>' for word in results.WORDS)
        kernel, subject = escape(run["kernel"]["name"]), run["subject"]
        lines.append(f'<tr><td><a href="#{_anchor(index)}">{kernel}</a></td>'
                     f'<td>{escape(run["arch"])}</td><td>{escape(subject["name"])} '
                     f'<span class="dim">{escape(subject["version"])}</span></td>{cells}</tr>')
    return [*lines, "</table>"]


def _test(test: results.Test) -> List[str]:
    """One test; a plain pass is one line, anything else can be opened."""
    status, word = test["status"], results.word(test)
    mark = " (known)" if test.get("known") else " (regression)" if test.get("regression") else ""
    line = (f'<span class="{word}">{word}{mark}</span> <code>{escape(test["name"])}</code> '
            f'<span class="dim">{escape(" ".join(test["behaviours"]))} '
            f'{test["duration"]:.2f}&nbsp;s</span> {escape(test["reason"])}')
    texts = [("what the test said", "\n".join(test["diagnostics"])),
             ("the kernel's log", test.get("log", ""))]
    bodies = [f"<p>{title}</p><pre>{escape(text)}</pre>" for title, text in texts if text.strip()]
    if not bodies:
        return [f"<details><summary>{line}</summary></details>"]
    is_open = " open" if status in ("fail", "crash", "timeout") else ""
    return [f"<details{is_open}><summary>{line}</summary>", *bodies, "</details>"]


def _run(index: int, run: results.Run) -> List[str]:
    facts: Dict[str, str] = {"kernel": run["kernel"]["release"], "accelerator": run["accel"],
                             "image": run["image"][:16], "boots": str(run["boots"]),
                             "restored guests": str(run["restores"])}
    shown = ", ".join(f"{name} {escape(value)}" for name, value in facts.items() if value)
    lines = [f'<h2 id="{_anchor(index)}">{escape(results.title(run))}</h2>',
             f'<p class="dim">{shown}</p>']
    lines += [f"<p>Note: {escape(text)}</p>" for text in run["infra"]]
    bad_first = sorted(run["tests"], key=lambda test: test["status"] in ("pass", "skip"))
    for test in bad_first:
        lines += _test(test)
    return lines


def render(report: results.Report) -> str:
    """The whole page."""
    status = report["verdict"]["status"]
    host = report["host"]
    lines = ["<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">',
             '<meta name="viewport" content="width=device-width, initial-scale=1">',
             f"<title>Bulkhead: {escape(report['verdict']['reason'])}</title>",
             f"<style>{STYLE}</style></head><body>", "<h1>Bulkhead report</h1>",
             f'<p class="verdict {"pass" if status == 0 else "fail"}">'
             f'{escape(report["verdict"]["reason"])}</p>',
             f'<p class="dim">{escape(report["started"])}, {report["duration"]:.1f} s, on '
             f'{escape(host["name"])} ({escape(host["system"])} {escape(host["machine"])})</p>']
    lines += _matrix(report)
    problems = [*report["problems"], *(f"vanished: {text}" for text in report.get("vanished", []))]
    if problems:
        items = [f"<li>{escape(text)}</li>" for text in problems]
        lines += ["<h2>Problems</h2><ul>", *items, "</ul>"]
    for index, run in enumerate(report["runs"]):
        lines += _run(index, run)
    return "\n".join([*lines, "</body></html>", ""])
