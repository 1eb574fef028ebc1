# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs jobs: gives each its guest, replaces guests that died, and collects the verdicts."""

from __future__ import annotations

import itertools
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from launcher import hosts, interrupt, plan, splats
from launcher.errors import InfraError
from launcher.guest import Guest
from launcher.session import Outcome, Session, Verdict
from launcher.supply import Supplier
from launcher.wire import REQUEST_MAX
from report import results

RUN_GLOBS = 60           # names that one call of a test program takes
BEFORE_ATTEMPTS = 3      # guests in which --before is run until one is alive afterwards
INFRA_RETRIES = 2        # fresh guests for a test whose guest the host took away
NO_PROGRESS = "no result: the program has none for any test that it was to run"


class Settings(NamedTuple):
    """What the user chose for all jobs."""

    timeout: float
    repeat: int
    before: str


class Job(NamedTuple):
    """Batches that share a guest for as long as it stays healthy."""

    run: results.Run
    supplier: Supplier
    subject: str
    batches: List[plan.Batch]
    totals: Dict[str, int]   # how many tests each program has, to know when all were chosen


Tables = Tuple[List[splats.Complaint], List[Any]]


class Runner:
    """Works off jobs with several guests at once."""

    def __init__(self, settings: Settings, show: Callable[[results.Run, results.Test], None]) \
            -> None:
        self.settings = settings
        self.problems: List[str] = []
        self._show = show
        self._tables: Tables = (splats.load(), splats.load_allowed())
        self._mutex = threading.Lock()
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self._guests: "set[Guest]" = set()
        self._left: Dict[Supplier, int] = {}   # jobs that still need it
        self._survived: "set[Supplier]" = set()  # has given a guest that was alive after --before
        self._at_once = 1

    def work(self, jobs: Sequence[Job], guests: int) -> None:
        """Runs all jobs. An interrupt ends the guests and is passed on."""
        queue = iter(jobs)
        self._at_once = max(1, min(guests, len(jobs)))
        for job in jobs:
            self._left[job.supplier] = self._left.get(job.supplier, 0) + 1
        ended = threading.Semaphore(0)

        def drain() -> None:
            try:
                self._drain(queue)
            finally:
                ended.release()
        threads = [threading.Thread(target=drain) for _ in range(self._at_once)]
        try:
            with interrupt.held():
                for thread in threads:
                    thread.start()
            for _ in threads:  # not join(): CPython 3.11 takes a thread for ended when an
                ended.acquire()  # interrupt comes in the middle, and exits without it
        except BaseException:
            self._stop.set()
            for supplier in self._left:
                supplier.abandon()
            with self._mutex:
                for guest in self._guests:
                    guest.qemu.process.kill()  # its session ends at once
            for thread in threads:
                thread.join()
            raise

    def _drain(self, queue: Any) -> None:
        while not self._stop.is_set():
            with self._mutex:
                job = next(queue, None)
            if job is None:
                return
            try:
                self._run_job(job)
            except InfraError as error:
                self._problem(str(error))
                self._lose(job, str(error), getattr(error, "log", ""))
            except Exception as error:  # noqa: BLE001 - a thread must not die unheard
                self._problem(f"the launcher failed: {type(error).__name__}: {error}")
                self._lose(job, str(error))
            self._leave(job.supplier)

    def _leave(self, supplier: Supplier) -> None:
        """A job is done; after its last one a machine holds no memory while others go on."""
        with self._mutex:
            self._left[supplier] -= 1
            rest = not self._left[supplier] and any(self._left.values())
        if rest:
            supplier.rest()

    def _problem(self, text: str) -> None:
        with self._mutex:
            if text not in self.problems:
                self.problems.append(text)

    def _run_job(self, job: Job) -> None:
        guest: Optional[Guest] = None
        try:
            for batch in job.batches:
                pending, retries = list(batch.tests), INFRA_RETRIES
                while pending and not self._stop.is_set():
                    guest = guest or self._fresh(job)
                    outcome = self._session(job, guest, batch.program, pending)
                    for text in outcome.problems:
                        self._problem(text)
                    again = False
                    for verdict in outcome.verdicts:
                        if verdict.blame == "infra" and retries:
                            retries, again = retries - 1, True
                            outcome.done.discard(verdict.test.name)
                            job.supplier.troubles.append(f"{verdict.test.name}: {verdict.reason}")
                        else:
                            self._record(job, verdict)
                    left = [test for test in pending if test.name not in outcome.done]
                    if len(left) == len(pending) and not again:  # nor would it the next time
                        self._record(job, Verdict(left.pop(0), "crash", NO_PROGRESS, 0.0, []))
                    pending = left
                    if not outcome.healthy:
                        self._end(guest)
                        guest = None
        finally:
            if guest:
                self._end(guest)

    def _end(self, guest: Guest) -> None:
        with self._mutex:
            self._guests.discard(guest)
        guest.close()

    def _fresh(self, job: Job) -> Guest:
        """A pristine guest in which --before has run."""
        for _ in range(BEFORE_ATTEMPTS):
            guest = self._supplied(job)
            if not self.settings.before:
                return guest
            try:
                problem = self._before(job, guest)
            except BaseException:
                self._end(guest)
                raise
            if not problem:
                self._survived.add(job.supplier)
                return guest
            self._end(guest)
        text = f"no guest survived --before, of {BEFORE_ATTEMPTS}: {problem}"
        if job.supplier not in self._survived:
            job.supplier.stop(text)
        raise InfraError(text)

    def _supplied(self, job: Job) -> Guest:
        guest = job.supplier.fresh()
        with self._mutex:
            self._guests.add(guest)
        if self._stop.is_set():
            self._end(guest)
            raise InfraError("interrupted")
        for trouble in guest.troubles:
            if trouble not in job.supplier.troubles:
                job.supplier.troubles.append(trouble)
        if self._left[job.supplier] > self._at_once < hosts.cpu_count():
            job.supplier.expect()
        return guest

    def _before(self, job: Job, guest: Guest) -> str:
        """Runs --before. What it says is why the guest must not be used: its kernel gave up,
        meanwhile or right afterwards. Raises InfraError when the command itself failed."""
        test = plan.Planned("before.command", "before", "kernel", [])
        verdicts: List[Verdict] = []
        session = Session(guest, [test], self.settings.timeout, self._tables, verdicts.append)
        wrapper = f"({self.settings.before}\n) >&2 && echo KTAP version 1 && echo 1..1 " \
            "&& echo ok 1 before.command"
        outcome = session.run(["/bin/sh", "-c", wrapper], "before")
        verdicts += outcome.verdicts
        bad = next((verdict for verdict in verdicts if verdict.splat), None)
        if bad:
            self._record_once(job, bad._replace(test=test))
            return bad.reason
        failed = next((verdict for verdict in verdicts if verdict.status != "pass"), None)
        if not failed:
            return "" if outcome.healthy else "the guest is gone"
        if failed.blame == "infra":
            job.supplier.troubles.append(f"--before: {failed.reason}")
            return failed.reason
        job.supplier.stop(f"cannot run --before \"{self.settings.before}\": {failed.reason}: "
                          f"{' / '.join(failed.diagnostics[-3:])}")
        raise InfraError(job.supplier.dead)

    def _record_once(self, job: Job, verdict: Verdict) -> None:
        """Every guest may come to the same: the report has it once."""
        with self._mutex:
            if all(test["name"] != verdict.test.name for test in job.run["tests"]):
                self._add(job.run, verdict)

    def _session(self, job: Job, guest: Guest, program: str, pending: List[plan.Planned]) \
            -> Outcome:
        settings = self.settings
        path = plan.adapter(job.subject)
        argv = [f"/selftests/{program}", "--timeout",
                str(max(1, round(settings.timeout * guest.factor)))]
        if path:
            argv += ["--subject", path, "--rootfs", "/rootfs"]
        if settings.repeat > 1:
            argv += ["--repeat", str(settings.repeat)]
        room = REQUEST_MAX - sum(len(word) + 3 for word in argv) - 100
        tests, _ = plan.chunk(pending, room, RUN_GLOBS)
        if len(tests) < len(pending) or len(pending) != job.totals[program]:
            for test in tests:
                argv += ["--run", test.name]
        session = Session(guest, tests, settings.timeout * settings.repeat, self._tables,
                          lambda verdict: self._record(job, verdict))
        return session.run(argv, f"job{next(self._numbers)}")

    def _record(self, job: Job, verdict: Verdict) -> None:
        with self._mutex:
            self._add(job.run, verdict)

    def _add(self, run: results.Run, verdict: Verdict) -> None:
        test = results.new_test(verdict.test.name, verdict.test.layer, verdict.test.behaviours,
                                verdict.status, verdict.reason, verdict.duration,
                                verdict.diagnostics)
        extra: Dict[str, str] = {"splat": verdict.splat, "log": verdict.log, "blame": verdict.blame}
        test.update({key: value for key, value in extra.items() if value})
        run["tests"].append(test)
        self._show(run, test)

    def _lose(self, job: Job, reason: str, log: str = "") -> None:
        """Every planned test that has no result is an error by name; the first one carries what
        the guest said last."""
        with self._mutex:
            reported = {test["name"] for test in job.run["tests"]}
            for batch in job.batches:
                for test in batch.tests:
                    if test.name not in reported:
                        self._add(job.run, Verdict(test, "crash", f"no result: {reason}", 0.0, [],
                                                   log=log, blame="infra"))
                        log = ""
