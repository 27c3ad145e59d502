# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Statistics and relevance to and from files, with the fingerprints of what they were made for."""

from __future__ import annotations

import contextlib
import json
import warnings
from dataclasses import asdict

import numpy as np

from ppstyleclip.convert import complete_relevance
from ppstyleclip.errors import UserError
from ppstyleclip.files import write_safetensors
from ppstyleclip.formats import load_arrays
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.zoo.bundle import EXTRACT, GETF, EditDefaults, check_relevance, check_stats
from ppstyleclip.zoo.foreign import convert_as

USUAL_ALPHA = 5.0  # deviations up and down for which a strength is stated, half of global_direction.SPAN


def read_stats(path, layout, *, name: str, generator: str | None = None) -> StyleStats:
    """Read statistics of a style space.

    Args:
        path: `mean` and `std`, flat `[S]` or as lists of K arrays (PaddleGAN); .pdparams or safetensors;
            or the official S_mean_std.
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
    stats = StyleStats(mean, std, _count(metadata))
    try:
        check_stats(stats, layout, name)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std >= 0).all()):
        raise UserError(f"{path} holds negative deviations, NaN or infinity; rebuild it with: {GETF}")
    return stats


def _flat(value, word, layout, path, name) -> np.ndarray:
    if isinstance(value, list):
        widths = [np.size(part) for part in value]
        if widths != list(layout.channels):
            raise UserError(
                f"{path}: statistics ({word}) have {sum(widths)} channels in {len(widths)} "
                f"layers, generator '{name}' has {layout.size} in {len(layout.channels)}; "
                f"rebuild them with: {GETF}"
            )
        value = np.concatenate([np.reshape(part, -1) for part in value])
    try:
        return np.array(value, dtype=np.float32)
    except (TypeError, ValueError):
        raise UserError(f"{path}: '{word}' holds no numbers; rebuild it with: {GETF}") from None


def _count(metadata: dict) -> int:
    text = metadata.get("count", "0")
    return int(text) if text.isdigit() else 0  # 0: not stated


def read_relevance(path, layout, *, name: str, generator: str | None = None) -> tuple:
    """Read the relevance of the editable style channels.

    Args:
        path: `relevance` `[E, D]` in a safetensors file, or a single array (`.pdparams`, `.npy`). One that
            ends with an earlier layer (the official script stops at 128 px) is filled up with zero rows, and
            a warning says so.
        layout, name, generator: as in read_stats.
    Returns:
        (relevance `[E, D]` float32, strength `[E]` float32 or None). Strength is in proportion as if it had
        been measured 5 deviations up and down, whichever alpha the file was made with.
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
    value = _completed(value, layout, path)
    try:
        check_relevance(value, layout, name)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    relevance = np.array(value, dtype=np.float32)
    if not np.isfinite(relevance).all():
        raise UserError(f"{path} holds values that are not finite; rebuild it with: {EXTRACT}")
    strength = arrays.get("strength") if isinstance(arrays, dict) else None
    if strength is not None and "made_with" in metadata:
        alpha = json.loads(metadata["made_with"]).get("alpha", USUAL_ALPHA)
        strength = np.asarray(strength, np.float32) * np.float32(USUAL_ALPHA / alpha)
    return relevance, strength


def _completed(relevance, layout, path) -> np.ndarray:
    widths = [layout.channels[k] for k in layout.editable_layers]
    whole, missing = complete_relevance(relevance, widths)
    if missing:
        warnings.warn(
            f"{path} ends with layer {len(widths) - missing} of {len(widths)}: edits by it leave "
            "the finer layers alone",
            stacklevel=3,
        )
    return whole


def check_made_for(metadata: dict, path, *, name: str, **marks) -> None:
    """Refuse a file that states other fingerprints than generator=... and clip=... here (None: unknown)."""
    for part, mark in marks.items():
        stated = metadata.get(part)
        if mark and stated and stated != mark:
            raise UserError(
                f"{path} was made for {part} {stated}, but '{name}' has {part} {mark}; "
                f"rebuild it with: {GETF} && {EXTRACT}"
            )


def read_styles(path, layout, *, name: str, generator: str | None = None) -> np.ndarray:
    """Read the styles of some faces, `[N, S]` float32.

    Args:
        path: `s` of a safetensors file, one array, or K arrays as PaddleGAN and the official code save them.
        layout, name, generator: as in read_stats.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds no styles, or those of another generator.
    """
    arrays, metadata = load_arrays(path)
    check_made_for(metadata, path, name=name, generator=generator)
    arrays = arrays.get("s") if isinstance(arrays, dict) else arrays
    try:
        if isinstance(arrays, (list, tuple)):
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
        {"mean": np.asarray(stats.mean, np.float32), "std": np.asarray(stats.std, np.float32)},
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
    relevance,
    strength=None,
    *,
    generator: str,
    clip: str,
    clip_name: str,
    defaults: EditDefaults | None = None,
    **about,
) -> None:
    """Write relevance `[E, D]` and strength `[E]`.

    Args:
        path: the file.
        relevance, strength: the arrays; strength may be None.
        generator, clip: fingerprints of what they were measured with.
        clip_name: the CLIP's name.
        defaults: how strong edits by them are.
        about: more metadata, texts.
    """
    arrays = {"relevance": relevance} if strength is None else {"relevance": relevance, "strength": strength}
    if defaults is not None:
        about = {**about, "defaults": json.dumps(asdict(defaults))}
    write_safetensors(
        path,
        {word: np.asarray(value, np.float32) for word, value in arrays.items()},
        {
            **about,
            "kind": "ppstyleclip relevance",
            "generator": generator,
            "clip": clip,
            "clip_name": clip_name,
        },
    )
