# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From a text direction to a style direction (StyleCLIP by Patashnik et al., 2021, section 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.methods.checks import check_signed
from ppstyleclip.stylespace import (
    EFFECT_NORM_SPAN,
    UNITS,
    ChannelMatch,
    StyleLayout,
    StyleStats,
    TextMatcher,
    as_relevance,
)

LONGEST = 5.0  # deviations, all channels together, of a step in unit "effect"; longer ones leave the faces
EFFECT = 0.1  # what one step of alpha is in unit "effect": a move of the picture's CLIP feature along dt


@dataclass(frozen=True, eq=False)
class StyleDirection:
    """A direction in style space: an edit is s + alpha * ds.

    Attributes:
        ds: `[S]` float32, zero outside the chosen channels.
        num_channels: how many channels reached beta.
        max_relevance: the largest |relevance @ dt|; beta must stay at or below it.
        dt: `[D]` the text direction.
        chosen: `[S]` bool, the channels that reached beta.
        std: `[S]` deviations of the channels.
        expected_move: how far alpha 1 is expected to move a picture's CLIP feature along dt; None where the
            strength of the channels is not known.
    """

    ds: np.ndarray
    num_channels: int
    max_relevance: float
    dt: np.ndarray
    chosen: np.ndarray
    std: np.ndarray
    expected_move: float | None


def style_direction(
    relevance: TextMatcher | np.ndarray,
    dt: np.ndarray,
    layout: StyleLayout,
    stats: StyleStats,
    *,
    beta: float,
    unit: str = "sigma",
    soft: float = 0.0,
    covariance_weight: float = 0.0,
    population: np.ndarray | None = None,
) -> StyleDirection:
    """Turn a text direction into a style direction (StyleCLIP, section 6).

    With r = relevance @ dt: ds_c = r_c / max|r| where |r_c| >= beta, soft * r_c / max|r| elsewhere.

    Channels are measured one by one, but faces never vary in one channel. With a covariance weight w, ours
    and not the paper's, the step q in deviations becomes (1 - w) q + w p |q| / |p|. There p = C q, halved
    below beta, and C is the correlation of the channels over the population. So the step leans towards how
    faces do differ.

    Args:
        relevance: Relevance, or its rows `[E, D]`; CLIP effect of each editable channel. A zero row marks a
            channel that does nothing: it is neither compared nor counted. Or anything else with a `match`,
            such as InstantRelevance.
        dt: `[D]` unit vector from text_direction(neutral, target).
        layout: StyleLayout of the generator; E must equal layout.num_editable.
        stats: StyleStats of the generator.
        beta: channels with |r| < beta are left alone; typically 0.08 to 0.3.
        unit: what one step of alpha is for the strongest channel. "sigma": one standard deviation, as the
            paper. "style": 1 in raw style units. Parity: raw units, because the strengths in PaddleGAN's
            documents mean that.
            "effect": as "sigma", but the whole scaled until the picture is expected to move by EFFECT along
            dt: sum over c of ds_c / std_c * effect_norm_c / 10 * r_c, with the effect norm over ten
            deviations. So one alpha fits texts that few channels answer and texts that many do. A text that
            no channel answers well would be stretched until faces fall apart: |ds / std| is at most LONGEST.
        soft: factor on the channels below beta, 0 (leave them alone) to 1 (no threshold).
        covariance_weight: 0 (the paper's) to 1; Edit calls it `pull`.
        population: `[N, E]` styles of the editable channels of some thousand faces; needed for a covariance
            weight only.
    Raises:
        UserError: shapes disagree, an argument is out of range, or no channel passes beta (the message gives
            the largest usable value).

    Examples:
        >>> from ppstyleclip.methods.global_directions import style_direction
        >>> from ppstyleclip.text import text_direction
        >>> from ppstyleclip.zoo import load_bundle
        >>> bundle = load_bundle()
        >>> dt = text_direction(bundle.clip, "face", "happy face")
        >>> direction = style_direction(bundle.relevance, dt, bundle.layout, bundle.stats, beta=0.15)
        >>> direction.ds.shape, 0 < direction.num_channels < bundle.layout.num_editable
        ((2416,), True)
    """
    if unit not in UNITS:
        raise UserError(f"unknown unit '{unit}', known: {', '.join(UNITS)}")
    for name, value in (("beta", beta), ("soft", soft), ("pull", covariance_weight)):
        check_signed(name, value)
    if beta < 0 or not 0 <= soft <= 1 or not 0 <= covariance_weight <= 1:
        got = f"got {beta}, {soft} and {covariance_weight}"
        raise UserError(f"beta must be 0 or more, soft and pull in 0..1, {got}")
    match = as_matcher(relevance).match(dt)
    _check_shapes(match, layout, stats)
    r, largest = match.r, match.largest
    chosen = (np.abs(r) >= beta) & match.alive
    if largest == 0:
        raise UserError("no style channel moves for this pair of texts: no row of the relevance matches it")
    if not chosen.any():
        raise UserError(
            f"no style channel passes beta {beta:g} for this pair of texts: the largest usable beta is "
            f"{_round_down(largest):g}"
        )
    ds = np.zeros(layout.size, np.float32)
    steps = np.where(chosen, r, soft * r) / largest
    if covariance_weight:
        steps = _with_covariance(steps, chosen, covariance_weight, population)
    ds[layout.editable_index] = steps * _step_length(unit, steps, match)
    if unit != "style":
        ds *= stats.std
    where = np.zeros(layout.size, bool)
    where[layout.editable_index] = chosen
    move = _expected_move(ds[layout.editable_index], stats.std[layout.editable_index], match)
    return StyleDirection(ds, int(chosen.sum()), largest, np.asarray(dt), where, stats.std, move)


def _expected_move(ds: np.ndarray, std: np.ndarray, match: ChannelMatch) -> float | None:
    """What `ds` `[E]` is expected to move a picture's CLIP feature along dt."""
    if match.effect_norm is None:
        return None
    deviations = ds / np.maximum(std, 1e-12)
    return float((deviations * match.effect_norm * match.r).sum()) / EFFECT_NORM_SPAN


def _step_length(unit: str, steps: np.ndarray, match: ChannelMatch) -> float:
    """What the strongest channel moves for alpha 1, in style units or deviations."""
    if unit != "effect":
        return 1.0
    if match.effect_norm is None:
        raise UserError(
            'alpha unit "effect" needs the strength of each channel, which these directions do not hold; '
            'use "sigma" or "style", or measure them anew with `ppstyleclip relevance`'
        )
    length = EFFECT * EFFECT_NORM_SPAN / float((steps * match.effect_norm * match.r).sum())
    return min(length, LONGEST / float(np.linalg.norm(steps)))


def _with_covariance(
    steps: np.ndarray, chosen: np.ndarray, weight: float, population: np.ndarray | None
) -> np.ndarray:
    """The step in deviations `[E]`, blended by `weight` with its image under the population's correlation."""
    if population is None:
        raise UserError("pull needs the styles of a population of faces; leave it at 0")
    standard = population - population.mean(axis=0)
    standard = standard / np.maximum(standard.std(axis=0), 1e-12)
    correlated = standard.T @ (standard @ steps) * np.where(chosen, 1.0, 0.5)
    norm = np.linalg.norm(correlated)
    correlated *= np.linalg.norm(steps) / (norm if norm > 1e-12 else 1e-12)
    steps = (1 - weight) * steps + weight * correlated
    return steps / np.abs(steps).max()


def as_matcher(relevance: TextMatcher | np.ndarray) -> TextMatcher:
    """Take what has a `match` as it is, and an array `[E, D]` for the rows of a Relevance."""
    return relevance if hasattr(relevance, "match") else as_relevance(relevance)


def largest_beta(relevance: TextMatcher | np.ndarray, dt: np.ndarray) -> float:
    """The largest beta that still moves a channel: max |relevance @ dt|."""
    return as_matcher(relevance).match(dt).largest


def _round_down(value: float) -> float:
    """To four digits and never above `value`, so that the number in the message can be typed."""
    return float(np.floor(value * 1e4) / 1e4)


def _check_shapes(match: ChannelMatch, layout: StyleLayout, stats: StyleStats) -> None:
    if len(match.r) != layout.num_editable:
        raise UserError(
            f"relevance has {len(match.r)} rows, this generator has {layout.num_editable} editable "
            "channels; rebuild it with `ppstyleclip relevance`"
        )
    if len(stats.std) != layout.size:
        raise UserError(
            f"statistics are of {len(stats.std)} style channels, this generator has {layout.size}; "
            "rebuild them with `ppstyleclip statistics`"
        )
