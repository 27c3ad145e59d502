# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2 generators under PaddleGAN's and rosinality's keys; linear layers are laid out differently."""

from __future__ import annotations

import re

import numpy as np

from ppstyleclip.convert.architecture import infer_generator_config
from ppstyleclip.convert.key_map import map_state_dict, paddle_keys, shape_of, torch_keys
from ppstyleclip.convert.networks import generator_parameters
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError
from ppstyleclip.wording import counted

_OWN_KEY = re.compile(r"conv1\.conv\.weight|convs\.\d+\.conv\.weight|style\.\d+\.weight")
_LINEAR = re.compile(r"style\.\d+\.weight|.*\.modulation\.weight")
_MODULATION = re.compile(r".*\.modulation\.weight")
_FILTER = re.compile(r".*\.kernel")
_BLUR = (r"convs\.\d+\.conv\.blur\.kernel", "blur filters are constants of our layers")
_TRAINING = ("g", "d", "g_optim", "d_optim", "args", "ada_aug_p")
_TAPS = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64.0
MEAN = "latent_avg"
# As formats.sniff names them; asked only where all linear layers are square.
TORCH_CONTAINERS = ("zip", "torch-legacy")


def recognise_paddlegan(content, container) -> Recognised | None:
    """A bare state dict: PaddleGAN's generator or ours, or rosinality's without its checkpoint around it."""
    if not isinstance(content, dict) or not any(_OWN_KEY.fullmatch(key) for key in content):
        return None
    is_torch = _has_torch_layout(content, container)
    mean = {MEAN: content[MEAN]} if MEAN in content else {}
    state = {key: value for key, value in content.items() if key != MEAN}
    return _recognised(state, is_torch, mean, {}, "rosinality's keys" if is_torch else "PaddleGAN's keys")


def recognise_rosinality(content, container) -> Recognised | None:
    """A checkpoint of rosinality's code: g_ema, with latent_avg or with what training needs."""
    if not isinstance(content, dict) or not isinstance(content.get("g_ema"), dict):
        return None
    mean = {MEAN: content[MEAN]} if MEAN in content else {}
    left = {key: "only g_ema, the averaged generator, is converted" for key in content if key in _TRAINING}
    unknown = sorted(set(content) - set(left) - {"g_ema", MEAN})
    if unknown:
        raise UserError(f"a checkpoint with g_ema holds {', '.join(unknown[:3])}, which is unknown")
    return _recognised(content["g_ema"], True, mean, left, "rosinality's checkpoint")


def _recognised(state, is_torch, mean, left, origin) -> Recognised:
    config = read_config(state, is_torch)
    description = f"StyleGAN2 generator ({origin}), {describe(config)}"

    def convert() -> Converted:
        made, ignored = convert_state(state, config, is_torch)
        extras = {MEAN: mean_w(mean[MEAN], config)} if mean else {}
        return Converted("generator", made, config, extras, {**left, **ignored})

    return Recognised("generator", description, config, convert)


def read_config(state: dict, is_torch: bool) -> dict:
    """As infer_generator_config, also for torch's layout of linear layers; UserError likewise."""
    if is_torch:
        state = {
            key: value.T if _LINEAR.fullmatch(key) and isinstance(value, np.ndarray) else value
            for key, value in state.items()
        }
    return infer_generator_config(state)


def convert_state(state: dict, config: dict, is_torch: bool) -> tuple:
    """Convert the state dict of a generator.

    Returns:
        (our state dict, `{ignored key: reason}`).
    Raises:
        UserError: a key is missing, unknown or misshapen, or a filter is not [1, 3, 3, 1].
    """
    for key in filter(_FILTER.fullmatch, state):
        check_filter(key, state[key], 4.0)
    specs = generator_parameters(config)
    return map_state_dict(torch_keys(specs) if is_torch else paddle_keys(specs), state, [_BLUR])


def check_filter(key: str, kernel, gain: float) -> None:
    """Refuse any filter but [1, 3, 3, 1], whose taps sum to `gain`."""
    is_plain = isinstance(kernel, np.ndarray) and kernel.shape == _TAPS.shape and kernel.dtype.kind == "f"
    if not is_plain or not np.allclose(kernel, gain * _TAPS, rtol=0, atol=1e-3):
        raise UserError(f"{key} is not the filter [1, 3, 3, 1]; no other can be converted")


def mean_w(value, config: dict) -> np.ndarray:
    """The mean w as `[D]` float32."""
    is_floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    if not is_floats or value.size != config["style_dim"]:
        shape = list(getattr(value, "shape", ()))
        raise UserError(f"{MEAN} is {shape}; the generator's w has {config['style_dim']} numbers")
    return value.reshape(-1).astype(np.float32)


def describe(config: dict) -> str:
    """Size and widths in words."""
    channels = config["channels"]
    return (
        f"{config['size']} px, {max(channels.values())} to {min(channels.values())} channels, "
        f"mapping of {counted(config['n_mlp'], 'layer')}, w of {config['style_dim']}"
    )


def _has_torch_layout(state, container) -> bool:
    """Tell the layout of linear layers by the axis that has one length throughout, which is that of w."""
    shapes = [shape_of(state, key) for key in state if _MODULATION.fullmatch(key)]
    ours, theirs = (len({shape[axis] for shape in shapes if len(shape) == 2}) <= 1 for axis in (0, 1))
    return theirs and not ours or ours and theirs and container in TORCH_CONTAINERS


def generator_sample(state: dict) -> list:
    """A few numbers by which a StyleGAN2 is known again: of the constant with which it begins to draw.

    Args:
        state: `{key: array}`, under PaddleGAN's or rosinality's keys.
    Returns:
        8 numbers; [] where there is no such constant.
    """
    if not isinstance(state.get("input.input"), np.ndarray):
        return []
    return [float(f"{value:.6g}") for value in np.asarray(state["input.input"], np.float32).reshape(-1)[:8]]
