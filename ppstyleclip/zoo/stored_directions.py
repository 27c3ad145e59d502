# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Stored directions in w_plus: of a file, or those that were published for a model."""

from __future__ import annotations

import numpy as np

from ppstyleclip.errors import UserError, named
from ppstyleclip.formats import load_directions
from ppstyleclip.zoo.registry import EMBEDDED, fetch_published, model_entry


def open_directions(model_type: str | None = None, direction_path=None) -> dict:
    """Load the directions of a file, or a model's own.

    Args:
        model_type: a name of known_models(); None is the embedded one, which has no stored directions.
        direction_path: a file that load_directions reads, in place of the model's own.
    Returns:
        `{name: [L, D] or [1, D]}`.
    Raises:
        UserError: unknown model, or one without directions.
        MissingFile, UserError: as fetch_published and load_directions.
    """
    if direction_path is not None:
        return load_directions(direction_path)
    entry = {} if model_type in (None, EMBEDDED) else model_entry(model_type)
    if "directions" not in entry:
        whose = "this model" if model_type is None else f"'{model_type}'"
        raise UserError(
            f"there are no stored directions for {whose}; give a file of your own with "
            "--direction_path (docs/en_US/latents.md says how one is made)"
        )
    return load_directions(fetch_published(entry["directions"]))


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
