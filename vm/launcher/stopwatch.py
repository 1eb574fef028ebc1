# SPDX-License-Identifier: GPL-2.0-or-later
"""Time as a guest has it. On a busy host QEMU waits for a processor, for seconds on end; a guest is
not late, and its kernel does not hang, because it was not let run."""

from __future__ import annotations

import glob
import time
from typing import Any, Dict

# The most of the time that has passed that may be waiting: a limit is reached at last, however busy
# the host. For a limit with much room already, it is less.
WAITING_MOST, WAITING_SOME = 0.8, 0.5


def waited(pid: int) -> Dict[str, float]:
    """How many seconds each of a process's threads has waited for a processor so far; none where
    the host does not tell."""
    found = {}
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                found[path] = int(file.read().split()[1]) / 1e9
        except (OSError, IndexError):
            continue  # it has ended
    return found


class Stopwatch:
    """Runs from the moment that it is made. GUEST is whose time it is."""

    def __init__(self, guest: Any) -> None:
        self._guest = guest
        self._start = time.monotonic()
        self._waited: Dict[str, float] = guest.waited()

    def seconds(self) -> float:
        """What a clock on the wall says."""
        return time.monotonic() - self._start

    def passed(self, limit: float, most: float = WAITING_MOST) -> bool:
        """Whether the guest has had so many seconds, of those in which it could run."""
        seconds = self.seconds()
        if seconds <= limit:
            return False
        waiting = max([now - self._waited.get(thread, 0.0)
                       for thread, now in self._guest.waited().items()], default=0.0)
        return seconds - min(waiting, most * seconds) > limit
