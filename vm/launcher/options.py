# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line."""

from __future__ import annotations

import argparse
from typing import List, NoReturn

from launcher.arch import ARCHES
from launcher.errors import UsageError

EPILOG = """\
exit status: 0 all passed; 1 a test failed or regressed; 2 usage; 3 infrastructure (no QEMU, no
image, no boot); 4 the kernel crashed, warned or hung; with --bisect: 0 good, 1 bad, 125 cannot tell
"""


class _Parser(argparse.ArgumentParser):
    """Reports through UsageError, so that --bisect can turn it into `cannot tell`."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a time in seconds")
    return value


def _build() -> argparse.ArgumentParser:
    parser = _Parser(prog="run-tests.sh", epilog=EPILOG, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter,
                     description="Boots kernels under QEMU and runs the selftests in them.")
    add = parser.add_argument
    what = parser.add_argument_group("what to run").add_argument
    what("--kernel", action="append", default=[], metavar="FILE|NAME",
         help="a kernel by name, or a bzImage/Image of your own (repeatable; default: the newest)")
    what("--arch", action="append", default=[], choices=sorted(ARCHES),
         help="guest architecture (repeatable; default: the host's)")
    what("--subject", action="append", default=[], metavar="NAME",
         help="runtime under test (repeatable); \"kernel\", the default: the kernel alone")
    what("--tests", action="append", default=[], metavar="GLOB",
         help="only tests or areas whose name matches (repeatable)")
    what("--image", default="", metavar="DIR|FILE",
         help="folder of images, or a bundle (default: build/image)")
    what("--add", action="append", default=[], metavar="FILE[:GUESTPATH]",
         help="put a file or folder into the guest (repeatable; default place: /)")
    what("--before", default="", metavar="COMMAND", help="run a shell command in each guest first")
    what("--repeat", type=_positive, default=1, metavar="N", help="run each test N times")
    how = parser.add_argument_group("how").add_argument
    how("--isolate", choices=("none", "area", "test"), default="",
        help="what gets a pristine guest of its own (default: area; none without snapshots)")
    how("--jobs", type=_positive, default=0, metavar="N",
        help="guests at once (default: one a processor, at most 4)")
    how("--accel", choices=("auto", "kvm", "hvf", "whpx", "tcg"), default="auto")
    how("--require-accel", action="store_true", help="fail rather than emulate")
    how("--timeout", type=_seconds, default=30.0, metavar="S",
        help="limit for a test that sets none, in seconds of an unemulated guest (30)")
    how("--no-snapshot", action="store_true", help="boot each guest from cold")
    out = parser.add_argument_group("results").add_argument
    for kind in ("junit", "json", "html", "ktap"):
        out(f"--{kind}", default="", metavar="FILE")
    out("--baseline", default="", metavar="FILE",
        help="an older --json: known failures do not count, regressions and lost tests do")
    out("--bisect", action="store_true", help="exit status for git bisect run")
    instead = parser.add_argument_group("instead of a run").add_argument
    instead("--dry-run", action="store_true", help="print the QEMU commands")
    instead("--list", action="store_true", help="print the tests: name, layer, behaviours")
    instead("--shell", action="store_true", help="a shell in the guest, after --before")
    instead("--gdb", action="store_true", help="wait for gdb on port 1234, then run the tests")
    add("--version", action="version", version="bulkhead run-tests 0.1.0")
    return parser


def parse(argv: List[str]) -> argparse.Namespace:
    """Reads the command line. Raises UsageError."""
    options = _build().parse_args(argv)
    if options.shell + options.dry_run + options.list + options.gdb > 1:
        raise UsageError("--dry-run, --list, --shell and --gdb exclude each other")
    if options.require_accel and options.accel == "tcg":
        raise UsageError("--require-accel and --accel tcg exclude each other")
    if options.gdb:
        options.isolate, options.jobs, options.no_snapshot = "none", 1, True
    return options


def is_bisect(argv: List[str]) -> bool:
    """Whether even a usage error has to be reported as git bisect run wants it."""
    return "--bisect" in argv
