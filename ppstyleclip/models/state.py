# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Weights into networks, strictly, and from torch's names and orientation to Paddle's.

Paddle itself only warns where keys or shapes disagree, and a square matrix hides a missing transpose; so what
has to be turned is decided by the layer that owns the tensor, never by its shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import paddle
import paddle.nn as nn

from ppstyleclip.errors import UserError, name_first, plain
from ppstyleclip.finite import check_finite

from .parameters import ParameterSpec, allocate, build_unset, parameter_specs, unset_parameters

PADDLE_TABLE = "StructuredToParameterName@@"  # paddle.save adds it to a state dict
_SOME = 1000  # arrays beyond those of the state that a network may have before building it ends
_LITTLE = 2**22  # numbers that a network may fill by itself, such as noise; 16 MB
Network = TypeVar("Network", bound=nn.Layer)


def from_torch_state(layer: nn.Layer, state: dict) -> dict:
    """Rename and transpose the tensors of a torch state dict for a layer of ours; nothing is loaded.

    Args:
        layer: the network they are meant for.
        state: `{key: array}` with the keys of the torch class, without a prefix.
    Returns:
        `{key: array}` for `load_state`. Batch norm's counters are dropped; keys that the layer does not know
        are kept as they are, so that load_state can name them.
    """
    specs = parameter_specs(layer)
    found = {
        key: np.asarray(state[spec.torch_key]).T if spec.is_linear else np.asarray(state[spec.torch_key])
        for key, spec in specs.items()
        if spec.torch_key in state
    }
    used = {spec.torch_key for spec in specs.values()}
    rest = {
        key: value
        for key, value in state.items()
        if key not in used and not key.endswith("num_batches_tracked")
    }
    return {**found, **rest}


def load_state(
    layer: nn.Layer, state: Mapping[str, Any], what: str, *, constants: Mapping[str, Any] | None = None
) -> None:
    """Load a state dict into a layer; all or nothing.

    Args:
        layer: any network, also of build_unset.
        state: `{key: array or Tensor}` with the layer's own keys; floats of any width.
        what: the network's name for the message, such as "pSp encoder".
        constants: `{key: array}` that the layer computes with whatever is loaded, such as filters; where the
            state holds such keys they must agree.
    Raises:
        UserError: a key is missing, unknown, of another shape, not of floats or another constant (up to three
            are named), or an array holds NaN or infinity.
    """
    given, specs, constants = as_arrays(state), parameter_specs(layer), constants or {}
    beside = {key: ParameterSpec(value.shape, key) for key, value in constants.items() if key in given}
    check_state({**specs, **beside}, given, what)
    _refuse([f"{key} is another filter" for key in beside if not _is_near(given[key], constants[key])], what)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is refused
        loaded = {key: given[key].astype("float32") for key in specs}
    check_finite(loaded, f"weights of this {what}")
    allocate(layer)
    layer.set_state_dict(loaded)


def build_with_state(build: Callable[[], Network], state: dict, what: str) -> Network:
    """Build a network for weights that are there, and load them.

    Names and shapes are compared first, so that a configuration that does not fit costs no memory. No random
    numbers are drawn.

    Args:
        build: makes the network.
        state, what: as in load_state.
    Raises:
        UserError: as load_state.
        ValueError: the network cannot be built.
    """
    given = as_arrays(state)
    layer = build_unset(build, most=2 * len(given) + _SOME)
    load_state(layer, given, what)
    return layer


def build_with_loader(
    build: Callable[[], Network],
    load: Callable[[Network, Mapping[str, Any]], None],
    state: Mapping[str, Any],
    what: str,
) -> Network:
    """Build a network, and load weights that are there by a function of its own, under whatever names.

    A network that is much larger than its weights is refused first; others than these are compared array by
    array (build_with_state).

    Args:
        build: makes the network.
        load: puts the state into it.
        state: `{key: array}`.
        what: the network's name for the message.
    Raises:
        UserError: the network has more than twice the numbers of the weights, and more than a little, or
            there are parameters that nothing was loaded into.
        ValueError: the network cannot be built.
    """
    given = as_arrays(state)
    layer = build_unset(build, most=2 * len(given) + _SOME)
    asked = sum(math.prod(spec.shape) for spec in parameter_specs(layer).values())
    there = sum(array.size for array in given.values())
    if asked > 2 * there + _LITTLE:
        raise UserError(
            f"these weights do not fit this {what}: it has {asked} numbers, {there} are in the file. "
            "Use the weights and the configuration of the same network"
        )
    allocate(layer)
    load(layer, state)
    _refuse([f"{key} is missing, or holds NaN" for key in unset_parameters(layer)], what)
    return layer


def as_arrays(state: Mapping[str, Any]) -> dict:
    """A state dict of arrays, without the table that paddle.save adds."""
    return {
        key: value.numpy() if isinstance(value, paddle.Tensor) else np.asarray(value)
        for key, value in state.items()
        if key != PADDLE_TABLE
    }


def check_state(specs: dict[str, ParameterSpec], state: dict, what: str) -> None:
    """Refuse arrays that are not those of a network, naming at most three.

    Args:
        specs: the network, as parameter_specs or describe_network give it.
        state: `{key: array}`.
        what: the network's name for the message.
    Raises:
        UserError: as load_state.
    """
    problems = [f"{key} is missing" for key in specs if key not in state]
    problems += [f"{plain(key)} is unknown" for key in state if key not in specs]
    for key, spec in specs.items():
        if key in state and state[key].shape != spec.shape:
            problems.append(f"{key} is {list(state[key].shape)} instead of {list(spec.shape)}")
        elif key in state and state[key].dtype.kind != "f":
            problems.append(f"{key} holds {state[key].dtype} instead of floats")
    _refuse(problems, what)


def _refuse(problems: list[str], what: str) -> None:
    if problems:
        raise UserError(
            f"these weights do not fit this {what}: {name_first(problems)}. "
            "Use the weights and the configuration of the same network"
        )


def _is_near(value: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.allclose(value, wanted, rtol=0, atol=1e-3))
