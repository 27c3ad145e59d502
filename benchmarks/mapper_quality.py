# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Judge trained mappers on the portrait world, as edit_quality.py judges global directions.

    python benchmarks/mapper_quality.py MAPPER [MAPPER ...] --output mapper-quality/
    python benchmarks/mapper_quality.py WORDS --alone --untrained        # one that takes any text

Each text of a mapper, and where it takes several also each pair of its texts (but for --alone), on faces that
it has never seen and that are on the other side of the mean of what the text names (of both, for a pair).
Success: it moves by at least 0.8 deviations and ends more than 0.5 beyond the mean, both judges say so, and
of a pair both do. The exit code is that of the texts that it was trained on.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from edit_quality import CHINESE, COLOURS, END, MOVE, PAIRS, Bench, Pair

from ppstyleclip.finite import finite_number

SINGLE_SUCCESS, PAIR_SUCCESS = 0.90, 0.80
OTHERS = (  # texts of mappers that are no pair of edit_quality.py
    Pair("face", "man face", "feminine", -1),
    Pair("face", "young face", "age", -1),
    Pair("face", "face with pale skin", "skin_tone", -1),
    Pair("face", "face with short hair", "hair_length", -1),
    Pair("face", "face with straight hair", "hair_curl", -1),
    Pair("face", "face with black hair", "hair_lightness", -1, 0.0, COLOURS),
    Pair("face", "face with blond hair", "hair_lightness", 1, 0.0, COLOURS),
    Pair("face", "face with red hair", "hair_redness", 1, 0.0, COLOURS),
    Pair("face", "face with blue hair", "hair_dye", -1, 0.0, COLOURS),
    Pair("face", "face with purple hair", "hair_dye", 1, 0.0, COLOURS),
)
UNTRAINED = (  # what mappers that take any text are judged by beside their own
    Pair("face", "smiling face", "smile"),
    Pair("face", "cheerful face", "smile"),
    Pair("face", "gloomy face", "smile", -1),
    Pair("face", "furious face", "anger"),
    Pair("face", "astonished face", "surprise"),
    Pair("face", "bearded face", "beard"),
    Pair("face", "face with spectacles", "glasses"),
    Pair("face", "elderly face", "age"),
    Pair("face", "male face", "feminine", -1),
    Pair("face", "face with a fringe", "fringe"),
    Pair("face", "face with ginger hair", "hair_redness", 1, 0.0, COLOURS),
    *CHINESE,
    Pair("脸", "生气的脸", "anger"),
    Pair("脸", "短发的脸", "hair_length", -1),
    Pair("脸", "金发的脸", "hair_lightness", 1, 0.0, COLOURS),
    Pair("脸", "涂口红的脸", "lipstick"),
)
BY_TEXT = {pair.target: pair for pair in (*PAIRS, *OTHERS, *UNTRAINED)}


@dataclass(frozen=True)
class Verdict:
    """What the judges say of one text, or of several together.

    leakage: mean absolute move of the attributes that no text names; worst: the one that moves most.
    """

    texts: tuple
    faces: int
    success: float
    move: float
    leakage: float
    worst: str
    worst_leakage: float


def step_of(bench, mapper, w_plus, names):
    """The mapper's step on w_plus `[N, L, D]` for texts."""
    return mapper.step(w_plus, mapper.text_vector(names, bench.bundle.clip))


def starting(bench, pairs, limit):
    """Indices of the first `limit` faces on the other side of all that the pairs name, by both judges."""
    from ppstyleclip.worlds.portrait.factors import INDEX

    sides = [(p.sign * bench.before[:, :, INDEX[p.factor]] < p.start).all(0) for p in pairs]
    return np.flatnonzero(np.logical_and.reduce(sides))[:limit]


def judge(bench, mapper, w_plus, names, limit, strength=1.0):
    """(verdict, rows, images after) of texts together, the step multiplied with `strength`."""
    from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX

    pairs = [BY_TEXT[name] for name in names]
    rows = starting(bench, pairs, limit)
    images = bench.render(w_plus[rows] + strength * step_of(bench, mapper, w_plus[rows], names))
    after, before = bench.readings(bench.judges, images), bench.before[:, rows]
    good, moves = np.ones(len(rows), bool), []
    for pair in pairs:
        named = INDEX[pair.factor]
        moved = pair.sign * (after - before)[:, :, named]
        good &= ((moved >= MOVE) & (pair.sign * after[:, :, named] > END)).all(0)
        moves.append(float(moved.mean()))
    leak = np.abs(after - before).mean((0, 1))
    leak[[INDEX[name] for pair in pairs for name in (pair.factor, *pair.also)]] = np.nan
    worst = int(np.nanargmax(leak))
    return (
        Verdict(
            tuple(names),
            len(rows),
            float(good.mean()),
            float(np.mean(moves)),
            float(np.nanmean(leak)),
            FACTORS[worst],
            float(leak[worst]),
        ),
        rows,
        images,
    )


def judge_mapper(bench, mapper, w_plus, limit, texts, *, pairs=True, strength=1.0):
    """Verdicts of each of some texts and of their pairs, and rows of pictures, before and after."""
    known = [name for name in texts if name in BY_TEXT]
    together = [(name,) for name in known]
    if pairs and mapper.embed != "none":
        together += [
            (one, other)
            for one, other in combinations(known, 2)
            if BY_TEXT[one].factor != BY_TEXT[other].factor
        ]
    verdicts, pictures = [], []
    for names in together:
        verdict, rows, images = judge(bench, mapper, w_plus, names, limit, strength)
        verdicts.append(verdict)
        before = bench.render(w_plus[rows[:8]])
        pictures.append(np.concatenate([np.concatenate([b, a], 1) for b, a in zip(before, images)], 2))
    return verdicts, pictures


def table(verdicts):
    """Markdown rows of verdicts."""
    lines = ["| texts | faces | success | move | leakage | most leaked |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {' + '.join(v.texts)} | {v.faces} | {v.success:.2f} | {v.move:.2f} | {v.leakage:.2f} "
        f"| {v.worst} {v.worst_leakage:.2f} |"
        for v in verdicts
    ]
    return "\n".join(lines)


def figures(verdicts):
    """`{1 or 2: (mean success, least success, mean leakage)}` of texts alone and of pairs."""
    found = {}
    for size in (1, 2):
        group = [v for v in verdicts if len(v.texts) == size]
        if group:
            found[size] = (
                float(np.mean([v.success for v in group])),
                min(v.success for v in group),
                float(np.mean([v.leakage for v in group])),
            )
    return found


def described(title, verdicts, metadata):
    """Markdown of verdicts under a title, with their figures and the time that the mapper's file states."""
    lines = [
        f"{ {1: 'alone', 2: 'pairs'}[size] }: mean success {mean:.3f}, least {least:.2f}, mean "
        f"leakage {leakage:.3f}"
        for size, (mean, least, leakage) in figures(verdicts).items()
    ]
    if metadata.get("seconds"):
        lines.append(f"trained in {float(metadata['seconds']):.0f} s")
    return f"{title}\n\n{table(verdicts)}\n\n" + "\n".join(lines) + "\n\n"


def passes(found):
    """Whether texts alone and pairs succeed often enough, on the average."""
    bars = {1: SINGLE_SUCCESS, 2: PAIR_SUCCESS}
    return all(success >= bars[size] for size, (success, _, _) in found.items())


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mappers", nargs="+", metavar="MAPPER", help="files that tools/train_mapper.py wrote")
    parser.add_argument(
        "--model_type", metavar="NAME", help="a model of the portrait world (default: portrait)"
    )
    parser.add_argument("--faces", type=int, default=600, help="faces drawn; of them those that can change")
    parser.add_argument("--per-text", type=int, default=100)
    parser.add_argument("--alone", action="store_true", help="leave out pairs of texts")
    parser.add_argument(
        "--untrained",
        action="store_true",
        help="also judge texts that a mapper of any text was not trained on",
    )
    parser.add_argument(
        "--strength", type=finite_number, default=1.0, help="what steps are multiplied with (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=777000)
    parser.add_argument("--output", default="mapper-quality", help="folder of table and pictures")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    paddle = import_paddle()
    from ppstyleclip.files import read_metadata, save_png, write_atomic
    from ppstyleclip.pictures import to_pixels
    from ppstyleclip.worlds.portrait.factors import sample_z
    from ppstyleclip.zoo import load_bundle, load_mapper

    bundle, output, good, text = load_bundle(args.model_type), Path(args.output), True, ""
    bench = Bench(bundle, args.faces, args.seed)
    with paddle.no_grad():
        w_plus = bundle.generator.get_latents(paddle.to_tensor(sample_z(args.seed, args.faces))).numpy()
    output.mkdir(parents=True, exist_ok=True)
    for path in args.mappers:
        mapper = load_mapper(path, generator=bundle.fingerprints["generator"])
        groups = {"": mapper.texts}
        if args.untrained and mapper.embed == "clip":
            groups["-untrained"] = [pair.target for pair in UNTRAINED if pair.target not in mapper.texts]
        for word, texts in groups.items():
            verdicts, pictures = judge_mapper(
                bench, mapper, w_plus, args.per_text, texts, pairs=not args.alone, strength=args.strength
            )
            good &= word != "" or passes(figures(verdicts))
            part = described(f"{Path(path).name} {word[1:]}".strip(), verdicts, read_metadata(path))
            print(part, flush=True)
            text += part
            save_png(output / f"{Path(path).stem}{word}.png", to_pixels(np.concatenate(pictures, 1)[None])[0])
    write_atomic(output / "table.md", text.encode())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
