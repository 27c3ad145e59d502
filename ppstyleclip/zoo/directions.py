# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Statistics and relevance to and from files, with the fingerprints of what they were made for."""

from __future__ import annotations

import contextlib
import json
import warnings
from dataclasses import asdict
from typing import Any

import numpy as np

from ppstyleclip.convert import complete_relevance
from ppstyleclip.errors import UserError, plain
from ppstyleclip.files import write_safetensors
from ppstyleclip.finite import LARGEST, check_finite
from ppstyleclip.formats import load_arrays
from ppstyleclip.schema import parsed_metadata
from ppstyleclip.stylespace import Relevance, StyleRegression, StyleStats, as_relevance
from ppstyleclip.wording import counted
from ppstyleclip.zoo.bundle import EXTRACT, GETF, EditDefaults, check_relevance, check_stats
from ppstyleclip.zoo.foreign import convert_as
from ppstyleclip.zoo.generators import stored
from ppstyleclip.zoo.metadata import MeasuredMetadata, read_own

# Of a population, in a relevance file; see StyleRegression.
CROSS, COVARIANCE, EXPLAINED = "styles_features", "features", "features_explained"
LEAST_HALF = 1e-4  # half precision has steps of 6e-8 below it
LEAST_COVARIANCE = 1e-12  # along its first axis; where all pictures look alike there is nothing to lean on


def read_stats(path, layout, *, name: str, generator: str | None = None) -> StyleStats:
    """Read statistics of a style space.

    Args:
        path: `mean` and `std`, and `below` and `above` if they are known, flat `[S]` or as lists of K arrays
            (PaddleGAN); .pdparams or safetensors; the official S_mean_std, or stylegan3-editing's s_stats.
        layout: StyleLayout of the generator.
        name: the generator's name, for messages.
        generator: its fingerprint; a file that states another one is refused.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no statistics, or those of another generator.
    """
    arrays, metadata = load_arrays(path)
    if isinstance(arrays, (list, tuple)):  # the official pair, or nothing of use
        with contextlib.suppress(UserError):
            found = convert_as("statistics", arrays, path)
            ends = np.cumsum(found.config["channels"])[:-1]
            arrays = {word: np.split(value, ends) for word, value in found.state.items()}
    if not isinstance(arrays, dict) or not {"mean", "std"} <= set(arrays):
        raise UserError(f"{path} holds no statistics; it needs 'mean' and 'std' (made by: {GETF})")
    check_made_for(metadata, path, generator=generator, name=name)
    mean, std = (_flat(arrays[word], word, layout, path, name) for word in ("mean", "std"))
    sides = [_flat(arrays[word], word, layout, path, name) for word in ("below", "above") if word in arrays]
    count = read_own(MeasuredMetadata, metadata, path).count
    stats = StyleStats(mean, std, count, *(sides if len(sides) == 2 else ()))
    try:
        check_stats(stats, layout, name)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if not (
        np.isfinite(mean).all() and all(np.isfinite(one).all() and (one >= 0).all() for one in (std, *sides))
    ):
        raise UserError(f"{path} holds negative deviations, NaN or infinity; rebuild it with: {GETF}")
    return stats


def _flat(value, word, layout, path, name) -> np.ndarray:
    if isinstance(value, list):
        widths = [part.size if isinstance(part, np.ndarray) else 0 for part in value]
        if widths != list(layout.channels):
            raise UserError(
                f"{path}: statistics ({word}) have {counted(sum(widths), 'channel')} in "
                f"{counted(len(widths), 'layer')}, generator '{name}' has {layout.size} in "
                f"{len(layout.channels)}; "
                f"rebuild them with: {GETF}"
            )
        value = np.concatenate([np.reshape(part, -1) for part in value])
    try:
        return np.array(value, dtype=np.float32)
    except (TypeError, ValueError):
        raise UserError(f"{path}: '{word}' holds no numbers; rebuild it with: {GETF}") from None


def read_relevance(path, layout, *, name: str, generator: str | None = None) -> Relevance:
    """Read the relevance of the editable style channels, with all that the file says of it.

    Args:
        path: `relevance` `[E, D]` in a safetensors file, or a single array (`.pdparams`, `.npy`). One that
            ends with an earlier layer (the official script stops at 128 px) is filled up with zero rows, and
            a warning says so. Of one for all style channels, those of inputs and ToRGB layers are left out
            (stylegan3-editing).
        layout, name, generator: as in read_stats.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no relevance, or that of another generator.
    """
    arrays, metadata = load_arrays(path)
    value = arrays.get("relevance") if isinstance(arrays, dict) else arrays
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        raise UserError(
            f"{path} holds no relevance; it needs an array of floats, [editable channels, CLIP "
            f"features] (made by: {EXTRACT})"
        )
    check_made_for(metadata, path, generator=generator, name=name)
    given = len(value) if value.ndim else 0
    value = _completed(value, layout, path)
    try:
        check_relevance(value, layout, name)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    rows = np.array(value, dtype=np.float32)
    if not np.isfinite(rows).all():
        raise UserError(f"{path} holds values that are not finite; rebuild it with: {EXTRACT}")
    own = read_own(MeasuredMetadata, metadata, path)
    return Relevance(
        rows,
        _effect_norm(arrays, len(rows), path),
        _measured(rows, given, own.made_with.channels),
        name=own.name or name,
        layout=layout,
        clip_name=own.clip_name,
        fingerprints={word: mark for word in ("generator", "clip") if (mark := getattr(own, word))},
        made_with=parsed_metadata(MeasuredMetadata, metadata, path).get("made_with", {}) if own.kind else {},
        regression=_regression(arrays, layout.size, rows.shape[1], path),
    )


def _regression(arrays, size: int, dim: int, path) -> StyleRegression | None:
    """What a relevance file says of its population: CROSS, COVARIANCE and mostly EXPLAINED; else None."""
    shapes = {CROSS: (size, dim), COVARIANCE: (dim, dim), EXPLAINED: (dim, dim)}
    found: dict[str, Any] = {word: arrays.get(word) if isinstance(arrays, dict) else None for word in shapes}
    if all(value is None for value in found.values()):
        return None
    if found[EXPLAINED] is None:
        del found[EXPLAINED]
    for word, value in found.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.shape != shapes[word]:
            cure = (
                "leave it out"
                if word == EXPLAINED and found[COVARIANCE] is not None
                else f"'{CROSS}' and '{COVARIANCE}' go together: give both, or neither"
            )
            raise UserError(f"{path}: '{word}' is no array of floats {list(shapes[word])}; {cure}")
        check_finite({word: value}, path)
    parts = [value.astype(np.float32) for value in found.values()]
    for word, value in zip(found, parts):
        if np.abs(value).max(initial=0) > LARGEST:
            raise UserError(
                f"{path}: '{word}' holds values beyond {LARGEST:,.0f}; it is damaged, make it again"
            )
    covariance = parts[1].astype(np.float64)
    high = np.linalg.eigvalsh(covariance)[-1]
    if high <= LEAST_COVARIANCE or not _is_covariance(covariance, high):
        raise UserError(f"{path}: '{COVARIANCE}' is no covariance; it is damaged, leave it and '{CROSS}' out")
    if len(parts) > 2 and not _is_explained(parts[2], covariance, high):
        raise UserError(f"{path}: '{EXPLAINED}' is no part of '{COVARIANCE}'; it is damaged, leave it out")
    return StyleRegression(*parts)


def _is_explained(matrix: np.ndarray, covariance: np.ndarray, scale: float) -> bool:
    """Whether a matrix can be what w explains: no more than there is, and below nothing by chance alone."""
    return _is_covariance(covariance - matrix, scale) and _is_covariance(matrix + covariance / 2, scale)


def _is_covariance(matrix: np.ndarray, scale: float) -> bool:
    """Whether a matrix is symmetric, and its eigenvalues are positive but for rounding at a scale."""
    low = np.linalg.eigvalsh(matrix)[0]
    return bool(np.allclose(matrix, matrix.T, rtol=1e-3, atol=1e-6) and low >= -1e-4 * scale)


def _effect_norm(arrays, count, path) -> np.ndarray | None:
    """The effect norm `[E]` of a relevance file, `strength` there; None where it has none."""
    norm = arrays.get("strength") if isinstance(arrays, dict) else None
    if norm is None:
        return None
    if not isinstance(norm, np.ndarray) or norm.dtype.kind != "f" or norm.ndim != 1 or len(norm) > count:
        raise UserError(f"{path}: 'strength' is not one number for each channel; rebuild it with: {EXTRACT}")
    norm = np.concatenate([norm, np.zeros(count - len(norm))]).astype(np.float32)  # of a prefix
    check_finite({"strength": norm}, path)
    return norm


def _measured(rows: np.ndarray, given: int, channels: int | None) -> np.ndarray:
    """`[E]` bool. A trial does not say which channels it holds, so those that do nothing do not count."""
    if channels is not None and channels < len(rows):
        return np.any(rows, axis=1)
    return np.arange(len(rows)) < given


def _completed(relevance, layout, path) -> np.ndarray:
    if relevance.ndim == 2 and len(relevance) == layout.size != layout.num_editable:
        return relevance[layout.editable_index]
    widths = [layout.channels[k] for k in layout.editable_layers]
    whole, missing = complete_relevance(relevance, widths)
    if missing:
        warnings.warn(
            f"{path} ends with layer {len(widths) - missing} of {len(widths)}: edits by it leave "
            "the finer layers alone",
            stacklevel=3,
        )
    return whole


def check_made_for(
    metadata: dict,
    path,
    *,
    name: str,
    cure: str = f"rebuild it with: {GETF} && {EXTRACT}",
    **fingerprints: str | None,
) -> None:
    """Refuse a file that states other fingerprints than generator=... and clip=... here (None: unknown).

    `cure` is what the message tells to do.
    """
    for part, own in fingerprints.items():
        stated = metadata.get(part)
        if own and stated and stated != own:
            raise UserError(
                f"{path} was made for {part} {plain(stated)}, but '{name}' has {part} {own}; {cure}"
            )


def read_styles(path, layout, *, name: str, generator: str | None = None) -> np.ndarray:
    """Read the styles of some faces, `[N, S]` float32.

    Args:
        path: `s` of a safetensors file, one array, or K arrays as PaddleGAN, the official code and
            stylegan3-editing save them.
        layout, name, generator: as in read_stats.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no styles, or those of another generator.
    """
    arrays, metadata = load_arrays(path)
    check_made_for(metadata, path, name=name, generator=generator)
    arrays = arrays["s"] if isinstance(arrays, dict) and "s" in arrays else arrays
    s: np.ndarray
    try:
        if isinstance(arrays, (list, tuple, dict)):
            found = convert_as("styles", arrays, path)
            arrays = found.state["s"] if found.config["channels"] == list(layout.channels) else None
        s = np.asarray(arrays, np.float32)
    except (TypeError, ValueError):
        s = np.zeros(0)
    if s.ndim != 2 or s.shape[1] != layout.size or not np.isfinite(s).all():
        raise UserError(
            f"{path} holds no styles of generator '{name}', [N, {layout.size}]; make them with: {GETF}"
        )
    return s


def save_stats(path, stats, *, generator: str, **about) -> None:
    """Write statistics; `generator` is the fingerprint of the generator that they were collected from."""
    write_safetensors(
        path,
        {name: np.asarray(array, np.float32) for name, array in stats.arrays().items()},
        {**about, "kind": "ppstyleclip statistics", "generator": generator, "count": str(stats.count)},
    )


def save_styles(path, s, *, generator: str, **about) -> None:
    """Write styles `[N, S]`; `generator` is the fingerprint of the generator that they are of."""
    write_safetensors(
        path,
        {"s": np.asarray(s, np.float32)},
        {**about, "kind": "ppstyleclip styles", "generator": generator},
    )


def save_relevance(
    path,
    relevance: Relevance | np.ndarray,
    strength: np.ndarray | None = None,
    *,
    generator: str | None = None,
    clip: str | None = None,
    clip_name: str | None = None,
    defaults: EditDefaults | None = None,
    half: bool = False,
    **about: str,
) -> None:
    """Write relevance, with all that it was made with.

    Args:
        path: the file.
        relevance: Relevance, or its rows `[E, D]`.
        strength: effect norm `[E]` of rows, or None.
        generator, clip: fingerprints of what it was measured with; None takes the relevance's own.
        clip_name: the CLIP's name, likewise.
        defaults: how strong edits by it are.
        half: store the rows as float16; norms and the covariance of features stay float32.
        about: more metadata.
    Raises:
        UserError: a fingerprint is not known.
    """
    relevance = as_relevance(relevance, strength)
    given = {word: mark for word, mark in (("generator", generator), ("clip", clip)) if mark is not None}
    fingerprints = {**relevance.fingerprints, **given}
    lost = [word for word in ("generator", "clip") if word not in fingerprints]
    if lost:
        raise UserError(
            f"this relevance does not say which {' and '.join(lost)} it was measured with; "
            f"give save_relevance {' and '.join(f'{word}=' for word in lost)}, a fingerprint"
        )
    arrays = stored({"relevance": np.asarray(relevance.rows, np.float32)}, half)
    if relevance.effect_norm is not None:
        arrays["strength"] = np.asarray(relevance.effect_norm, np.float32)
    if relevance.regression is not None:
        arrays = {**arrays, **_as_arrays(relevance.regression)}
    metadata = {
        **_described(relevance),
        **about,
        "kind": "ppstyleclip relevance",
        **fingerprints,
        "clip_name": relevance.clip_name if clip_name is None else clip_name,
    }
    if defaults is not None:
        metadata["defaults"] = json.dumps(asdict(defaults))
    write_safetensors(path, arrays, metadata)


def _as_arrays(regression: StyleRegression) -> dict[str, np.ndarray]:
    """A regression as a relevance file holds it: the covariance with the styles in half precision, if it
    fits."""
    fits = LEAST_HALF <= np.abs(regression.cross).max(initial=0) <= np.finfo(np.float16).max
    arrays: dict[str, np.ndarray] = {
        CROSS: regression.cross.astype(np.float16 if fits else np.float32),
        COVARIANCE: regression.covariance.astype(np.float32),
    }
    if regression.explained is not None:
        arrays[EXPLAINED] = regression.explained.astype(np.float32)
    return arrays


def _described(relevance: Relevance) -> dict[str, str]:
    """What a relevance says of itself, as metadata; what it does not know is left out."""
    metadata = {}
    if relevance.name:
        metadata["name"] = relevance.name
    if relevance.layout is not None:
        metadata["layout"] = json.dumps(relevance.layout.to_config())
    if relevance.made_with:
        metadata["made_with"] = json.dumps(relevance.made_with)
    return metadata
