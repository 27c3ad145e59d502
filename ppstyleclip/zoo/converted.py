# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What was converted, to files: ours (safetensors), as PaddleGAN saves it (pdparams), or one array (npy)."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.convert import Converted, fits_multiplier
from ppstyleclip.errors import UserError
from ppstyleclip.files import write_atomic, write_safetensors
from ppstyleclip.models.configs import BERT
from ppstyleclip.models.families import DEFAULT_FAMILY
from ppstyleclip.zoo.bundle import GETF
from ppstyleclip.zoo.clips import build_converted_clip, save_clip
from ppstyleclip.zoo.generators import save_generator
from ppstyleclip.zoo.mappers import build_converted_mapper, mapper_contents, save_mapper
from ppstyleclip.zoo.metadata import OURS

SUFFIXES = (".safetensors", ".pdparams", ".npy")
_SINGLE = {"relevance": "relevance", "styles": "s", "latents": "w_plus"}  # kind -> its one array


def save_converted(path: Path, converted: Converted, *, name: str, about: dict, generator=None) -> None:
    """Write what was converted; the ending of the path says in which form.

    Args:
        path: ends in one of SUFFIXES.
        converted: of any kind.
        name: the model's name.
        about: `{name: text}` more metadata, of a safetensors file; "source" is the name of the file it was.
        generator: the network of a converted generator (build_converted_generator).
    Raises:
        UserError: nothing can be built of it, or it is no single array, which `.npy` needs.
        CannotWrite: the file cannot be written.
    """
    if path.suffix == ".npy":
        write_atomic(path, _npy(converted))
    elif converted.kind == "mapper":
        _save_mapper(path, converted, about)
    elif path.suffix == ".pdparams":
        write_atomic(path, _pickled(as_paddlegan_saves(converted)))
    elif converted.kind == "generator":
        save_generator(path, generator, name=name, mean=converted.extras.get("latent_avg"), about=about)
    elif converted.kind == "clip":
        save_clip(path, build_converted_clip(converted, path), about=about)
    else:
        _write_arrays(path, converted, name, about)


def _save_mapper(path, converted, about) -> None:
    """As ours; PaddleGAN has no mappers, so a `.pdparams` holds the same arrays and texts for load_mapper."""
    mapper = build_converted_mapper(converted, about["source"])
    about = {**converted.stated, **about, **_stated_generator(converted)}
    if path.suffix == ".pdparams":
        state, metadata = mapper_contents(mapper, about=about)
        write_atomic(path, _pickled({**state, **metadata}))
    else:
        save_mapper(path, mapper, about=about)


def _npy(converted) -> bytes:
    if converted.kind not in _SINGLE:
        raise UserError(
            f"a .npy holds one array, and these are {converted.kind}; write .safetensors or .pdparams "
            f"(.npy is for {', '.join(_SINGLE)})"
        )
    memory = io.BytesIO()
    np.save(memory, converted.state[_SINGLE[converted.kind]])
    return memory.getvalue()


def _pickled(value) -> bytes:
    return pickle.dumps(_contiguous(value), protocol=4)


def _write_arrays(path, converted, name, about) -> None:
    """What our loaders take as it is: its arrays, with the config in the metadata."""
    metadata = {
        **converted.stated,
        **about,
        "kind": f"{OURS}{converted.kind}",
        "name": name,
        "config": json.dumps(converted.config),
        **_stated_generator(converted),
    }
    write_safetensors(path, {**converted.state, **converted.extras}, metadata)


def _stated_generator(converted) -> dict:
    """The fingerprint of the generator that it was made for, where its config states one."""
    stated = converted.config.get("generator")  # an encoder's is the architecture of the one that it brings
    return {"generator": stated} if isinstance(stated, str) else {}


def as_paddlegan_saves(converted: Converted) -> Any:
    """The object that PaddleGAN's own file of this kind holds.

    Raises:
        UserError: it holds one array for each layer, and where the layers end is not known; or PaddleGAN has
            no such network.
    """
    state, extras = converted.state, converted.extras
    if converted.config.get("text") == BERT:
        raise UserError("PaddleGAN has no Chinese-CLIP; write .safetensors")
    family = _family(converted)
    if family != DEFAULT_FAMILY:
        raise UserError(f"PaddleGAN has no '{family}' generator; write .safetensors")
    if converted.kind in ("generator", "clip"):
        return state
    if converted.kind in ("relevance", "latents"):
        return state[_SINGLE[converted.kind]]
    if converted.kind == "styles":
        return _split_layers(state["s"], converted.config["channels"])
    if converted.kind == "statistics":
        return {word: _split_layers(state[word], converted.config["channels"]) for word in ("mean", "std")}
    return {**state, **extras, **({"opts": converted.opts} if converted.opts else {})}


def _family(converted) -> str:
    """Of a converted generator, or of the one that an encoder brings."""
    beside = converted.config.get("generator")
    config = beside if isinstance(beside, dict) else converted.config
    return config.get("family", DEFAULT_FAMILY)


def describe_for_paddlegan(config: dict) -> str:
    """How PaddleGAN's class is built for a generator's weights; `config` is what its config() returns."""
    channels = {int(side): count for side, count in config["channels"].items()}
    if not fits_multiplier(channels, config["channel_multiplier"]):
        return f"PaddleGAN's class has no such channels: {list(channels.values())}"
    words = [f"{name}={config[name]}" for name in ("size", "style_dim", "n_mlp", "channel_multiplier")]
    words += [] if config["lr_mlp"] == 0.01 else [f"lr_mlp={config['lr_mlp']}"]
    words += [] if config["blur_kernel"] == [1, 3, 3, 1] else [f"blur_kernel={config['blur_kernel']}"]
    return f"for StyleGANv2Generator({', '.join(words)})"


def _split_layers(array, widths) -> list[np.ndarray]:
    """One array for each layer, along the last axis."""
    if len(widths) == 1:
        raise UserError(
            f"this file does not say how its {widths[0]} style channels fall into layers, which .pdparams "
            f"needs; write .safetensors, or measure again with: {GETF}"
        )
    return np.split(array, np.cumsum(widths)[:-1], axis=-1)


def _contiguous(value):
    if isinstance(value, dict):
        return {key: _contiguous(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_contiguous(item) for item in value]
    return np.asarray(value, order="C") if isinstance(value, np.ndarray) else value
