# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Which statements are true of which faces. A statement is an attribute in one of six degrees."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES, INF, Attribute
from ppstyleclip.worlds.portrait.factors import FACTORS, as_rows, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.factors import INDEX as FACTOR

DEGREES = ("plain", "slightly", "very", "more", "less", "not")
PLAIN, SLIGHTLY, VERY, MORE, LESS, NOT = range(len(DEGREES))
GAP = 0.35  # from the end of a range to where the attribute is clearly false
VERY_FROM = 0.8  # beyond the bound of the plain attribute
SLIGHTLY_FROM, SLIGHTLY_TO = -0.15, 0.6  # and what is slightly so
MORE_FROM = 0.25  # beyond the middle


def _values(factors, name):
    if name.startswith("|"):
        return np.abs(factors[:, FACTOR[name.strip("|")]])
    return factors[:, FACTOR[name]]


def _inside(factors, ranges, gap):
    """`[N]` int8: 1 where all ranges hold, -1 where one is missed by more than `gap`, else 0."""
    found = np.ones(len(factors), np.int8)
    for name, low, high in ranges:
        v = _values(factors, name)
        state = np.where((v > low) & (v < high), 1, np.where((v < low - gap) | (v > high + gap), -1, 0))
        found = np.minimum(found, state.astype(np.int8))
    return found


def graded_range(attribute: Attribute, degree: int):
    """The first range of a graded attribute in the degrees from SLIGHTLY to LESS, and how wide its gap is."""
    name, low, high = attribute.where[0]
    sign, bound = (1, low) if high == INF else (-1, -high)
    start, end, gap = {
        SLIGHTLY: (bound + SLIGHTLY_FROM, bound + SLIGHTLY_TO, 0.3),
        VERY: (bound + VERY_FROM, INF, GAP),
        MORE: (sign * attribute.middle + MORE_FROM, INF, 2 * MORE_FROM),
        LESS: (-INF, sign * attribute.middle - MORE_FROM, 2 * MORE_FROM),
    }[degree]
    return (name, start, end) if sign > 0 else (name, -end, -start), gap


def state(attribute: Attribute, factors: np.ndarray, degree: int = PLAIN) -> np.ndarray:
    """Judge one statement.

    Args:
        attribute: of ATTRIBUTES.
        factors: `[N, NUM_FACTORS]`.
        degree: PLAIN ... NOT; those between ask for a graded attribute.
    Returns:
        `[N]` int8: 1 true, -1 false, 0 undecided.
    """
    if degree in (PLAIN, NOT):
        found = _inside(factors, attribute.where, GAP)
        found = -found if degree == NOT else found
    else:
        first, gap = graded_range(attribute, degree)
        found = np.minimum(_inside(factors, (first,), gap), _inside(factors, attribute.where[1:], GAP))
    if attribute.hidden:
        found = np.where(_inside(factors, attribute.hidden, 0) > 0, 0, found)
    return found.astype(np.int8)


def degrees_of(attribute: Attribute) -> tuple[int, ...]:
    """The degrees in which an attribute can be said."""
    return tuple(range(len(DEGREES))) if attribute.graded else (PLAIN, NOT)


def truth_table(factors: np.ndarray) -> np.ndarray:
    """Judge every statement.

    Args:
        factors: `[N, NUM_FACTORS]`.
    Returns:
        `[N, len(ATTRIBUTES), len(DEGREES)]` int8: 1 true, -1 false, 0 undecided or not to be said.
    Raises:
        UserError: factors of another shape.
    """
    factors = as_rows(factors, len(FACTORS), "factors")
    table = np.zeros((len(factors), len(ATTRIBUTES), len(DEGREES)), np.int8)
    for i, attribute in enumerate(ATTRIBUTES):
        for degree in degrees_of(attribute):
            table[:, i, degree] = state(attribute, factors, degree)
    return table


def judge(table: np.ndarray, statements) -> np.ndarray:
    """Judge a caption.

    Args:
        table: of `truth_table`.
        statements: (attribute's index, degree) pairs, all of which it says.
    Returns:
        `[N]` int8: 1 where all are true, -1 where one is false, else 0.
    """
    found = np.ones(len(table), np.int8)
    for index, degree in statements:
        found = np.minimum(found, table[:, index, degree])
    return found


@lru_cache(maxsize=1)
def shares() -> np.ndarray:
    """`[len(ATTRIBUTES), len(DEGREES)]`: of how many people each statement is true."""
    return (truth_table(factors_from_z(sample_z(0, 4000))) > 0).mean(0)
