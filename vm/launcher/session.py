# SPDX-License-Identifier: GPL-2.0-or-later
"""One call of a test program in a guest: reads its results, watches the kernel's log beside them,
and says which test was running when something went wrong."""

from __future__ import annotations

import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from launcher import plan, splats
from launcher.errors import GuestDied
from launcher.guest import Event, Guest
from report import ktap

PING_SECONDS = 2.0       # a guest that says nothing for so long is asked whether it lives
HANG_SECONDS = 8.0       # and this is how long it may take to answer: init outranks every test
SPLAT_QUIET_SECONDS = 0.4  # after a fatal splat: its text is complete when nothing more came
MARK_SECONDS = 1.0       # how long the mark of a job's end may take through the kernel's log
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
    """What a session came to. A guest that is not `healthy` must not run another test."""

    verdicts: List[Verdict]
    healthy: bool
    problems: List[str]
    comments: List[str]


class Session:
    """Runs `tests`, all of one program, in a guest that has begun."""

    def __init__(self, guest: Guest, tests: List[plan.Planned], timeout: float,
                 tables: Tuple[List[splats.Complaint], List[Any]]) -> None:
        self.guest, self.tests = guest, tests
        self.limit = 3 * timeout * guest.factor + 5
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
        self._since = self._heard = self._asked = 0.0
        self._log_start = len(guest.log)

    def run(self, argv: List[str], job: str) -> Outcome:
        """Runs the program to its end, or to the guest's."""
        self._since = self._heard = time.monotonic()
        try:
            self.guest.execute(argv, job)
            while self._exit is None and not self._end:
                for event in self.guest.events(0.1 if self._splats else 0.5):
                    self._take(event)
                self._look_at_clock()
            self._await_mark(job)
        except GuestDied as error:
            self._bury(error)
        return self._outcome()

    def _take(self, event: Event) -> None:
        now = time.monotonic()
        self._heard, self._asked = now, 0.0
        if event.kind == "console":
            splat = self._watcher.feed(event.text)
            if splat:
                self._splats.append(splat)
        elif event.kind == "out":
            self._lines += 1
            result = self._parser.feed(event.text)
            if result:
                self._results.append((result, now - self._since))
                self._since = now
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

    def _look_at_clock(self) -> None:
        """The watchdog: a dead kernel, a stuck program, a splat whose text has ended."""
        now = time.monotonic()
        fatal = any(splat.fatal for splat in self._splats)
        if fatal and now - self._heard > SPLAT_QUIET_SECONDS:
            self._end = "the kernel gave up"
        elif self._splats and not fatal and len(self._results) > self._splats[0].mark:
            self._end = "the kernel complained"
        elif now - self._since > self.limit:
            self._end = f"no result within {self.limit:.0f} s"
            self.guest.send("kill")
        elif self._asked and now - self._asked > HANG_SECONDS:
            self._end = "hang"
            self._splats.append(splats.Splat(
                "hang", f"the guest did not answer for {HANG_SECONDS:.0f} s", True,
                len(self._results)))
            self._show_where_it_hangs()
        elif not self._asked and now - self._heard > PING_SECONDS:
            self.guest.send("ping 1")
            self._asked = now

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
        deadline = time.monotonic() + MARK_SECONDS
        while not self._end and self._watcher.done != job and time.monotonic() < deadline:
            for event in self.guest.events(deadline - time.monotonic()):
                if event.kind == "console":
                    self._take(event)

    def _bury(self, error: GuestDied) -> None:
        """The guest is gone: by its kernel's doing, by its own, or by the host's."""
        if any(splat.fatal for splat in self._splats):
            self._end = "the kernel gave up"
            return
        self._end = str(error)
        if error.how == "channel":
            self._infra = True
        elif error.how in ("ended", "qemu"):
            said = self.guest.close()
            status = self.guest.qemu.process.returncode
            if status == 0:
                self._splats.append(splats.Splat("reboot", "the guest restarted or switched itself "
                                                 "off without a word", True, len(self._results)))
            else:
                self._infra = True
                self._end = f"QEMU ended with {status}: {said}".rstrip(": ")

    def _outcome(self) -> Outcome:
        verdicts = [self._judge(index, result, seconds)
                    for index, (result, seconds) in enumerate(self._results)]
        wanted = {test.name for test in self.tests}
        problems = [f"{verdict.test.name} was not asked for" for verdict in verdicts
                    if verdict.test.name not in wanted]
        verdicts = [verdict for verdict in verdicts if verdict.test.name in wanted]
        healthy = not self._end and not self._splats and not self._taints
        running = self._running({verdict.test.name for verdict in verdicts})
        if running and self._exit is None:
            verdicts += self._judge_running(running)
        elif self._exit is not None:
            problems += self._parser.finish()
            problems += self._judge_exit([verdict.status for verdict in verdicts])
            verdicts += self._judge_missing({verdict.test.name for verdict in verdicts})
        return Outcome(verdicts, healthy, problems, self._parser.comments)

    def _running(self, reported: "set[str]") -> Optional[plan.Planned]:
        """The first test in the program's order that has no result."""
        return next((test for test in self.tests if test.name not in reported), None)

    def _judge(self, index: int, result: ktap.Result, seconds: float) -> Verdict:
        test = next((test for test in self.tests if test.name == result.name),
                    plan.Planned(result.name, "", "", []))
        splat = next((splat for splat in self._splats if splat.mark == index), None)
        if not splat and index in self._taints:
            splat = splats.Splat("taint", f"the kernel is tainted: {self._taints[index]}", False,
                                 index)
        if not splat:
            return Verdict(test, result.status, result.reason, seconds, result.diagnostics)
        reason = f"{splat.text} (the test itself: {result.status})"
        return Verdict(test, "crash", reason, seconds, result.diagnostics, splat.kind, self._log())

    def _judge_running(self, test: plan.Planned) -> List[Verdict]:
        """The test that was under way when the session was cut short; none when it was cut
        between tests."""
        seconds = time.monotonic() - self._since
        splat = next((splat for splat in self._splats if splat.mark >= len(self._results)), None)
        pending = self._parser.comments + self._stderr
        if splat:
            return [Verdict(test, "crash", splat.text, seconds, pending, splat.kind, self._log())]
        if self._splats:
            return []
        status = "crash" if self._infra else "timeout"
        return [Verdict(test, status, self._end, seconds, pending, log=self._log(),
                        blame="infra" if self._infra else "")]

    def _judge_exit(self, statuses: List[str]) -> List[str]:
        """The program's exit status must fit its results."""
        assert self._exit
        status, signal = self._exit
        failed = any(word in ("fail", "crash", "timeout") for word in statuses)
        if len(statuses) == len(self.tests) and not failed and (signal or status not in (0, 4)):
            how = f"signal {signal}" if signal else f"status {status}"
            return [f"{self.tests[0].program} ended with {how} though no test failed: "
                    f"{' '.join(self._stderr)}".rstrip(": ")]
        return []

    def _judge_missing(self, reported: "set[str]") -> List[Verdict]:
        """Planned and never reported: the first of them was running when the program ended."""
        assert self._exit
        status, signal = self._exit
        how = f"was killed by signal {signal}" if signal else f"ended with status {status}"
        missing = [test for test in self.tests if test.name not in reported]
        return [Verdict(test, "crash", f"no result: {test.program} {how}", 0.0,
                        self._parser.comments + self._stderr)
                for test in missing[:1]]

    def _log(self) -> str:
        text = bytes(self.guest.log[self._log_start:]).decode("utf-8", "replace")
        lines = [ktap.clean(line) for line in text.split("\n")]
        return "\n".join(lines[-LOG_LINES:])
