# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Weights into networks, strictly, and from torch's names and orientation to Paddle's.

Paddle itself only warns where keys or shapes disagree, and a square matrix hides a missing transpose; so what
has to be turned is decided by the layer that owns the tensor, never by its shape.
"""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn as nn

from .stylegan2_layers import EqualLinear

_BATCH_NORMS = (nn.BatchNorm1D, nn.BatchNorm2D)
_BUFFERS = {"_mean": "running_mean", "_variance": "running_var"}
_PADDLE_TABLE = "StructuredToParameterName@@"  # paddle.save adds it to a state dict


def from_torch_state(layer, state):
    """Rename and transpose the tensors of a torch state dict for a layer of ours; nothing is loaded.

    Args:
        layer: the network they are meant for.
        state: `{key: array}` with the keys of the torch class, without a prefix.
    Returns:
        `{key: array}` for `load_state`. Batch norm's counters are dropped; keys that the layer does not know
        are kept as they are, so that load_state can name them.
    """
    found, used = {}, set()
    for path, owner in layer.named_sublayers(include_self=True):
        prefix = path + "." if path else ""
        for name in [*owner._parameters, *owner._buffers]:
            theirs = prefix + _torch_name(owner, name)
            if theirs in state:
                value = np.asarray(state[theirs])
                turned = name == "weight" and isinstance(owner, (nn.Linear, EqualLinear)) and value.ndim == 2
                found[prefix + name] = value.T if turned else value
                used.add(theirs)
    rest = {
        key: value
        for key, value in state.items()
        if key not in used and not key.endswith("num_batches_tracked")
    }
    return {**found, **rest}


def _torch_name(owner, name):
    if isinstance(owner, _BATCH_NORMS):
        return _BUFFERS.get(name, name)
    return "weight" if isinstance(owner, nn.PReLU) else name


def load_state(layer, state, what):
    """Load a state dict into a layer; all or nothing.

    Args:
        layer: any network.
        state: `{key: array or Tensor}` with the layer's own keys; floats of any width.
        what: the network's name for the message, such as "pSp encoder".
    Raises:
        ValueError: a key is missing, unknown, of another shape or not of floats; up to three are named.
    """
    own = {key: list(value.shape) for key, value in layer.state_dict().items()}
    given = {
        key: value.numpy() if isinstance(value, paddle.Tensor) else np.asarray(value)
        for key, value in state.items()
        if key != _PADDLE_TABLE
    }
    problems = [f"{key} is missing" for key in own if key not in given]
    problems += [f"{key} is unknown" for key in given if key not in own]
    for key in own:
        if key in given and list(given[key].shape) != own[key]:
            problems.append(f"{key} is {list(given[key].shape)} instead of {own[key]}")
        elif key in given and given[key].dtype.kind != "f":
            problems.append(f"{key} holds {given[key].dtype} instead of floats")
    if problems:
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ValueError(
            f"these weights do not fit this {what}: {'; '.join(problems[:3])}{more}. "
            "Use the weights and the configuration of the same network"
        )
    layer.set_state_dict({key: value.astype("float32") for key, value in given.items()})
