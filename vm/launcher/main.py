# SPDX-License-Identifier: GPL-2.0-or-later
"""run-tests.sh as a program: from arguments to exit status."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from typing import Any, Callable, Dict, List

from launcher import hosts, images, interrupt, options as command_line, plan, setup
from launcher.errors import GuestDied, InfraError, UsageError
from launcher.progress import Progress, error
from launcher.runner import Job, Runner, Settings
from launcher.supply import BootFailed, explain_boot
from report import results

INTERRUPTED = 130
LIST_ATTEMPTS = 3
MANY_MACHINES = 2        # each takes some 300 MB of the host's memory while it is in use


def main(argv: List[str]) -> int:
    """Runs the launcher; returns the exit status of the process."""
    interrupt.take()
    try:
        status = _run(command_line.parse(argv))
    except UsageError as problem:
        error(f"{problem}\nTry run-tests.sh --help")
        status = results.USAGE
    except BootFailed as problem:
        error(f"{problem}\n--- the guest's last words ---\n" + _tail(problem.log))
        status = results.INFRA
    except (InfraError, GuestDied) as problem:
        error(str(problem))
        status = results.INFRA
    except KeyboardInterrupt:
        error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the flush at exit must not fail again
        status = results.INFRA
    return results.bisect_status(status) if command_line.is_bisect(argv) else status


def _tail(log: str) -> str:
    return "\n".join(log.rstrip().split("\n")[-40:])


def _run(options: argparse.Namespace) -> int:
    progress = Progress(sys.stdout)
    quiet = options.list or options.dry_run
    baseline = _baseline(options.baseline)
    combos = setup.combos(options, progress.warn,
                          (lambda text: None) if quiet else progress.say)
    try:
        if options.dry_run:
            return _dry_run(combos)
        if options.shell:
            return _shell(combos[0], options.before)
        # A guest that has listed tests may run them, unless each wants one of its own or many
        # such guests would wait at once.
        use_again = options.isolate != "test" and len(combos) == 1
        catalogues = _catalogues(combos, use_again)
        plan.check_globs(options.tests, catalogues)
        if options.list:
            return _list(catalogues, options.tests)
        return _tests(options, combos, catalogues, progress, baseline)
    except BaseException:
        for combo in combos:
            combo.supplier.abandon()
        raise
    finally:
        for combo in combos:
            combo.supplier.close()


def _baseline(path: str) -> Any:
    try:
        return results.load(path) if path else None
    except ValueError as problem:
        raise UsageError(str(problem)) from None


def _catalogues(combos: List[setup.Combo], use_again: bool) -> List[plan.Catalogue]:
    """The tests of each combination. Many machines are not all kept in memory meanwhile."""
    many = len({combo.supplier for combo in combos}) > MANY_MACHINES
    found = []
    for combo in combos:
        found.append(_catalogue(combo, use_again))
        if many:
            combo.supplier.rest()
    return found


def _catalogue(combo: setup.Combo, use_again: bool) -> plan.Catalogue:
    def ask() -> plan.Catalogue:
        # What is added may be other tests.
        known = images.known_tests(combo.image) if "additions" not in combo.digests else []
        if known and combo.subject == plan.KERNEL_SUBJECT:
            return plan.parse_list([], combo.subject, known)
        for _ in range(LIST_ATTEMPTS - 1):
            try:
                return _listed(combo, known, use_again)
            except BootFailed as problem:
                if combo.supplier.dead:
                    raise
                combo.supplier.troubles.append(str(problem))
        return _listed(combo, known, use_again)
    files = {name: digest for name, digest in combo.digests.items() if name != "kernel"}
    return plan.cached_catalogue({**files, "arch": combo.image.arch}, combo.subject, ask)


def _listed(combo: setup.Combo, known: List[plan.Planned], use_again: bool) -> plan.Catalogue:
    """Asks a guest for what is not KNOWN; its kernel may die of that as of anything else. Raises
    BootFailed then: no test was running."""
    guest = combo.supplier.fresh()
    try:
        catalogue = plan.read_catalogue(guest, combo.subject, known)
    except GuestDied as problem:
        why = explain_boot(guest, problem, guest.close())
        raise BootFailed(f"cannot list the tests: {why}", guest.log_text()) from None
    except BaseException:
        guest.close()
        raise
    combo.supplier.give_back(guest, use_again)
    return catalogue


def _list(catalogues: List[plan.Catalogue], globs: List[str]) -> int:
    lines = [f"{test.name}\t{test.layer}\t{' '.join(test.behaviours)}"
             for catalogue in catalogues for test in plan.select(catalogue.tests, globs)]
    print("\n".join(dict.fromkeys(lines)))
    return 0


def _dry_run(combos: List[setup.Combo]) -> int:
    for supplier in dict.fromkeys(combo.supplier for combo in combos):
        print(supplier.command())
    return 0


def _shell(combo: setup.Combo, before: str) -> int:
    """A shell in a guest whose console is the terminal."""
    guest = combo.supplier.fresh(terminal=True)
    try:
        if before:
            guest.execute(["/bin/sh", "-c", f"{before}\n"], "before")
            print(f"--before ended with {guest.await_frame('exit', 3600).split()[1]}")
        guest.send("shell")
        guest.qemu.type_in()
        guest.qemu.process.wait()
        return 0
    finally:
        guest.close()


def _new_run(combo: setup.Combo, catalogue: plan.Catalogue) -> results.Run:
    machine = combo.supplier.machine
    return {"kernel": {"name": combo.image.name, "release": "",
                       "digest": combo.digests["kernel"]},
            "arch": combo.image.arch, "image": combo.image.digest,
            "subject": {"name": combo.subject, "version": catalogue.subject.get("version", "")},
            "accel": machine.accel, "infra": [], "boots": 0, "restores": 0, "tests": []}


def _jobs(combos: List[setup.Combo], catalogues: List[plan.Catalogue],
          options: argparse.Namespace) -> List[Job]:
    made = []
    for combo, catalogue in zip(combos, catalogues):
        run = _new_run(combo, catalogue)
        isolate = options.isolate or ("area" if combo.supplier.has_snapshots() else "none")
        chosen = plan.select(catalogue.tests, options.tests)
        totals: Dict[str, int] = {}
        for test in catalogue.tests:
            totals[test.program] = totals.get(test.program, 0) + 1
        batches = plan.jobs(chosen, isolate)
        made += [Job(run, combo.supplier, combo.subject, batch, totals) for batch in batches] \
            or [Job(run, combo.supplier, combo.subject, [], totals)]
    return made


def _tests(options: argparse.Namespace, combos: List[setup.Combo],
           catalogues: List[plan.Catalogue], progress: Progress, baseline: Any) -> int:
    began, clock = datetime.datetime.now(datetime.timezone.utc), time.monotonic()
    jobs = _jobs(combos, catalogues, options)
    progress.total = sum(len(batch.tests) for job in jobs for batch in job.batches)
    runner = Runner(Settings(options.timeout, options.repeat, options.before), progress.result)
    if options.gdb:
        progress.say("waiting for gdb: gdb vmlinux -ex 'target remote :1234'")
    interrupted = None
    try:
        runner.work(jobs, options.jobs or min(4, hosts.cpu_count()))
    except KeyboardInterrupt as error:  # what is known by now is still reported
        runner.problems.append("interrupted")
        interrupted = error
    runs = list({id(job.run): job.run for job in jobs}.values())
    _complete(runs, jobs, catalogues)
    report: results.Report = {
        "format": results.FORMAT, "started": began.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "duration": round(time.monotonic() - clock, 3), "host": _host(), "runs": runs,
        "problems": runner.problems}
    if baseline:
        results.compare(report, baseline, lambda name: plan.matches(name, options.tests))
    status, reason = results.verdict(report)
    report["verdict"] = {"status": status, "reason": reason}
    progress.finish(report, status, reason)
    _write(report, options)
    if interrupted:
        raise interrupted
    return status


def _complete(runs: List[results.Run], jobs: List[Job], catalogues: List[plan.Catalogue]) -> None:
    """What is known only afterwards; tests in the order of their catalogue."""
    for run, catalogue in zip(runs, catalogues):
        order = {test.name: index for index, test in enumerate(catalogue.tests)}
        run["tests"].sort(key=lambda test: order.get(test["name"], -1))
        supplier = next(job.supplier for job in jobs if job.run is run)
        run["kernel"]["release"] = supplier.release
        run["infra"] = list(supplier.troubles)
        run["boots"], run["restores"] = supplier.boots, supplier.restores


def _host() -> Dict[str, str]:
    import platform
    return {"name": platform.node(), "system": platform.system(), "machine": platform.machine(),
            "python": platform.python_version()}


def _write(report: results.Report, options: argparse.Namespace) -> None:
    """The files asked for; each renderer is loaded only when it is needed."""
    for kind in ("json", "junit", "html", "ktap"):
        path = getattr(options, kind)
        if not path:
            continue
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(_renderer(kind)(report))
        except OSError as problem:
            raise InfraError(f"cannot write \"{path}\": {problem.strerror}") from None


def _renderer(kind: str) -> Callable[[results.Report], str]:
    from report import html, junit, render
    table: Dict[str, Callable[[results.Report], str]] = {
        "json": results.dump, "junit": junit.render, "html": html.render, "ktap": render.ktap}
    return table[kind]
