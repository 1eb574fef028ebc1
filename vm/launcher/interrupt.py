# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGINT and SIGTERM end a run: once, and never between a process and the one that minds it."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Gate:
    """What the main thread, which alone is interrupted, is in the middle of."""

    depth = 0
    waiting = False


def take() -> None:
    """From now on these signals raise KeyboardInterrupt; what a shell has ignored stays so."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(*_: object) -> None:
    for number in SIGNALS:  # a second one would interrupt the clearing up after the first
        signal.signal(number, signal.SIG_IGN)
    if _Gate.depth:
        _Gate.waiting = True
    else:
        raise KeyboardInterrupt


@contextlib.contextmanager
def held() -> Iterator[None]:
    """What is done in this block is done whole: an interrupt waits for its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Gate.depth += 1
    try:
        yield
    finally:
        _Gate.depth -= 1
        if _Gate.waiting and not _Gate.depth:
            _Gate.waiting = False
            raise KeyboardInterrupt
