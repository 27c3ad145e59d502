# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge edits that stay in their region against the same edits without one.

    python benchmarks/regions.py
    python benchmarks/regions.py --faces 100 --output region-quality

Success and leakage as in edit_quality.py: leakage is the mean absolute move of attributes that the words do
not name, above what the judges read when the renderer makes the same move and nothing else; of those
attributes whose own region lies outside the mask, and of all. The bars: leakage outside at most a quarter of
that without a region, at the same success; no pixel outside the mask changes; a picture costs at most 2.2.

The judges see whole pictures, and what they read of one part depends a little on the others. So they also
read pictures in which the inside of the mask is put back to what it was: what moves then lies outside alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from edit_quality import END, MOVE, PAIRS, Bench

QUARTER, COST, SUCCESS_LOSS = 0.25, 2.2, 0.02
# The region that a user would name for an edit of this factor; without one, such as age, it is everywhere.
REGIONS = {
    "hair_lightness": "hair",
    "hair_grey": "hair",
    "hair_length": "hair",
    "hair_curl": "hair",
    "fringe": "hair",
    "smile": "mouth",
    "mouth_open": "mouth",
    "lipstick": "mouth",
    "anger": "eyes+brows",
    "surprise": "eyes+brows",
    "glasses": "glasses",
    "beard": "beard",
    "skin_tone": "skin",
}
APART = 0.1  # share of what a factor changes that may lie in a mask where the factor counts as outside
SHOWN_FACES, SHOWN_MOVE = 6, 1.5  # on which the renderer shows what a factor changes, and by how much


@dataclass(frozen=True)
class Row:
    """What the judges say of one pair, without a region and with it.

    Attributes: `success`; `outside` and `everywhere`, leakage above the judges' own floor; `alone`, that
    outside with the inside put back, no floor taken off: pairs (without, with).
    """

    pair: str
    region: str
    faces: int
    success: tuple
    outside: tuple
    everywhere: tuple
    alone: tuple
    changed_outside: int


class Places:
    """Where parts of the faces of a Bench are, and where factors act, as the world's own renderer has it."""

    def __init__(self, bench):
        from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX
        from ppstyleclip.worlds.portrait.render import render

        self.bench, self.known, self.changes = bench, {}, {}
        size, some = bench.bundle.generator.size, bench.factors[:SHOWN_FACES]
        for name in FACTORS:
            ends = []
            for move in (-SHOWN_MOVE, SHOWN_MOVE):
                moved = some.copy()
                moved[:, INDEX[name]] = move
                ends.append(np.stack([render(row, size) for row in moved]).astype(np.float32))
            self.changes[name] = np.abs(ends[1] - ends[0]).mean(axis=3)  # [SHOWN_FACES, size, size]

    def masks(self, rows, region):
        """`[N, size, size]`, each drawn once."""
        from ppstyleclip.regions import masks_of_world

        size, names, name = self.bench.bundle.generator.size, region.split("+"), self.bench.bundle.name
        for part in names:
            new = [row for row in rows if (row, part) not in self.known]
            if new:
                found = masks_of_world(name, self.bench.z[new], [part], size)[part]
                self.known.update({(row, part): mask for row, mask in zip(new, found)})
        return np.stack([np.max([self.known[row, part] for part in names], axis=0) for row in rows])

    def outside(self, region):
        """Factors that act outside the region."""
        masks = self.masks(range(SHOWN_FACES), region)
        return [name for name, moved in self.changes.items() if (moved * masks).sum() < APART * moved.sum()]


def judge_pair(bench, places, pair, region, limit):
    """A Row, pixels before, without and with the region, and the leakages of all factors by both."""
    from ppstyleclip import Edit
    from ppstyleclip.pictures import to_images, to_pixels
    from ppstyleclip.regions import RegionEdit
    from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX

    rows, edit, editor = bench.starting(pair, limit), Edit(pair.neutral, pair.target), bench.editor
    s, drawn, masks = bench.s.numpy()[rows], bench.drawn[rows], places.masks(rows, region)
    inside = editor.synthesize_edits(s, [RegionEdit(editor.step(edit), masks)], before=drawn)
    before, within = to_pixels(drawn), to_pixels(inside)
    without = editor.render(editor.apply(s, edit))
    changed = int(((before != within).any(axis=3) & (masks == 0)).sum())
    named, start = INDEX[pair.factor], bench.before[:, rows]
    others = [INDEX[f] for f in FACTORS if f not in (pair.factor, *pair.also)]
    far = [INDEX[f] for f in places.outside(region) if INDEX[f] in others]
    found, leaks = [], []
    floor = partial(bench.floor, pair, rows=rows)
    for pixels in (without, within):
        after = bench.readings(bench.judges, to_images(pixels))
        moved = pair.sign * (after - start)[:, :, named]
        good = (moved >= MOVE) & (pair.sign * after[:, :, named] > END)
        raw = np.abs(after - start).mean((0, 1))
        leak = np.maximum(raw - floor(float(moved.mean())), 0)
        share = masks[..., None]
        back = to_images(np.rint(before * share + pixels * (1 - share)).astype(np.uint8))
        alone = np.abs(bench.readings(bench.judges, back) - start).mean((0, 1))
        leaks.append(np.stack([raw, leak, alone]))
        found.append((good.all(0).mean(), leak[far].mean(), leak[others].mean(), alone[far].mean()))
    row = Row(str(pair), region, len(rows), *(tuple(map(float, two)) for two in zip(*found)), changed)
    is_far = np.isin(range(len(FACTORS)), far)
    return row, np.stack([before, without, within]), np.concatenate([*leaks, is_far[None]])


def cost(bench, count=16, rounds=5):
    """How many syntheses an edit in its region costs, by the processor's time of compiled programs."""
    from ppstyleclip.engine import Renderer

    renderer, layout = Renderer(bench.bundle.generator), bench.bundle.layout
    renderer.compile_next()
    s = bench.s.numpy()[:count]
    styles, edited = layout.unflatten(s), layout.unflatten(s + 0.1)
    masks = np.full([count, *[bench.bundle.generator.size] * 2], 0.5, np.float32)
    whole, region = [], []
    for _ in range(rounds + 1):
        begin = time.process_time()
        renderer.synthesize(styles)
        middle = time.process_time()
        renderer.synthesize_in_region(styles, edited, masks)
        whole.append(middle - begin)
        region.append(time.process_time() - middle)
    return float(np.median(region[1:]) / np.median(whole[1:]))


def table(rows):
    """Markdown rows."""
    lines = [
        "| pair | region | faces | success | leakage outside | leakage, all | outside alone "
        "| pixels changed outside |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        cells = [f"{a:.2f} -> {b:.2f}" for a, b in (r.success, r.outside, r.everywhere, r.alone)]
        lines.append(f"| {r.pair} | {r.region} | {r.faces} | {' | '.join(cells)} | {r.changed_outside} |")
    return "\n".join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=400, help="held-out faces drawn")
    parser.add_argument("--per-pair", type=int, default=100)
    parser.add_argument("--seed", type=int, default=777000)
    parser.add_argument("--output", default="region-quality", help="folder of table and pictures")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from ppstyleclip.files import save_png, write_atomic
    from ppstyleclip.pictures import grid
    from ppstyleclip.zoo import load_bundle

    bench, rows, sheets = Bench(load_bundle(None), args.faces, args.seed), [], []
    places, leaks = Places(bench), []
    named = {(pair.factor, pair.sign): pair for pair in PAIRS[::-1]}  # the first pair of texts of each
    for pair in [pair for pair in PAIRS if pair in named.values() and pair.factor in REGIONS]:
        region = REGIONS[pair.factor]
        row, pictures, leak = judge_pair(bench, places, pair, region, args.per_pair)
        leaks.append(leak)
        rows.append(row)
        sheets.append(pictures[:, :4].transpose(1, 0, 2, 3, 4).reshape(-1, *pictures.shape[2:]))
        print(table([row]).splitlines()[-1], flush=True)
    names = ("success", "outside", "everywhere", "alone")
    mean = {name: np.mean([getattr(r, name) for r in rows], axis=0) for name in names}
    share, price = mean["outside"][1] / mean["outside"][0], cost(bench)
    changed = sum(r.changed_outside for r in rows)
    means = "; ".join(f"{name} {two[0]:.3f} -> {two[1]:.3f}" for name, two in mean.items())
    text = (
        f"{table(rows)}\n\nmeans: {means}; {share:.2f} of the leakage outside; "
        f"pixels changed outside {changed}; a picture costs {price:.2f}\n"
    )
    print(text)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    write_atomic(Path(args.output) / "table.md", text.encode())
    np.save(Path(args.output) / "leaks.npy", np.stack(leaks))
    save_png(Path(args.output) / "regions.png", grid(np.concatenate(sheets), 12))
    is_good = share <= QUARTER and mean["success"][1] >= mean["success"][0] - SUCCESS_LOSS
    return 0 if is_good and changed == 0 and price <= COST else 1


if __name__ == "__main__":
    sys.exit(main())
