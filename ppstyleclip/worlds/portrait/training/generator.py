# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit the generator to the renderer: the picture of z is the renderer's picture of z's factors.

    python -m ppstyleclip.worlds.portrait.training.generator --folder run
    python -m ppstyleclip.worlds.portrait.training.generator --folder run3 --family stylegan3

Goes on from generator-state.pt, which it writes every three minutes. Every 15 minutes it draws held-out
faces, appends the figures to history.jsonl and leaves a sheet in sheets/. It waits while the folder holds a
file PAUSE. The regressor joins as soon as regressor.pt is there and it is its turn.
"""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.files import check_writable
from ppstyleclip.schema import parse_json
from ppstyleclip.worlds.portrait.training.plans import LASTING, LIMIT, THREADS, changed_plan

HISTORY, BEST = "history.jsonl", "generator-best.pt"


def batches(faces, size):
    """Yield batches for ever; the next is decoded while the last is learnt from."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(faces.batch, size)
        while True:
            batch, ahead = ahead.result(), pool.submit(faces.batch, size)
            yield batch


def report(fit, held, reader, folder, best):
    """Evaluate the moving average, leave figures, sheet and the best weights; returns the best score."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.evaluation import evaluate
    from ppstyleclip.worlds.portrait.training.sheet import save_sheet

    fit.family.settle(fit.average)
    figures, pixels = evaluate(fit.average, held, fit.side, reader)
    figures.update(pictures=fit.pictures, time=round(time.time()))
    figures = {name: round(v, 3) if isinstance(v, float) else v for name, v in figures.items()}
    with open(Path(folder) / HISTORY, "a") as file:
        file.write(json.dumps(figures) + "\n")
    (Path(folder) / "sheets").mkdir(exist_ok=True)
    save_sheet(Path(folder) / "sheets" / f"{fit.pictures:08d}.png", held.pixels, pixels)
    print("held out:", json.dumps(figures), flush=True)
    score = figures["psnr64"] + figures["face"] if fit.side == fit.largest else 0.0
    if score > best:
        state = {"average": fit.average.state_dict(), "pictures": fit.pictures, "family": fit.name}
        checkpoint.save(Path(folder) / BEST, state)
    return max(score, best)


def best_score(folder, side):
    """The best score of the reports on pictures of `side` that the folder's history holds."""
    path = Path(folder) / HISTORY
    lines = [parse_json(line) for line in path.read_text().splitlines()] if path.exists() else []
    return max((line["psnr64"] + line["face"] for line in lines if f"psnr{side}" in line), default=0.0)


def run(folder, plan, *, family, start, minutes, limit, report_every, threads):
    """Learn until `minutes` are over or `limit` pictures are seen."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.evaluation import HeldOut, psnr
    from ppstyleclip.worlds.portrait.training.fit import Fit, learning_rate
    from ppstyleclip.worlds.portrait.training.pace import choose_threads
    from ppstyleclip.worlds.portrait.training.pause import Clock, told_to_end, wait_while_paused
    from ppstyleclip.worlds.portrait.training.regressor import load_reader
    from ppstyleclip.worlds.portrait.training.shards import Faces

    fit, held = Fit(folder, plan, family=family, start=start), HeldOut(folder)
    best = best_score(folder, fit.largest)
    shown = min(plan.whole, fit.largest) if limit > plan.refine else math.inf  # to a regressor
    reader, end = load_reader(folder, shown), time.time() + 60 * minutes
    size = sum(p.numel() for p in fit.generator.parameters())
    print(f"{size / 1e6:.2f} M parameters, from picture {fit.pictures} on", flush=True)
    lines, saves = Clock(60), Clock(checkpoint.EVERY)
    reports = Clock(report_every)
    mean, seen, since = None, 0, time.time()
    choice = choose_threads(threads)
    with told_to_end() as told:
        for z, pixels, maps in batches(Faces(folder, fit.step), plan.batch):
            count = next(choice)
            since += wait_while_paused(folder, told=told)
            loss, error = fit.learn(z, pixels, maps, reader)
            seen += len(z)
            now = (loss, error)
            mean = now if mean is None else tuple(0.99 * a + 0.01 * b for a, b in zip(mean, now))
            if lines.due():
                pace = seen / (time.time() - since)
                rate = learning_rate(plan, fit.pictures)
                line = f"pictures {fit.pictures} side {fit.side} loss {mean[0]:.4f} psnr {psnr(mean[1]):.2f}"
                print(f"{line} {pace:.1f}/s threads {count} lr {rate:.2e}", flush=True)
                seen, since = 0, time.time()
                reader = reader or load_reader(folder, shown)
            over, ended = time.time() > end or fit.pictures >= limit, bool(told)
            if saves.due() or over or ended:
                fit.save()
            if reports.due() or over:
                best = report(fit, held, reader, folder, best)
            if over or ended:
                return


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="the run's folder")
    parser.add_argument("--family", choices=("stylegan2", "stylegan3"), default="stylegan2")
    parser.add_argument("--minutes", type=LASTING, default=1e9, help="stop after so many")
    parser.add_argument("--start", metavar="FILE", help="exported generator, where the folder has no state")
    parser.add_argument("--limit", type=LIMIT, default=2_000_000, help="stop after so many pictures in all")
    parser.add_argument("--report-every", type=LASTING, default=900, help="seconds")
    parser.add_argument("--threads", type=THREADS, default=2, help="at most")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the plan")
    args = parser.parse_args(argv)
    from ppstyleclip.threads import keep_freed_memory

    keep_freed_memory()
    from ppstyleclip.worlds.portrait.training.fit import Plan

    plan = changed_plan(Plan, args.set)
    limits = {
        "family": args.family,
        "start": args.start,
        "minutes": args.minutes,
        "limit": args.limit,
        "report_every": args.report_every,
        "threads": args.threads,
    }
    run(check_writable(args.folder), plan, **limits)


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
