# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Style space: where each channel lies in the flat vector s, how s is distributed, what a channel does.

StyleSpace (Wu et al., 2021) calls the per-channel scales of a StyleGAN2's convolutions S. A generator hands
them out as a list of K tensors; everywhere else they are one flat tensor s [N, S]; an edit is s + alpha * ds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.models.layout import StyleLayout

EFFECT_NORM_SPAN = 10.0  # deviations between the two pictures (+5 and -5) whose difference it is
UNITS = ("style", "sigma", "effect")  # what the alpha of an edit counts
RIDGE = 1.0  # of a regression of styles on features, in mean eigenvalues of the features' covariance
LEAST_EXPLAINED = 0.2  # of the move that a regression expects, however little of it the latents explain
DEFAULT_ALPHA = 5.0  # deviations up and down of a measurement that does not state its own
TAIL = 0.0062097  # of a normal distribution beyond TAIL_AT deviations, on one side
TAIL_AT = 2.5
LEAST_SIDES = 1000  # samples that tell where a tail of TAIL begins


@dataclass(frozen=True, eq=False)
class StyleStats:
    """How each style channel is distributed over `count` samples; arrays are [S] float32.

    Attributes:
        mean, std: and standard deviation.
        count: of samples.
        below, above: deviations of either side, see `sides_of`; None where they are not known.
    """

    mean: np.ndarray
    std: np.ndarray
    count: int
    below: np.ndarray | None = None
    above: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """All that is known, by name."""
        named = {"mean": self.mean, "std": self.std, "below": self.below, "above": self.above}
        return {name: array for name, array in named.items() if array is not None}

    def sides(self) -> tuple[np.ndarray, np.ndarray]:
        """(below, above); std for both where they are not known."""
        return (self.std, self.std) if self.below is None or self.above is None else (self.below, self.above)

    def kept(self, s: np.ndarray, edited: np.ndarray, within: float) -> np.ndarray:
        """Edited styles `[..., S]`, none further from the mean than `within` deviations of its side.

        A channel that is further before the edit, in `s` `[..., S]`, may stay where it is.
        """
        below, above = (np.float32(within) * side for side in self.sides())
        low, high = np.minimum(self.mean - below, s), np.maximum(self.mean + above, s)
        return np.clip(edited, low, high)


def sides_of(s: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far samples `[N, S]` reach below and above their mean `[S]`, in deviations.

        below = (mean - q) / 2.5, above = (q' - mean) / 2.5      q, q': quantiles 0.6 % and 99.4 %

    Both are the standard deviation where a channel is normal. Most channels of glasses, of a beard or of hair
    lie close to one end for all faces but some: down from there, two deviations are out of this world.
    """
    low, high = np.quantile(s, [TAIL, 1 - TAIL], axis=0)
    below, above = (np.maximum(one, 0) / TAIL_AT for one in (mean - low, high - mean))
    return below.astype(np.float32), above.astype(np.float32)


@dataclass(frozen=True, eq=False)
class ChannelMatch:
    """How well each editable channel answers one text direction dt.

    Attributes:
        r: `[E]` cosines between what the channel does to a picture's CLIP feature and dt.
        alive: `[E]` bool, the channels that do something; the others are neither compared nor counted.
        effect_norm: `[E]` how far ten deviations of the channel move the CLIP feature, whatever the way; None
            where it is not known.
    """

    r: np.ndarray
    alive: np.ndarray
    effect_norm: np.ndarray | None

    @property
    def largest(self) -> float:
        """The largest |r|: the largest beta that still moves a channel."""
        return float(np.abs(self.r).max(initial=0.0))


class TextMatcher(Protocol):
    """What tells how the channels of a generator answer a text: a Relevance, or an InstantRelevance."""

    def match(self, dt: np.ndarray) -> ChannelMatch:
        """Compare the channels with a text direction `[D]`, a unit vector."""


@dataclass(frozen=True, eq=False)
class StyleRegression:
    """How styles go with CLIP features over a population of faces: what a linear regression of s on f needs.

    Attributes:
        cross: `[S, D]` float32, covariance of the styles s, those of ToRGB layers too, and the unit CLIP
            features f of the pictures.
        covariance: `[D, D]` float32, covariance of the features.
        explained: `[D, D]` float32, the part of it that a linear function of w explains; None where it is not
            known.
    """

    cross: np.ndarray
    covariance: np.ndarray
    explained: np.ndarray | None = None

    def step(self, dt: np.ndarray) -> np.ndarray:
        """What the regression answers to a text direction `[D]`: ds `[S]`, in styles.

            ds = c Cov(s, f) (Cov(f) + l I)^-1 dt        l: RIDGE times the mean eigenvalue of Cov(f)

        c is such that f . dt moves by one standard deviation of the population as far as w explains it. A
        regression puts a part of any difference down to chance, so its step alone falls short of what it
        expects: on the portrait world for red lipstick by 28 %, for glasses by 7 %. The ridge leaves out what
        of dt lies where no picture of the population does: texts lie elsewhere than pictures.

        Raises:
            UserError: dt is of another CLIP.
        """
        covariance, dt, x = self._solved(dt)
        moved, spread = float(dt @ covariance @ x), self.spread(dt)
        if self.explained is not None:
            moved = max(float(dt @ self.explained.astype(np.float64) @ x), LEAST_EXPLAINED * moved)
        return (self.cross @ x * (spread / moved if moved > 0 else 0.0)).astype(np.float32)

    def seen(self, dt: np.ndarray) -> np.ndarray:
        """The part of a text direction `[D]` along which pictures of faces differ, a unit vector `[D]`.

            Cov(f) (Cov(f) + l I)^-1 dt        l: as in `step`

        Of most text directions that is half; only a picture that fools the CLIP moves along the rest.

        Raises:
            UserError: dt is of another CLIP.
        """
        covariance, _, x = self._solved(dt)
        part = covariance @ x
        return (part / max(float(np.linalg.norm(part)), 1e-12)).astype(np.float32)

    def _solved(self, dt: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cov(f), dt and (Cov(f) + l I)^-1 dt, float64."""
        if np.shape(dt) != self.covariance.shape[1:]:
            raise UserError(
                f"the population's features are {self.covariance.shape[1]} and the text direction "
                f"{list(np.shape(dt))}: they come from different CLIP models"
            )
        covariance, dt = self.covariance.astype(np.float64), np.asarray(dt, np.float64)
        ridge = RIDGE * np.trace(covariance) / len(covariance)
        return covariance, dt, np.linalg.solve(covariance + max(ridge, 1e-12) * np.eye(len(covariance)), dt)

    def spread(self, dt: np.ndarray) -> float:
        """The standard deviation of f . dt over the population."""
        dt = np.asarray(dt, np.float64)
        return float(np.sqrt(max(dt @ self.covariance @ dt, 0.0)))


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
        regression: StyleRegression of the same generator and CLIP, or None.
    """

    rows: np.ndarray
    effect_norm: np.ndarray | None
    measured: np.ndarray
    name: str = ""
    layout: StyleLayout | None = None
    clip_name: str = ""
    fingerprints: dict[str, str] = field(default_factory=dict)
    made_with: dict[str, Any] = field(default_factory=dict)
    regression: StyleRegression | None = None

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

    def match(self, dt: np.ndarray) -> ChannelMatch:
        """Compare the channels with a text direction `[D]`: r = rows @ dt.

        Raises:
            UserError: dt is of another CLIP, or a value is not finite.
        """
        if self.rows.ndim != 2 or self.rows.shape[1:] != np.shape(dt):
            raise UserError(
                f"relevance is {list(self.rows.shape)} and the text direction {list(np.shape(dt))}: "
                "they come from different CLIP models; use the CLIP that the relevance was made with"
            )
        r = self.rows @ np.asarray(dt, self.rows.dtype)
        if not np.isfinite(r).all():
            raise UserError(
                "relevance or text direction holds values that are not finite; "
                "rebuild the relevance with `ppstyleclip relevance`"
            )
        return ChannelMatch(r, np.any(self.rows, axis=1), self.effect_norm_over(EFFECT_NORM_SPAN))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.rows, dtype=dtype) if copy else np.asarray(self.rows, dtype=dtype)


def as_relevance(value: Relevance | np.ndarray, effect_norm: np.ndarray | None = None) -> Relevance:
    """Take a Relevance as it is, and an array `[E, D]`, with an effect norm `[E]` or None, for its rows."""
    if isinstance(value, Relevance):
        return value
    rows = np.asarray(value)
    return Relevance(rows, effect_norm, np.ones(len(rows), bool))
