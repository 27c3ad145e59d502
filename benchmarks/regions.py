# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge edits that stay in their region against the same edits without one.

    python benchmarks/regions.py
    python benchmarks/regions.py --faces 100 --output region-quality

Success as in edit_quality.py. Leakage is the mean absolute move of attributes that the words do not name: of
those whose own region lies outside the mask, and of all. The bars: leakage outside at most a quarter of that
without a region, at the same success; no pixel outside the mask changes; a picture costs at most 2.2.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from edit_quality import END, MOVE, PAIRS, Bench

QUARTER, COST, SUCCESS_LOSS = 0.25, 2.2, 0.02
# Where the renderer draws what a factor changes. A factor that is not here, such as age, is everywhere.
HOMES = {
    "hair_lightness": "hair",
    "hair_redness": "hair",
    "hair_grey": "hair",
    "hair_dye": "hair",
    "hair_length": "hair",
    "hair_curl": "hair",
    "hair_volume": "hair",
    "fringe": "hair",
    "smile": "mouth",
    "mouth_open": "mouth",
    "lipstick": "mouth",
    "lip_fullness": "mouth",
    "anger": "eyes+brows",
    "surprise": "eyes+brows",
    "glasses": "glasses",
    "shades": "glasses",
    "beard": "beard",
    "skin_tone": "skin",
    "face_width": "skin",
    "face_height": "skin",
    "eye_size": "eyes",
    "eye_distance": "eyes",
    "eye_colour": "eyes",
    "brow_thickness": "brows",
    "nose_size": "nose",
    "background_colour": "background",
    "background_tone": "background",
    "clothes_colour": "clothes",
}
APART = 0.1  # share of a home that a mask may cover where it counts as outside


@dataclass(frozen=True)
class Row:
    """What the judges say of one pair, without a region and with it.

    Attributes: `success`, `outside` and `all`, pairs (without, with).
    """

    pair: str
    region: str
    faces: int
    success: tuple
    outside: tuple
    everywhere: tuple
    changed_outside: int


def region_of(pair):
    """The region of a pair's factor; None where the factor is everywhere."""
    return HOMES.get(pair.factor)


def masks_for(bench, rows, region):
    """`[N, size, size]` from the true landmarks of faces."""
    from ppstyleclip.regions import masks_of_landmarks
    from ppstyleclip.worlds.portrait.factors import factors_from_z
    from ppstyleclip.worlds.portrait.landmarks import landmarks

    size, names = bench.bundle.generator.size, tuple(region.split("+"))
    found = []
    for factors in factors_from_z(bench.z[rows]):
        points = landmarks(factors, size)
        found.append(np.max(list(masks_of_landmarks(points, size, names).values()), axis=0))
    return np.stack(found)


def outside_factors(bench, rows, masks):
    """Factors whose home lies outside the masks."""
    cover = {
        home: (masks_for(bench, rows[:8], home) * masks[:8]).sum() / masks_for(bench, rows[:8], home).sum()
        for home in set(HOMES.values())
    }
    return [factor for factor, home in HOMES.items() if cover[home] < APART]


def judge_pair(bench, pair, region, limit):
    """A Row, and images before, without and with the region."""
    import paddle

    from ppstyleclip import Edit
    from ppstyleclip.pictures import to_images, to_pixels
    from ppstyleclip.regions import RegionEdit
    from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX

    rows, edit = bench.starting(pair, limit), Edit(pair.neutral, pair.target)
    s = paddle.index_select(bench.s, paddle.to_tensor(rows))
    masks, editor = masks_for(bench, rows, region), bench.editor
    drawn = editor.synthesize(s)
    inside = editor.synthesize_edits(s, [RegionEdit(editor.step(edit), masks)], before=drawn)
    before, within = to_pixels(drawn), to_pixels(inside)
    without = editor.render(editor.apply(s, edit))
    changed = int(((before != within).any(axis=3) & (masks == 0)).sum())
    named, far = INDEX[pair.factor], outside_factors(bench, rows, masks)
    others = [f for f in FACTORS if f not in (pair.factor, *pair.also)]
    success, outside, everywhere = [], [], []
    for pixels in (without, within):
        after, start = bench.readings(bench.judges, to_images(pixels)), bench.before[:, rows]
        moved = pair.sign * (after - start)[:, :, named]
        good = (moved >= MOVE) & (pair.sign * after[:, :, named] > END)
        leak = np.abs(after - start).mean((0, 1))
        success.append(float(good.all(0).mean()))
        outside.append(float(leak[[INDEX[f] for f in far if f in others]].mean()))
        everywhere.append(float(leak[[INDEX[f] for f in others]].mean()))
    row = Row(str(pair), region, len(rows), tuple(success), tuple(outside), tuple(everywhere), changed)
    return row, np.stack([before, without, within])


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
        "| pair | region | faces | success | leakage outside | leakage, all | pixels changed outside |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        cells = [f"{a:.2f} -> {b:.2f}" for a, b in (r.success, r.outside, r.everywhere)]
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
    for pair in PAIRS:
        region = region_of(pair)
        if region is None:
            continue
        row, pictures = judge_pair(bench, pair, region, args.per_pair)
        rows.append(row)
        sheets.append(pictures[:, :4].transpose(1, 0, 2, 3, 4).reshape(-1, *pictures.shape[2:]))
        print(table([row]).splitlines()[-1], flush=True)
    mean = {name: np.mean([getattr(r, name) for r in rows], axis=0) for name in ("success", "outside")}
    share, price = mean["outside"][1] / mean["outside"][0], cost(bench)
    changed = sum(r.changed_outside for r in rows)
    text = (
        f"{table(rows)}\n\nmean success {mean['success'][0]:.3f} -> {mean['success'][1]:.3f}; "
        f"leakage outside {mean['outside'][0]:.3f} -> {mean['outside'][1]:.3f}, {share:.2f} of it; "
        f"pixels changed outside {changed}; a picture costs {price:.2f}\n"
    )
    print(text)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    write_atomic(Path(args.output) / "table.md", text.encode())
    save_png(Path(args.output) / "regions.png", grid(np.concatenate(sheets), 12))
    is_good = share <= QUARTER and mean["success"][1] >= mean["success"][0] - SUCCESS_LOSS
    return 0 if is_good and changed == 0 and price <= COST else 1


if __name__ == "__main__":
    sys.exit(main())
