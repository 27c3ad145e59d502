# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders from pictures to w_plus, each with the generator that it was trained for: pSp, e4e, ReStyle.

Several encoders have the same tensors and compute different things; only `opts["encoder_type"]` tells them
apart, so a file without it is refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from ppstyleclip.convert.key_map import BATCHES_SEEN, map_state_dict, paddle_keys, shape_of, torch_keys
from ppstyleclip.convert.networks import count_latents, encoder_parameters, published_encoders
from ppstyleclip.convert.stylegan2 import MEAN, recognised_stylegan2
from ppstyleclip.convert.stylegan3 import (
    is_own_stylegan3,
    is_stylegan3,
    recognised_own_stylegan3,
    recognised_stylegan3,
)
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError, named, plain, shown
from ppstyleclip.wording import counted

_WIDTH = 512  # of every style head
_IMAGE_CHANNELS, _WITH_LAST_RESULT = 3, 6
GENERATOR = "generator"  # beside the parts of one of our files: its generator's config


class Structure(NamedTuple):
    """What the tensors of an encoder tell: trunk "irse50" or "resnet34"; heads "gradual" (16, 32 and 64 px),
    "flat" (16 px), "w" or "w_plus" (one linear layer); and how many styles come out (1 for "w")."""

    trunk: str
    heads: str
    input_nc: int
    styles: int


_TITLES = {"psp": "pSp", "e4e": "e4e", "restyle": "ReStyle"}
_TRAINING = (
    "global_step",
    "optimizer",
    "best_val_loss",
    "discriminator_state_dict",
    "discriminator_optimizer_state_dict",
)
_KEPT = ("encoder_type", "learn_in_w", "start_from_latent_avg", "n_iters_per_batch", "label_nc")


def read_structure(encoder: dict) -> Structure:
    """Read an encoder's structure off its tensors, in torch's or Paddle's naming.

    Raises:
        UserError: it is no encoder that is known.
    """
    trunk = "irse50" if "input_layer.0.weight" in encoder else "resnet34"
    first = shape_of(encoder, "input_layer.0.weight" if trunk == "irse50" else "conv1.weight")
    styles = sum(1 for key in encoder if re.fullmatch(r"styles\.\d+\.linear\.weight", key))
    if styles:
        heads = "gradual" if "latlayer1.weight" in encoder else "flat"
    else:
        heads = "w_plus" if "output_layer_2.3.weight" in encoder else "w"
        styles = (*shape_of(encoder, "linear.bias"), 0)[0] // _WIDTH
    if len(first) != 4 or not styles or first[1] not in (_IMAGE_CHANNELS, _WITH_LAST_RESULT):
        raise UserError("its encoder is of no known kind (pSp's, e4e's or ReStyle's, for RGB pictures)")
    return Structure(trunk, heads, first[1], styles)


def recognise_torch_encoder(content, container) -> Recognised | None:
    """pSp, e4e or ReStyle as their authors' code saves them: state_dict, opts, latent_avg."""
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        return None
    state = content["state_dict"]
    if not any(key.startswith("encoder.") for key in state):
        return None
    known = ("state_dict", "opts", MEAN, *_TRAINING)
    left = {key: "only needed to go on training" for key in content if key in _TRAINING}
    unknown = sorted(key for key in content if key not in known)
    if unknown:
        raise UserError(f"a checkpoint with an encoder holds {named(unknown, 3)}, which is unknown")
    return _recognised(state, content.get("opts"), content.get(MEAN), True, left)


def recognise_paddle_psp(content, container) -> Recognised | None:
    """PaddleGAN's pSp-*.pdparams, and ours of every kind: encoder, decoder, latent_avg, opts side by side.

    Ours may state their generator's config beside them, under GENERATOR.
    """
    parts = {key.partition(".")[0] for key in content} if isinstance(content, dict) else set()
    if not {"encoder", "decoder"} <= parts:
        return None
    stated = content.get(GENERATOR)
    beside = ("opts", MEAN, GENERATOR) if isinstance(stated, dict) else ("opts", MEAN)
    state = {key: value for key, value in content.items() if key not in beside}
    is_torch = any(key.endswith(".running_mean") for key in state)
    return _recognised(state, content.get("opts"), content.get(MEAN), is_torch, {}, stated)


def _recognised(state, opts, mean, is_torch, left, stated=None) -> Recognised:
    parts = split_parts(state, "encoder", "decoder")
    opts = opts if isinstance(opts, dict) else {}
    structure = read_structure(parts["encoder"])
    kind = _kind(opts, structure)
    generator = _recognised_decoder(parts["decoder"], is_torch, stated)
    config = {
        "encoder": structure._asdict(),
        "generator": generator.config,
        **{key: opts[key] for key in _KEPT if isinstance(opts.get(key), (str, bool, int))},
    }
    _check_styles(structure, generator.config)

    def convert() -> Converted:
        return _convert(parts["encoder"], generator, kind, config, is_torch, mean, opts, left)

    description = (
        f"{_TITLES[kind]} encoder ({opts['encoder_type']}, {counted(structure.styles, 'style')}) "
        f"with its {generator.description}"
    )
    return Recognised(kind, description, config, convert)


def _recognised_decoder(state, is_torch, stated) -> Recognised:
    """The generator beside an encoder, of either family."""
    if is_stylegan3(state):
        return recognised_stylegan3(state, state, {})
    if is_own_stylegan3(state):
        return recognised_own_stylegan3(state, stated)
    return recognised_stylegan2(state, is_torch, {}, {}, "")


def split_parts(state: dict, *names: str) -> dict[str, dict]:
    """Cut a state dict by the first word of its keys, `{name: {rest of the key: array}}`.

    Raises:
        UserError: a key starts with another word.
    """
    parts: dict[str, dict] = {name: {} for name in names}
    for key, value in state.items():
        name, _, rest = key.partition(".")
        if name not in parts:
            raise UserError(
                f"{plain(key)} is unknown; {' and '.join(f'{name}.*' for name in names)} were expected"
            )
        parts[name][rest] = value
    return parts


def _kind(opts, structure) -> str:
    name = opts.get("encoder_type")
    known = published_encoders()
    if not isinstance(name, str) or name not in known:
        said = shown(name) if isinstance(name, str) else "of no name"
        raise UserError(
            f"its opts state encoder_type {said}, and tensors alone do not tell encoders "
            f"apart; known: {', '.join(known)}"
        )
    if known[name][:2] != (structure.trunk, structure.heads):
        raise UserError(
            f"its opts state {name}, but its tensors are those of a {structure.trunk} with "
            f"{structure.heads} heads; the file is damaged"
        )
    if structure.input_nc == _WITH_LAST_RESULT:
        return "restyle"
    return "e4e" if name == "Encoder4Editing" else "psp"


def _check_styles(structure, generator) -> None:
    layers = count_latents(generator)
    wanted = 1 if structure.heads == "w" else layers
    if structure.styles != wanted or generator["style_dim"] != _WIDTH:
        raise UserError(
            f"its encoder makes {counted(structure.styles, 'style')} of {_WIDTH}, its generator takes "
            f"{layers} of {generator['style_dim']}; the file is damaged"
        )


def _convert(state, generator, kind, config, is_torch, mean, opts, left) -> Converted:
    specs = encoder_parameters(network_config(config))
    key_map = torch_keys(specs) if is_torch else paddle_keys(specs)
    encoder, dropped = map_state_dict(key_map, state, [BATCHES_SEEN])
    decoder = generator.convert()
    state = {
        **{f"encoder.{key}": value for key, value in encoder.items()},
        **{f"decoder.{key}": value for key, value in decoder.state.items()},
    }
    ignored = {
        **left,
        **{f"encoder.{key}": reason for key, reason in dropped.items()},
        **{f"decoder.{key}": reason for key, reason in decoder.ignored.items()},
    }
    notes, mean = decoder.notes, decoder.extras.get(MEAN) if mean is None else mean
    extras = {} if mean is None else {MEAN: _mean_latent(mean, config["generator"])}
    if not extras:
        notes = (*notes, f"it has no {MEAN}; the mean of sampled latents has to stand in")
    return Converted(kind, state, config, extras, ignored, notes, opts)


def network_config(config: dict) -> dict:
    """The config of build_encoder for the network that a converted encoder's config describes."""
    return {
        "encoder_type": config["encoder_type"],
        "num_styles": count_latents(config["generator"]),
        "input_channels": config["encoder"]["input_nc"],
        "style_dim": config["generator"]["style_dim"],
    }


def _mean_latent(value, generator) -> np.ndarray:
    """What the encoder's output is added to: `[1, L, D]`, or `[1, D]` where all layers share it."""
    dim, layers = generator["style_dim"], count_latents(generator)
    is_floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    if not is_floats or value.size not in (dim, layers * dim) or value.shape[-1] != dim:
        shape = list(getattr(value, "shape", ()))
        raise UserError(f"{MEAN} is {shape}; floats of [{dim}] or [{layers}, {dim}] are expected")
    return value.astype(np.float32).reshape((1, dim) if value.size == dim else (1, layers, dim))
