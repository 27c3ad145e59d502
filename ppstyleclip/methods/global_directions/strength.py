# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The smallest strength at which a face reaches its text, within budgets; the threshold that spoils least.

What a picture is worth is measured elsewhere (reach.py); here is the search alone. With reach 1 the text is
reached. For one beta it looks for the smallest alpha of reach 1 between a lower end, which is not enough, and
an upper one, which is enough or breaks a budget: where both ends say how reach or the broken budget grows,
the next alpha is interpolated. For a free beta it climbs a ladder of betas as long as they spoil less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Callable

from ppstyleclip.methods.checks import check_number
from ppstyleclip.wording import counted

AUTO = "auto"  # as an alpha or a beta of an Edit: it is solved for each face
USUAL_IDENTITY, USUAL_OUTSIDE = 0.6, 0.03
SLACK = 0.06  # reach of 1 to 1 + SLACK is near enough to the smallest strength
TOLERANCE = 0.04  # two strengths that are nearer, as a share of the larger, count as one
FIRST_GUESSES, MOST_GROWTH, LEAST_GROWTH = 8.0, 2.5, 1.3
MOST_RENDERS = 12  # for one beta
LADDER = (0.2, 0.35, 0.5, 0.65, 0.8)  # betas that are tried, as shares of the largest usable one
AS_NEAR = 0.05  # of reach: where a text is not reached, the weakest edit that is so much as near is taken


@dataclass(frozen=True)
class Budget:
    """What an edit may cost a face.

    Attributes:
        identity: least cosine between who is in the picture before and after; None: USUAL_IDENTITY where
            there is a network that tells, else no limit. 0 sets no limit.
        outside: most mean absolute change of the picture outside of the edit's region, as a share of the
            range from black to white. Without a region that is the three quarters of the picture that
            change least. 1 sets no limit.
    Raises:
        UserError: a value is not from 0 to 1.
    """

    identity: float | None = None
    outside: float = USUAL_OUTSIDE

    def __post_init__(self) -> None:
        check_number("outside", self.outside, most=1.0)
        if self.identity is not None:
            check_number("identity", self.identity, most=1.0)

    def broken(self, trial: Trial) -> str | None:
        """Which bound a trial breaks, "identity" or "outside", the one that is broken more; None: neither."""
        name = max(("identity", "outside"), key=lambda one: self.used_of(one, trial))
        return name if self.used_of(name, trial) > 1 else None

    def used(self, trial: Trial) -> float:
        """The share that a trial takes of the bound of which it takes more; above 1 it breaks that."""
        return max(self.used_of(name, trial) for name in ("identity", "outside"))

    def used_of(self, name: str, trial: Trial) -> float:
        """The share of one bound, "identity" or "outside", that a trial takes."""
        return self._used_identity(trial) if name == "identity" else trial.outside / max(self.outside, 1e-9)

    def _used_identity(self, trial: Trial) -> float:
        if trial.identity is None or not self.identity:
            return 0.0
        return (1 - trial.identity) / max(1 - self.identity, 1e-9)


@dataclass(frozen=True)
class Trial:
    """A picture that was drawn, and what it is worth.

    Attributes:
        alpha, beta: how it was drawn.
        reach: how far towards the text, 1 where it is reached.
        identity: cosine of who is in it, to the face before; None where nothing tells.
        outside: mean absolute change outside of the region, 0 to 1.
    """

    alpha: float
    beta: float
    reach: float
    identity: float | None
    outside: float


@dataclass(frozen=True)
class Solution:
    """What was found for one face.

    Attributes:
        trial: the picture that was chosen; its alpha and beta are the answer.
        bound: "reached"; or what stood in the way: "identity" or "outside", a budget beyond which the text
            would have been nearer; "text", as no strength that was tried came nearer to it.
        renders: pictures that were drawn for it.
        budget: that was kept to.
    """

    trial: Trial
    bound: str
    renders: int
    budget: Budget

    @property
    def reached(self) -> bool:
        """Whether the text is reached within the budget."""
        return self.bound == "reached"

    @property
    def line(self) -> str:
        """One line that says what was chosen, and what bound it."""
        trial, budget = self.trial, self.budget
        cost = [f"{trial.outside:.1%} change outside (at most {budget.outside:.1%})"]
        if trial.identity is not None:
            limit = f" (at least {budget.identity:g})" if budget.identity else ""
            cost.insert(0, f"identity {trial.identity:.2f}{limit}")
        reason = {
            "reached": "the text is reached" if trial.alpha else "the face shows it already",
            "identity": f"bound by identity, at {trial.reach:.0%} of the way to the text",
            "outside": f"bound by change outside of the region, at {trial.reach:.0%} of the way to the text",
            "text": f"no strength comes nearer than {trial.reach:.0%} of the way to the text",
        }[self.bound]
        return (
            f"strength {trial.alpha:.3g} at threshold {trial.beta:.3g}: {reason}; {', '.join(cost)}; "
            f"{counted(self.renders, 'picture')} drawn"
        )


@dataclass(frozen=True)
class StrengthRecord:
    """How far a search is.

    Attributes:
        done: pictures that were drawn.
        total: what it will be at most.
        stage: "strength".
        trial: the latest picture; with the last record the chosen one.
        result: Solution; only the last record has it.
    """

    done: int
    total: int
    stage: str = "strength"
    trial: Trial | None = None
    result: Solution | None = None


Draw = Callable[[float, float], Trial]  # (alpha, beta) to what that picture is worth
UNEDITED = Trial(0.0, 0.0, 0.0, 1.0, 0.0)


def solve_strength(
    draw: Draw,
    guess: Callable[[float], float],
    betas: Sequence[float],
    budget: Budget,
    begin: Trial = UNEDITED,
) -> Iterator[StrengthRecord]:
    """Find the smallest alpha at which the text is reached, and of several betas the one that spoils least.

    Args:
        draw: draws a picture and measures it.
        guess: for a beta, the alpha at which reach 1 is expected; above 0.
        betas: from small to large; the search begins in their middle. One beta is taken as it is.
        budget: Budget.
        begin: what the face is worth at alpha 0, where other edits have brought it nearer or away already.
    Yields:
        StrengthRecord for each picture; the last one has the Solution.
    """
    if begin.reach >= 1:
        middle = betas[(len(betas) - 1) // 2]
        chosen = Solution(replace(begin, beta=middle), budget.broken(begin) or "reached", 1, budget)
        yield StrengthRecord(1, 1, trial=begin, result=chosen)
        return
    total, done = MOST_RENDERS * len(betas), 0
    found: dict[int, Solution] = {}
    ratio = 1.0  # of the alpha that was right to the one that was guessed, of the latest beta
    place: int | None = (len(betas) - 1) // 2
    while place is not None:
        beta = betas[place]
        first = guess(beta) * (1 - begin.reach)
        for solution, trial in _solve_alpha(draw, beta, first * ratio, first, budget, begin):
            done += trial is not None
            if solution is not None:
                found[place] = solution
            elif trial is not None:
                yield StrengthRecord(done, total, trial=trial)
        if found[place].reached:
            ratio = found[place].trial.alpha / first
        place = _next_place(found, len(betas))
    best = found[_best(found)]
    yield StrengthRecord(done, done, trial=best.trial, result=replace(best, renders=done))


def choose_threshold(
    draw: Draw, alpha: float, betas: Sequence[float], budget: Budget
) -> Iterator[StrengthRecord]:
    """Find the beta that spoils least at a given alpha; arguments and records as of solve_strength."""
    found: dict[int, Solution] = {}
    for place, beta in enumerate(betas):
        trial = draw(alpha, beta)
        bound = budget.broken(trial) or ("reached" if trial.reach >= 1 else "text")
        found[place] = Solution(trial, bound, 1, budget)
        yield StrengthRecord(place + 1, len(betas), trial=trial)
    within = {place: one for place, one in found.items() if one.bound in ("reached", "text")}
    if within:
        best = within[_best(within)]
    else:
        best = min(found.values(), key=lambda one: budget.used(one.trial))
    yield StrengthRecord(len(betas), len(betas), trial=best.trial, result=replace(best, renders=len(betas)))


def _best(found: dict[int, Solution]) -> int:
    """Where the best solution is: one that reaches and spoils least, else one that reaches farthest."""
    reached = [place for place in found if found[place].reached]
    if reached:
        return min(reached, key=lambda place: found[place].budget.used(found[place].trial))
    return max(found, key=lambda place: found[place].trial.reach)


def _next_place(found: dict[int, Solution], count: int) -> int | None:
    """The beta to try next: beside the best one, upwards first; None at the top of the hill."""
    best = _best(found)
    for place in (best + 1, best - 1):
        if 0 <= place < count and place not in found:
            return place
    if found[best].reached:
        return None
    return next((place for place in range(count) if place not in found), None)


def _solve_alpha(
    draw: Draw, beta: float, start: float, guess: float, budget: Budget, begin: Trial
) -> Iterator[tuple[Solution | None, Trial | None]]:
    """Search one beta; yields (None, trial) for each picture and (Solution, None) at the end."""
    limit = FIRST_GUESSES * guess
    low, best, high = begin, None, None
    within = [replace(begin, beta=beta)]
    alpha, renders = min(start, limit), 0
    while renders < MOST_RENDERS:
        trial = draw(alpha, beta)
        renders += 1
        yield None, trial
        broken = budget.broken(trial)
        if broken is None:
            within.append(trial)
        if broken is None and trial.reach < 1:
            low = trial
        else:
            high = trial
            best = trial if broken is None else best
        if best is not None and (best.reach <= 1 + SLACK or best.alpha - low.alpha <= TOLERANCE * best.alpha):
            break
        if high is not None and high.alpha - low.alpha <= TOLERANCE * high.alpha:
            break
        if high is None and low.alpha >= limit * (1 - TOLERANCE):
            break
        alpha = _next_alpha(begin, low, high, budget, limit)
    if best is not None:
        yield Solution(best, "reached", renders, budget), None
    else:
        bound = "text" if high is None else budget.broken(high) or "text"
        enough = max(trial.reach for trial in within) - AS_NEAR
        nearest = min((one for one in within if one.reach >= enough), key=lambda one: one.alpha)
        yield Solution(nearest, bound, renders, budget), None


def _next_alpha(begin: Trial, low: Trial, high: Trial | None, budget: Budget, limit: float) -> float:
    """Where reach 1 is expected or, if a budget breaks before it, where that breaks."""
    goal = 1 + SLACK / 2
    if high is None:
        rise = low.reach - begin.reach
        growth = (goal - begin.reach) / rise if rise > 0 else MOST_GROWTH
        return min(limit, low.alpha * min(MOST_GROWTH, max(LEAST_GROWTH, growth)))
    if high.reach >= goal:
        share = (goal - low.reach) / (high.reach - low.reach)
    else:
        name = budget.broken(high)
        if name is None:
            return 0.5 * (low.alpha + high.alpha)
        ends = budget.used_of(name, low), budget.used_of(name, high)
        share = (0.97 - ends[0]) / max(ends[1] - ends[0], 1e-9)
    return low.alpha + min(0.85, max(0.15, share)) * (high.alpha - low.alpha)
