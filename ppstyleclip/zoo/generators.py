# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Generators to and from files.

StyleGAN2's architecture is read off its weights; nobody has to know `--size`. A file of ours states its
family and its configuration, which every other family is built from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ppstyleclip.convert import Converted, fits_multiplier
from ppstyleclip.errors import UserError, one_line
from ppstyleclip.files import fingerprint, read_metadata, read_safetensors, write_safetensors
from ppstyleclip.formats import sniff
from ppstyleclip.models.configs import FamilyConfig
from ppstyleclip.models.families import DEFAULT_FAMILY, family_of
from ppstyleclip.models.generator import Generator
from ppstyleclip.models.state import build_with_loader
from ppstyleclip.schema import check_name, from_value
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.foreign import read_as
from ppstyleclip.zoo.metadata import NetworkMetadata, read_own

KIND = "ppstyleclip generator"
MEAN = "latent_avg"  # beside the weights: the mean w that a foreign file brought
# What a family's builder may raise at a config that it cannot build: any shape may stand in a file.
_ODD_CONFIG = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)


def check_flags(config: Mapping[str, Any], flags: Mapping[str, Any], where) -> None:
    """Refuse a size flag that the weights contradict.

    Args:
        config: of the generator, as infer_generator_config or its `config()` return it.
        flags: `{flag: value or None}`; None was not given.
        where: the file, for the message.
    Raises:
        UserError: names the flag, what was given and what the weights say.
    """
    for flag, given in flags.items():
        if given is None or flag in config and _agrees(config, flag, given):
            continue
        if flag not in config:
            raise UserError(f"{flag} {given} was given, but the generator in {where} has none; leave it out")
        truth = _in_words(config, flag)
        raise UserError(f"{flag} {given} was given, but the weights in {where} have {truth}; leave it out")


def _agrees(config, flag, given) -> bool:
    return (
        fits_multiplier(_channels(config), given) if flag == "channel_multiplier" else given == config[flag]
    )


def _in_words(config, flag) -> str:
    if flag == "channel_multiplier" and not _agrees(config, flag, config[flag]):
        widths = _channels(config).values()
        return f"a channel table of their own ({max(widths)} to {min(widths)})"
    return f"{flag} {config[flag]}"


def _channels(config) -> dict[int, int]:
    return {int(side): count for side, count in config["channels"].items()}


@on_worker
def load_generator(path, flags: Mapping[str, Any] | None = None) -> tuple[Generator, dict[str, str]]:
    """Load a generator of any family from its weights, in evaluation mode.

    Args:
        path: ours; of StyleGAN2 also PaddleGAN's `.pdparams`, rosinality's `.pt`, NVIDIA's `.pkl`; of
            StyleGAN3 NVIDIA's `.pkl`, or its bare state dict (convert).
        flags: size, style_dim, n_mlp, channel_multiplier where the user gave them.
    Returns:
        (Generator, metadata of a safetensors file; "name", "fingerprint", "tuned_from" only of one of
        ours, and checked).
    Raises:
        MissingFile: there is no such file.
        UserError: it cannot be read, is no generator, is of an unknown family, or contradicts a flag.
    """
    metadata = read_metadata(path) if sniff(path) == "safetensors" else {}
    own = _own_metadata(metadata, path)
    converted = _read(path, own.config)
    try:
        check_flags(converted.config, flags or {}, path)
        return build_converted_generator(converted), _believed(metadata, own)
    except _ODD_CONFIG as error:
        words = one_line(error, 400)
        raise UserError(words if str(path) in words else f"{path}: {words}") from None


def _read(path, config: dict[str, Any]) -> Converted:
    """A generator's weights and configuration."""
    if from_value(FamilyConfig, config, path, field="config").family == DEFAULT_FAMILY:
        return read_as("generator", path)[0]
    family_of(config)  # an unknown one is named before anything is read
    state, _ = read_safetensors(path)
    state.pop(MEAN, None)
    return Converted("generator", as_float32(state), config, {})


def _own_metadata(metadata: Mapping[str, str], path) -> NetworkMetadata:
    """What a generator's file of ours states; nothing of other files."""
    own = read_own(NetworkMetadata, metadata if metadata.get("kind") == KIND else {}, path)
    if own.kind and not own.config:
        raise UserError(f"{path} is damaged: its metadata have no config")
    return own


def _believed(metadata: Mapping[str, str], own: NetworkMetadata) -> dict[str, str]:
    """The metadata of a file, of what others act on only what is ours and checked."""
    said = {"name": own.name, "fingerprint": own.fingerprint, "tuned_from": own.tuned_from}
    rest = {word: text for word, text in metadata.items() if word not in said}
    return {**rest, **{word: text for word, text in said.items() if text is not None}}


@on_worker
def build_converted_generator(converted: Converted) -> Generator:
    """Build the network of a converted generator, in evaluation mode; shapes are compared before.

    Raises:
        UserError: the weights are not those of the network that the config describes.
    """
    family = family_of(converted.config)
    build, what = lambda: family.build(converted.config), f"{family.name} generator"
    generator = build_with_loader(build, family.load_state, converted.state, what)
    generator.eval()
    return generator


@on_worker
def generator_state(generator: Generator) -> dict[str, np.ndarray]:
    """The generator's weights and buffers, `{key: float32 array}`."""
    return {key: np.asarray(value.numpy(), np.float32) for key, value in generator.state_dict().items()}


@on_worker
def generator_fingerprint(generator: Generator) -> str:
    """Name a generator by its weights; 16 hexadecimal digits."""
    return fingerprint(generator_state(generator))


@on_worker
def save_generator(
    path,
    generator: Generator,
    *,
    name: str,
    half: bool = False,
    mean=None,
    about: Mapping[str, str] | None = None,
) -> str:
    """Write a generator as safetensors, its config inside.

    Args:
        path: the file.
        generator: of any family.
        name: the model's name.
        half: store float16; half the file, and rounded weights.
        mean: `[D]` the mean w that its file brought; kept beside the weights as `latent_avg`.
        about: `{name: text}` more metadata.
    Returns:
        the fingerprint of what load_generator will read back.
    """
    state = stored(generator_state(generator), half)
    mark = fingerprint(as_float32(state))
    beside = {} if mean is None else {MEAN: np.asarray(mean, np.float32)}
    write_safetensors(
        path,
        {**state, **beside},
        {
            **(about or {}),
            "kind": KIND,
            "name": check_name("this generator", name),
            "fingerprint": mark,
            "config": json.dumps(generator.config()),
        },
    )
    return mark


def stored(state: dict[str, np.ndarray], half: bool) -> dict[str, np.ndarray]:
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


def as_float32(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights as they are used: floats of any width as float32, integers as they are."""
    return {
        key: value.astype(np.float32) if value.dtype.kind == "f" else value for key, value in state.items()
    }
