# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Generators to and from files. The architecture is read off the weights; nobody has to know `--size`."""
from __future__ import annotations

import json
import re

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, write_safetensors
from ppstyleclip.formats import load_weights
from ppstyleclip.models.stylegan2 import SIZES, build_generator, channel_table, load_generator_state

FLAGS = ("size", "style_dim", "n_mlp", "channel_multiplier")
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
    sides = [2 ** power for power in range(2, size.bit_length())]
    keys = ["conv1.conv.weight"] + [f"convs.{2 * k}.conv.weight" for k in range(len(sides) - 1)]
    channels = {side: _shape(state, key, 5)[1] for side, key in zip(sides, keys)}
    _check_shapes(state, n_mlp, style_dim, channels)
    fitting = [multiplier for multiplier in _MULTIPLIERS if _fits(channels, multiplier)]
    return {"size": size, "style_dim": style_dim, "n_mlp": n_mlp,
            "channel_multiplier": fitting[0] if fitting else 2, "channels": channels}


def _shape(state, key, rank) -> tuple:
    if key not in state:
        raise UserError(f"{_FOREIGN}: {key} is missing")
    shape = tuple(np.shape(state[key]))
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
            raise UserError(f"{key} is {list(np.shape(state[key]))}, other weights call for {list(shape)}")


def _fits(channels, multiplier) -> bool:
    table = channel_table(multiplier)
    return all(table[side] == count for side, count in channels.items())


def check_flags(config: dict, flags: dict, where) -> None:
    """Refuse a size flag that the weights contradict.

    Args:
        config: as infer_generator_config returns it.
        flags: `{flag: value or None}`; None was not given.
        where: the file, for the message.
    Raises:
        UserError: names the flag, what was given and what the weights say.
    """
    for flag, given in flags.items():
        if given is None or flag != "channel_multiplier" and given == config[flag]:
            continue
        channels = {int(side): count for side, count in config["channels"].items()}
        if flag == "channel_multiplier" and _fits(channels, given):
            continue
        truth = f"{flag} {config[flag]}"
        if flag == "channel_multiplier" and not _fits(channels, config[flag]):
            truth = f"a channel table of their own ({max(channels.values())} to {min(channels.values())})"
        raise UserError(f"{flag} {given} was given, but the weights in {where} have {truth}; leave it out")


def load_generator(path, flags: dict | None = None):
    """Load a generator from its weights, in evaluation mode.

    Args:
        path: `.pdparams` as PaddleGAN's class saves it, or safetensors.
        flags: size, style_dim, n_mlp, channel_multiplier where the user gave them.
    Returns:
        (StyleGANv2Generator, metadata of a safetensors file).
    Raises:
        MissingFile: there is no such file.
        UserError: it cannot be read, is no generator, or contradicts a flag.
    """
    state, metadata = load_weights(path)
    try:
        config = infer_generator_config(state)
        if "config" in metadata:
            config = {**json.loads(metadata["config"]), **config}  # lr_mlp and the filter leave no shape
        check_flags(config, flags or {}, path)
        generator = build_generator(config)
        load_generator_state(generator, state)
    except (ValueError, TypeError) as error:
        words = str(error)
        raise UserError(words if str(path) in words else f"{path}: {words}") from None
    generator.eval()
    return generator, metadata


def generator_state(generator) -> dict:
    """The generator's weights and buffers, `{key: float32 array}`."""
    return {key: np.asarray(value.numpy(), np.float32) for key, value in generator.state_dict().items()}


def generator_fingerprint(generator) -> str:
    """Name a generator by its weights; 16 hexadecimal digits."""
    return fingerprint(generator_state(generator))


def save_generator(path, generator, *, name: str, half: bool = False) -> str:
    """Write a generator as safetensors, its config inside.

    Args:
        path: the file.
        generator: StyleGANv2Generator.
        name: the model's name.
        half: store float16; half the file, and rounded weights.
    Returns:
        the fingerprint of what load_generator will read back.
    """
    state = stored(generator_state(generator), half)
    mark = fingerprint(as_float32(state))
    write_safetensors(path, state, {"kind": "ppstyleclip generator", "name": name, "fingerprint": mark,
                                    "config": json.dumps(generator.config())})
    return mark


def stored(state: dict, half: bool) -> dict:
    """Weights as they are stored; float16 keeps 11 bits and must not overflow."""
    if not half:
        return state
    small = {}
    for key, value in state.items():
        is_float = value.dtype.kind == "f"
        if is_float and np.abs(value).max(initial=0) > np.finfo(np.float16).max:
            raise UserError(f"{key} is too large for float16; store float32")
        small[key] = value.astype(np.float16) if is_float else value
    return small


def as_float32(state: dict) -> dict:
    """Weights as they are used: floats of any width as float32, integers as they are."""
    return {key: value.astype(np.float32) if value.dtype.kind == "f" else value
            for key, value in state.items()}
