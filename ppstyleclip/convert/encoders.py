# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders from pictures to w_plus, each with the generator that it was trained for: pSp, e4e, ReStyle.

Several encoders have the same tensors and compute different things; only `opts["encoder_type"]` tells them
apart, so a file without it is refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from ppstyleclip.convert.faces import irse50_body_targets
from ppstyleclip.convert.kinds import Converted, Recognised
from ppstyleclip.convert.stylegan2 import MEAN, convert_state, describe, read_config
from ppstyleclip.convert.table import (
    BATCHES_SEEN,
    Target,
    fill,
    norm_targets,
    paddle_rows,
    shape_of,
    torch_rows,
)
from ppstyleclip.errors import UserError

_RESNET34 = ((64, 64, 3), (64, 128, 4), (128, 256, 6), (256, 512, 3))  # in, out, blocks
_WIDTH = 512  # of every style head
_COARSE, _MIDDLE = 3, 7  # styles that look at 16 px, and at 32 px
_IMAGE_CHANNELS, _WITH_LAST_RESULT = 3, 6


class Structure(NamedTuple):
    """What the tensors of an encoder tell: trunk "irse50" or "resnet34"; heads "gradual" (16, 32 and 64 px),
    "flat" (16 px), "w" or "w_plus" (one linear layer); and how many styles come out (1 for "w")."""

    trunk: str
    heads: str
    input_nc: int
    styles: int


# opts["encoder_type"]: the structures that it may have.
ENCODERS = {
    "GradualStyleEncoder": ("irse50", "gradual"),
    "Encoder4Editing": ("irse50", "gradual"),
    "BackboneEncoderUsingLastLayerIntoW": ("irse50", "w"),
    "BackboneEncoderUsingLastLayerIntoWPlus": ("irse50", "w_plus"),
    "BackboneEncoder": ("irse50", "flat"),
    "ProgressiveBackboneEncoder": ("irse50", "flat"),
    "ResNetBackboneEncoder": ("resnet34", "flat"),
    "ResNetProgressiveBackboneEncoder": ("resnet34", "flat"),
    "ResNetGradualStyleEncoder": ("resnet34", "gradual"),
}
_SAYS = {"psp": "pSp", "e4e": "e4e", "restyle": "ReStyle"}
_TRAINING = (
    "global_step",
    "optimizer",
    "best_val_loss",
    "discriminator_state_dict",
    "discriminator_optimizer_state_dict",
)
_KEPT = ("encoder_type", "learn_in_w", "start_from_latent_avg", "n_iters_per_batch", "label_nc")


def encoder_targets(structure: Structure) -> dict:
    """Key and shape of everything in an encoder's state dict, `{key: Target}`."""
    trunk, heads, input_nc, styles = structure
    targets = irse50_body_targets(input_nc) if trunk == "irse50" else _resnet34_targets(input_nc)
    if heads in ("gradual", "flat"):
        for index in range(styles):
            convs = 4 if heads == "flat" or index < _COARSE else 5 if index < _MIDDLE else 6
            targets.update(_head(f"styles.{index}", convs))
    if heads == "gradual":
        for name, before in (("latlayer1", 256), ("latlayer2", 128)):
            targets[f"{name}.weight"] = Target((_WIDTH, before, 1, 1))
            targets[f"{name}.bias"] = Target((_WIDTH,))
    if heads == "w_plus":
        targets.update(norm_targets("output_layer_2.0", _WIDTH))
        targets.update(_linear("output_layer_2.3", 49 * _WIDTH, _WIDTH))
    if heads in ("w", "w_plus"):
        targets.update(_linear("linear", _WIDTH, styles * _WIDTH))
    return targets


def _head(name, convs) -> dict:
    """A style head: strided convolutions down to 1 px, an activation behind each, then a linear layer."""
    targets = {}
    for index in range(convs):
        targets[f"{name}.convs.{2 * index}.weight"] = Target((_WIDTH, _WIDTH, 3, 3))
        targets[f"{name}.convs.{2 * index}.bias"] = Target((_WIDTH,))
    return {**targets, **_linear(f"{name}.linear", _WIDTH, _WIDTH)}


def _linear(name, before, after) -> dict:
    return {f"{name}.weight": Target((before, after), is_linear=True), f"{name}.bias": Target((after,))}


def _resnet34_targets(input_nc) -> dict:
    targets = {
        "conv1.weight": Target((64, input_nc, 7, 7)),
        **norm_targets("bn1", 64),
        "relu._weight": Target((64,)),
    }
    widths = [
        (first if block == 0 else depth, depth) for first, depth, count in _RESNET34 for block in range(count)
    ]
    for index, (before, depth) in enumerate(widths):
        name = f"body.{index}"
        targets.update(
            {
                f"{name}.conv1.weight": Target((depth, before, 3, 3)),
                **norm_targets(f"{name}.bn1", depth),
                f"{name}.conv2.weight": Target((depth, depth, 3, 3)),
                **norm_targets(f"{name}.bn2", depth),
            }
        )
        if before != depth:
            targets[f"{name}.downsample.0.weight"] = Target((depth, before, 1, 1))
            targets.update(norm_targets(f"{name}.downsample.1", depth))
    return targets


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
        raise UserError(f"a checkpoint with an encoder holds {', '.join(unknown[:3])}, which is unknown")
    return _recognised(state, content.get("opts"), content.get(MEAN), True, left)


def recognise_paddle_psp(content, container) -> Recognised | None:
    """PaddleGAN's pSp-*.pdparams: encoder, decoder, latent_avg and opts side by side."""
    if not isinstance(content, dict) or "encoder.input_layer.0.weight" not in content:
        return None
    state = {key: value for key, value in content.items() if key not in ("opts", MEAN)}
    is_torch = "encoder.input_layer.1.running_mean" in content
    return _recognised(state, content.get("opts"), content.get(MEAN), is_torch, {})


def _recognised(state, opts, mean, is_torch, left) -> Recognised:
    parts = split_parts(state, "encoder", "decoder")
    opts = opts if isinstance(opts, dict) else {}
    if any(key.startswith("synthesis.") for key in parts["decoder"]):
        raise UserError("this encoder was trained for StyleGAN3, which cannot be drawn yet; StyleGAN2 can")
    structure = read_structure(parts["encoder"])
    kind = _kind(opts, structure)
    generator = read_config(parts["decoder"], is_torch)
    config = {
        "encoder": structure._asdict(),
        "generator": generator,
        **{key: opts[key] for key in _KEPT if isinstance(opts.get(key), (str, bool, int))},
    }
    _check_styles(structure, generator)

    def convert() -> Converted:
        return _convert(parts, kind, config, structure, is_torch, mean, opts, left)

    says = (
        f"{_SAYS[kind]} encoder ({opts['encoder_type']}, {structure.styles} styles) with its StyleGAN2 "
        f"generator, {describe(generator)}"
    )
    return Recognised(kind, says, config, convert)


def split_parts(state: dict, *names) -> dict:
    """Cut a state dict by the first word of its keys, `{name: {rest of the key: array}}`.

    Raises:
        UserError: a key starts with another word.
    """
    parts = {name: {} for name in names}
    for key, value in state.items():
        name, _, rest = key.partition(".")
        if name not in parts:
            raise UserError(f"{key} is unknown; {' and '.join(f'{name}.*' for name in names)} were expected")
        parts[name][rest] = value
    return parts


def _kind(opts, structure) -> str:
    name = opts.get("encoder_type")
    if not isinstance(name, str) or name not in ENCODERS:
        said = repr(name)[:40] if isinstance(name, str) else "of no name"
        raise UserError(
            f"its opts state encoder_type {said}, and tensors alone do not tell encoders "
            f"apart; known: {', '.join(ENCODERS)}"
        )
    if ENCODERS[name] != (structure.trunk, structure.heads):
        raise UserError(
            f"its opts state {name}, but its tensors are those of a {structure.trunk} with "
            f"{structure.heads} heads; the file is damaged"
        )
    if structure.input_nc == _WITH_LAST_RESULT:
        return "restyle"
    return "e4e" if name == "Encoder4Editing" else "psp"


def _check_styles(structure, generator) -> None:
    layers = 2 * (generator["size"].bit_length() - 1) - 2
    if structure.styles not in (layers, 1) or generator["style_dim"] != _WIDTH:
        raise UserError(
            f"its encoder makes {structure.styles} styles of {_WIDTH}, its generator takes "
            f"{layers} of {generator['style_dim']}; the file is damaged"
        )


def _convert(parts, kind, config, structure, is_torch, mean, opts, left) -> Converted:
    targets = encoder_targets(structure)
    rows = torch_rows(targets) if is_torch else paddle_rows(targets)
    encoder, dropped = fill(rows, parts["encoder"], [BATCHES_SEEN])
    decoder, blurs = convert_state(parts["decoder"], config["generator"], is_torch)
    state = {
        **{f"encoder.{key}": value for key, value in encoder.items()},
        **{f"decoder.{key}": value for key, value in decoder.items()},
    }
    ignored = {
        **left,
        **{f"encoder.{key}": reason for key, reason in dropped.items()},
        **{f"decoder.{key}": reason for key, reason in blurs.items()},
    }
    extras = {} if mean is None else {MEAN: _mean_latent(mean, config["generator"])}
    notes = () if extras else (f"it has no {MEAN}; the mean of sampled latents has to stand in",)
    return Converted(kind, state, config, extras, ignored, notes, opts)


def _mean_latent(value, generator) -> np.ndarray:
    """What the encoder's output is added to: `[1, L, D]`, or `[1, D]` where all layers share it."""
    dim, layers = generator["style_dim"], 2 * (generator["size"].bit_length() - 1) - 2
    is_floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    if not is_floats or value.size not in (dim, layers * dim) or value.shape[-1] != dim:
        shape = list(getattr(value, "shape", ()))
        raise UserError(f"{MEAN} is {shape}; floats of [{dim}] or [{layers}, {dim}] are expected")
    return value.astype(np.float32).reshape((1, dim) if value.size == dim else (1, layers, dim))
