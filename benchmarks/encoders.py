# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge the portrait world's encoders side by side: how near they come, how well their latents are edited.

    python benchmarks/encoders.py --output encoders.md
    python benchmarks/encoders.py --encoder own e4e --faces 80 --per-pair 20

The pictures are the renderer's, of people that no fit saw; of crops by found landmarks scene_inversion.py
tells. What is found is the encoder's alone, nothing is fitted. `delta` is the mean distance of the other
layers' latents from the first one's (Tov et al. 2021), `off w` how far latents are from the w that names the
person, in deviations of w; `sampled` are faces drawn from that very w. Success and leakage of edits are those
of edit_quality.py. `--output` writes the tables, and a picture beside them: the portraits, and for each
encoder what it finds and the edits of that (FILE.png).
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

OWN = "own"  # the model's encoder without a name, pSp's
EDITS = (
    "happy face",
    "face with glasses",
    "face with a beard",
    "old face",
    "face with curly hair",
    "angry face",
)
SHOWN = 6
MEAN_SEED, MEAN_OF = 4321, 4000  # w by which the deviations of w are measured


@dataclass(frozen=True, eq=False)
class Found:
    """Latents `[N, L, D]` of one way, and what they draw, `[N, S, S, 3]` uint8."""

    way: str
    w_plus: np.ndarray
    pixels: np.ndarray


def find_all(editors, pixels):
    """A Found for each encoder; `editors` are by the encoder's name."""
    found = []
    for name, editor in editors.items():
        parts = [editor.invert(pixels[k : k + 20]) for k in range(0, len(pixels), 20)]
        w_plus = np.concatenate(parts)
        found.append(Found(Path(name).stem, w_plus, editor.render(w_plus)))
    return found


def delta(w_plus):
    """Mean distance of the layers' latents from the first one's."""
    return float(np.linalg.norm(w_plus[:, 1:] - w_plus[:, :1], axis=2).mean())


def distortion_table(bundle, pixels, found, w, deviation):
    """Markdown: how near each way comes to the pixels, and where its latents are."""
    from scene_inversion import likeness

    from ppstyleclip.pipelines.quality import psnr

    lines = [
        "| encoder | PSNR, mean | least | identity, mean | 5 % | delta | off w |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        near, alike = psnr(pixels, one.pixels), likeness(bundle, pixels, one.pixels)
        off = np.sqrt(np.square((one.w_plus - w[:, None]) / deviation).mean())
        lines.append(
            f"| {one.way} | {near.mean():.2f} dB | {near.min():.1f} dB | {alike.mean():.3f} "
            f"| {np.quantile(alike, 0.05):.3f} | {delta(one.w_plus):.3f} | {off:.3f} |"
        )
    return lines


def bench_of(bench, found):
    """The bench whose faces are what was found."""
    from ppstyleclip.pictures import to_images

    other = copy.copy(bench)
    other.s, other.floors = bench.editor.styles(found.w_plus), {}
    other.before = bench.readings(bench.judges, to_images(found.pixels))
    return other


def edit_lines(benches, pairs, limit):
    """Yield the lines of the table of edits; `benches` are by the way that their faces were made."""
    yield f"| edit | faces | {' | '.join(f'success, {way} | leakage, {way}' for way in benches)} |"
    yield "|---|---|" + "---|---|" * len(benches)
    figures = []
    for pair in pairs:
        rows = np.array(sorted(set.intersection(*(set(b.starting(pair, None)) for b in benches.values()))))
        rows = rows[:limit].astype(int)
        if not len(rows):
            continue
        verdicts = [judged(bench, pair, rows) for bench in benches.values()]
        figures.append([value for one in verdicts for value in (one.success, one.leakage)])
        yield f"| {pair} | {len(rows)} | {' | '.join(f'{value:.3f}' for value in figures[-1])} |"
    if not figures:
        return
    means = np.mean(figures, axis=0)
    yield f"| mean | | {' | '.join(f'{value:.3f}' for value in means)} |"


def judged(bench, pair, rows):
    """The verdict of a pair at the model's defaults, on these faces, which are the same for every way."""
    import paddle

    from ppstyleclip import Edit

    edit = Edit(pair.neutral, pair.target)
    direction = bench.editor.direction(edit)
    s = paddle.index_select(bench.s, paddle.to_tensor(rows))
    return bench.verdict(pair, rows, bench.render(bench.editor.apply(s, edit)), direction.num_channels)


def sheet(editor, pixels, found, texts):
    """A row of crops, then of each way what it found and each edit of that."""
    from ppstyleclip import Edit

    rows = [pixels]
    for one in found:
        rows.append(one.pixels[: len(pixels)])
        faces = one.w_plus[: len(pixels)]
        rows += [editor.render(editor.apply(faces, Edit("face", text))) for text in texts]
    return np.concatenate([np.concatenate(list(row), 1) for row in rows])


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--encoder",
        nargs="+",
        default=[OWN, "e4e"],
        metavar="NAME",
        help=f"names or files; {OWN}: the model's (default: {OWN} e4e)",
    )
    parser.add_argument("--faces", type=int, default=200)
    parser.add_argument("--seed", type=int, default=889000)
    parser.add_argument("--per-pair", type=int, default=60)
    parser.add_argument("--edit", nargs="*", default=EDITS, metavar="TEXT", help="targets of edit_quality.py")
    parser.add_argument("--output", help="file of the tables")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    paddle = import_paddle()
    from edit_quality import PAIRS, Bench

    from ppstyleclip.editor import Editor
    from ppstyleclip.files import save_png, write_atomic
    from ppstyleclip.worlds.portrait.factors import sample_z
    from ppstyleclip.worlds.portrait.render import render_batch
    from ppstyleclip.zoo import load_bundle

    bench = Bench(load_bundle(None), args.faces, args.seed)
    bundle, lines = bench.bundle, []
    editors = {
        name: bench.editor if name == OWN else Editor(load_bundle(None, encoder=name))
        for name in args.encoder
    }

    def tell(*more):
        lines.extend(more)
        print("\n".join(more), flush=True)

    def mapped(z):
        with paddle.no_grad():
            return bundle.generator.get_latent(paddle.to_tensor(z)).numpy()

    w, deviation = mapped(bench.z), mapped(sample_z(MEAN_SEED, MEAN_OF)).std(0)
    pixels = render_batch(bench.factors, bundle.generator.size)
    found = find_all(editors, pixels)
    tell(f"{args.faces} portraits of the renderer", "")
    tell(*distortion_table(bundle, pixels, found, w, deviation), "")
    pairs = [pair for pair in PAIRS if pair.neutral == "face" and pair.target in args.edit]
    benches = {"sampled": bench, **{one.way: bench_of(bench, one) for one in found}}
    for line in edit_lines(benches, pairs, args.per_pair):
        tell(line)
    if args.output:
        save_png(
            Path(args.output).with_suffix(".png"), sheet(bench.editor, pixels[:SHOWN], found, args.edit[:3])
        )
        write_atomic(Path(args.output), ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
