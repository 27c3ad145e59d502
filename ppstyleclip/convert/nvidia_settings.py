# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a pickled network of NVIDIA's says of itself beside its weights."""

# No `from __future__ import annotations`: the annotations are read by the checker, on Python 3.9 too.
from dataclasses import dataclass
from typing import Annotated, Optional

from ppstyleclip.schema import Between, Line, OneOf, from_value


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


@dataclass(frozen=True)
class StyleGAN3Settings:
    """What a pickled StyleGAN3 says of itself that leaves no shape; but for lr_mlp, only the published."""

    lr_mlp: Optional[Annotated[float, Between(1e-9, 1e3)]]
    conv_clamp: Annotated[float, Between(256, 256)]
    output_scale: Annotated[float, Between(0.25, 0.25)]
    margin_size: Annotated[int, Between(10, 10)]
    activation: Annotated[str, OneOf(("lrelu",))]


def read_stylegan3_settings(network, first_layer: str) -> StyleGAN3Settings:
    """What leaves no shape; a state dict alone says nothing, and is taken to be as published.

    Args:
        network: a SavedModule, or a state dict.
        first_layer: the name of L0.
    Raises:
        UserError: it says something else than what StyleGAN3 as published does.
    """
    if not hasattr(network, "children"):
        return StyleGAN3Settings(None, 256.0, 0.25, 10, "lrelu")
    mapping, synthesis = _child(network, "mapping", "fc0"), _child(network, "synthesis")
    said = {
        "lr_mlp": mapping.get("bias_gain"),
        "conv_clamp": _child(network, "synthesis", first_layer).get("conv_clamp", 256.0),
        "output_scale": synthesis.get("output_scale", 0.25),
        "margin_size": synthesis.get("margin_size", 10),
        "activation": mapping.get("activation", "lrelu"),
    }
    return from_value(StyleGAN3Settings, said, "this StyleGAN3", field="its settings")


def _child(network, *names) -> dict:
    """The attributes of a module inside another, or none."""
    for name in names:
        network = network.children.get(name)
        if network is None:
            return {}
    return network.attributes
