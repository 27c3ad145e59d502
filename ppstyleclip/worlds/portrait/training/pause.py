# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""When to wait, when to end, and when something is due."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path


def wait_while_paused(folder, seconds=5, told=()):
    """Wait while the folder holds a file named PAUSE and `told` is empty; returns the seconds it took."""
    start = time.time()
    while (Path(folder) / "PAUSE").exists() and not told:
        time.sleep(seconds)
    return time.time() - start


@contextlib.contextmanager
def told_to_end():
    """A list that SIGTERM and Ctrl-C put their number into, so that a fit can end between two steps.

    A second one ends it at once.

    Raises:
        KeyboardInterrupt: after the block, if it was Ctrl-C.
    """
    told = []

    def note(number, frame):
        told.append(number)
        signal.signal(number, before[number])

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in told:
        raise KeyboardInterrupt


class Clock:
    """Says once in `every` seconds that it is time; `at_once` says so the first time, too."""

    def __init__(self, every, at_once=False):
        self.every, self.last = every, float("-inf") if at_once else time.time()

    def due(self):
        if time.time() - self.last < self.every:
            return False
        self.last = time.time()
        return True
