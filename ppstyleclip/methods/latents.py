# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Between latents and away from them: mixing, style mixing, interpolation, steps along a direction in w_plus.

Everything here is linear in w_plus. A z is Gaussian and lives on a sphere, so that a straight line between
two of them passes through lengths that no z has; w is what the mapping network made to undo that, and it is
along straight lines in w that StyleGAN2 was trained to change smoothly (its path-length term). A latent that
was found for a photograph has no z at all. Styles are affine in w_plus, so all this is linear in them too.
"""

from __future__ import annotations

import numbers

import numpy as np
from numpy.typing import ArrayLike

from ppstyleclip.errors import UserError, shown
from ppstyleclip.inputs import to_array
from ppstyleclip.methods.checks import check_count, check_signed
from ppstyleclip.wording import counted

_NO_LATENTS = "latents are arrays, w_plus [N, L, D]"


def _numbers(value: ArrayLike, what: str) -> np.ndarray:
    return to_array(value, what).astype(np.float32, copy=False)


def _latents(value: ArrayLike) -> np.ndarray:
    """w_plus `[N, L, D]` float32, or an error."""
    array = _numbers(value, _NO_LATENTS)
    if array.ndim != 3:
        raise UserError(f"{_NO_LATENTS}, got {list(array.shape)}")
    return array


def mix(first: ArrayLike, second: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Mix two latents level by level, as PaddleGAN's Mixing: `weights * first + (1 - weights) * second`.

    Args:
        first, second: w_plus `[N, L, D]`; either N may be 1.
        weights: share of `first` at each level, `[L]` (coarse levels first), or one number for all. Outside
            0..1 the mixture lies beyond one of the two.
    Returns:
        w_plus `[N, L, D]` float32.
    Raises:
        UserError: the latents differ in shape, or there are not L weights, or not finite ones.
    """
    first, second = _numbers(first, _NO_LATENTS), _numbers(second, _NO_LATENTS)
    if first.ndim != 3 or first.shape[1:] != second.shape[1:]:
        raise UserError(
            f"latents of shapes {list(first.shape)} and {list(second.shape)} cannot be mixed; "
            "use two of one generator"
        )
    weights, levels = np.asarray(weights, np.float64).reshape(-1), first.shape[1]
    if len(weights) not in (1, levels):
        raise UserError(
            f"{counted(len(weights), 'weight was', 'weights were')} given for latents of "
            f"{counted(levels, 'level')}; give {levels} or one"
        )
    check_signed("weights", *weights.tolist())
    weights = weights[:, None].astype(np.float32)  # [L or 1, 1]
    return weights * first + (1 - weights) * second


def crossover(coarse: ArrayLike, fine: ArrayLike, level: int) -> np.ndarray:
    """Style mixing (StyleGAN): the levels before `level` from one latent, that one and finer from another.

    Args:
        coarse, fine: w_plus `[N, L, D]`; either N may be 1.
        level: 0 (all `fine`) to L (all `coarse`).
    Returns:
        w_plus `[N, L, D]` float32.
    Raises:
        UserError: the latents differ in shape, or have no such level.
    """
    coarse, fine = _latents(coarse), _latents(fine)
    levels = coarse.shape[1]
    if not isinstance(level, numbers.Integral) or not 0 <= level <= levels:
        raise UserError(
            f"crossover {shown(level)} was given for latents of {counted(levels, 'level')}; "
            f"give 0 to {levels}"
        )
    return mix(coarse, fine, np.arange(levels) < level)


def interpolate(stops: ArrayLike, steps: int) -> np.ndarray:
    """Go from latent to latent in equal steps along straight lines; first, last and all between are reached.

    Args:
        stops: K w_plus `[K, L, D]`, at least 2.
        steps: steps from each stop to the next, at least 1; with 1 only the stops are returned.
    Returns:
        w_plus `[(K - 1) * steps + 1, L, D]` float32; number `k * steps` is stop k, to the bit.
    Raises:
        UserError: fewer than two stops, or no step.
    """
    check_count("steps", steps)
    stops = _numbers(stops, _NO_LATENTS)
    if stops.ndim != 3 or len(stops) < 2 or steps < 1:
        raise UserError(f"an interpolation needs at least 2 latents and 1 step, got {len(stops)} and {steps}")
    at = np.arange((len(stops) - 1) * steps + 1)
    leg = np.minimum(at // steps, len(stops) - 2)
    share = ((at - leg * steps) / steps).astype(np.float32)[:, None, None]
    return (1 - share) * stops[leg] + share * stops[leg + 1]


def move(w_plus: ArrayLike, direction: ArrayLike, offset: float) -> np.ndarray:
    """Go along a stored direction, as PaddleGAN's Editing: `w_plus + offset * direction`.

    Args:
        w_plus: `[N, L, D]`.
        direction: `[L, D]`, or `[D]` or `[1, D]` for all levels alike; float64 is rounded to float32 first.
        offset: how far, in lengths of the direction; negative goes the other way.
    Returns:
        w_plus `[N, L, D]` float32.
    Raises:
        UserError: the direction has another shape, or is not finite.
    """
    check_signed("offset", offset)
    w_plus = _latents(w_plus)
    direction = _numbers(direction, "a direction is an array of numbers")
    levels, width = w_plus.shape[1:]
    if direction.shape not in ((levels, width), (1, width), (width,)):
        raise UserError(
            f"a direction of shape {list(direction.shape)} does not fit latents of "
            f"{levels} levels, {width} wide; use one that was made for this generator"
        )
    if not np.isfinite(direction).all():
        raise UserError("the direction holds values that are not finite (NaN or infinity); make it again")
    return w_plus + np.float32(offset) * direction
