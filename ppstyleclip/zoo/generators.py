# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Generators to and from files. The architecture is read off the weights; nobody has to know `--size`."""

from __future__ import annotations

import json

import numpy as np

from ppstyleclip.convert import fits_multiplier
from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, write_safetensors
from ppstyleclip.models.stylegan2 import build_generator, load_generator_state
from ppstyleclip.zoo.foreign import read_as

FLAGS = ("size", "style_dim", "n_mlp", "channel_multiplier")


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
        if flag == "channel_multiplier" and fits_multiplier(channels, given):
            continue
        truth = f"{flag} {config[flag]}"
        if flag == "channel_multiplier" and not fits_multiplier(channels, config[flag]):
            truth = f"a channel table of their own ({max(channels.values())} to {min(channels.values())})"
        raise UserError(f"{flag} {given} was given, but the weights in {where} have {truth}; leave it out")


def load_generator(path, flags: dict | None = None):
    """Load a generator from its weights, in evaluation mode.

    Args:
        path: ours, PaddleGAN's `.pdparams`, rosinality's `.pt`, NVIDIA's `.pkl`; see convert.
        flags: size, style_dim, n_mlp, channel_multiplier where the user gave them.
    Returns:
        (StyleGANv2Generator, metadata of a safetensors file).
    Raises:
        MissingFile: there is no such file.
        UserError: it cannot be read, is no generator, or contradicts a flag.
    """
    converted, metadata = read_as("generator", path)
    try:
        check_flags(converted.config, flags or {}, path)
        return build_converted_generator(converted), metadata
    except (ValueError, TypeError) as error:
        words = str(error)
        raise UserError(words if str(path) in words else f"{path}: {words}") from None


def build_converted_generator(converted):
    """Build the network of a converted generator, in evaluation mode."""
    generator = build_generator(converted.config)
    load_generator_state(generator, converted.state)
    generator.eval()
    return generator


def generator_state(generator) -> dict:
    """The generator's weights and buffers, `{key: float32 array}`."""
    return {key: np.asarray(value.numpy(), np.float32) for key, value in generator.state_dict().items()}


def generator_fingerprint(generator) -> str:
    """Name a generator by its weights; 16 hexadecimal digits."""
    return fingerprint(generator_state(generator))


def save_generator(path, generator, *, name: str, half: bool = False, mean=None, about=None) -> str:
    """Write a generator as safetensors, its config inside.

    Args:
        path: the file.
        generator: StyleGANv2Generator.
        name: the model's name.
        half: store float16; half the file, and rounded weights.
        mean: `[D]` the mean w that its file brought; kept beside the weights as `latent_avg`.
        about: `{name: text}` more metadata.
    Returns:
        the fingerprint of what load_generator will read back.
    """
    state = stored(generator_state(generator), half)
    mark = fingerprint(as_float32(state))
    beside = {} if mean is None else {"latent_avg": np.asarray(mean, np.float32)}
    write_safetensors(
        path,
        {**state, **beside},
        {
            **(about or {}),
            "kind": "ppstyleclip generator",
            "name": name,
            "fingerprint": mark,
            "config": json.dumps(generator.config()),
        },
    )
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
    return {
        key: value.astype(np.float32) if value.dtype.kind == "f" else value for key, value in state.items()
    }
