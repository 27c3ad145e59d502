# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""State of a fit on disk, written whole or not at all."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

from ppstyleclip.errors import UserError, named, one_line, plain
from ppstyleclip.files import atomic_file, check_file
from ppstyleclip.worlds.portrait.training.network import torch

EVERY = 180  # seconds from one checkpoint to the next
# What torch.load says of what it did not write.
_UNREADABLE = (
    RuntimeError,
    EOFError,
    pickle.UnpicklingError,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)


def save(path, state):
    """Write a dict of states, so that a reader or a killed process never leaves half a file."""
    with atomic_file(path) as file:
        torch.save(state, file)


def load(path, *names):
    """The dict that `save` wrote, or None where there is no such file.

    Args:
        path: of the file.
        names: that have to be in it.
    Raises:
        UserError: it is damaged, or is the state of something else.
    """
    if not Path(path).exists():
        return None
    path = check_file(path)
    try:
        state = torch.load(path, weights_only=True)
    except _UNREADABLE as error:
        raise UserError(f"{path} cannot be read ({plain(one_line(error), 120)}); remove it") from None
    missing = [name for name in names if not isinstance(state, dict) or name not in state]
    if missing:
        raise UserError(f"{path} is no state of this fit: it lacks {named(missing)}; give another --folder")
    return state


def put(part, state, path, cure, **options):
    """Load a state dict into a network or an optimiser; returns what `load_state_dict` does.

    Args:
        part: with a `load_state_dict`, which `options` are for.
        state: out of a file.
        path: of the file.
        cure: what to do where it does not fit, for the message.
    Raises:
        UserError: it does not fit.
    """
    try:
        return part.load_state_dict(state, **options)
    except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path} does not fit: {one_line(error, 240)}; {cure}") from None


def resume(parts, state, path):
    """Put a state of `{name: state dict}` into `{name: part}`.

    Raises:
        UserError: it is of other settings.
    """
    for name, part in parts.items():
        put(part, state[name], path, "go on with the settings that it was begun with, or in another --folder")
