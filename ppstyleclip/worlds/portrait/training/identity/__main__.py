# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit the identity network to rendered and generated portraits; then let it tell 500 people apart.

    python -m ppstyleclip.worlds.portrait.training.identity --folder run

Goes on from identity-state.pt, which it writes every three minutes; ten minutes of one core. The folder's
data/ holds shards of the command `data`.
"""

from __future__ import annotations

import time

from ppstyleclip.cli.argument_types import Whole
from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.worlds.portrait.training.plans import THREADS, changed_plan

SIDE = 128
PEOPLE = Whole(2, 100_000)


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
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="the run's folder")
    parser.add_argument("--data", help="the folder whose data/ holds shards (default: the run's)")
    parser.add_argument("--generator", help="exported generator (default: the world's own)")
    parser.add_argument("--people", type=PEOPLE, default=500, help="who are told apart")
    parser.add_argument("--threads", type=THREADS, default=1)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the plan")
    args = parser.parse_args(argv)
    import cv2

    from ppstyleclip.files import check_writable
    from ppstyleclip.threads import keep_freed_memory

    keep_freed_memory()
    from ppstyleclip.worlds.portrait.training.identity.fit import RESULT, Plan, build_identity, fit, save
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.people import PACK, gather, load_generator

    cv2.setNumThreads(1)
    torch.set_num_threads(args.threads)
    plan, folder = changed_plan(Plan, args.set), check_writable(args.folder)
    generator, mark = load_generator(args.generator or PACK / "generator.safetensors", "stylegan2")
    build_identity(plan)  # refuses what cannot be, before pictures are drawn
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
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.identity.fit import STATE, build_identity

    network = build_identity(plan)
    checkpoint.resume({"average": network}, checkpoint.load(folder / STATE), folder / STATE)
    return network.eval()


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
