# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Two and three edits at once: are all reached as often as single edits let one expect?

    python benchmarks/several_edits.py
    python benchmarks/several_edits.py --strength auto --orthogonal --output several-edits

Each recipe is applied to faces that lack all that its texts say; two judges that know no CLIP say of each
text whether it is reached. Beside that: the product of the rates of its edits, each alone on the same faces.
Edits of the same attribute exclude each other and are left out. The picture shows, before and after, the ten
faces on which the attributes that no text names move most, by the judges.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np
from auto_strength import is_judged_good
from edit_quality import PAIRS, Bench

RELEVANCE = ("matrix", "instant", "instant+")
SLACK = 0.05  # that the joint rate may lie below the product
WORST = 10


def combined(bench, size, per_recipe, least):
    """Lists of `size` pairs that can go together, with the faces that lack all of them."""
    for pairs in combinations(PAIRS, size):
        named = [name for pair in pairs for name in (pair.factor, *pair.also)]
        if len(set(named)) < len(named):
            continue
        rows = set.intersection(*(set(bench.starting(pair, None).tolist()) for pair in pairs))
        if len(rows) >= least:
            yield pairs, sorted(rows)[:per_recipe]


class Alone:
    """Whether single edits reach their texts; each is drawn once on each face."""

    def __init__(self, bench, alpha):
        self.bench, self.alpha, self.known = bench, alpha, {}

    def rate(self, pair, rows):
        """On how many of the faces a text is reached."""
        from ppstyleclip.pipelines.recipes import edit_styles

        new = [row for row in rows if (pair, row) not in self.known]
        if new:
            styles = edit_styles(self.bench.editor, self.bench.s.numpy()[new], edit_of(pair, self.alpha))
            good = is_judged_good(self.bench, pair, new, self.bench.render(styles))
            self.known.update({(pair, row): one for row, one in zip(new, good)})
        return np.mean([self.known[pair, row] for row in rows])


def edit_of(pair, alpha):
    """The Edit of a pair of texts."""
    from ppstyleclip import Edit

    return Edit(pair.neutral, pair.target, alpha=alpha)


def rates(bench, alone, pairs, rows, is_orthogonal):
    """(rate at which all are reached together, product of the rates of each alone), and the pictures."""
    from ppstyleclip.pipelines.recipes import Recipe, edit_styles

    edits = tuple(edit_of(pair, alone.alpha) for pair in pairs)
    faces = bench.s.numpy()[rows]
    together = bench.render(edit_styles(bench.editor, faces, Recipe(edits, orthogonal=is_orthogonal)))
    good = [is_judged_good(bench, pair, rows, together) for pair in pairs]
    single = [alone.rate(pair, rows) for pair in pairs]
    return (float(np.all(good, axis=0).mean()), float(np.prod(single))), together


def spoilt(bench, pairs, rows, images):
    """`[N]` how far the attributes that no text names move on each face, on the mean."""
    from ppstyleclip.worlds.portrait.factors import INDEX

    named = [INDEX[name] for pair in pairs for name in (pair.factor, *pair.also)]
    moved = np.abs(bench.readings(bench.judges, images) - bench.before[:, rows])
    return np.delete(moved, named, axis=2).mean(axis=(0, 2))


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=400, help="held-out faces to choose from")
    parser.add_argument("--per-recipe", type=int, default=20)
    parser.add_argument("--recipes", type=int, default=12, help="of each size")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--seed", type=int, default=777000)
    parser.add_argument("--relevance", choices=RELEVANCE)
    parser.add_argument("--strength", choices=("default", "auto"), default="default")
    parser.add_argument("--orthogonal", action="store_true")
    parser.add_argument("--output", default="several-edits", help="folder of the picture")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from ppstyleclip.files import save_png
    from ppstyleclip.pictures import enlarged, grid, to_pixels
    from ppstyleclip.zoo import load_bundle

    bench = Bench(load_bundle(None), args.faces, args.seed, args.relevance)
    worst, alone = [], Alone(bench, "auto" if args.strength == "auto" else None)
    print("| edits | faces | all reached | product of each alone | |\n|---|---|---|---|---|")
    for size in args.sizes:
        known = list(combined(bench, size, args.per_recipe, args.per_recipe // 2))
        chosen = np.random.RandomState(0).permutation(len(known))[: args.recipes]
        found = []
        for pairs, rows in (known[k] for k in sorted(chosen)):
            (joint, product), images = rates(bench, alone, pairs, rows, args.orthogonal)
            found.append((joint, product))
            names = "; ".join(pair.target for pair in pairs)
            price = spoilt(bench, pairs, rows, images)
            worst += [(price[k], names, row, images[k]) for k, row in enumerate(rows)]
            verdict = "" if joint >= product - SLACK else "below"
            print(f"| {names} | {len(rows)} | {joint:.2f} | {product:.2f} | {verdict} |", flush=True)
        joint, product = np.mean(found, axis=0)
        below = sum(one < other - SLACK for one, other in found)
        print(f"| mean of {len(found)} recipes of {size} | | {joint:.3f} | {product:.3f} | {below} below |")
    worst = sorted(worst, key=lambda one: -one[0])[:WORST]
    for price, names, row, _ in worst:
        print(f"face {row}: unnamed attributes move by {price:.2f} deviations: {names}")
    both = [np.stack([bench.drawn[row] for _, _, row, _ in worst]), np.stack([one[3] for one in worst])]
    save_png(Path(args.output) / "worst.png", grid(enlarged(to_pixels(np.concatenate(both))), len(worst)))


if __name__ == "__main__":
    main()
