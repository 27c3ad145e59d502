# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit the identity network to rendered and generated portraits; then let it tell 500 people apart.

    python -m ppstyleclip.worlds.portrait.training.identity --folder run

Goes on from identity-state.pt, which it writes every three minutes; ten minutes of one core. The folder's
data/ holds shards of the command `data`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from ppstyleclip.worlds.portrait.training.plans import changed_plan

SIDE = 128


def report(network, generator, people):
    """Lines of verification on the renderer's portraits and on the generator's."""
    from ppstyleclip.worlds.portrait.factors import factors_from_z
    from ppstyleclip.worlds.portrait.render import render_batch
    from ppstyleclip.worlds.portrait.training.identity.evaluation import verify
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.pictures import to_images, to_pixels

    def features(pixels):
        with torch.no_grad():
            return torch.cat([network(part) for part in to_images(pixels).split(50)]).numpy()

    def rendered(z):
        return render_batch(factors_from_z(z), SIDE)

    def drawn(z):
        with torch.no_grad():
            return to_pixels(torch.cat([generator(part, SIDE) for part in torch.from_numpy(z).split(16)]))

    for name, draw in (("rendered", rendered), ("drawn", drawn)):
        yield f"{name}, {people} people: {verify(features, draw, people)}"


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", required=True, help="the run's folder")
    parser.add_argument("--data", help="the folder whose data/ holds shards (default: the run's)")
    parser.add_argument("--generator", help="exported generator (default: the world's own)")
    parser.add_argument("--people", type=int, default=500, help="who are told apart")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the plan")
    args = parser.parse_args(argv)
    import cv2

    from ppstyleclip.threads import keep_freed_memory

    keep_freed_memory()
    from ppstyleclip.worlds.portrait.training.identity.fit import RESULT, Plan, fit, save
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.people import PACK, gather, load_generator

    cv2.setNumThreads(1)
    torch.set_num_threads(args.threads)
    plan, folder = changed_plan(parser, Plan, args.set), Path(args.folder)
    generator, mark = load_generator(args.generator or PACK / "generator.safetensors")
    people = gather(args.data or folder, generator, mark, shards=plan.shards, count=plan.drawn, keep=folder)
    start = time.time()
    for step, loss in fit(folder, people, plan):
        print(f"step {step} loss {loss:.4f} {time.time() - start:.0f} s", flush=True)
    network = fitted(folder, plan)
    print(f"{RESULT}: {save(folder / RESULT, network)}", flush=True)
    for line in report(network, generator, args.people):
        print(line, flush=True)


def fitted(folder, plan):
    """The moving average of a fit that is over."""
    from ppstyleclip.schema import parse_json
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.identity.fit import STATE
    from ppstyleclip.worlds.portrait.training.irse import Identity

    network = Identity(**parse_json(plan.config))
    network.load_state_dict(checkpoint.load(folder / STATE)["average"])
    return network.eval()


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
