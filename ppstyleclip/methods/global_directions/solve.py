# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edits whose alpha or beta is "auto", solved for one face: what strength.py searches, drawn and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import cache_home
from ppstyleclip.methods.global_directions.choose import measured_styles
from ppstyleclip.methods.global_directions.direction import StyleDirection
from ppstyleclip.methods.global_directions.reach import Meter, Population
from ppstyleclip.methods.global_directions.strength import (
    AUTO,
    LADDER,
    USUAL_IDENTITY,
    Budget,
    Solution,
    StrengthRecord,
    Trial,
    choose_threshold,
    solve_strength,
)
from ppstyleclip.zoo import Bundle

FACES, FACES_LARGE = 200, 48  # of the population; the second from LARGE pixels on
LARGE = 256


def population_of(bundle: Bundle, synthesize: Any) -> Population:
    """The faces by which a bundle's texts are calibrated; their features are kept in the cache."""
    count = FACES if bundle.generator.size < LARGE else FACES_LARGE
    s = measured_styles(bundle, count)[1][:count]
    mark, folder = bundle.fingerprints.get("generator"), cache_home() / "population"
    return Population(bundle.generator, bundle.clip, s, synthesize, folder=folder, mark=mark)


def budget_of(budget: Budget | None, bundle: Bundle) -> Budget:
    """A budget, with what it leaves open.

    Raises:
        UserError: identity is to be kept, and the bundle has no network that tells who is in a picture.
    """
    budget = Budget() if budget is None else budget
    if bundle.identity is None and budget.identity:
        raise UserError(
            f"an identity budget of {budget.identity:g} needs an identity network, and '{bundle.name}' has "
            "none; name one with --ir_se50_weights, or give no identity budget"
        )
    if budget.identity is None and bundle.identity is not None:
        return replace(budget, identity=USUAL_IDENTITY)
    return budget


@dataclass(frozen=True, eq=False)
class FacePictures:
    """Pictures of one face, by which what is left to "auto" is solved.

    Attributes:
        original: `[1, 3, H, W]` the face before all edits.
        edited: draws it with a step `[S]` beside the other edits that are there already.
        before: with those others alone; None: there are none.
        region: `[H, W]` 0 to 1, where the edit may change the picture; None: everywhere.
    """

    original: np.ndarray
    edited: Callable[[np.ndarray], np.ndarray]
    before: np.ndarray | None = None
    region: np.ndarray | None = None


def solve_edit(
    editor: Any,
    edit: Any,
    fixed: Any,
    population: Population,
    pictures: FacePictures,
    direction: Callable[[Any], StyleDirection] | None = None,
    first: float | None = None,
) -> Iterator[StrengthRecord]:
    """Find alpha, beta or both of an edit for one face.

    Args:
        editor: Editor.
        edit: Edit with "auto" as alpha, beta or both.
        fixed: its ResolvedEdit, with the bundle's own numbers in place of "auto".
        population: Population of the editor's bundle.
        pictures: FacePictures. Where other edits are there, the text's reach and identity count from the
            original.
        direction: gives the StyleDirection of a ResolvedEdit in place of Editor.direction, such as one that
            is made orthogonal to those of other edits.
        first: the alpha that is tried first; None: the one that is expected to be right.
    Yields:
        StrengthRecord for each picture; the last one has the Solution.
    Raises:
        UserError: as Editor.direction and budget_of.
    """
    bundle = editor.bundle
    budget = budget_of(edit.budget, bundle)
    direction = editor.direction if direction is None else direction
    dt = direction(fixed).dt
    before = pictures.original if pictures.before is None else pictures.before
    meter = Meter(
        bundle.clip,
        bundle.identity,
        before,
        dt,
        population.spread(dt),
        region=pictures.region,
        original=pictures.original,
    )

    def draw(alpha: float, beta: float) -> Trial:
        ds = direction(replace(fixed, beta=beta)).ds
        return Trial(alpha, beta, *meter.measure(pictures.edited(np.float32(alpha) * ds))[0])

    def guess(beta: float) -> float:
        if first:
            return abs(first) / max(1 - begin.reach, 1e-6)
        move = direction(replace(fixed, beta=beta)).expected_move
        return meter.needed / move if move else abs(bundle.defaults.alpha) or 1.0

    begin = Trial(0.0, 0.0, *meter.measure(before)[0])
    betas = _betas(editor, fixed) if edit.beta == AUTO else [fixed.beta]
    if edit.alpha == AUTO:
        yield from solve_strength(draw, guess, betas, budget, begin)
    else:
        yield from choose_threshold(draw, fixed.alpha, betas, budget)


def with_solution(edit: Any, found: Solution) -> Any:
    """The edit with the strength and the threshold that were found."""
    return replace(edit, alpha=found.trial.alpha, beta=found.trial.beta)


def _betas(editor: Any, fixed: Any) -> list[float]:
    """The ladder of thresholds for these texts."""
    largest = editor.direction(replace(fixed, beta=0.0)).max_relevance
    return [float(np.floor(share * largest * 1e4) / 1e4) for share in LADDER]
