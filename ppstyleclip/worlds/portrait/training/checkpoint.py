# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""State of a fit on disk, written whole or not at all, and the file that makes a fit wait."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ppstyleclip.worlds.portrait.training.network import torch

EVERY = 180  # seconds from one checkpoint to the next


def save(path, state):
    """Write a dict of states, so that a reader or a killed process never leaves half a file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    torch.save(state, part)
    os.replace(part, path)


def load(path):
    """The dict that `save` wrote, or None where there is no such file."""
    return torch.load(path, weights_only=True) if Path(path).exists() else None


def wait_while_paused(folder, seconds=5):
    """Wait as long as the folder holds a file named PAUSE; returns the seconds it took."""
    start = time.time()
    while (Path(folder) / "PAUSE").exists():
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
