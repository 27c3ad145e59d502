# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""NVIDIA's StyleGAN2 networks (stylegan2-ada-pytorch, and the ones that the stylegan3 code writes); for its
StyleGAN3 networks see stylegan3.py.

They differ from rosinality's in names, in axes of length one, and in filters that sum to 1 instead of 4. The
enlarging convolutions are stored the same way round. A clamp of activations leaves no trace in the weights;
ours has none, and says so.
"""

from __future__ import annotations

import re

from ppstyleclip.convert.architecture import multiplier_of
from ppstyleclip.convert.key_map import (
    KeyMapping,
    batch_of_one,
    map_state_dict,
    one_number,
    same,
    shape_of,
    transposed,
)
from ppstyleclip.convert.networks import generator_parameters
from ppstyleclip.convert.nvidia_settings import read_settings
from ppstyleclip.convert.stylegan2 import MEAN, TAPS, check_filter, describe, mean_w, with_constants
from ppstyleclip.convert.stylegan3 import is_stylegan3, recognised_stylegan3
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError, named, shown

_FILTER = re.compile(r"synthesis\.b\d+\.(conv[01]\.)?resample_filter")
_OUR_KEY = re.compile(r"([a-z_]+1?)\.(?:(?:noise_)?(\d+)(?:\.|$))?(.*)")
_BLOCK = re.compile(r"synthesis\.b(\d{1,4})\.conv1\.weight")
_MAPPING = re.compile(r"mapping\.fc(\d+)\.weight")
_IGNORED = [
    (r"synthesis\.b\d+\.conv[01]\.resample_filter", "blur filters are constants of our layers"),
    (r"synthesis\.b4\.resample_filter", "nothing is enlarged at 4 px"),
]
_MEAN = "mapping.w_avg"
_TRAINING = ("G", "D", "augment_pipe", "training_set_kwargs")


def recognise_nvidia(content, container) -> Recognised | None:
    """A pickle with G_ema, that network alone, or its bare state dict."""
    network, left = content, {}
    if isinstance(content, dict) and "G_ema" in content:
        network = content["G_ema"]
        left = {key: "only G_ema, the averaged generator, is converted" for key in content if key != "G_ema"}
        unknown = sorted(set(left) - set(_TRAINING))
        if unknown:
            raise UserError(f"a pickle with G_ema holds {named(unknown, 3)}, which is unknown")
    state = network.state() if hasattr(network, "state") else network
    if not isinstance(state, dict) or _MEAN not in state and "synthesis.b4.const" not in state:
        return None
    if is_stylegan3(state):
        return recognised_stylegan3(network, state, left)
    _refuse_other_architectures(state)
    settings = read_settings(network)
    config = _read_config(state, settings)

    def convert() -> Converted:
        for key in filter(_FILTER.fullmatch, state):
            check_filter(key, state[key], 1.0)
        weights = {key: value for key, value in state.items() if key != _MEAN}
        weights, drawn = _with_constants(weights, config)
        made, ignored = map_state_dict(_key_map(config), weights, _IGNORED)
        extras = {MEAN: mean_w(state[_MEAN], config)} if _MEAN in state else {}
        return Converted("generator", made, config, extras, {**left, **ignored}, (*_notes(settings), *drawn))

    return Recognised("generator", f"StyleGAN2 generator (NVIDIA's), {describe(config)}", config, convert)


def _with_constants(state, config) -> tuple:
    key_map = _key_map(config)
    noises = {one.source: one.shape[2:] for one in key_map if one.transform is picture}
    filters = dict.fromkeys(one.source for one in key_map if one.transform is four_times)
    return with_constants(state, noises, list(filters), TAPS)


def refuse_tensorflow(content, container) -> None:
    """A pickle of NVIDIA's TensorFlow code: (G, D, Gs). It is only named; there is no table for it."""
    first = content[-1] if isinstance(content, (list, tuple)) and content else None
    if str(getattr(first, "class_name", "")).endswith("tflib.network.Network"):
        raise UserError(
            "this is a network of NVIDIA's TensorFlow code; take its PyTorch version, or first "
            "convert it with legacy.py of stylegan2-ada-pytorch"
        )


def _refuse_other_architectures(state) -> None:
    reasons = (
        (r"mapping\.embed\..*", "it is conditional (its mapping takes a class)"),
        (r"synthesis\.b\d+\.skip\..*", "its architecture is 'resnet'"),
        (r"synthesis\.b4\.conv0\..*", "its first block has two convolutions"),
    )
    found = [reason for pattern, reason in reasons if any(re.fullmatch(pattern, key) for key in state)]
    if "synthesis.b4.torgb.weight" not in state:
        found.append("its architecture is 'orig' (no torgb at 4 px)")
    if found:
        raise UserError(
            f"this NVIDIA network cannot be converted: {found[0]}; "
            "only the unconditional 'skip' generator can"
        )


def _read_config(state, settings) -> dict:
    other = settings.get("activations", {"lrelu"}) - {"lrelu"}
    if other:
        raise UserError(f"this NVIDIA network's activation is {shown(other.pop())}; only lrelu is known")
    sides = sorted(int(match[1]) for match in map(_BLOCK.fullmatch, state) if match)
    if not sides or sides != [2**power for power in range(2, len(sides) + 2)] or not 2 <= len(sides) <= 9:
        raise UserError(f"this NVIDIA network has blocks of {sides} px; 4, 8, ... up to 8 to 1024 are known")
    channels = {side: (*shape_of(state, f"synthesis.b{side}.conv1.weight"), 0)[0] for side in sides}
    dim = (0, *shape_of(state, "synthesis.b4.conv1.affine.weight"))[-1]
    n_mlp = sum(1 for key in state if _MAPPING.fullmatch(key))
    config = {
        "size": sides[-1],
        "style_dim": dim,
        "n_mlp": n_mlp,
        "channel_multiplier": multiplier_of(channels),
        "channels": channels,
    }
    lr_mlp = settings.get("lr_mlp")
    return config if lr_mlp is None else {**config, "lr_mlp": float(lr_mlp)}


def _notes(settings) -> tuple:
    clamp = settings.get("conv_clamp")
    if clamp is None:
        return ()
    said = f"that code clamps activations at {clamp:g}; ours does not, which shows only where one is reached"
    return (said,)


def four_times(array):
    """A filter with the gain of an enlargement."""
    return 4 * array


def picture(array):
    """A noise picture `[r, r]` as `[1, 1, r, r]`."""
    return array[None, None]


def per_channel(array):
    """A bias `[3]` as `[1, 3, 1, 1]`."""
    return array.reshape(1, 3, 1, 1)


_PARTS = {  # of a layer of ours: of theirs, and what is done
    "conv.weight": ("weight", batch_of_one),
    "conv.modulation.weight": ("affine.weight", transposed),
    "conv.modulation.bias": ("affine.bias", same),
    "noise.weight": ("noise_strength", one_number),
    "activate.bias": ("bias", same),
    "bias": ("bias", per_channel),
}


def _key_map(config) -> list[KeyMapping]:
    specs = generator_parameters(config)
    return [KeyMapping(key, spec.shape, *_source(key, spec.is_linear)) for key, spec in specs.items()]


def _source(key: str, is_linear: bool) -> tuple:
    """What an array of ours is called there, and what is done with it."""
    match = _OUR_KEY.fullmatch(key)
    assert match  # a generator has no other keys
    layer, number, part = match.groups()
    index = int(number or 0)
    if layer == "style":
        return f"mapping.fc{index - 1}.{part}", transposed if is_linear else same
    if layer == "input":
        return "synthesis.b4.const", batch_of_one
    if layer == "noises":
        return f"{_conv(index - 1)}.noise_const", picture
    if part == "upsample.kernel":
        return f"synthesis.b{8 * 2**index}.resample_filter", four_times
    source, transform = _PARTS[part]
    if layer in ("conv1", "convs"):
        return f"{_conv(index if number else -1)}.{source}", transform
    return f"synthesis.b{8 * 2**index if number else 4}.torgb.{source}", transform


def _conv(index: int) -> str:
    """The module of our convs.`index`; -1 stands for conv1."""
    return f"synthesis.b{8 * 2 ** (index // 2)}.conv{index % 2}" if index >= 0 else "synthesis.b4.conv1"
