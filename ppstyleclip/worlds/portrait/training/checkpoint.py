# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""State of a fit on disk, written whole or not at all."""

from __future__ import annotations

import os
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
