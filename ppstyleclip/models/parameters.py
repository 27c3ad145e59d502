# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What parameters a network has, read off the network itself, without the memory that they take.

The class of a network is the only description of its weights. Converters and loaders ask it here: what a file
holds is compared before anything of the file's size is made. A network that weights are loaded into is built
in the same way, for drawing the numbers that it would be born with takes longer than loading it.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import paddle
import paddle.nn as nn

from ppstyleclip.worker import on_worker

from .stylegan2.layers import EqualLinear

LARGEST_SIDE = 2**31 - 1  # of an array
MOST_PARAMETERS = 10_000  # of a network; the largest published one here has about 1,200
_BATCH_NORMS = (nn.BatchNorm1D, nn.BatchNorm2D)
_BUFFERS = {"_mean": "running_mean", "_variance": "running_var"}
_patch = threading.RLock()
Built = TypeVar("Built")


@dataclass(frozen=True)
class ParameterSpec:
    """One array of a network's state dict.

    Attributes:
        shape: its shape.
        torch_key: what the same module of a torch network calls it.
        is_linear: it is a linear layer's weight: ours is `[in, out]`, torch's `[out, in]`.
    """

    shape: tuple[int, ...]
    torch_key: str
    is_linear: bool = False


def parameter_specs(layer: nn.Layer) -> dict[str, ParameterSpec]:
    """Describe a network's state dict, `{key: ParameterSpec}`, in its order."""
    owners = {}
    for path, owner in layer.named_sublayers(include_self=True):
        prefix = f"{path}." if path else ""
        owners.update(
            {prefix + name: (prefix, owner, name) for name in (*owner._parameters, *owner._buffers)}
        )
    return {key: _spec(value, *owners[key]) for key, value in layer.state_dict().items()}


def _spec(value, prefix, owner, name) -> ParameterSpec:
    shape = tuple(value.shape)
    is_linear = name == "weight" and isinstance(owner, (nn.Linear, EqualLinear))
    return ParameterSpec(shape, prefix + _torch_name(owner, name), is_linear and len(shape) == 2)


def _torch_name(owner, name) -> str:
    if isinstance(owner, _BATCH_NORMS):
        return _BUFFERS.get(name, name)
    return "weight" if isinstance(owner, nn.PReLU) else name


@on_worker
def describe_network(
    build: Callable[[], nn.Layer], *, most: int = MOST_PARAMETERS
) -> dict[str, ParameterSpec]:
    """Describe the network that `build()` makes, as parameter_specs; arguments and errors as build_unset."""
    return parameter_specs(build_unset(build, most=most))


@on_worker
def build_unset(build: Callable[[], Built], *, most: int = MOST_PARAMETERS) -> Built:
    """Build a network for weights that are yet to come; its parameters have no memory and no values.

    Args:
        build: makes the network; buffers that it fills itself are made as ever.
        most: number of parameters at which building ends, for a configuration of unknown origin.
    Returns:
        the network, for load_state, or for allocate and a loader of its own. Random numbers that `build()`
        draws are drawn again by the next who asks.
    Raises:
        ValueError: the network cannot be built, or has more parameters than `most`.
    """
    state = paddle.get_rng_state()
    try:
        with _shapes_only(most):
            return build()
    finally:
        paddle.set_rng_state(state)


def allocate(layer: nn.Layer) -> None:
    """Give memory to the parameters that build_unset made without; they hold NaN until they are loaded."""
    for parameter in layer.parameters():
        if not parameter._is_initialized():
            paddle.full(parameter.shape, math.nan, parameter.dtype)._share_underline_tensor_to(parameter)


def unset_parameters(layer: nn.Layer) -> list[str]:
    """Keys of the parameters that hold NaN still: nothing was loaded into them since `allocate`."""
    return [key for key, value in layer.named_parameters() if bool(paddle.isnan(value).any())]


@contextlib.contextmanager
def _shapes_only(most: int) -> Iterator[None]:
    """Let this thread's new layers have parameters of a shape alone, and initialisers set nothing.

    paddle.LazyGuard would do so in all threads, and keep how to draw what nobody wants.
    """
    initializer = nn.initializer.Initializer
    with _patch:
        create, initialize = nn.Layer.create_parameter, initializer.__call__
        thread, made = threading.get_ident(), []

        def create_checked(self, shape, attr=None, *args, **kwargs):
            if threading.get_ident() == thread and attr is not False:
                made.append(None)
                if len(made) > most:
                    raise ValueError(f"the network has more than {most} arrays")
                _check_sides(shape)
            return create(self, shape, attr, *args, **kwargs)

        def skip(self, parameter, *args, **kwargs):
            # paddleclip's Assign gives a parameter its shape; what it assigns is there already.
            if threading.get_ident() == thread and not isinstance(self, nn.initializer.Assign):
                return None
            return initialize(self, parameter, *args, **kwargs)

        nn.Layer.create_parameter = create_checked  # type: ignore[method-assign]
        initializer.__call__ = skip  # type: ignore[method-assign]
        try:
            yield
        finally:
            nn.Layer.create_parameter = create  # type: ignore[method-assign]
            initializer.__call__ = initialize  # type: ignore[method-assign]


def _check_sides(shape) -> None:
    sides = [int(side) for side in shape]
    if not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise ValueError(f"an array of {sides} cannot be made")
