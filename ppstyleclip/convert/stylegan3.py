# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""NVIDIA's StyleGAN3 networks, T and R: out of a pickle, or the bare state dict of stylegan3-editing.

Sizes and widths are read off names and shapes. Everything else that leaves no shape has to be as published:
the filters in the file must be the ones that are computed here, and what a pickle says of clamps and scales
must be what the network does. The canvas's transform is no weight; wherever it was left, it is put back.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ppstyleclip.convert.key_map import (
    KeyMapping,
    map_state_dict,
    one_number,
    paddle_keys,
    same,
    shape_of,
    transposed,
)
from ppstyleclip.convert.networks import stylegan3_parameters
from ppstyleclip.convert.nvidia_settings import read_stylegan3_settings
from ppstyleclip.convert.stylegan2 import MEAN, mean_w
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError, named, plain
from ppstyleclip.wording import counted

_LAYER = re.compile(r"synthesis\.(L(\d{1,3})_(\d{1,5})_(\d{1,5}))\.weight")
_MAPPING = re.compile(r"mapping\.fc\d+\.weight")
_OUR_LAYER = re.compile(r"layers\.(\d+)\.(.*)")
_MEAN = "mapping.w_avg"
_IGNORED = [
    (r"synthesis\.input\.transform", "the canvas's transform is an argument of drawing"),
    (r"synthesis\.L\d+_\d+_\d+\.(up|down)_filter", "filters are computed"),
]
_NEAR = 1e-5  # of filters, whose taps sum to 1
_LAYERS = 15


def is_stylegan3(state: dict) -> bool:
    """Whether a state dict of NVIDIA's is a StyleGAN3's."""
    return "synthesis.input.freqs" in state


def recognised_stylegan3(network: Any, state: dict, left: dict) -> Recognised:
    """Describe a StyleGAN3.

    Args:
        network: what the file holds, a SavedModule or its state dict; says what leaves no shape.
        state: its state dict.
        left: `{key of the file: reason}` of what was left out before.
    Raises:
        UserError: it is conditional, of another architecture, or its parts contradict each other.
    """
    if any(key.startswith("mapping.embed.") for key in state):
        raise UserError(
            "this StyleGAN3 is conditional (its mapping takes a class); only unconditional ones can"
        )
    names = _layer_names(state)
    config = _read_config(state, names, read_stylegan3_settings(network, names[0]))
    _check_layers(state, config, names)

    def convert() -> Converted:
        weights = {key: value for key, value in state.items() if key != _MEAN}
        made, ignored = map_state_dict(_key_map(config, names), weights, _IGNORED)
        extras = {MEAN: mean_w(state[_MEAN], config)} if _MEAN in state else {}
        return Converted("generator", made, config, extras, {**left, **ignored})

    widths = config["channels"][:-1]
    description = (
        f"StyleGAN3-{config['configuration']} generator (NVIDIA's), {config['size']} px, {max(widths)} to "
        f"{min(widths)} channels, mapping of {counted(config['n_mlp'], 'layer')}, w of {config['style_dim']}"
    )
    return Recognised("generator", description, config, convert)


def is_own_stylegan3(state: dict) -> bool:
    """Whether a state dict is one of our StyleGAN3Generator."""
    return "input.freqs" in state


def recognised_own_stylegan3(state: dict, stated: Any) -> Recognised:
    """Describe a StyleGAN3 under our keys.

    Args:
        state: its state dict.
        stated: its config as its file has it, because the size of the picture leaves no shape.
    Raises:
        UserError: the config is missing, or none of a StyleGAN3.
    """
    from ppstyleclip.models.configs import check_stylegan3

    if not isinstance(stated, dict):
        raise UserError("this StyleGAN3 does not state its config; convert the file that it came from again")
    check_stylegan3(stated, "this StyleGAN3")

    def convert() -> Converted:
        made, _ = map_state_dict(paddle_keys(stylegan3_parameters(stated)), state)
        return Converted("generator", made, stated)

    title = f"StyleGAN3-{stated['configuration']} generator, {stated['size']} px"
    return Recognised("generator", title, stated, convert)


def _layer_names(state) -> list[str]:
    """The names of L0, L1, ... in order."""
    found = {int(match[2]): match[1] for match in map(_LAYER.fullmatch, state) if match}
    if sorted(found) != list(range(_LAYERS)):
        raise UserError(
            f"this StyleGAN3 has {counted(len(found), 'layer')} L<number>_<side>_<channels>; {_LAYERS} are "
            f"needed, L0 to L{_LAYERS - 1}"
        )
    return [found[i] for i in range(_LAYERS)]


def _read_config(state, names, settings) -> dict:
    sides, widths = zip(*(map(int, name.split("_")[1:]) for name in names))
    kernel = (*shape_of(state, f"synthesis.{names[0]}.weight"), 0)[3:4]
    if kernel not in ((1,), (3,)):
        raise UserError(f"{names[0]} of this StyleGAN3 has no kernel of 1x1 (R) or 3x3 (T)")
    config = {
        "family": "stylegan3",
        "size": sides[-1],
        "style_dim": (0, *shape_of(state, "synthesis.input.affine.weight"))[-1],
        "configuration": "T" if kernel == (3,) else "R",
        "n_mlp": sum(1 for key in state if _MAPPING.fullmatch(key)),
        "channels": list(widths),
    }
    return config if settings.lr_mlp is None else {**config, "lr_mlp": settings.lr_mlp}


def _check_layers(state, config, names) -> None:
    """Refuse layers of other sides, and other filters, than this size and configuration have."""
    from ppstyleclip.models.configs import check_stylegan3
    from ppstyleclip.models.stylegan3.geometry import check_size, geometry

    check_stylegan3(config, "this StyleGAN3")
    check_size(config["size"])
    shapes = geometry(config["size"], config["configuration"], config["channels"])[1]
    wrong = [name for name, shape in zip(names, shapes) if name != shape.name]
    if wrong:
        raise UserError(
            f"this StyleGAN3's layers are of other sides than a {config['size']} px network of configuration "
            f"{config['configuration']} has: {named(wrong, 3)}"
        )
    for shape in shapes:
        for word, taps in (("up_filter", shape.up_filter), ("down_filter", shape.down_filter)):
            key = f"synthesis.{shape.name}.{word}"
            if key in state and not _is_near(state[key], taps):
                raise UserError(
                    f"{plain(key)} is not the filter of a {config['size']} px StyleGAN3 of configuration "
                    f"{config['configuration']}; no other can be converted"
                )


def _is_near(value, taps) -> bool:
    is_floats = isinstance(value, np.ndarray) and value.dtype.kind == "f" and taps is not None
    return is_floats and value.shape == taps.shape and bool(np.allclose(value, taps, rtol=0, atol=_NEAR))


def _key_map(config, names) -> list[KeyMapping]:
    specs = stylegan3_parameters(config)
    maps = []
    for key, spec in specs.items():
        transform = transposed if spec.is_linear else one_number if key.endswith("magnitude_ema") else same
        maps.append(KeyMapping(key, spec.shape, _source(key, names), transform))
    return maps


def _source(key: str, names) -> str:
    """What an array of ours is called there."""
    layer = _OUR_LAYER.fullmatch(key)
    if layer:
        return f"synthesis.{names[int(layer[1])]}.{layer[2]}"
    first, _, rest = key.partition(".")
    if first == "input":
        return f"synthesis.{key}"
    number, _, part = rest.partition(".")  # mapping.0 normalises z
    return f"mapping.fc{int(number) - 1}.{part}"
