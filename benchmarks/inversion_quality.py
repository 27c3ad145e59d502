# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge inversion on held-out faces of the embedded world: how near, how alike, how long, how editable.

    python benchmarks/inversion_quality.py
    python benchmarks/inversion_quality.py --faces 8
    python benchmarks/inversion_quality.py --encoder e4e

The faces are drawn by the generator from latents that no training saw. Likeness is the correlation, over the
faces, of what both judges read of the factors of identity before and after. Edits are those of
edit_quality.py, on the sampled faces and on the inverted ones; each starts from its own faces on the other
side.
"""

from __future__ import annotations

import argparse
import copy
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FIT_STEPS = 60  # edit_photo.py's


@dataclass(frozen=True, eq=False)
class Inverted:
    """Latents of all faces by one way, and how good they are.

    Attributes:
        way: in words.
        w_plus: `[N, L, D]`.
        pixels: `[N, S, S, 3]` what they draw.
        seconds: for one face.
    """

    way: str
    w_plus: np.ndarray
    pixels: np.ndarray
    seconds: float


def invert_all(editor, pixels, *, steps, batch):
    """Invert faces in batches: the encoder, then `steps` of fitting."""
    from ppstyleclip.methods.inversion import FittingConfig
    from ppstyleclip.pipelines.inversion import find_latents
    from ppstyleclip.progress import last

    start, found = time.time(), []
    for k in range(0, len(pixels), batch):
        found.append(last(find_latents(editor, pixels[k : k + batch], FittingConfig(steps=steps))).w_plus)
    seconds, w_plus = (time.time() - start) / len(pixels), np.concatenate(found)
    way = f"encoder, {steps} steps" if steps else "encoder"
    return Inverted(way, w_plus, editor.render(w_plus), seconds)


def likeness(before, after):
    """Mean correlation of the factors of identity, of readings `[J, N, NUM_FACTORS]`."""
    from ppstyleclip.worlds.portrait.identity import identity_of

    pairs = [pair for a, b in zip(before, after) for pair in zip(identity_of(a).T, identity_of(b).T)]
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))


def quality_table(bench, pixels, results):
    """Markdown: PSNR, likeness and seconds of each way."""
    from ppstyleclip.pictures import to_images
    from ppstyleclip.pipelines.quality import psnr

    lines = ["| way | PSNR, mean | least | likeness | a face takes |", "|---|---|---|---|---|"]
    for result in results:
        values = psnr(pixels, result.pixels)
        alike = likeness(bench.before, bench.readings(bench.judges, to_images(result.pixels)))
        lines.append(
            f"| {result.way} | {values.mean():.1f} dB | {values.min():.1f} dB | {alike:.3f} "
            f"| {result.seconds:.2f} s |"
        )
    return "\n".join(lines)


def on_inverted(bench, result):
    """The same bench with inverted faces in place of the sampled ones."""
    from ppstyleclip.pictures import to_images

    other = copy.copy(bench)
    other.s = bench.editor.styles(result.w_plus)
    other.before = bench.readings(bench.judges, to_images(result.pixels))
    return other


def edit_table(sampled, inverted, limit):
    """Markdown: success of each edit on both kinds of faces, and the means."""
    from edit_quality import PAIRS

    lines, rows = ["| edit | sampled | inverted |", "|---|---|---|"], []
    for pair in PAIRS:
        both = [_success(bench, pair, limit) for bench in (sampled, inverted)]
        if None not in both:
            rows.append(both)
            lines.append(f"| {pair} | {both[0]:.2f} | {both[1]:.2f} |")
    means = np.mean(rows, axis=0)
    return "\n".join([*lines, f"| mean of {len(rows)} | {means[0]:.3f} | {means[1]:.3f} |"])


def _success(bench, pair, limit):
    """Share of the faces on the other side on which an edit succeeds; None where no face is there."""
    if not len(bench.starting(pair, limit)):
        return None
    defaults = bench.bundle.defaults
    found = bench.judge(pair, defaults.alpha, defaults.beta, defaults.unit, limit)
    return found[0].success if found else 0.0


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=100)
    parser.add_argument("--seed", type=int, default=888000)
    parser.add_argument("--encoder", metavar="NAME", help="another encoder of the model, such as e4e")
    parser.add_argument("--steps", type=int, default=100, help="of fitting, beside edit_photo.py's 60")
    parser.add_argument("--batch", type=int, default=25, help="faces fitted together")
    parser.add_argument("--per-pair", type=int, default=100)
    parser.add_argument("--output", help="file of the tables")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from edit_quality import Bench

    from ppstyleclip.files import write_atomic
    from ppstyleclip.zoo import load_bundle

    bench = Bench(load_bundle(None, encoder=args.encoder), args.faces, args.seed)
    pixels, results = bench.editor.render(bench.s), []
    for steps in (0, FIT_STEPS, args.steps):
        results.append(invert_all(bench.editor, pixels, steps=steps, batch=args.batch))
        print(f"{results[-1].way}: {results[-1].seconds:.2f} s a face", flush=True)
    text = f"{args.faces} faces\n\n{quality_table(bench, pixels, results)}\n"
    print(text, flush=True)
    edits = f"edits on faces by {results[1].way}\n\n"
    edits += edit_table(bench, on_inverted(bench, results[1]), args.per_pair) + "\n"
    print(edits, flush=True)
    if args.output:
        write_atomic(Path(args.output), (text + "\n" + edits).encode())


if __name__ == "__main__":
    main()
