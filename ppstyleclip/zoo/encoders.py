# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders from pictures to w_plus, to and from files."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.convert import Converted
from ppstyleclip.convert.encoders import GENERATOR, network_config, split_parts
from ppstyleclip.errors import MissingFile, UserError, one_line, shown
from ppstyleclip.files import fingerprint, read_metadata, read_safetensors, write_safetensors
from ppstyleclip.finite import check_finite
from ppstyleclip.formats import sniff
from ppstyleclip.models.encoders import build_encoder
from ppstyleclip.models.state import build_with_state
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.directions import check_made_for
from ppstyleclip.zoo.foreign import convert_as, convert_file, kind_of
from ppstyleclip.zoo.generators import as_float32, build_converted_generator, stored
from ppstyleclip.zoo.metadata import NetworkMetadata, check_fingerprint, read_own

KIND = "ppstyleclip encoder"
MEAN = "latent_avg"
ENCODER_KINDS = ("psp", "e4e", "restyle")
_BESIDE = "encoder_"  # a bundle's other encoders lie beside its own, encoder_NAME.safetensors


@dataclass(frozen=True, eq=False)
class Encoder:
    """An encoder and what its output is added to.

    Attributes:
        network: an encoder of models.encoders, in evaluation mode.
        latent_avg: `[1, D]` or `[1, L, D]` float32, the mean latent of its generator.
    """

    network: Any
    latent_avg: np.ndarray


@on_worker
def save_encoder(path, encoder: Encoder, *, generator: str, half: bool = False) -> None:
    """Write an encoder as safetensors; `generator` is the fingerprint of the one that it was trained for."""
    state = {key: value.numpy() for key, value in encoder.network.state_dict().items()}
    state = {**stored(state, half), MEAN: np.asarray(encoder.latent_avg, np.float32)}
    write_safetensors(
        path,
        state,
        {
            "kind": KIND,
            "generator": generator,
            "config": json.dumps(encoder.network.config()),
            "fingerprint": fingerprint(as_float32(state)),
        },
    )


@on_worker
def load_encoder(path, *, name: str = "", generator: str | None = None) -> tuple:
    """Load an encoder: ours, or pSp's, e4e's or ReStyle's own file.

    Args:
        path: the file.
        name, generator: the model's name and its generator's fingerprint; one of our files that states
            another generator is refused.
    Returns:
        (Encoder, the generator that came in the file; None with ours).
    Raises:
        MissingFile: there is no such file.
        UserError: it is damaged, no encoder, or of another generator.
    """
    kind = _stated_kind(path)
    if kind == KIND:
        return _own(path, name, generator), None
    if kind.rpartition(" ")[2] in ENCODER_KINDS:
        return build_converted_encoder(_read_converted(path), path)
    found, converted = convert_file(path)
    if converted.kind not in ENCODER_KINDS:
        raise UserError(f"{path}: this is not an encoder but: {found.description}")
    return build_converted_encoder(converted, path)


def bundle_encoders(folder: str | Path | None) -> dict[str, Path]:
    """Encoders that lie in a bundle's folder beside its own, `{name: path}`; {} where there is no folder."""
    if not folder:
        return {}
    return {path.stem[len(_BESIDE) :]: path for path in sorted(Path(folder).glob(f"{_BESIDE}*.safetensors"))}


def find_encoder(name: str | Path, folder: str | Path | None = None) -> Path:
    """Turn what a user calls an encoder into the path of its file.

    Args:
        name: a path, or a name of bundle_encoders().
        folder: of a bundle; None for a model that has none.
    Raises:
        MissingFile: there is none of that name; lists those there are.
        UserError: it is neither a text nor a path.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise UserError(f"an encoder is a name or the path of a file, got {shown(name)}")
    own = bundle_encoders(folder)
    if str(name) in own:
        return own[str(name)]
    if os.path.isfile(name):
        return Path(name)
    known = f"the model has {', '.join(own)} beside its own" if own else "the model has none beside its own"
    cure = "give one of these names, or a file" if own else "leave it out, or give a file"
    raise MissingFile(f"there is no encoder {shown(str(name))}; {known}; {cure}")


def load_named_encoder(path: str | Path, *, name: str, generator: str | None) -> Encoder:
    """Load an encoder for a model that has its generator already; errors and arguments as load_encoder.

    Raises:
        UserError: the file brings a generator of its own.
    """
    encoder, brought = load_encoder(path, name=name, generator=generator)
    if brought is not None:
        raise UserError(
            f"{path} holds a generator of its own; give it as the weight path, not as the encoder"
        )
    return encoder


def has_encoder(path) -> bool:
    """Whether a file holds an encoder with its generator, as pSp's, e4e's and ReStyle's do."""
    kind = _stated_kind(path).rpartition(" ")[2]
    if not kind:
        with contextlib.suppress(UserError):  # whoever needs something of the file says what is wrong with it
            kind = kind_of(path)
    return kind in ENCODER_KINDS


def _stated_kind(path) -> str:
    return read_metadata(path).get("kind", "") if sniff(path) == "safetensors" else ""


def _read_converted(path) -> Converted:
    """What `ppstyleclip convert` wrote; of its config only what leaves no shape is believed."""
    state, metadata = read_safetensors(path)
    config = _own_metadata(metadata, path).config
    content = {**state, "opts": {"encoder_type": config.get("encoder_type")}}
    if isinstance(config.get("generator"), dict):
        content[GENERATOR] = config["generator"]
    return convert_as(metadata["kind"].rpartition(" ")[2], content, path)


def _own_metadata(metadata, path) -> NetworkMetadata:
    own = read_own(NetworkMetadata, metadata, path)
    if own.config:
        return own
    raise UserError(f"{path} is damaged: its metadata have no config")


def _own(path, name, generator) -> Encoder:
    state, metadata = read_safetensors(path)
    check_made_for(
        metadata,
        path,
        name=name,
        generator=generator,
        cure="give an encoder that was trained for this generator",
    )
    own, state = _own_metadata(metadata, path), as_float32(state)
    check_fingerprint(own.fingerprint, fingerprint(state), path)
    mean = state.pop(MEAN, np.zeros(0))
    network = _built(own.config, state, path)
    _check_mean(mean, network, path)
    return Encoder(network, mean)


def _check_mean(mean, network, path) -> None:
    """Refuse a mean latent that is not `[1, D]` or `[1, L, D]`, or holds what is not finite."""
    allowed = [(1, network.style_dim), (1, network.num_styles, network.style_dim)]
    if mean.shape not in allowed or mean.dtype.kind != "f":
        got = f"{list(mean.shape)} {mean.dtype}" if mean.size else "missing"
        raise UserError(f"{path} is damaged: {MEAN} is {got}; floats of {list(allowed[0])} are needed")
    check_finite({MEAN: mean}, path)


@on_worker
def build_converted_encoder(converted: Converted, path) -> tuple:
    """Build the networks of a converted encoder.

    Args:
        converted: Converted of one of ENCODER_KINDS.
        path: where it came from, for messages.
    Returns:
        (Encoder, its generator), both in evaluation mode.
    """
    config, parts = converted.config, split_parts(converted.state, "encoder", "decoder")
    generator = build_converted_generator(Converted("generator", parts["decoder"], config["generator"]))
    network = _built(network_config(config), parts["encoder"], path)
    mean = converted.extras.get(MEAN)
    mean = generator.mean_latent().numpy().reshape(1, -1) if mean is None else mean
    return Encoder(network, mean), generator


def _built(config, state, path):
    try:
        network = build_with_state(lambda: build_encoder(config), state, "encoder")
    except (AttributeError, TypeError, ValueError, LookupError, ArithmeticError) as error:  # of any builder
        raise UserError(f"{path}: {one_line(error, 300)}") from None
    network.eval()
    return network
