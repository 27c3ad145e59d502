# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A StyleGAN2 generator's architecture, read off its weights: their shapes, and the size of some."""

from __future__ import annotations

import re

import numpy as np

from ppstyleclip.convert.key_map import shape_of
from ppstyleclip.convert.networks import generator_parameters
from ppstyleclip.errors import UserError
from ppstyleclip.models.stylegan2.channels import SIZES, channel_table

_MULTIPLIERS = (2, 1, 0.5, 4)
_FOREIGN = "these are not the weights of a StyleGAN2 generator in PaddleGAN's form"
_CONV = re.compile(r"convs\.(\d{1,3})\.conv\.weight")
_MAPPING = re.compile(r"style\.(\d{1,3})\.weight")
_SMALL = 10.0  # between the sizes of weights with a multiplier of 1 and of 0.01


def infer_generator_config(state: dict) -> dict:
    """Read a generator's architecture off the shapes of its weights.

    Args:
        state: `{key: array}` as StyleGANv2Generator (ours or PaddleGAN's) names them.
    Returns:
        size, style_dim, n_mlp, channel_multiplier, channels (`{resolution: channels}`), for build_generator;
        channel_multiplier is the one whose table equals the channels, 2 where none or several do.
    Raises:
        UserError: these are not the weights of such a generator, or their shapes contradict each other.
    """
    convs = sorted(int(match[1]) for match in map(_CONV.fullmatch, state) if match)
    n_mlp = sum(1 for key in state if _MAPPING.fullmatch(key))
    size = 4 * 2 ** (len(convs) // 2)
    if convs != list(range(len(convs))) or len(convs) % 2 or size not in SIZES:
        raise UserError(f"{_FOREIGN}: it has 2 to 16 convs.N.conv.weight, an even number, got {len(convs)}")
    style_dim = _shape(state, "conv1.conv.modulation.weight", 2)[0]
    sides = [2**power for power in range(2, size.bit_length())]
    keys = ["conv1.conv.weight"] + [f"convs.{2 * k}.conv.weight" for k in range(len(sides) - 1)]
    channels = {side: _shape(state, key, 5)[1] for side, key in zip(sides, keys)}
    config = {
        "size": size,
        "style_dim": style_dim,
        "n_mlp": n_mlp,
        "channel_multiplier": multiplier_of(channels),
        "channels": channels,
    }
    _check_shapes(state, config)
    return config


def mapping_rate(state: dict) -> tuple:
    """The mapping network's learning-rate multiplier m, which leaves no shape, by the size of its weights.

    They begin as normal numbers of deviation 1 / m, and stay of that order. Published ones have an m of 0.01;
    one that has 1, if it were read so, would draw the same face for every z.

    Args:
        state: as our generator names it.
    Returns:
        ({} or `{"lr_mlp": 1.0}`; notes: one line if there is something to say).
    """
    with np.errstate(invalid="ignore", over="ignore"):  # infinities are refused where a generator is built
        sizes = [float(np.std(value)) for key, value in state.items() if _MAPPING.fullmatch(key)]
    if not sizes or not 0 < np.median(sizes) < _SMALL:
        return {}, ()
    said = (
        f"the mapping network's weights are of size {np.median(sizes):.2g}: lr_mlp is taken for 1, not 0.01"
    )
    return {"lr_mlp": 1.0}, (said,)


def _shape(state, key, rank) -> tuple:
    if key not in state:
        raise UserError(f"{_FOREIGN}: {key} is missing")
    shape = shape_of(state, key)
    if len(shape) != rank or 0 in shape:
        raise UserError(f"{key} has shape {list(shape)}, {rank} dimensions are expected")
    return shape


def _check_shapes(state, config) -> None:
    for key, spec in generator_parameters(config).items():
        is_read = _CONV.fullmatch(key) or _MAPPING.fullmatch(key) or key == "conv1.conv.weight"
        if is_read and _shape(state, key, len(spec.shape)) != spec.shape:
            raise UserError(f"{key} is {list(state[key].shape)}, other weights call for {list(spec.shape)}")


def fits_multiplier(channels: dict, multiplier) -> bool:
    """Tell whether `{resolution: channels}` is what a channel_multiplier gives."""
    table = channel_table(multiplier)
    return all(table[side] == count for side, count in channels.items())


def multiplier_of(channels: dict):
    """The channel_multiplier whose table equals the channels; 2 where none or several do."""
    return next((one for one in _MULTIPLIERS if fits_multiplier(channels, one)), 2)
