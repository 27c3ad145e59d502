# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Solved strengths against a fine grid: does `auto` find a solution where there is one, and keep its budget?

    python benchmarks/auto_strength.py                         # 200 edits, alpha and beta solved
    python benchmarks/auto_strength.py --edits 40 --relevance instant --free alpha

An edit is a face and a pair of texts of benchmarks/edit_quality.py, on a face that lacks what the text says.
A cell of the grid is a solution when the text is reached within the budget: once by the product's own measure
(CLIP's move), once by two judges that know no CLIP. The grid has thresholds from weak to strict, and at each
of them strengths up to four times what should be enough; auto's own picture is one cell of it, so that the
others need only be drawn where that one is no solution.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
from edit_quality import END, MOVE, PAIRS, Bench

from ppstyleclip.finite import finite_number

ALPHAS, BETAS = 10, 5
RELEVANCE = ("matrix", "instant", "instant+")


@dataclass(frozen=True)
class Outcome:
    """One edit.

    grid, judged_grid: whether the grid holds a solution, by the product's measure and by the judges.
    reached, judged: whether auto's picture is one.
    kept: whether it is within the budget.
    """

    pair: str
    grid: bool
    judged_grid: bool
    reached: bool
    judged: bool
    kept: bool
    bound: str
    renders: int
    seconds: float


def is_judged_good(bench, pair, rows, images):
    """`[N]` whether both judges say that each face, `rows` `[N]` or `[1]`, became what the words say."""
    from ppstyleclip.worlds.portrait.factors import INDEX

    named = INDEX[pair.factor]
    after = pair.sign * bench.readings(bench.judges, images)[:, :, named]  # [J, N]
    before = pair.sign * bench.before[:, rows, named]
    return ((after - before >= MOVE) & (after > END)).all(axis=0)


def solve_one(bench, pair, row, free, budget):
    """The Outcome of one edit; the grid is drawn after the search, and costs it nothing."""
    from ppstyleclip import Edit
    from ppstyleclip.methods.global_directions.reach import Meter
    from ppstyleclip.methods.global_directions.solve import budget_of
    from ppstyleclip.methods.global_directions.strength import Trial

    editor, bundle = bench.editor, bench.bundle
    face = bench.s[row : row + 1]
    beta = "auto" if free == "both" else None
    edit = Edit(pair.neutral, pair.target, alpha="auto", beta=beta, budget=budget)
    began = time.perf_counter()
    *_, record = editor.solve(face, edit)
    seconds, found = time.perf_counter() - began, record.result
    limits = budget_of(budget, bundle)
    alpha, own = found.trial.alpha, Edit(pair.neutral, pair.target, beta=found.trial.beta)
    picture = bench.render(editor.apply(face, own, [alpha]))
    dt = editor.direction(own).dt
    spread = editor._texts_population.spread(dt)
    meter = Meter(bundle.clip, bundle.identity, bench.drawn[row : row + 1], dt, spread)
    kept = limits.broken(Trial(alpha, found.trial.beta, *meter.measure(picture)[0])) is None
    judged = bool(is_judged_good(bench, pair, [row], picture)[0])
    grid, judged_grid = found.reached and kept, judged and kept
    largest = editor.direction(own).max_relevance
    betas = [bundle.defaults.beta] if free == "alpha" else list(np.linspace(0.2, 0.9, BETAS) * largest)
    for threshold in betas:
        if threshold > largest or (grid and judged_grid):
            continue
        one = Edit(pair.neutral, pair.target, beta=threshold)
        enough = meter.needed / (editor.direction(one).expected_move or meter.needed / bundle.defaults.alpha)
        alphas = enough * np.geomspace(0.2, 4.0, ALPHAS)
        images = editor.synthesize(editor.apply(face, one, alphas))
        trials = [Trial(a, threshold, *m) for a, m in zip(alphas, meter.measure(images))]
        within = np.array([limits.broken(trial) is None for trial in trials])
        grid |= bool((within & np.array([trial.reach >= 1 for trial in trials])).any())
        if not judged_grid:
            judged_grid = bool((within & is_judged_good(bench, pair, [row], images)).any())
    return Outcome(
        str(pair), grid, judged_grid, found.reached, judged, kept, found.bound, found.renders, seconds
    )


def share(values):
    """Such as "0.97 (180 of 186)"."""
    values = list(values)
    return f"{np.mean(values):.3f} ({sum(values)} of {len(values)})" if values else "none"


def table(outcomes):
    """Markdown rows, one for each pair of texts, and the summary below."""
    lines = [
        "| pair | edits | grid holds a solution | auto reaches | by judges: grid | auto | pictures |",
        "|---|---|---|---|---|---|---|",
    ]
    for pair in dict.fromkeys(one.pair for one in outcomes):
        own = [one for one in outcomes if one.pair == pair]
        lines.append(
            f"| {pair} | {len(own)} | {sum(one.grid for one in own)} | {sum(one.reached for one in own)} "
            f"| {sum(one.judged_grid for one in own)} | {sum(one.judged for one in own)} "
            f"| {np.mean([one.renders for one in own]):.1f} |"
        )
    renders = [one.renders for one in outcomes]
    stood = Counter(one.bound for one in outcomes if not one.grid)
    lines += [
        "",
        f"where the grid holds a solution, auto finds one: {share(o.reached for o in outcomes if o.grid)}",
        f"by the judges, likewise: {share(o.judged for o in outcomes if o.judged_grid)}",
        f"auto says reached, and the judges agree: {share(o.judged for o in outcomes if o.reached)}",
        f"budgets broken: {sum(not one.kept for one in outcomes)}",
        f"where the grid holds none, auto says: {dict(stood) or 'there is no such edit'}",
        f"pictures drawn: mean {np.mean(renders):.1f}, median {np.median(renders):.0f}, most {max(renders)}; "
        f"mean {np.mean([one.seconds for one in outcomes]):.2f} s",
    ]
    return "\n".join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--edits", type=int, default=200, help="faces x texts, the texts in turn")
    parser.add_argument("--faces", type=int, default=200, help="held-out faces to choose from")
    parser.add_argument("--seed", type=int, default=777000)
    parser.add_argument("--relevance", choices=RELEVANCE)
    parser.add_argument("--free", choices=("alpha", "both"), default="both", help="what is solved")
    parser.add_argument("--identity", type=finite_number, default=0.6)
    parser.add_argument("--outside", type=finite_number, help="default: the product's")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from ppstyleclip.methods.global_directions import Budget
    from ppstyleclip.zoo import load_bundle

    limits = {"identity": args.identity, "outside": args.outside}
    budget = Budget(**{name: value for name, value in limits.items() if value is not None})
    bench, outcomes = Bench(load_bundle(None), args.faces, args.seed, args.relevance), []
    per_pair = -(-args.edits // len(PAIRS))
    rows = {pair: bench.starting(pair, per_pair) for pair in PAIRS}
    wanted = [(pair, rows[pair][k]) for k in range(per_pair) for pair in PAIRS if k < len(rows[pair])]
    for number, (pair, row) in enumerate(wanted[: args.edits], 1):
        outcomes.append(solve_one(bench, pair, int(row), args.free, budget))
        if number % 20 == 0:
            print(f"{number} edits", file=sys.stderr, flush=True)
    print(table(outcomes))


if __name__ == "__main__":
    main()
