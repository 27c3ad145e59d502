# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edits that stay in a region of the picture, for any family of generators.

A family that blends two chains layer by layer brings two things:

    layer_sides             the sides at which it blends, ascending
    synthesis_in_region     (styles, edited, {side: mask}) -> images

and, for exported programs, a method `region_part(request)` of its Inference, whose part takes the styles
before the edit as far as it needs them, then all edited ones. Of any other family the edited picture is drawn
as a whole; the paste at the end keeps what lies outside the mask either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .forms import inference_of
from .generator import Generator, InferencePart, SynthesisRequest

INSIDE = 0.25  # share of a layer's pixel that a mask covers where all of it counts as inside


def blends_layers(generator: Generator) -> bool:
    """Whether a generator blends an edit into its region at each layer."""
    return hasattr(generator, "synthesis_in_region")


def region_part(generator: Generator, request: SynthesisRequest) -> InferencePart | None:
    """The program that blends an edit into its region at each layer; None where the family has none."""
    make = getattr(inference_of(generator), "region_part", None)
    return None if make is None or not blends_layers(generator) else make(request)


def layer_masks(generator: Any, masks: np.ndarray) -> dict[int, np.ndarray]:
    """A region's mask at the side of each layer: areas averaged, and those of which INSIDE is covered inside.

    With plain averages small parts would lose their edits: on coarse layers an eye or a mouth covers no
    pixel as a whole. What then reaches beyond the mask is cut off by the paste.

    Args:
        generator: of a family that blends layers.
        masks: `[N, size, size]` float32, 0 to 1.
    Returns:
        `{side: [N, 1, side, side]}` float32.
    """
    return {side: _shrunk(masks, side) for side in generator.layer_sides}


def _shrunk(masks: np.ndarray, side: int) -> np.ndarray:
    factor = masks.shape[-1] // side
    parts = masks.reshape([len(masks), 1, side, factor, side, factor])
    return np.ascontiguousarray(np.minimum(1, parts.mean(axis=(3, 5)) / INSIDE), np.float32)


def paste(before: np.ndarray, drawn: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Lay drawn images over those before the edit, by a mask; where it is 0 they stay bit for bit.

    Args:
        before, drawn: `[N, 3, H, W]` float32.
        masks: `[N or 1, H, W]` float32, 0 to 1.
    """
    share = masks[:, None]
    with np.errstate(invalid="ignore"):  # what is not finite outside the mask is not taken
        blended = before + share * (drawn - before)
    return np.where(share > 0, blended, before).astype(np.float32, copy=False)


def repeated(masks: np.ndarray, count: int) -> np.ndarray:
    """Masks `[1 or N, H, W]` for N pictures."""
    return np.broadcast_to(masks, [count, *masks.shape[1:]])


def check_pairs(styles: Sequence[Any], edited: Sequence[Any], masks: np.ndarray) -> None:
    """Refuse styles before and after an edit, or masks, that are not as many."""
    count = styles[0].shape[0]
    if edited[0].shape[0] != count or masks.shape[0] not in (1, count):
        raise ValueError(
            f"{count} faces, {edited[0].shape[0]} edited ones and {masks.shape[0]} masks do not go together"
        )
