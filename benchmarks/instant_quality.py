# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Matrix, instant and instant+ beside each other, by the judges of edit_quality, with what a text costs.

    python benchmarks/instant_quality.py --per-pair 100

Directions are measured with an empty cache. Seconds are those of a new text: of the wall, and of the
processor.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

SOURCES = ("matrix", "instant", "instant+")
SUCCESS_GAP, LEAKAGE_GAP = 0.03, 1.15  # of instant beside the matrix


def judge_source(bench, editor, source, limit):
    """Verdicts of all pairs, and for each (seconds, processor's seconds) of its direction."""
    from edit_quality import PAIRS

    from ppstyleclip import Edit

    bench.editor, defaults = editor, bench.bundle.defaults
    if source != "matrix":  # what is measured once for a generator and a CLIP, whatever the text
        begin = time.perf_counter()
        editor.direction(Edit("face", "young face"))
        print(f"\n{source}: {time.perf_counter() - begin:.1f} s before the first text", flush=True)
    verdicts, seconds = [], []
    for pair in PAIRS:
        begin, used = time.perf_counter(), time.process_time()
        editor.direction(Edit(pair.neutral, pair.target))
        seconds.append((time.perf_counter() - begin, time.process_time() - used))
        v = bench.judge(pair, defaults.alpha, defaults.beta, defaults.unit, limit)[0]
        verdicts.append(v)
        print(
            f"| {source} | {pair} | {v.faces} | {v.channels} | {v.success:.2f} | {v.move:.2f} "
            f"| {v.leakage:.3f} | {v.worst} {v.worst_leakage:.2f} "
            f"| {seconds[-1][0]:.1f} | {seconds[-1][1]:.1f} |",
            flush=True,
        )
    return verdicts, seconds


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sources", nargs="*", default=SOURCES, metavar="SOURCE", help="matrix, instant, instant+"
    )
    parser.add_argument("--faces", type=int, default=400, help="held-out faces drawn")
    parser.add_argument("--per-pair", type=int, default=100, help="faces of each pair, on the other side")
    parser.add_argument("--seed", type=int, default=777000)
    args = parser.parse_args(argv)
    from ppstyleclip.threads import import_paddle

    import_paddle()
    import numpy as np
    from edit_quality import Bench, summary

    from ppstyleclip.editor import Editor
    from ppstyleclip.methods.global_directions import choose
    from ppstyleclip.zoo import load_bundle

    bundle = load_bundle()
    bench, found = Bench(bundle, args.faces, args.seed), {}
    print("| directions | pair | faces | channels | success | move | leakage | most leaked | s | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        choose.cache_home = lambda: Path(folder)  # type: ignore[assignment]
        for source in args.sources:
            found[source] = judge_source(bench, Editor(bundle, relevance=source), source, args.per_pair)
    print("\n| directions | success | least | leakage | s of a new text | CPU s |\n|---|---|---|---|---|---|")
    figures = {}
    for source, (verdicts, seconds) in found.items():
        success, least, leakage, _ = summary(verdicts)
        wall, used = np.median(seconds, axis=0)
        figures[source] = (success, leakage)
        print(f"| {source} | {success:.3f} | {least:.2f} | {leakage:.3f} | {wall:.1f} | {used:.1f} |")
    if not {"matrix", "instant"} <= set(figures):
        return 0
    (best, leak), (own, other) = figures["matrix"], figures["instant"]
    return 0 if own >= best - SUCCESS_GAP and other <= leak * LEAKAGE_GAP else 1


if __name__ == "__main__":
    sys.exit(main())
