# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge latent optimisation on the portrait world, beside global directions on the same faces.

    python benchmarks/optimise_quality.py
    python benchmarks/optimise_quality.py --per-pair 8 --seed 555000 --preset mine.yaml     # to tune settings

Success and leakage are those of edit_quality.py: both judges must see the named attribute move and end beyond
the mean; leakage is how far the others move. Likeness is the pack's identity network's cosine to the face
before. Passes where optimisation succeeds at least as often as the direction, and leaks at most as much.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

TARGETS = ("happy face", "angry face", "face with long hair", "face with glasses", "face with a beard")
MOST_STEPS = 100


def optimise_faces(bench, pair, rows, config, batch):
    """Optimise faces in batches; images `[N, 3, H, W]` and seconds a face."""
    from ppstyleclip.pictures import to_images
    from ppstyleclip.pipelines.optimization import optimize_faces, to_saveable, to_space
    from ppstyleclip.progress import last

    bundle, images, start_time = bench.bundle, [], time.perf_counter()
    identity = bundle.identity if "identity" in config.objective.parts else None
    for k in range(0, len(rows), batch):
        start = bench.z[rows[k : k + batch]]
        if config.space != "z":
            start = to_space(bench.editor, to_saveable(bench.editor, start, "z"), config.space)
        options = {"neutral": pair.neutral, "identity": identity}
        records = optimize_faces(bench.editor, start, [pair.target], config, **options)
        images.append(to_images(last(records).result.after))
    return np.concatenate(images), (time.perf_counter() - start_time) / len(rows)


def likeness(network, before, after):
    """Mean cosine of who is in pictures `[N, 3, H, W]`; NaN without a network."""
    import paddle

    if network is None:
        return float("nan")
    with paddle.no_grad():
        first, second = (network.identity_features(paddle.to_tensor(images)) for images in (before, after))
    return float((first * second).sum(axis=1).mean())


def table(rows):
    """Markdown of rows (way, Verdict, likeness)."""
    lines = [
        "| edit | way | faces | success | move | leakage | most leaked | likeness |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for way, v, alike in rows:
        lines.append(
            f"| {v.pair} | {way} | {v.faces} | {v.success:.2f} | {v.move:.2f} | {v.leakage:.3f} "
            f"| {v.worst} {v.worst_leakage:.2f} ({v.worst_shift:+.2f}) | {alike:.3f} |"
        )
    return "\n".join(lines)


def means(rows, way):
    """(success, leakage, likeness) of a way, over the pairs."""
    own = [(v.success, v.leakage, alike) for name, v, alike in rows if name == way]
    return tuple(float(np.mean(column)) for column in zip(*own))


def sheet(triples, count):
    """One picture: a row of faces before, by the direction, and optimised, for each pair; `count` faces."""
    from ppstyleclip.pictures import enlarged, grid, to_pixels

    pictures = [to_pixels(images[:count]) for triple in triples for images in triple]
    return grid(enlarged(np.concatenate(pictures)), count)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=400, help="held-out faces drawn")
    parser.add_argument("--per-pair", type=int, default=50, help="of those on the other side")
    parser.add_argument("--seed", type=int, default=999000)
    parser.add_argument("--preset", default="portrait", help="name or YAML file")
    parser.add_argument("--batch", type=int, default=25, help="faces optimised together")
    parser.add_argument("--targets", nargs="+", default=TARGETS, metavar="TEXT", help="of edit_quality.PAIRS")
    parser.add_argument("--output", default="optimise-quality", help="folder of table and pictures")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from edit_quality import PAIRS, Bench

    from ppstyleclip.files import save_png, write_atomic
    from ppstyleclip.pipelines.presets import read_optimization_preset
    from ppstyleclip.zoo import load_bundle

    bundle, config = load_bundle(None), read_optimization_preset(args.preset)
    defaults, output = bundle.defaults, Path(args.output)
    bench, rows, triples, seconds = Bench(bundle, args.faces, args.seed), [], [], []
    for pair in (pair for pair in PAIRS if pair.target in args.targets):
        chosen = bench.starting(pair, args.per_pair)
        before = bench.render(bench.s.numpy()[chosen])
        verdict, directed = bench.judge(pair, defaults.alpha, defaults.beta, defaults.unit, args.per_pair)
        rows.append(("direction", verdict, likeness(bundle.identity, before, directed)))
        found, a_face = optimise_faces(bench, pair, chosen, config, args.batch)
        verdict = bench.verdict(pair, chosen, found, 0)
        rows.append(("optimised", verdict, likeness(bundle.identity, before, found)))
        triples.append((before, directed, found))
        seconds.append(a_face)
        print(f"{table(rows[-2:])}\n{pair}: {a_face:.2f} s a face", flush=True)
    directed, found = means(rows, "direction"), means(rows, "optimised")
    text = f"{table(rows)}\n\n{config.steps} steps in {config.space}, {np.mean(seconds):.2f} s a face\n"
    for way, (success, leakage, alike) in (("direction", directed), ("optimised", found)):
        text += f"{way}: mean success {success:.3f}, leakage {leakage:.3f}, likeness {alike:.3f}\n"
    print(text, flush=True)
    write_atomic(output / "table.md", text.encode())
    save_png(output / "faces.png", sheet(triples, min(10, args.per_pair)))
    passes = found[0] >= directed[0] and found[1] <= directed[1] and config.steps <= MOST_STEPS
    return 0 if passes else 1


if __name__ == "__main__":
    sys.exit(main())
