# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What belongs to a generator: statistics and samples of its styles, relevance, directions, latents."""

from __future__ import annotations

import re

import numpy as np

from ppstyleclip.convert.types import Converted, Recognised
from ppstyleclip.errors import UserError, named, plain
from ppstyleclip.wording import counted

# Names in PaddleGAN's file of editing directions; a dict with one of them is such a file.
EDITS = (
    "age",
    "eyes_open",
    "eye_distance",
    "eye_eyebrow_distance",
    "eye_ratio",
    "gender",
    "lip_ratio",
    "mouth_open",
    "mouth_ratio",
    "nose_mouth_distance",
    "nose_ratio",
    "nose_tip",
    "pitch",
    "roll",
    "smile",
    "yaw",
)
_STRENGTH = "strength"
_NO_EDITS = ("w_plus", "w", "latent", "latents", "weight", "bias", "mean", "std", "s", "relevance", _STRENGTH)
_LATENTS = ("w_plus", "latent", "latents")
_LAYERS = range(4, 19, 2)  # that w_plus has at 8 to 1024 px; another matrix is no latent
_UNIT = 0.02  # how far a row's length may be from 1; files in float16 exist
_OF_STYLEGAN3 = re.compile(r"L\d{1,3}_\d{1,5}_\d{1,5}")  # a layer's name


def recognise_statistics(content, container) -> Recognised | None:
    """Mean and deviation of each style: PaddleGAN's dict of lists, ours, the official pair of lists, or
    stylegan3-editing's s_stats: how the canvas lies, means and deviations by layer."""
    if _is_list(content) and len(content) == 3 and all(_is_by_layer(part, 1) for part in content[1:]):
        mean, std = (_in_order(part) for part in content[1:])
        origin, left = "s_stats of stylegan3-editing", {"transform": "how the canvas lies is in the means"}
    elif isinstance(content, dict) and {"mean", "std"} <= set(content):
        mean, std, origin = content["mean"], content["std"], "mean and std"
        left = {key: "not statistics" for key in content if key not in ("mean", "std")}
    elif _is_pair(content) and all(_are_vectors(part) for part in content):
        (mean, std), origin, left = content, "the official S_mean_std", {}
    else:
        return None
    widths = _widths(mean)
    config = {"channels": widths}
    description = f"statistics of {describe_widths(widths)} ({origin})"

    def convert() -> Converted:
        state = {"mean": _joined(mean, "mean"), "std": _joined(std, "std")}
        if _widths(std) != widths:
            raise UserError(
                f"mean has {counted(len(widths), 'layer')} and std {len(_widths(std))}, or of other widths; "
                "the file is damaged"
            )
        return Converted("statistics", state, config, ignored=left)

    return Recognised("statistics", description, config, convert)


def recognise_styles(content, container) -> Recognised | None:
    """Styles of N faces: the official S (names and arrays), PaddleGAN's list of arrays `[N, C]`,
    stylegan3-editing's S by layer, or ours."""
    names = None
    content = _in_order(content) if _is_by_layer(content, 2) else content
    if isinstance(content, dict) and set(content) == {"s"}:
        content = [content["s"]]
    if _is_pair(content) and _is_list(content[0]) and content[0] and all(type(n) is str for n in content[0]):
        names, content = content
    if not _is_list(content) or not content or not all(_is_floats(part, 2) for part in content):
        return None
    if len({len(part) for part in content}) != 1 or names is not None and len(names) != len(content):
        return None
    widths = [part.shape[1] for part in content]
    config = {"channels": widths}
    description = f"styles of {counted(len(content[0]), 'face')}, {describe_widths(widths)}"
    return Recognised(
        "styles",
        description,
        config,
        lambda: Converted("styles", {"s": np.concatenate(content, axis=1).astype(np.float32)}, config),
    )


def recognise_relevance(content, container) -> Recognised | None:
    """Relevance: official fs3.npy, PaddleGAN's global directions, or ours; an array `[E, D]` of unit rows."""
    beside = {}
    if isinstance(content, dict) and {"relevance"} <= set(content) <= {"relevance", _STRENGTH}:
        beside = {_STRENGTH: content[_STRENGTH]} if _STRENGTH in content else {}
        content = content["relevance"]
    if not _is_floats(content, 2) or 0 in content.shape:
        return None
    lengths = np.linalg.norm(np.asarray(content, np.float32), axis=1)
    if not ((np.abs(lengths - 1) < _UNIT) | (lengths == 0)).all():
        return None
    rows, columns = content.shape
    config = {"rows": rows, "columns": columns}
    description = f"relevance of {rows} style channels, for CLIP features of {columns}"
    return Recognised(
        "relevance",
        description,
        config,
        lambda: Converted("relevance", {"relevance": np.array(content, np.float32)}, config, beside),
    )


def recognise_directions(content, container) -> Recognised | None:
    """PaddleGAN's editing directions: a dict of steps in w_plus, `[L, D]` or `[D]`."""
    if not isinstance(content, dict) or not (set(EDITS) & set(content) or _are_steps(content)):
        return None
    return directions_of(content)


def _are_steps(content: dict) -> bool:
    """Whether arrays under words of their own are `[L, D]`, `[1, D]` or `[D]` of one generator."""
    is_named = all(re.fullmatch(r"\w+", name) and name not in _NO_EDITS for name in content)
    if not content or not is_named or not all(_is_floats(v, 1) or _is_floats(v, 2) for v in content.values()):
        return False
    shapes = {np.atleast_2d(value).shape for value in content.values()}
    layers = {shape[0] for shape in shapes} - {1}
    return len({shape[1] for shape in shapes}) == 1 and len(layers) <= 1


def directions_of(content: dict) -> Recognised:
    """Directions, whatever they are called."""
    state = {}
    for name, value in content.items():
        is_floats = isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 0
        if not is_floats or not 1 <= value.ndim <= 3:
            raise UserError(f"direction '{plain(name)}' is no array of floats, [layers, width]")
        state[name] = value.astype(np.float32).reshape(-1, value.shape[-1])  # [L or 1, D]
    config = {"names": sorted(state)}
    description = f"{len(state)} editing directions in w_plus: {named(sorted(state), 4)}"
    return Recognised("directions", description, config, lambda: Converted("directions", state, config))


def recognise_latents(content, container) -> Recognised | None:
    """Latents w_plus: one face `[L, D]` or several `[N, L, D]`, alone or by name."""
    if isinstance(content, dict) and len(content) == 1 and set(content) <= set(_LATENTS):
        (content,) = content.values()
    if not _is_floats(content, 2) and not _is_floats(content, 3):
        return None
    if 0 in content.shape or content.shape[-2] not in _LAYERS:
        return None
    faces, (layers, width) = len(content) if content.ndim == 3 else 1, content.shape[-2:]
    config = {"faces": faces, "layers": layers, "width": width}
    description = f"latents w_plus of {counted(faces, 'face')}, {layers} layers of {width}"
    return Recognised(
        "latents",
        description,
        config,
        lambda: Converted("latents", {"w_plus": np.array(content, np.float32)}, config),
    )


def complete_relevance(relevance: np.ndarray, widths) -> tuple:
    """Fill up relevance that ends with a layer, as the official script's does at 128 px, with zero rows.

    Args:
        relevance: `[E', D]`, the first channels.
        widths: number of channels of each editable layer.
    Returns:
        (`[E, D]`, number of layers that were missing); what does not end with a layer comes back as it is.
    """
    ends = np.cumsum(widths)
    if relevance.ndim != 2 or relevance.shape[0] not in ends[:-1]:
        return relevance, 0
    rest = np.zeros((ends[-1] - relevance.shape[0], relevance.shape[1]), relevance.dtype)
    return np.concatenate([relevance, rest]), int((ends > relevance.shape[0]).sum())


def describe_widths(widths) -> str:
    """Channels and layers in words; a single vector does not say how it falls into layers."""
    channels = counted(sum(widths), "style channel")
    return f"{channels} in {len(widths)} layers" if len(widths) > 1 else channels


def _is_by_layer(value, rank) -> bool:
    """Whether it is a dict of arrays by StyleGAN3's layers: "input", "L0_36_1024", ..."""
    if not isinstance(value, dict) or len(value) < 2 or not all(_is_floats(v, rank) for v in value.values()):
        return False
    first, *others = value
    return first == "input" and all(type(name) is str and _OF_STYLEGAN3.fullmatch(name) for name in others)


def _in_order(by_layer) -> list:
    """The arrays of a dict by layer, as our networks have them.

    Parity: stylegan3-editing's style of ToRGB, the last one, holds the gain 1 / sqrt(C) of its layer.
    """
    *first, to_rgb = by_layer.values()
    return [*first, to_rgb * np.sqrt(to_rgb.shape[-1], dtype=np.float32)]


def _is_list(value) -> bool:
    return isinstance(value, (list, tuple))


def _is_pair(value) -> bool:
    return _is_list(value) and len(value) == 2


def _is_floats(value, rank) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == rank and value.dtype.kind == "f"


def _are_vectors(value) -> bool:
    return _is_list(value) and len(value) > 0 and all(_is_floats(part, 1) for part in value)


def _widths(value) -> list:
    try:
        return [int(np.size(part)) for part in value] if _is_list(value) else [int(np.size(value))]
    except ValueError:  # lists of different lengths
        raise UserError("its statistics hold no numbers") from None


def _joined(value, word) -> np.ndarray:
    """One flat vector of a list of vectors, or of one."""
    parts = value if _is_list(value) else [value]
    try:
        arrays = [np.asarray(part) for part in parts]
        if any(array.dtype.kind not in "fiu" for array in arrays):
            raise TypeError(arrays[0].dtype)
        return np.concatenate([array.astype(np.float32).reshape(-1) for array in arrays])
    except (TypeError, ValueError):
        raise UserError(f"'{word}' holds no numbers") from None
