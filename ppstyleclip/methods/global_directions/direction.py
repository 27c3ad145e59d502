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
    StyleRegression,
    StyleStats,
    TextMatcher,
    as_relevance,
)

LONGEST = 5.0  # deviations, all channels together, of a step in unit "effect"; longer ones leave the faces
REGRESSED = 0.9  # deviations of f . dt over the population, of a step of the regression in unit "effect"
BELOW = 0.25  # of the regression's step that a channel keeps which is not meant
MEANT = 0.5  # of the largest step in deviations, from which on a ToRGB layer's channel is meant
EFFECT = 0.1  # what one step of alpha is in unit "effect": a move of the picture's CLIP feature along dt


class NoChannel(UserError):
    """No style channel passes beta."""


@dataclass(frozen=True, eq=False)
class StyleDirection:
    """A direction in style space: an edit is s + alpha * ds.

    Attributes:
        ds: `[S]` float32; without soft and pull zero outside the chosen channels.
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
    pull: float = 0.0,
    regression: StyleRegression | None = None,
) -> StyleDirection:
    """Turn a text direction into a style direction (StyleCLIP, section 6).

    With r = relevance @ dt: ds_c = r_c / max|r| where |r_c| >= beta, soft * r_c / max|r| elsewhere.

    Channels are measured one by one, but faces never vary in one channel, nor without their ToRGB layers.
    With a pull w, ours and not the paper's,

        ds = (1 - w) q + w p        p: StyleRegression.step(dt); q: the above, where its sign is that of p

    so a channel is moved by the relevance where both agree, and the step leans towards how those faces of a
    population differ that differ along the text. In unit "effect" alpha 1 of p is REGRESSED standard
    deviations of f . dt over the population; in the other units p is as long as q. Editable channels below
    beta keep BELOW of p, as do those of ToRGB layers whose step is below MEANT of the largest, in deviations.

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
        pull: w, 0 (the paper's) to 1.
        regression: StyleRegression of the generator and the CLIP; needed for a pull above 0 only.
    Raises:
        UserError: shapes disagree, an argument is out of range, or no channel passes beta (the message gives
            the largest usable value; NoChannel).

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
    for name, value in (("beta", beta), ("soft", soft), ("pull", pull)):
        check_signed(name, value)
    if beta < 0 or not 0 <= soft <= 1 or not 0 <= pull <= 1:
        got = f"got {beta}, {soft} and {pull}"
        raise UserError(f"beta must be 0 or more, soft and pull in 0..1, {got}")
    match = as_matcher(relevance).match(dt)
    _check_shapes(match, layout, stats)
    r, largest = match.r, match.largest
    chosen = (np.abs(r) >= beta) & match.alive
    if largest == 0:
        raise UserError("no style channel moves for this pair of texts: no row of the relevance matches it")
    if not chosen.any():
        raise NoChannel(
            f"no style channel passes beta {beta:g} for this pair of texts: the largest usable beta is "
            f"{_round_down(largest):g}"
        )
    steps, index = np.where(chosen, r, soft * r) / largest, layout.editable_index
    if pull:
        own, along = _regressed(regression, dt, layout)
        steps = _agreeing(steps, own[index])
    ds, where = np.zeros(layout.size, np.float32), np.zeros(layout.size, bool)
    ds[index] = steps * _step_length(unit, steps, match)
    if unit != "style":
        ds *= stats.std
    where[index] = chosen
    move = _expected_move(ds[index], stats.std[index], match)
    if pull:
        meant = where | _coloured(own / np.maximum(stats.std, np.float32(1e-12)), layout)
        kept = np.where(meant, np.float32(1.0), np.float32(BELOW))
        length = _regressed_length(own, ds, stats, unit)
        ds = np.float32(1 - pull) * ds + np.float32(pull * length) * kept * own
        move = None if move is None else (1 - pull) * move + pull * length * along
    return StyleDirection(ds, int(chosen.sum()), largest, np.asarray(dt), where, stats.std, move)


def _coloured(deviations: np.ndarray, layout: StyleLayout) -> np.ndarray:
    """`[S]` bool: channels of ToRGB layers, which no relevance knows, that a step moves by far.

    Colours of hair and skin live there and nowhere else, and a little of each goes with any text by chance.
    """
    is_torgb = ~np.isin(np.arange(layout.size), layout.editable_index)
    size = np.abs(deviations)
    return is_torgb & (size >= MEANT * size.max(initial=0.0)) & (size > 0)


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


def _regressed(
    regression: StyleRegression | None, dt: np.ndarray, layout: StyleLayout
) -> tuple[np.ndarray, float]:
    """The regression's step `[S]`, and how far it is expected to move f along dt.

    What comes before the first editable channel stays: where StyleGAN3's canvas lies is no part of a face.
    """
    if regression is None:
        raise UserError("pull needs how styles go with the features of a population; leave it at 0")
    own = regression.step(dt)
    own[: layout.editable_index[0]] = 0.0
    return own, regression.spread(dt)


def _agreeing(steps: np.ndarray, regressed: np.ndarray) -> np.ndarray:
    """The steps `[E]` where their sign is that of the regression; all of them where none agrees."""
    agreeing = np.where(steps * regressed > 0, steps, 0.0)
    largest = np.abs(agreeing).max()
    return agreeing / largest if largest > 0 else steps


def _regressed_length(own: np.ndarray, ds: np.ndarray, stats: StyleStats, unit: str) -> float:
    """What the regression's step is multiplied by for alpha 1, beside the relevance's part `ds`."""
    if unit == "effect":
        return REGRESSED
    scale = np.ones_like(ds) if unit == "style" else np.maximum(stats.std, np.float32(1e-12))
    length = float(np.linalg.norm(own / scale))
    return float(np.linalg.norm(ds / scale)) / length if length > 0 else 0.0


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
