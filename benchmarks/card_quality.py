# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How often a card's verdict is the judges', and what a card costs.

    python benchmarks/card_quality.py
    python benchmarks/card_quality.py --faces 100 --output card-quality

Each pair of texts edits faces on the other side of its attribute's mean, as in edit_quality.py. The judges,
who know no CLIP, call an edit of one face

    good      the attribute that the words name moves by MOVE deviations or more, and the others by at most
              KEPT on the mean; MOVE is that of edit_quality.py
    harmful   the others move by half a deviation or more on the mean
    weak      anything else: little of what was named has come, or at a price

The bars: the card says the same of 85 % of the edits, at half, once and twice the default strength; good and
harmful are never swapped; the JSON costs under 50 ms beyond the networks, the picture under 0.3 s.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from edit_quality import MOVE, PAIRS, Bench

KEPT, LOST = 0.35, 0.5
STRENGTHS = (0.5, 1.0, 2.0)
AGREEMENT, JSON_SECONDS, PICTURE_SECONDS = 0.85, 0.05, 0.3
NUMBERS = ("identity", "inside", "outside", "along", "across", "aside", "changed")


def judged(moved, leak):
    """The judges' verdict of edits, from the named attribute's move and the mean move of the others."""
    return np.where(leak >= LOST, "harmful", np.where((moved >= MOVE) & (leak <= KEPT), "good", "weak"))


def measure_faces(bench, faces):
    """Edits of `faces` faces at each strength, pairs in turn: {name: [3 faces]} of numbers and readings."""
    import paddle

    from ppstyleclip import Edit
    from ppstyleclip.card.measure import measure_edits
    from ppstyleclip.pictures import to_images, to_pixels
    from ppstyleclip.worlds.portrait.factors import INDEX

    editor, alpha, found = bench.editor, bench.bundle.defaults.alpha, []
    shares = np.diff(np.linspace(0, faces, len(PAIRS) + 1).round().astype(int))
    for number, pair in enumerate(PAIRS):
        rows = bench.starting(pair, shares[number])
        s = paddle.index_select(bench.s, paddle.to_tensor(rows))
        edit = Edit(pair.neutral, pair.target)
        before, dt = to_pixels(bench.drawn[rows]), editor.text_direction(edit)
        named = [INDEX[name] for name in (pair.factor, *pair.also)]
        for strength in STRENGTHS:
            after = editor.render(editor.apply(s, edit, [strength * alpha]))
            numbers = measure_edits(bench.bundle, np.tile(dt, [len(rows), 1]), before, after)
            change = bench.readings(bench.judges, to_images(after)) - bench.before[:, rows]
            leak = np.delete(np.abs(change), named, axis=2).mean(axis=(0, 2))
            moved = pair.sign * change[:, :, INDEX[pair.factor]].mean(axis=0)
            for k, one in enumerate(numbers):
                values = {name: getattr(one, name) for name in NUMBERS}
                read = {"moved": moved[k], "leak": leak[k], "strength": strength, "pair": number}
                found.append({**values, **read})
    return {name: np.array([one[name] for one in found], float) for name in found[0]}


def said(data):
    """The cards' verdicts."""
    from ppstyleclip.card.model import Numbers
    from ppstyleclip.card.verdict import judge

    rows = zip(*(data[name] for name in NUMBERS))
    verdicts = []
    for row in rows:
        values = dict(zip(NUMBERS, row))
        verdicts.append(judge(Numbers(likeness="clip", region="text", **values))[0])
    return np.array(verdicts)


def costs(bench):
    """Seconds of a card's JSON beyond its networks, and of its picture, by the processor's time."""
    from ppstyleclip import Edit
    from ppstyleclip.card import describe, to_json
    from ppstyleclip.card.picture import draw_card

    editor, networks = bench.editor, []
    inner = describe.measure_edits

    def timed(*args, **options):
        begin = time.process_time()
        numbers = inner(*args, **options)
        networks.append(time.process_time() - begin)
        return numbers

    describe.measure_edits = timed
    try:
        spent = []
        for seed in range(4):
            made = editor.edit(editor.sample(seed), Edit("face", "happy face"))
            begin = time.process_time()
            card = made.card
            to_json(card)
            middle = time.process_time()
            draw_card(card, made.before, made.after)
            spent.append((middle - begin - networks[-1], time.process_time() - middle))
    finally:
        describe.measure_edits = inner
    return [float(value) for value in np.median(spent[1:], axis=0)]


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=100, help="faces that are edited, at three strengths")
    parser.add_argument("--seed", type=int, default=778000)
    parser.add_argument("--output", default="card-quality", help="folder of the table and the numbers")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    from ppstyleclip.files import write_atomic
    from ppstyleclip.zoo import load_bundle

    bench = Bench(load_bundle(None), args.faces, args.seed)
    data = measure_faces(bench, args.faces)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    np.savez(Path(args.output) / "numbers.npz", **data)
    truth, verdicts = judged(data["moved"], data["leak"]), said(data)
    agreement = float((truth == verdicts).mean())
    swapped = int(np.isin(truth + verdicts, ["goodharmful", "harmfulgood"]).sum())
    words = ("good", "weak", "harmful")
    lines = [f"| judges \\\\ card | {' | '.join(words)} |", "|---|---|---|---|"]
    for one in words:
        counts = [str(int(((truth == one) & (verdicts == other)).sum())) for other in words]
        lines.append(f"| {one} | {' | '.join(counts)} |")
    seconds = costs(bench)
    text = "\n".join(lines) + (
        f"\n\nagreement {agreement:.3f} of {len(truth)} edits, good and harmful swapped {swapped}; the JSON "
        f"{1000 * seconds[0]:.0f} ms beyond the networks, the picture {1000 * seconds[1]:.0f} ms\n"
    )
    print(text)
    write_atomic(Path(args.output) / "table.md", text.encode())
    is_quick = seconds[0] < JSON_SECONDS and seconds[1] < PICTURE_SECONDS
    return 0 if agreement >= AGREEMENT and swapped == 0 and is_quick else 1


if __name__ == "__main__":
    sys.exit(main())
