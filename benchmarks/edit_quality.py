# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge text edits on the portrait world, in the population's own units.

    python benchmarks/edit_quality.py                 # at the pack's alpha and beta
    python benchmarks/edit_quality.py --sweep --output quality/
    python benchmarks/edit_quality.py --model_type portrait-sg3 --per-pair 50 --seed 787000

Success: of the faces on the other side of an attribute's mean, the share on which it moves by at least 0.8
deviations and ends more than 0.5 beyond the mean; both judges must say so. Leakage: mean absolute move of the
attributes that the words do not name, above the judges' own floor: what they read when the renderer makes the
same move and nothing else.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ppstyleclip.finite import finite_number

MOVE, END = 0.8, 0.5
MEAN_SUCCESS, LEAST_SUCCESS, MEAN_LEAKAGE = 0.95, 0.80, 0.12
FLOOR_FACES = 24  # on which the judges' floor is read


@dataclass(frozen=True)
class Pair:
    """One edit, the factor it names with its direction, and where it starts (a reading below `start`).

    also: factors that the words name too, so that they are no leakage: a boy is young, gold hair not grey.
    """

    neutral: str
    target: str
    factor: str
    sign: int = 1
    start: float = 0.0
    also: tuple = ()

    def __str__(self):
        return f"{self.neutral} > {self.target}"


COLOURS = ("hair_lightness", "hair_redness", "hair_grey", "hair_dye")
STANDARD = (
    Pair("face", "happy face", "smile"),
    Pair("face", "smiling face", "smile"),
    Pair("face", "boy face", "feminine", -1, 0.0, ("age",)),
    Pair("face", "face with curl hair", "hair_curl"),
    Pair("face", "sad face", "smile", -1),
    Pair("face", "angry face", "anger"),
    Pair("face", "face with long hair", "hair_length"),
    Pair("face", "face with curly hair", "hair_curl"),
    Pair("head with black hair", "head with gold hair", "hair_lightness", 1, -0.5, COLOURS),
    Pair("face", "face with glasses", "glasses"),
    Pair("face", "face with a beard", "beard"),
    Pair("face", "face with grey hair", "hair_grey", 1, 0.0, COLOURS),
    Pair("face", "face with open mouth", "mouth_open"),
)
MORE = (
    Pair("face", "surprised face", "surprise"),
    Pair("face", "old face", "age"),
    Pair("face", "face with red lipstick", "lipstick"),
    Pair("face", "face with bangs", "fringe"),
    Pair("face", "face with dark skin", "skin_tone"),
    Pair("face", "woman face", "feminine"),
)
CHINESE = (
    Pair("脸", "微笑的脸", "smile"),
    Pair("脸", "戴眼镜的脸", "glasses"),
    Pair("脸", "卷发的脸", "hair_curl"),
    Pair("脸", "老人的脸", "age"),
    Pair("脸", "留着胡子的脸", "beard"),
)
PAIRS = (*STANDARD, *MORE, *CHINESE)


@dataclass(frozen=True)
class Verdict:
    """What the judges say of one pair at one alpha and beta.

    leakage: above the floor; floor: mean absolute reading of the unnamed when the renderer makes the same
    move; worst: the unnamed attribute that moves most beyond its floor; worst_shift: its mean move.
    """

    pair: Pair
    faces: int
    channels: int
    success: float
    move: float
    leakage: float
    floor: float
    worst: str
    worst_leakage: float
    worst_shift: float


class Bench:
    """The bundle, its judges and held-out faces, ready to judge any (pair, alpha, beta).

    Attributes: `drawn` and `before`, the faces' images and what the judges read of them.
    """

    def __init__(self, bundle, faces, seed, relevance=None):
        import paddle
        from judging import load_judges, readings

        from ppstyleclip.editor import Editor
        from ppstyleclip.pictures import to_images, to_pixels
        from ppstyleclip.worlds.portrait.factors import factors_from_z, sample_z

        self.bundle, self.judges = bundle, load_judges()
        self.editor = Editor(bundle, relevance=relevance)
        self.readings, self.floors = readings, {}
        with paddle.no_grad():
            self.z = sample_z(seed, faces)
            self.factors = factors_from_z(self.z)
            w = bundle.generator.get_latent(paddle.to_tensor(self.z))
            self.s = bundle.layout.flatten(bundle.generator.style_affine(w))
        self.drawn = self.editor.synthesize(self.s)
        self.before = readings(self.judges, to_images(to_pixels(self.drawn)))

    def render(self, s):
        """Images `[N, 3, H, W]` ndarray, 8-bit levels as a user sees them."""
        from ppstyleclip.pictures import to_images

        return to_images(self.editor.render(s))

    def starting(self, pair, limit):
        """Indices of the first `limit` faces on the other side, by both judges."""
        from ppstyleclip.worlds.portrait.factors import INDEX

        side = pair.sign * self.before[:, :, INDEX[pair.factor]] < pair.start
        return np.flatnonzero(side.all(0))[:limit]

    def judge(self, pair, alpha, beta, unit, limit=100):
        """The verdict and the edited images, or None when no channel passes beta."""
        import paddle

        from ppstyleclip import Edit
        from ppstyleclip.errors import UserError

        rows = self.starting(pair, limit)
        edit = Edit(pair.neutral, pair.target, alpha=alpha, beta=beta, unit=unit)
        try:
            channels = self.editor.direction(edit).num_channels
        except UserError:
            return None
        images = self.render(self.editor.apply(paddle.index_select(self.s, paddle.to_tensor(rows)), edit))
        return self.verdict(pair, rows, images, channels), images

    def verdict(self, pair, rows, images, channels):
        """What the judges say of images, made in any way of the faces `rows`."""
        from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX

        after, before = self.readings(self.judges, images), self.before[:, rows]
        named = INDEX[pair.factor]
        moved = pair.sign * (after - before)[:, :, named]
        good = (moved >= MOVE) & (pair.sign * after[:, :, named] > END)
        floor = self.floor(pair, float(moved.mean()))
        leak = np.maximum(np.abs(after - before).mean((0, 1)) - floor, 0)
        leak[self._named(pair)] = np.nan
        worst = int(np.nanargmax(leak))
        return Verdict(
            pair,
            len(rows),
            channels,
            float(good.all(0).mean()),
            float(moved.mean()),
            float(np.nanmean(leak)),
            float(np.delete(floor, self._named(pair)).mean()),
            FACTORS[worst],
            float(leak[worst]),
            float((after - before)[:, :, worst].mean()),
        )

    def _named(self, pair):
        from ppstyleclip.worlds.portrait.factors import INDEX

        return sorted({INDEX[name] for name in (pair.factor, *pair.also)})

    def floor(self, pair, move, rows=None):
        """`[NUM_FACTORS]` mean absolute readings when the renderer moves the named factor by `move` alone.

        The move is rounded to a quarter of a deviation, so that a sweep asks for few. `rows`: on these faces.
        """
        from ppstyleclip.pictures import to_images
        from ppstyleclip.worlds.portrait.factors import INDEX
        from ppstyleclip.worlds.portrait.render import render_batch

        rows = self.starting(pair, FLOOR_FACES) if rows is None else rows
        key = (pair.factor, pair.sign, pair.start, tuple(rows), round(move * 4) / 4)
        if key not in self.floors:
            factors = self.factors[rows]
            moved = factors.copy()
            moved[:, INDEX[pair.factor]] += pair.sign * key[-1]
            size = self.bundle.generator.size
            both = (self.readings(self.judges, to_images(render_batch(f, size))) for f in (factors, moved))
            first, second = both
            self.floors[key] = np.abs(second - first).mean((0, 1))
        return self.floors[key]


def table(verdicts):
    """Markdown rows of verdicts."""
    lines = [
        "| pair | faces | channels | success | move | leakage | floor | most leaked |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for v in verdicts:
        lines.append(
            f"| {v.pair} | {v.faces} | {v.channels} | {v.success:.2f} | {v.move:.2f} | {v.leakage:.2f} "
            f"| {v.floor:.2f} | {v.worst} {v.worst_leakage:.2f} ({v.worst_shift:+.2f}) |"
        )
    return "\n".join(lines)


def summary(verdicts):
    """(mean success, least success, mean leakage, most moved unnamed attribute)."""
    return (
        float(np.mean([v.success for v in verdicts])),
        min(v.success for v in verdicts),
        float(np.mean([v.leakage for v in verdicts])),
        max(v.worst_leakage for v in verdicts),
    )


def passes(figures):
    success, least, leakage, _ = figures
    return success >= MEAN_SUCCESS and least >= LEAST_SUCCESS and leakage <= MEAN_LEAKAGE


def sweep(bench, alphas, betas, unit, limit):
    """Rows (alpha, beta, figures) over the grid; a pair without a channel counts as success 0."""
    for beta in betas:
        for alpha in alphas:
            found = [bench.judge(pair, alpha, beta, unit, limit) for pair in PAIRS]
            verdicts = [f[0] for f in found if f]
            missing = len(found) - len(verdicts)
            if not verdicts:
                continue
            figures = summary(verdicts)
            if missing:
                figures = (figures[0] * len(verdicts) / len(found), 0.0, *figures[2:])
            yield alpha, beta, figures


def plot(rows, path):
    """Mean success against mean leakage, a line for each beta and a dot for each alpha."""
    import cv2

    from ppstyleclip.files import save_png

    side, pad = 560, 60
    sheet = np.full((side + 2 * pad, side + 2 * pad + 130, 3), 255, np.uint8)

    def at(leakage, success):
        return int(pad + min(leakage, 1) * side), int(pad + (1 - success) * side)

    def write(text, x, y, color=(40, 40, 40)):
        cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, 1, cv2.LINE_AA)

    cv2.rectangle(sheet, at(0, 1), at(1, 0), (40, 40, 40), 1)
    cv2.rectangle(sheet, at(0, 1), at(MEAN_LEAKAGE, MEAN_SUCCESS), (205, 240, 205), -1)
    for k in range(0, 11, 2):
        write(f"{k / 10:.1f}", pad - 34, at(0, k / 10)[1] + 4)
        write(f"{k / 10:.1f}", at(k / 10, 0)[0] - 10, side + pad + 18)
    write("mean leakage (deviations)", pad + side // 2 - 80, side + pad + 42)
    write("mean success", 6, pad - 18)
    betas = sorted({beta for _, beta, _ in rows})
    for i, beta in enumerate(betas):
        hue = np.uint8([[[int(130 * i / max(1, len(betas) - 1)), 200, 190]]])
        color = tuple(int(v) for v in cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0])
        dots = [(alpha, at(f[2], f[0])) for alpha, b, f in rows if b == beta]
        cv2.polylines(sheet, [np.array([d for _, d in dots])], False, color, 1, cv2.LINE_AA)
        for alpha, dot in dots:
            cv2.circle(sheet, dot, 3, color, -1, cv2.LINE_AA)
            write(f"{alpha:g}", dot[0] + 5, dot[1] - 4, color)
        write(f"beta {beta:g}", side + pad + 14, pad + 20 * i + 14, color)
    save_png(path, sheet)


def picture_rows(bench, alpha, beta, unit, count=8):
    """A sheet: one row of faces before, then one after for each pair (each from its own starting faces)."""
    rows = []
    for pair in PAIRS:
        found = bench.judge(pair, alpha, beta, unit, count)
        if found:
            before = bench.render(bench.s.index_select(_tensor(bench.starting(pair, count))))
            rows.append(np.concatenate([np.concatenate([b, a], 1) for b, a in zip(before, found[1])], 2))
    sheet = np.concatenate(rows, 1)
    return np.round((sheet.transpose(1, 2, 0) + 1) * 127.5).clip(0, 255).astype(np.uint8)


def _tensor(rows):
    import paddle

    return paddle.to_tensor(rows)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--faces", type=int, default=400, help="held-out faces drawn; each pair uses 100 on the other side"
    )
    parser.add_argument("--per-pair", type=int, default=100)
    parser.add_argument("--seed", type=int, default=777000)
    parser.add_argument("--alpha", type=finite_number)
    parser.add_argument("--beta", type=finite_number)
    parser.add_argument("--unit", choices=("sigma", "style", "effect"))
    parser.add_argument("--relevance", choices=("matrix", "instant", "instant+"))
    parser.add_argument(
        "--model_type", metavar="NAME", help="a model of the portrait world (default: portrait)"
    )
    parser.add_argument("--bundle", help="folder of another bundle of the portrait world")
    parser.add_argument("--pull", type=finite_number, help="(default: the bundle's, as for alpha and beta)")
    parser.add_argument("--sweep", action="store_true", help="a grid of alpha and beta, table and plot")
    parser.add_argument("--alphas", type=finite_number, nargs="+", default=[2, 4, 6, 8, 12])
    parser.add_argument("--betas", type=finite_number, nargs="+", default=[0.1, 0.15, 0.2, 0.25, 0.3])
    parser.add_argument("--output", default="edit-quality", help="folder of table, plot and pictures")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from ppstyleclip.files import save_png, write_atomic
    from ppstyleclip.zoo import load_bundle

    bundle = load_bundle(args.model_type, bundle=args.bundle)
    if args.pull is not None:
        bundle = bundle.with_parts(defaults=replace(bundle.defaults, pull=args.pull))
    alpha = bundle.defaults.alpha if args.alpha is None else args.alpha
    beta = bundle.defaults.beta if args.beta is None else args.beta
    unit = args.unit or bundle.defaults.unit
    bench, output = Bench(bundle, args.faces, args.seed, args.relevance), Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    found = [bench.judge(pair, alpha, beta, unit, args.per_pair) for pair in PAIRS]
    verdicts = [f[0] for f in found if f]
    figures = summary(verdicts)
    text = (
        f"alpha {alpha:g} {unit}, beta {beta:g}\n\n{table(verdicts)}\n\nmean success {figures[0]:.3f}, least "
        f"{figures[1]:.2f}; mean leakage {figures[2]:.3f}, most moved unnamed {figures[3]:.2f}\n"
    )
    print(text, flush=True)
    save_png(output / "edits.png", picture_rows(bench, alpha, beta, unit))
    if args.sweep:
        rows = []
        print("| alpha | beta | success | least | leakage | most |\n|---|---|---|---|---|---|")
        for a, b, f in sweep(bench, args.alphas, args.betas, unit, args.per_pair):
            rows.append((a, b, f))
            line = f"| {a:g} | {b:g} | {f[0]:.3f} | {f[1]:.2f} | {f[2]:.3f} | {f[3]:.2f} |"
            text += "\n" + line
            print(line, flush=True)
        plot(rows, output / "sweep.png")
    write_atomic(output / "table.md", text.encode())
    return 0 if len(verdicts) == len(PAIRS) and passes(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
