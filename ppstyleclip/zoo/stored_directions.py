# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Stored directions in w_plus: of a file, or those that come with a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppstyleclip.errors import UserError, named
from ppstyleclip.files import read_metadata, write_safetensors
from ppstyleclip.formats import load_directions, sniff
from ppstyleclip.zoo.registry import fetch_published, model_entry, pack_of

KIND = "ppstyleclip directions"
DIRECTIONS = "directions.safetensors"  # in a bundle's folder


def open_directions(model_type: str | None = None, direction_path=None, bundle=None) -> dict:
    """Load the directions of a file, or a model's own.

    Args:
        model_type: a name of known_models(); None is the embedded one.
        direction_path: a file that load_directions reads, in place of the model's own.
        bundle: folder of a model of one's own, in place of a name.
    Returns:
        `{name: [L, D] or [1, D]}`.
    Raises:
        UserError: unknown model, or one without directions.
        MissingFile, UserError: as fetch_published and load_directions.
    """
    if direction_path is not None:
        return load_directions(direction_path)
    embedded = pack_of(model_type)
    folder = embedded if bundle is None else bundle
    if folder is not None and (Path(folder) / DIRECTIONS).is_file():
        return load_directions(Path(folder) / DIRECTIONS)
    entry = model_entry(str(model_type)) if embedded is None else {}
    if "directions" not in entry:
        whose = "this model" if model_type is None else f"'{model_type}'"
        raise UserError(
            f"there are no stored directions for {whose}; give a file of your own with "
            "--direction_path (docs/en_US/latents.md says how one is made)"
        )
    return load_directions(fetch_published(entry["directions"]))


def load_own_directions(path, *, name: str, generator: str | None = None) -> dict:
    """Load the directions of a bundle.

    Args:
        path: the file.
        name, generator: the model's name and its generator's fingerprint; a file that states another is
            refused.
    Returns:
        `{name: [L, D] or [1, D]}`.
    Raises:
        MissingFile, UserError: as load_directions, or it was made for another generator.
    """
    from ppstyleclip.zoo.directions import check_made_for  # Paddle, which open_directions spares

    stated = read_metadata(path) if sniff(path) == "safetensors" else {}
    check_made_for(stated, path, name=name, generator=generator)
    return load_directions(path)


def save_directions(path, directions: dict, *, generator: str) -> None:
    """Write directions `{name: [L, D] or [1, D]}`; `generator` is the fingerprint of theirs."""
    arrays = {name: np.asarray(value, np.float32) for name, value in directions.items()}
    write_safetensors(path, arrays, {"kind": KIND, "generator": generator})


def choose_direction(directions: dict, name: str | None) -> np.ndarray:
    """Return the direction of that name; None will do where there is only one.

    Raises:
        UserError: unknown or missing name; lists the known.
    """
    if name is None and len(directions) == 1:
        return next(iter(directions.values()))
    if name not in directions:
        what = "--direction_name is missing" if name is None else f"there is no direction '{name}'"
        raise UserError(f"{what}; known: {named(sorted(directions), 40)}")
    return directions[name]
