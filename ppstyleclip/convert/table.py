# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A conversion as a table: each key of ours, its shape, the key it comes from, and what is done on the way.

`fill` reads such a table from both sides: every target is filled with the right shape, and every source key
is used or stands in a list of those that may be left out, each with its reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, NamedTuple

import numpy as np

from ppstyleclip.errors import UserError

_NAMED = 3  # keys that an error names
_TORCH = {"_mean": "running_mean", "_variance": "running_var", "_weight": "weight"}


class Target(NamedTuple):
    """Shape of one of our arrays, and whether it is a linear layer's weight (ours `[in, out]`)."""

    shape: tuple
    is_linear: bool = False


@dataclass(frozen=True)
class Row:
    """One array: `target` of `shape` is `transform(source)`."""

    target: str
    shape: tuple
    source: str
    transform: Callable


def same(array):
    """As it is."""
    return array


def transposed(array):
    """A linear layer's weight: torch has `[out, in]`, Paddle `[in, out]`."""
    return array.T


def batch_of_one(array):
    """A leading axis of 1."""
    return array[None]


def one_number(array):
    """A scalar as `[1]`."""
    return array.reshape(1)


def norm_targets(name: str, width: int) -> dict:
    """The four arrays of a batch normalisation, `{key: Target}`."""
    return {f"{name}.{part}": Target((width,)) for part in ("weight", "bias", "_mean", "_variance")}


def paddle_rows(targets: dict) -> list:
    """The table of a file that already has Paddle's names and layout."""
    return [Row(key, target.shape, key, same) for key, target in targets.items()]


def torch_rows(targets: dict, prefix: str = "") -> list:
    """The table of a torch file whose modules are named as ours are.

    Args:
        targets: `{key: Target}` in Paddle's naming.
        prefix: stands before each source key.
    """
    return [
        Row(key, target.shape, prefix + torch_name(key), transposed if target.is_linear else same)
        for key, target in targets.items()
    ]


def torch_name(key: str) -> str:
    """What torch calls an array: running_mean, running_var, and weight for a PReLU's _weight."""
    name, _, last = key.rpartition(".")
    return f"{name}.{_TORCH.get(last, last)}" if name else key


BATCHES_SEEN = (r".*\.num_batches_tracked", "counters of training")


def shape_of(state: dict, key: str) -> tuple:
    """Shape of an array in a state dict; () where there is none of that name."""
    value = state.get(key)
    return value.shape if isinstance(value, np.ndarray) else ()


def fill(rows: list, source: dict, ignored=()) -> tuple:
    """Fill every target of a table, and account for every key of the source.

    Args:
        rows: the table.
        source: `{key: array}`.
        ignored: pairs (pattern of keys that may be left out, reason).
    Returns:
        (`{target: float32 array}`, views of the source where they can be, `{source key that was left out:
        reason}`).
    Raises:
        UserError: a key is missing, unknown, of another shape or not of floats; names up to three.
    """
    used = {row.source for row in rows}
    left = {key: _reason(key, ignored) for key in source if key not in used}
    problems = [f"{row.source} is missing" for row in rows if row.source not in source]
    problems += [f"{key} is unknown" for key, reason in left.items() if reason is None]
    state = {}
    for row in rows:
        if row.source in source:
            state[row.target], problem = _made(row, source[row.source])
            problems += problem
    refuse(problems)
    return state, left


def refuse(problems: list) -> None:
    """Raise one line that names the first three problems, if there are any."""
    if problems:
        more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        raise UserError(
            f"these weights are not whole, or of another network: {'; '.join(problems[:_NAMED])}{more}"
        )


def _reason(key, ignored):
    return next((reason for pattern, reason in ignored if re.fullmatch(pattern, key)), None)


def _made(row, value) -> tuple:
    """The array of a row and what is wrong with it: a list of one sentence, or none."""
    if not isinstance(value, (np.ndarray, np.floating)) or value.dtype.kind != "f":
        held = getattr(value, "dtype", f"a {type(value).__name__}")
        return value, [f"{row.source} holds {held} instead of floats"]
    try:
        made = row.transform(np.asarray(value))
    except (ValueError, IndexError):
        made = np.asarray(value)
    if made.shape != tuple(row.shape):
        wanted = f" (as {row.target})" if row.target != row.source else ""
        return made, [f"{row.source} is {list(made.shape)} instead of {list(row.shape)}{wanted}"]
    return np.asarray(made, np.float32), []
