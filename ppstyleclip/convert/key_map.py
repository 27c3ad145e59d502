# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Key maps: for each array of our network, the key it comes from in a file, and what is done on the way.

What the network holds is asked of the network (networks.py); a format only says how it differs. A map is read
from both sides: every array is filled with the right shape, and every key of the file is used or stands in a
list of those that may be left out, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ppstyleclip.errors import UserError, name_first, plain

if TYPE_CHECKING:
    from ppstyleclip.models.parameters import ParameterSpec

Ignored = Iterable[tuple[str, str]]  # pattern of keys that may be left out, reason
BATCHES_SEEN = (r".*\.num_batches_tracked", "counters of training")


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


@dataclass(frozen=True)
class KeyMapping:
    """One array: `target` of `shape` is `transform(source)`."""

    target: str
    shape: tuple
    source: str
    transform: Callable = same


def paddle_keys(specs: dict[str, ParameterSpec]) -> list[KeyMapping]:
    """The map of a file that has Paddle's names and layout."""
    return [KeyMapping(key, spec.shape, key) for key, spec in specs.items()]


def torch_keys(specs: dict[str, ParameterSpec], prefix: str = "") -> list[KeyMapping]:
    """The map of a torch file whose modules are named as ours are; `prefix` stands before each key."""
    return [
        KeyMapping(key, spec.shape, prefix + spec.torch_key, transposed if spec.is_linear else same)
        for key, spec in specs.items()
    ]


def shape_of(state: dict, key: str) -> tuple:
    """Shape of an array in a state dict; () where there is none of that name."""
    value = state.get(key)
    return value.shape if isinstance(value, np.ndarray) else ()


def without_module(state: dict) -> dict:
    """Drop `module.`, as torch's DataParallel writes it, where all keys have it, or all behind a first word.

    Args:
        state: `{key: anything}`, such as `module.conv1.weight`, or `encoder.module.conv1.weight` beside
            `latent_avg`.
    """
    behind: dict[str, set] = {}
    for key in state:
        first, *rest = key.split(".")
        behind.setdefault(first, set()).add(rest[0] if len(rest) > 1 else "")
    if set(behind) == {"module"}:
        return without_module({key.partition(".")[2]: value for key, value in state.items()})
    wrapped = [f"{first}.module." for first, words in behind.items() if words == {"module"}]
    for prefix in wrapped:
        short = prefix.partition(".")[0] + "."
        state = {
            short + key[len(prefix) :] if key.startswith(prefix) else key: value
            for key, value in state.items()
        }
    return state


def map_state_dict(key_map: list[KeyMapping], source: dict, ignored: Ignored = ()) -> tuple[dict, dict]:
    """Make a state dict of ours, and account for every key of the source.

    Args:
        key_map: one KeyMapping for each array.
        source: `{key: array}`.
        ignored: pairs (pattern of keys that may be left out, reason).
    Returns:
        (`{target: float32 array}`, views of the source where they can be, `{source key that was left out:
        reason}`).
    Raises:
        UserError: a key is missing, unknown, of another shape or not of floats; names up to three.
    """
    used = {mapping.source for mapping in key_map}
    left = {key: _reason(key, ignored) for key in source if key not in used}
    problems = [f"{mapping.source} is missing" for mapping in key_map if mapping.source not in source]
    problems += [f"{plain(key)} is unknown" for key, reason in left.items() if reason is None]
    state = {}
    for mapping in key_map:
        if mapping.source in source:
            state[mapping.target], problem = _mapped(mapping, source[mapping.source])
            problems += problem
    if problems:
        raise UserError(f"these weights are not whole, or of another network: {name_first(problems)}")
    return state, left


def _reason(key, ignored) -> str | None:
    return next((reason for pattern, reason in ignored if re.fullmatch(pattern, key)), None)


def _mapped(mapping: KeyMapping, value: Any) -> tuple[Any, list[str]]:
    """The array of a mapping and what is wrong with it: a list of one sentence, or none."""
    if not isinstance(value, (np.ndarray, np.floating)) or value.dtype.kind != "f":
        held = getattr(value, "dtype", f"a {type(value).__name__}")
        return value, [f"{mapping.source} holds {held} instead of floats"]
    try:
        made = mapping.transform(np.asarray(value))
    except (ValueError, IndexError):
        made = np.asarray(value)
    if made.shape != tuple(mapping.shape):
        wanted = f" (as {mapping.target})" if mapping.target != mapping.source else ""
        return made, [f"{mapping.source} is {list(made.shape)} instead of {list(mapping.shape)}{wanted}"]
    return np.asarray(made, np.float32), []
