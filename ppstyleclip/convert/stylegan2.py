# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2 generators under PaddleGAN's and rosinality's keys; linear layers are laid out differently."""

from __future__ import annotations

import re

import numpy as np

from ppstyleclip.convert.architecture import infer_generator_config
from ppstyleclip.convert.key_map import map_state_dict, paddle_keys, shape_of, torch_keys
from ppstyleclip.convert.networks import generator_parameters
from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError, named, plain
from ppstyleclip.wording import counted

_OWN_KEY = re.compile(r"conv1\.conv\.weight|convs\.\d+\.conv\.weight|style\.\d+\.weight")
_LINEAR = re.compile(r"style\.\d+\.weight|.*\.modulation\.weight")
_MODULATION = re.compile(r".*\.modulation\.weight")
_FILTER = re.compile(r".*\.kernel")
_BLUR = (r"convs\.\d+\.conv\.blur\.kernel", "blur filters are constants of our layers")
_CONDITION = re.compile(r"(.*[._])?(embed|embedding|label|class|cond)[a-z_]*\.(weight|bias)")
_DRAWN = (
    "it has no noise pictures (noises.*); fixed ones were drawn, so details such as single hairs differ from "
    "its authors' pictures"
)
_TRAINING = ("g", "d", "g_optim", "d_optim", "args", "ada_aug_p")
TAPS = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64.0
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
    origin = "rosinality's keys" if is_torch else "PaddleGAN's keys"
    return recognised_stylegan2(state, is_torch, mean, {}, f" ({origin})")


def recognise_rosinality(content, container) -> Recognised | None:
    """A checkpoint of rosinality's code: g_ema, with latent_avg or with what training needs."""
    if not isinstance(content, dict) or not isinstance(content.get("g_ema"), dict):
        return None
    mean = {MEAN: content[MEAN]} if MEAN in content else {}
    left = {key: "only g_ema, the averaged generator, is converted" for key in content if key in _TRAINING}
    unknown = sorted(set(content) - set(left) - {"g_ema", MEAN})
    if unknown:
        raise UserError(f"a checkpoint with g_ema holds {named(unknown, 3)}, which is unknown")
    return recognised_stylegan2(content["g_ema"], True, mean, left, " (rosinality's checkpoint)")


def recognised_stylegan2(state: dict, is_torch: bool, mean: dict, left: dict, origin: str) -> Recognised:
    """Describe a StyleGAN2.

    Args:
        state: its state dict, under PaddleGAN's keys or rosinality's.
        is_torch: whether its linear layers are torch's.
        mean: {} or `{"latent_avg": array}`.
        left: `{key of the file: reason}` of what was left out before.
        origin: for the description.
    Raises:
        UserError: it is conditional, or its shapes contradict each other.
    """
    config = read_config(state, is_torch)
    description = f"StyleGAN2 generator{origin}, {describe(config)}"

    def convert() -> Converted:
        made, ignored, notes = convert_state(state, config, is_torch)
        extras = {MEAN: mean_w(mean[MEAN], config)} if mean else {}
        return Converted("generator", made, config, extras, {**left, **ignored}, notes)

    return Recognised("generator", description, config, convert)


def read_config(state: dict, is_torch: bool) -> dict:
    """As infer_generator_config, also for torch's layout of linear layers; a conditional one is named so."""
    conditions = [key for key in state if _CONDITION.match(key)]
    if conditions:
        raise UserError(
            f"this generator is conditional: it takes a class ({conditions[0]}); only unconditional ones "
            "can be converted"
        )
    if is_torch:
        state = {
            key: value.T if _LINEAR.fullmatch(key) and isinstance(value, np.ndarray) else value
            for key, value in state.items()
        }
    return infer_generator_config(state)


def convert_state(state: dict, config: dict, is_torch: bool) -> tuple:
    """Convert the state dict of a generator.

    Returns:
        (our state dict, `{ignored key: reason}`, notes on constants that it lacks and that were filled in).
    Raises:
        UserError: a key is missing, unknown or misshapen, or a filter is not [1, 3, 3, 1].
    """
    for key in filter(_FILTER.fullmatch, state):
        check_filter(key, state[key], 4.0)
    specs = generator_parameters(config)
    noises = {key: spec.shape for key, spec in specs.items() if key.startswith("noises.")}
    state, notes = with_constants(state, noises, [key for key in specs if _FILTER.fullmatch(key)], 4 * TAPS)
    key_map = torch_keys(specs) if is_torch else paddle_keys(specs)
    return (*map_state_dict(key_map, state, [_BLUR]), notes)


def with_constants(state: dict, noises: dict, filters: list[str], taps: np.ndarray) -> tuple:
    """Fill in what a generator computes with and no training moves, where its file leaves it out.

    Filters are the same in all generators that can be converted. Noise pictures are drawn, always the same
    ones, and only where the file has none at all: if some are there, the others were cut off.

    Args:
        state: the file's state dict.
        noises: `{key: shape}` of the noise pictures, as the file calls them.
        filters: keys of the filters.
        taps: `[4, 4]`, the filter as the file has it.
    Returns:
        (the state dict with all constants, notes: one line on drawn noise, or none).
    """
    state = {**{key: np.float32(taps) for key in filters}, **state}
    if any(key in state for key in noises):
        return state, ()
    for number, (key, shape) in enumerate(noises.items()):
        state[key] = np.random.RandomState(number).standard_normal(shape).astype(np.float32)
    return state, (_DRAWN,)


def check_filter(key: str, kernel, gain: float) -> None:
    """Refuse any filter but [1, 3, 3, 1], whose taps sum to `gain`."""
    is_plain = isinstance(kernel, np.ndarray) and kernel.shape == TAPS.shape and kernel.dtype.kind == "f"
    if not is_plain or not np.allclose(kernel, gain * TAPS, rtol=0, atol=1e-3):
        raise UserError(f"{plain(key)} is not the filter [1, 3, 3, 1]; no other can be converted")


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
