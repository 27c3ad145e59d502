# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit the portrait world's CLIP to rendered pictures and captions.

    python -m ppstyleclip.worlds.portrait.training.clip --folder run

Goes on from clip-state.pt, which it writes every three minutes. Every ten minutes it lets held-out pictures
choose between prompts and appends the shares to clip-history.jsonl. It waits while the folder holds a file
PAUSE.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.files import check_writable
from ppstyleclip.schema import Plain, from_json, parse_json
from ppstyleclip.worlds.portrait.training.plans import LASTING, LIMIT, THREADS, changed_plan

HISTORY, BEST = "clip-history.jsonl", "clip-best.pt"


def batches(portraits, plan, size, step):
    """Yield batches for ever; the next is made while the last is learnt from."""
    from ppstyleclip.worlds.portrait.training.clip.fit import prepare

    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(prepare, portraits, plan, size, step)
        while True:
            step += 1
            batch, ahead = ahead.result(), pool.submit(prepare, portraits, plan, size, step)
            yield batch


def best_score(folder):
    """The best mean share of the reports in the folder."""
    path = Path(folder) / HISTORY
    lines = [parse_json(line) for line in path.read_text().splitlines()] if path.exists() else []
    return max((score_of(line["summary"]) for line in lines), default=0.0)


def score_of(said):
    return sum(part["mean"] for part in said.values()) / len(said)


def report(fit, held, folder, best):
    """Evaluate the moving average; leave the table and the best weights; returns the best score."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.clip import report as held_out

    said, shares = held_out.report(fit.average, held_out.look(fit.average, held))
    line = {"pictures": fit.pictures, "time": round(time.time()), **said}
    shares = {
        language: {name: round(v, 4) for name, v in part.items() if v == v}
        for language, part in shares.items()
    }
    with open(Path(folder) / HISTORY, "a", encoding="utf-8") as file:
        file.write(json.dumps({**line, **shares}) + "\n")
    print("held out:", json.dumps(line), flush=True)
    score = score_of(line["summary"])
    if score > best:
        state = {"average": fit.average.state_dict(), "pictures": fit.pictures}
        checkpoint.save(Path(folder) / BEST, state)
    return max(score, best)


def run(folder, plan, *, data, config, start, minutes, limit, report_every, threads):
    """Learn until `minutes` are over or `limit` pictures are seen."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.clip.faces import Portraits, load_held_out
    from ppstyleclip.worlds.portrait.training.clip.fit import LOSSES, Fit, learning_rate
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.pause import Clock, told_to_end, wait_while_paused

    torch.set_num_threads(threads)
    folders = [folder, *data]
    fit, held, best = Fit(folder, plan, config, start=start), load_held_out(folders), best_score(folder)
    size = sum(p.numel() for p in fit.clip.parameters())
    print(
        f"{size / 1e6:.2f} M parameters, from picture {fit.pictures} on; {len(held['all'][0])} held out",
        flush=True,
    )
    end = time.time() + 60 * minutes
    lines, saves, reports = Clock(60), Clock(checkpoint.EVERY), Clock(report_every)
    means, seen, since = None, 0, time.time()
    portraits = Portraits(folders, fit.step)
    with told_to_end() as told:
        for batch in batches(portraits, plan, fit.clip.config["image_size"], fit.step):
            since += wait_while_paused(folder, told=told)
            now = fit.learn(batch)
            seen += len(batch.images)
            means = now if means is None else tuple(0.98 * a + 0.02 * b for a, b in zip(means, now))
            if lines.due():
                text = " ".join(f"{name} {v:.3f}" for name, v in zip(LOSSES, means))
                pace, rate = seen / (time.time() - since), learning_rate(plan, fit.pictures)
                scale = fit.clip.logit_scale.exp().item()
                known = f"{pace:.1f}/s lr {rate:.2e} scale {scale:.1f} shards {len(portraits.shards)}"
                print(f"pictures {fit.pictures} {text} {known}", flush=True)
                seen, since = 0, time.time()
            over, ended = time.time() > end or fit.pictures >= limit, bool(told)
            if saves.due() or over or ended:
                fit.save()
            if reports.due() or over:
                best = report(fit, held, folder, best)
            if over or ended:
                return


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="the run's folder; its data/ holds shards")
    parser.add_argument("--data", nargs="*", default=[], help="more folders whose data/ holds shards")
    parser.add_argument("--minutes", type=LASTING, default=1e9, help="stop after so many")
    parser.add_argument("--limit", type=LIMIT, default=3_000_000, help="stop after so many pictures in all")
    parser.add_argument("--report-every", type=LASTING, default=600, help="seconds")
    parser.add_argument("--threads", type=THREADS, default=1)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the plan")
    parser.add_argument("--start", metavar="FILE", help="exported CLIP, where the folder has no state")
    parser.add_argument("--config", default="", metavar="JSON", help="change the network")
    args = parser.parse_args(argv)
    if args.start and args.config:
        parser.error("--config does nothing beside --start, whose file has one; leave one of them out")
    args.config = from_json(dict[str, Plain], args.config or "{}", "--config")
    from ppstyleclip.threads import keep_freed_memory

    keep_freed_memory()
    from ppstyleclip.worlds.portrait.training.clip.fit import Plan

    plan = changed_plan(Plan, args.set)
    settings = {
        name: getattr(args, name)
        for name in ("data", "config", "start", "minutes", "limit", "report_every", "threads")
    }
    run(check_writable(args.folder), plan, **settings)


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
