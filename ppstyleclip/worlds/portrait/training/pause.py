# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""When to wait, and when something is due."""

from __future__ import annotations

import time
from pathlib import Path


def wait_while_paused(folder, seconds=5, told=()):
    """Wait while the folder holds a file named PAUSE and `told` is empty; returns the seconds it took."""
    start = time.time()
    while (Path(folder) / "PAUSE").exists() and not told:
        time.sleep(seconds)
    return time.time() - start


class Clock:
    """Says once in `every` seconds that it is time; `at_once` says so the first time, too."""

    def __init__(self, every, at_once=False):
        self.every, self.last = every, float("-inf") if at_once else time.time()

    def due(self):
        if time.time() - self.last < self.every:
            return False
        self.last = time.time()
        return True
