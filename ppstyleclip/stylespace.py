# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Style space: where each channel lies in the flat vector s, how s is distributed, what a channel does.

StyleSpace (Wu et al., 2021) calls the per-channel scales of a StyleGAN2's convolutions S. A generator hands
them out as a list of K tensors; everywhere else they are one flat tensor s [N, S]; an edit is s + alpha * ds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ppstyleclip.models.layout import StyleLayout

UNITS = ("style", "sigma", "effect")  # what the alpha of an edit counts
DEFAULT_ALPHA = 5.0  # deviations up and down of a measurement that does not state its own


@dataclass(frozen=True, eq=False)
class StyleStats:
    """Mean and standard deviation of each style channel over `count` samples; both [S] float32."""

    mean: np.ndarray
    std: np.ndarray
    count: int


@dataclass(frozen=True, eq=False)
class Relevance:
    """How each editable channel moves a picture in CLIP's space (StyleCLIP, section 6); how it was measured.

    NumPy takes it for its rows: `np.asarray(relevance)` is `[E, D]`.

    Attributes:
        rows: `[E, D]` float32, unit rows; zero for a channel that does nothing or was not measured.
        effect_norm: `[E]` float32, the mean norm of the difference of two CLIP features, with the channel
            `alpha` deviations up and down, 0 to 2; None where it is not known.
        measured: `[E]` bool.
        name: of the generator; "" where it is not known, as below.
        layout: of the generator, or None.
        clip_name: of the CLIP.
        fingerprints: of "generator" and "clip" where they are known.
        made_with: how it was measured, `{word: value}` that JSON can hold: alpha, base, num_images, ...
    """

    rows: np.ndarray
    effect_norm: np.ndarray | None
    measured: np.ndarray
    name: str = ""
    layout: StyleLayout | None = None
    clip_name: str = ""
    fingerprints: dict[str, str] = field(default_factory=dict)
    made_with: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """`(E, D)`."""
        return self.rows.shape

    @property
    def alpha(self) -> float:
        """Deviations up and down between the two pictures of a channel."""
        return float(self.made_with.get("alpha", DEFAULT_ALPHA))

    def effect_norm_over(self, deviations: float) -> np.ndarray | None:
        """Return effect_norm in proportion to `deviations` between both pictures, whatever alpha was."""
        if self.effect_norm is None:
            return None
        return np.asarray(self.effect_norm, np.float32) * np.float32(deviations / (2 * self.alpha))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.rows, dtype=dtype) if copy else np.asarray(self.rows, dtype=dtype)


def as_relevance(value: Relevance | np.ndarray, effect_norm: np.ndarray | None = None) -> Relevance:
    """Take a Relevance as it is, and an array `[E, D]`, with an effect norm `[E]` or None, for its rows."""
    if isinstance(value, Relevance):
        return value
    rows = np.asarray(value)
    return Relevance(rows, effect_norm, np.ones(len(rows), bool))
