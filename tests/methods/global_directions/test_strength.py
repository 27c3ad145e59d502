# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The search for the smallest strength, on curves whose answer is known; budgets, bounds, and their words."""

import math
from dataclasses import replace

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions.strength import (
    MOST_RENDERS,
    SLACK,
    TOLERANCE,
    Budget,
    Trial,
    choose_threshold,
    solve_strength,
)
from ppstyleclip.progress import last

BUDGET = Budget(identity=0.6, outside=0.06)


def curves(*, rate=0.4, most=3.0, identity=0.03, outside=0.004, best=0.5):
    """A face's reach, which saturates, and what it costs; near the threshold `best` it costs least."""

    def draw(alpha, beta):
        spoils = 1 + 3 * abs(beta - best)
        reach = most * (1 - math.exp(-rate * alpha / most))
        return Trial(alpha, beta, reach, 1 - identity * spoils * alpha**1.3, outside * spoils * alpha)

    return draw


def solve(draw, *, guess=2.5, betas=(0.5,), budget=BUDGET, **options):
    records = list(solve_strength(draw, lambda beta: guess, betas, budget, **options))
    assert [record.done for record in records] == sorted(record.done for record in records)
    assert records[-1].done == records[-1].total == records[-1].result.renders
    assert [record.result is None for record in records] == [True] * (len(records) - 1) + [False]
    return records[-1].result


def smallest(draw, beta=0.5):
    """By a fine grid."""
    return next((a for a in np.arange(0.01, 40, 0.01) if draw(a, beta).reach >= 1), None)


# ---- reached


@pytest.mark.parametrize("guess", [1.0, 2.5, 8.0])
@pytest.mark.parametrize("most", [1.3, 3.0, 50.0])
def test_the_smallest_strength_is_found_whatever_the_first_guess(guess, most):
    draw = curves(most=most, identity=0.001, outside=0.0001)
    found = solve(draw, guess=guess)
    assert found.reached and 1 <= found.trial.reach
    assert smallest(draw) <= found.trial.alpha <= smallest(draw) * (1 + SLACK + 2 * TOLERANCE) * 1.1
    assert found.renders <= 7


def test_a_right_guess_takes_few_pictures():
    draw = curves(most=1e6, identity=0.001, outside=0.0001)
    assert solve(draw, guess=1.02 / 0.4).renders == 1
    assert solve(draw, guess=2.0).renders <= 3


def test_between_a_strength_that_is_too_weak_and_one_that_breaks_the_budget_the_right_one_is_found():
    draw = curves(most=1e6, identity=0.0, outside=0.06 / 2.7)  # reached at 2.5, broken from 2.7 on
    found = solve(draw, guess=6.0)
    assert found.reached and 2.5 <= found.trial.alpha <= 2.7


# ---- bound


@pytest.mark.parametrize("costs, bound", [({"identity": 0.3}, "identity"), ({"outside": 0.05}, "outside")])
def test_a_budget_that_stands_in_the_way_is_named_and_kept(costs, bound):
    draw = curves(**costs)
    found = solve(draw)
    assert found.bound == bound and not found.reached and 0 < found.trial.reach < 1
    assert BUDGET.broken(found.trial) is None
    further = draw(found.trial.alpha * (1 + 2 * TOLERANCE), 0.5)
    assert BUDGET.broken(further) == bound, "a stronger edit would have been within the budget"


def test_a_text_that_no_strength_reaches_says_so():
    found = solve(curves(most=0.7, identity=0.0, outside=0.0))
    assert found.bound == "text" and found.trial.reach == pytest.approx(0.7, abs=0.1)
    assert found.renders <= MOST_RENDERS
    assert "no strength comes nearer" in found.line


def test_a_budget_that_every_strength_breaks_leaves_the_face_as_it_is():
    found = solve(lambda alpha, beta: Trial(alpha, beta, 2.0, 0.1, 0.0))
    assert found.bound == "identity" and found.trial.alpha == 0.0


def test_without_a_network_and_with_limits_off_nothing_is_broken():
    trial = Trial(1.0, 0.1, 0.5, None, 0.5)
    assert Budget(identity=0.9, outside=1.0).broken(trial) is None
    assert Budget(identity=0.0, outside=1.0).broken(Trial(1.0, 0.1, 0.5, -1.0, 1.0)) is None
    assert Budget(outside=0.4).broken(trial) == "outside"


# ---- on top of other edits


def test_a_text_that_other_edits_reached_needs_nothing():
    found = solve(curves(), begin=Trial(0.0, 0.0, 1.2, 0.8, 0.0))
    assert found.reached and found.trial.alpha == 0.0 and found.trial.beta == 0.5


@pytest.mark.parametrize("start", [-0.5, 0.4])
def test_what_other_edits_did_is_counted(start):
    draw = curves(most=1e6, identity=0.0, outside=0.0)

    def moved(alpha, beta):
        trial = draw(alpha, beta)
        return Trial(alpha, beta, trial.reach + start, trial.identity, trial.outside)

    found = solve(moved, begin=Trial(0.0, 0.0, start, 1.0, 0.0))
    assert found.trial.alpha == pytest.approx((1 - start) / 0.4, rel=SLACK + TOLERANCE)


# ---- thresholds

LADDER = (0.1, 0.3, 0.5, 0.7, 0.9)


@pytest.mark.parametrize("best", LADDER)
def test_of_several_thresholds_the_one_that_spoils_least_is_found(best):
    found = solve(curves(best=best), betas=LADDER)
    assert found.reached and found.trial.beta == best


def test_where_the_middle_threshold_reaches_nothing_others_are_tried():
    inner = curves()

    def draw(alpha, beta):
        return replace(inner(alpha, 0.5), beta=beta) if beta == 0.1 else Trial(alpha, beta, 0.0, 1.0, 0.0)

    found = solve(draw, betas=LADDER)
    assert found.reached and found.trial.beta == 0.1


def test_a_given_strength_gets_the_threshold_that_spoils_least():
    record = last(choose_threshold(curves(best=0.7), 4.0, LADDER, BUDGET))
    assert record.result.trial == curves(best=0.7)(4.0, 0.7) and record.result.renders == 5
    record = last(choose_threshold(curves(best=0.7, outside=1.0), 4.0, LADDER, BUDGET))
    assert record.result.bound == "outside" and record.result.trial.beta == 0.7


# ---- words


def test_one_line_says_what_was_chosen_and_what_bound_it():
    line = solve(curves()).line
    assert "the text is reached" in line and "identity 0." in line and "(at least 0.6)" in line
    line = solve(curves(identity=0.3)).line
    assert "bound by identity, at" in line and "\n" not in line
    assert "identity" not in solve(lambda a, b: Trial(a, b, a / 3, None, 0.0)).line


@pytest.mark.parametrize(
    "values", [{"identity": 1.1}, {"identity": float("nan")}, {"outside": -0.1}, {"outside": "x"}]
)
def test_a_budget_that_cannot_be(values):
    with pytest.raises(UserError, match=next(iter(values))):
        Budget(**values)
