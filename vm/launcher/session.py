# SPDX-License-Identifier: GPL-2.0-or-later
"""One call of a test program in a guest: reads its results, watches the kernel's log beside them,
and says which test was running when something went wrong."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from launcher import plan, splats
from launcher.errors import GuestDied
from launcher.guest import Event, Guest
from launcher.stopwatch import WAITING_SOME, Stopwatch
from report import ktap

PING_SECONDS = 2.0       # a guest that says nothing for so long is asked whether it lives
HANG_SECONDS = 8.0       # and this is how long it may take to answer: init outranks every test
SPLAT_QUIET = 0.3, 2.0   # silence after a fatal splat that ends its text: a fast guest's, and most
SPLAT_SECONDS = 5.0      # and it is cut off when it goes on for so long
MARK_SECONDS = 2.0       # how long the log may be silent before the mark of a job's end
LAG_SECONDS = 30.0       # how long it may lag behind at all
END_SECONDS = 30.0       # what a program may take to end after its last result, in a fast guest
SUBTESTS_MOST = 10       # times the limit, for a test that goes on reporting subtests
LOG_LINES = 400          # how much of the log before a splat goes into the report
STDERR_LINES = 20

# Bits of /proc/sys/kernel/tainted that mean trouble (kernel: admin-guide/tainted-kernels).
TAINTS = {4: "machine check", 5: "bad page", 7: "oops", 9: "warning", 14: "soft lockup"}


class Verdict(NamedTuple):
    """What became of one test. `splat` is the kind of the kernel's complaint; `blame` is `infra`
    when neither kernel nor test are at fault."""

    test: plan.Planned
    status: str
    reason: str
    duration: float
    diagnostics: List[str]
    splat: str = ""
    log: str = ""
    blame: str = ""


class Outcome(NamedTuple):
    """What a session came to. `verdicts` are those that were not published while it ran, `done`
    the names of all tests decided. A guest that is not `healthy` must not run another test."""

    verdicts: List[Verdict]
    done: "set[str]"
    healthy: bool
    problems: List[str]


class Session:
    """Runs `tests`, all of one program, in a guest that has begun. PUBLISH gets each verdict as
    soon as nothing can change it: when the kernel's log has come as far as the result."""

    def __init__(self, guest: Guest, tests: List[plan.Planned], timeout: float,
                 tables: Tuple[List[splats.Complaint], List[Any]],
                 publish: Callable[[Verdict], None]) -> None:
        self.guest = guest
        self.tests = {test.name: test for test in tests}
        self.limit = float("inf") if guest.patient else 3 * timeout * guest.factor + 5
        self._end_limit = min(self.limit, END_SECONDS * guest.factor)
        self._quiet = min(SPLAT_QUIET[0] * guest.factor, SPLAT_QUIET[1])
        self._watcher = splats.Watcher(tables)
        self._parser = ktap.Parser()
        self._results: List[Tuple[ktap.Result, float]] = []
        self._splats: List[splats.Splat] = []
        self._taints: Dict[int, str] = {}
        self._stderr: List[str] = []
        self._exit: Optional[Tuple[int, int]] = None
        self._lines = 0
        self._end = ""               # why the session stopped before the program's end
        self._infra = False
        self._since = self._step = Stopwatch(guest)
        self._heard = time.monotonic()
        self._asked: Optional[Stopwatch] = None   # the ping that has no answer yet
        self._doomed: Optional[Stopwatch] = None  # since the kernel gave up
        self._calm = self._since                  # since its last word after that
        self._log_start = len(guest.log)
        self._publish = publish
        self._published = 0
        self._done: "set[str]" = set()
        self._problems: List[str] = []

    def run(self, argv: List[str], job: str) -> Outcome:
        """Runs the program to its end, or to the guest's."""
        self._since = self._step = Stopwatch(self.guest)
        self._heard = time.monotonic()
        try:
            self.guest.execute(argv, job)
            while self._exit is None and not self._end:
                for event in self.guest.events(0.1 if self._splats else 0.5):
                    self._take(event)
                self._publish_settled(self._watcher.marks)
                self._look_at_clock()
            self._await_mark(job)
        except GuestDied as error:
            self._bury(error)
        return self._outcome()

    def _take(self, event: Event) -> None:
        self._heard, self._asked = time.monotonic(), None
        if self._doomed:
            self._calm = Stopwatch(self.guest)
        if event.kind == "console":
            splat = self._watcher.feed(event.text)
            if splat:
                self._splats.append(splat)
            if splat and splat.fatal and not self._doomed:
                self._doomed = self._calm = Stopwatch(self.guest)
        elif event.kind == "out":
            self._lines += 1
            self._take_output(event.text)
        elif event.kind == "err":
            self._lines += 1
            self._stderr = (self._stderr + [event.text])[-STDERR_LINES:]
        elif event.kind == "taint":
            old, new = map(int, event.text.split())
            names = [name for bit, name in TAINTS.items() if (new & ~old) >> bit & 1]
            if names:
                self._taints[len(self._results)] = ", ".join(names)
        elif event.kind == "exit":
            _, status, signal, lines = event.text.split()
            self._exit = int(status), int(signal)
            if int(lines) != self._lines:
                raise GuestDied("channel", f"{lines} lines were sent, {self._lines} arrived")

    def _take_output(self, line: str) -> None:
        """A line of the program: a result ends a test, one of a subtest shows that it goes on."""
        subtests = self._parser.subtests
        result = self._parser.feed(line)
        if result:
            self._results.append((result, self._since.seconds()))
            self._since = Stopwatch(self.guest)
        if result or self._parser.subtests > subtests:
            self._step = Stopwatch(self.guest)

    def _look_at_clock(self) -> None:
        """The watchdog: a dead kernel, a stuck program, a splat whose text has ended."""
        if self._doomed and (self._calm.passed(self._quiet) or
                             self._doomed.seconds() > SPLAT_SECONDS):
            self._end = "the kernel gave up"
        elif self._splats and not self._doomed and len(self._results) > self._splats[0].mark:
            self._end = "the kernel complained"
        elif self._asked:
            if self._asked.passed(HANG_SECONDS):
                self._judge_silence()
        elif time.monotonic() - self._heard > PING_SECONDS and not self.guest.patient:
            self.guest.send("ping 1")
            self._asked = Stopwatch(self.guest)
        elif self._lateness():
            self._end = self._lateness()
            self.guest.send("kill")

    def _lateness(self) -> str:
        """Why the running test has had its time; "" when it has some left."""
        if self._step.passed(self.limit, WAITING_SOME):
            return f"no result within {self.limit:.0f} s"
        if self._parser.plan == len(self._results) and \
                self._step.passed(self._end_limit, WAITING_SOME):
            return f"no end within {self._end_limit:.0f} s of the last result"
        if self._since.passed(SUBTESTS_MOST * self.limit, WAITING_SOME):
            return f"subtests without end for {SUBTESTS_MOST * self.limit:.0f} s"
        return ""

    def _judge_silence(self) -> None:
        """Init does not answer: the kernel hangs, unless QEMU does not let it run."""
        try:
            state = self.guest.qmp.command("query-status", timeout=5.0).get("status")
        except GuestDied:
            state = "its monitor does not answer, either"
        if state != "running":
            self._infra = True
            self._end = f"QEMU does not run the guest: {state}"
            return
        self._end = "hang"
        self._splats.append(splats.Splat(
            "hang", f"the guest did not answer for {HANG_SECONDS:.0f} s", True,
            len(self._results)))
        self._show_where_it_hangs()

    def _show_where_it_hangs(self) -> None:
        """Makes a kernel that listens to NMIs print its registers and stack."""
        try:
            self.guest.qmp.command("inject-nmi", timeout=2.0)
            deadline = time.monotonic() + 1.5
            while time.monotonic() < deadline:
                for _ in self.guest.events(0.2):
                    pass
        except GuestDied:
            pass

    def _await_mark(self, job: str) -> None:
        """The log may lag behind the results: waits for the mark that init put at its end."""
        latest = time.monotonic() + LAG_SECONDS
        deadline = time.monotonic() + MARK_SECONDS
        while not self._end and self._watcher.done != job and time.monotonic() < deadline:
            for event in self.guest.events(deadline - time.monotonic()):
                if event.kind == "console":
                    self._take(event)
                    deadline = min(latest, time.monotonic() + MARK_SECONDS)

    def _bury(self, error: GuestDied) -> None:
        """The guest is gone: by its kernel's doing, by its own, or by the host's."""
        if error.how == "qemu":
            for event in self.guest.last_events():
                self._take(event)
        if self._doomed:
            self._end = "the kernel gave up"
            return
        self._end = str(error)
        if error.how == "channel":
            self._infra = True
        elif error.how in ("ended", "qemu"):
            said = self.guest.close()
            status = self.guest.qemu.process.returncode
            if status == 0 and "terminating on signal" not in said:
                self._splats.append(splats.Splat("reboot", "the guest restarted or switched itself "
                                                 "off without a word", True, len(self._results)))
            else:
                self._infra = True
                self._end = f"QEMU ended with {status}: {said}".rstrip(": ")

    def _outcome(self) -> Outcome:
        self._publish_settled(len(self._results))
        healthy = not self._end and not self._splats and not self._taints
        missing = [test for name, test in self.tests.items() if name not in self._done]
        late = self._late_splat()
        if late:
            verdicts = [self._judge_late(late, missing)]
        elif self._complaint_at() is not None:
            verdicts = []  # tests without a result run again, in a fresh guest
        elif self._exit is not None:
            self._problems += self._parser.finish() + self._judge_exit()
            verdicts = self._judge_missing(missing)
        else:
            verdicts = self._judge_running(missing)
        done = self._done | {verdict.test.name for verdict in verdicts}
        return Outcome(verdicts, done, healthy, self._problems)

    def _complaint_at(self) -> Optional[int]:
        """The number of the result before which the kernel complained for the first time."""
        places = [splat.mark for splat in self._splats] + list(self._taints)
        return min(places) if places else None

    def _publish_settled(self, settled: int) -> None:
        """Publishes the results that the kernel's log has passed. What came after a complaint is
        no result: the kernel was no longer the one to be tested."""
        bad = self._complaint_at()
        last = min(settled, len(self._results), len(self._results) if bad is None else bad + 1)
        while self._published < last:
            index = self._published
            self._published += 1
            result, seconds = self._results[index]
            test = self.tests.get(result.name)
            if test is None or result.name in self._done:
                self._problems.append(f"a result for {result.name}, which was not to be run")
                continue
            self._done.add(result.name)
            self._publish(self._judge(index, test, result, seconds))

    def _judge(self, index: int, test: plan.Planned, result: ktap.Result, seconds: float) \
            -> Verdict:
        splat = next((splat for splat in self._splats if splat.mark == index), None)
        if not splat and index in self._taints:
            splat = splats.Splat("taint", f"the kernel is tainted: {self._taints[index]}", False,
                                 index)
        if not splat:
            return Verdict(test, result.status, result.reason, seconds, result.diagnostics)
        reason = f"{splat.text} (the test itself: {result.status})"
        return Verdict(test, "crash", reason, seconds, result.diagnostics, splat.kind, self._log())

    def _late_splat(self) -> Optional[splats.Splat]:
        """A complaint that came after the last result."""
        count = len(self._results)
        bad = self._complaint_at()
        if bad is None or bad < count:
            return None
        if count in self._taints:
            text = f"the kernel is tainted: {self._taints[count]}"
            self._splats.append(splats.Splat("taint", text, False, count))
        return next((splat for splat in self._splats if splat.mark >= count), None)

    def _judge_late(self, splat: splats.Splat, missing: List[plan.Planned]) -> Verdict:
        """It belongs to the test that was running; to an entry of its own after the last one."""
        test = missing[0] if missing else self._afterwards()
        return Verdict(test, "crash", splat.text, self._since.seconds(),
                       self._parser.comments + self._stderr, splat.kind, self._log())

    def _afterwards(self) -> plan.Planned:
        """Stands for the time after the last test; each guest has its own last one."""
        last = next(reversed(list(self.tests.values())))
        name = last.name.partition(".")[2]
        return last._replace(name=f"{last.program}.after_{name}", behaviours=[])

    def _judge_running(self, missing: List[plan.Planned]) -> List[Verdict]:
        """The test that was under way when the session was cut short."""
        if not missing and self._infra:
            return []
        test, seconds = missing[0] if missing else self._afterwards(), self._since.seconds()
        pending = self._parser.comments + self._stderr
        status = "crash" if self._infra else "timeout"
        return [Verdict(test, status, self._end, seconds, pending, log=self._log(),
                        blame="infra" if self._infra else "")]

    def _judge_exit(self) -> List[str]:
        """The program's exit status must fit its results."""
        assert self._exit
        status, signal = self._exit
        failed = any(result.status not in ("pass", "skip") for result, _ in self._results)
        if len(self._done) == len(self.tests) and not failed and (signal or status not in (0, 4)):
            how = f"signal {signal}" if signal else f"status {status}"
            program = next(iter(self.tests.values())).program
            return [f"{program} ended with {how} though no test failed: "
                    f"{' '.join(self._stderr)}".rstrip(": ")]
        return []

    def _judge_missing(self, missing: List[plan.Planned]) -> List[Verdict]:
        """Planned and never reported: the first of them was running when the program ended."""
        assert self._exit
        status, signal = self._exit
        how = f"was killed by signal {signal}" if signal else f"ended with status {status}"
        return [Verdict(test, "crash", f"no result: {test.program} {how}", 0.0,
                        self._parser.comments + self._stderr)
                for test in missing[:1]]

    def _log(self) -> str:
        text = bytes(self.guest.log[self._log_start:]).decode("utf-8", "replace")
        lines = [ktap.clean(line) for line in text.split("\n")]
        return "\n".join(lines[-LOG_LINES:])
