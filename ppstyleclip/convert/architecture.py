# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A StyleGAN2 generator's architecture, read off the shapes of its weights, and the keys that follow."""

from __future__ import annotations

import re

from ppstyleclip.channels import SIZES, channel_table
from ppstyleclip.convert.table import Target, shape_of
from ppstyleclip.errors import UserError

_MULTIPLIERS = (2, 1, 0.5, 4)
_FOREIGN = "these are not the weights of a StyleGAN2 generator in PaddleGAN's form"
_CONV = re.compile(r"convs\.(\d+)\.conv\.weight")
_MAPPING = re.compile(r"style\.(\d+)\.weight")


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
    _check_shapes(state, n_mlp, style_dim, channels)
    return {
        "size": size,
        "style_dim": style_dim,
        "n_mlp": n_mlp,
        "channel_multiplier": multiplier_of(channels),
        "channels": channels,
    }


def _shape(state, key, rank) -> tuple:
    if key not in state:
        raise UserError(f"{_FOREIGN}: {key} is missing")
    shape = shape_of(state, key)
    if len(shape) != rank or 0 in shape:
        raise UserError(f"{key} has shape {list(shape)}, {rank} dimensions are expected")
    return shape


def _check_shapes(state, n_mlp, style_dim, channels):
    # Before anything is built: what is built is then no larger than the file.
    expected = {f"style.{k}.weight": (style_dim, style_dim) for k in range(1, n_mlp + 1)}
    sides = sorted(channels)
    expected["conv1.conv.weight"] = (1, channels[4], channels[4], 3, 3)
    for k, (before, here) in enumerate(zip(sides, sides[1:])):
        expected[f"convs.{2 * k}.conv.weight"] = (1, channels[here], channels[before], 3, 3)
        expected[f"convs.{2 * k + 1}.conv.weight"] = (1, channels[here], channels[here], 3, 3)
    for key, shape in expected.items():
        if _shape(state, key, len(shape)) != shape:
            raise UserError(f"{key} is {list(state[key].shape)}, other weights call for {list(shape)}")


def fits_multiplier(channels: dict, multiplier) -> bool:
    """Tell whether `{resolution: channels}` is what a channel_multiplier gives."""
    table = channel_table(multiplier)
    return all(table[side] == count for side, count in channels.items())


def multiplier_of(channels: dict):
    """The channel_multiplier whose table equals the channels; 2 where none or several do."""
    return next((one for one in _MULTIPLIERS if fits_multiplier(channels, one)), 2)


def generator_targets(config: dict) -> dict:
    """Key and shape of everything in a generator's state dict, `{key: Target}`.

    Args:
        config: size, style_dim, n_mlp and channels, as infer_generator_config returns them.
    """
    dim, channels = config["style_dim"], config["channels"]
    targets = {}
    for k in range(1, config["n_mlp"] + 1):
        targets[f"style.{k}.weight"] = Target((dim, dim), is_linear=True)
        targets[f"style.{k}.bias"] = Target((dim,))
    widths = [channels[side] for side in sorted(channels)]
    targets["input.input"] = Target((1, channels[4], 4, 4))
    targets.update(_layer("conv1", channels[4], channels[4], dim))
    targets.update(_to_rgb("to_rgb1", channels[4], dim))
    for k, (before, here) in enumerate(zip(widths, widths[1:])):
        targets.update(_layer(f"convs.{2 * k}", before, here, dim))
        targets.update(_layer(f"convs.{2 * k + 1}", here, here, dim))
        targets.update(_to_rgb(f"to_rgbs.{k}", here, dim))
        targets[f"to_rgbs.{k}.upsample.kernel"] = Target((4, 4))
    for index in range(2 * len(widths) - 1):
        side = 2 ** ((index + 5) // 2)
        targets[f"noises.noise_{index}"] = Target((1, 1, side, side))
    return targets


def _layer(name, before, here, dim) -> dict:
    return {
        **_modulated(name, (1, here, before, 3, 3), dim),
        f"{name}.noise.weight": Target((1,)),
        f"{name}.activate.bias": Target((here,)),
    }


def _to_rgb(name, width, dim) -> dict:
    return {**_modulated(name, (1, 3, width, 1, 1), dim), f"{name}.bias": Target((1, 3, 1, 1))}


def _modulated(name, shape, dim) -> dict:
    return {
        f"{name}.conv.weight": Target(shape),
        f"{name}.conv.modulation.weight": Target((dim, shape[2]), is_linear=True),
        f"{name}.conv.modulation.bias": Target((shape[2],)),
    }
