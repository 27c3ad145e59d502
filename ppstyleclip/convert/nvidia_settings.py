# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a pickled network of NVIDIA's says of itself beside its weights."""

# No `from __future__ import annotations`: the annotations are read by the checker, on Python 3.9 too.
from dataclasses import dataclass
from typing import Annotated, Optional

from ppstyleclip.schema import Between, Line, from_value


@dataclass(frozen=True)
class Settings:
    """What a pickled network says of itself that leaves no shape."""

    lr_mlp: Optional[Annotated[float, Between(1e-9, 1e3)]]
    conv_clamp: Optional[Annotated[float, Between(0, 1e9)]]
    activation_0: Line
    activation_1: Line


def read_settings(network) -> dict:
    """What leaves no shape, where the file says it: lr_mlp, conv_clamp, activation."""
    if not hasattr(network, "children"):
        return {}
    layer = _child(network, "mapping", "fc0")
    block = _child(network, "synthesis", "b4", "conv1")
    said = {"lr_mlp": layer.get("bias_gain"), "conv_clamp": block.get("conv_clamp")}
    for number, part in enumerate((layer, block)):
        said[f"activation_{number}"] = part.get("activation", "lrelu")
    settings = from_value(Settings, said, "this NVIDIA network", field="its settings")
    return {
        "lr_mlp": settings.lr_mlp,
        "conv_clamp": settings.conv_clamp,
        "activations": {settings.activation_0, settings.activation_1},
    }


def _child(network, *names) -> dict:
    """The attributes of a module inside another, or none."""
    for name in names:
        network = network.children.get(name)
        if network is None:
            return {}
    return network.attributes
