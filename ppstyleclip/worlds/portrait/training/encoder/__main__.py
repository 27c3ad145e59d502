# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit an encoder to rendered and generated portraits.

    python -m ppstyleclip.worlds.portrait.training.encoder --folder run
    python -m ppstyleclip.worlds.portrait.training.encoder --folder run --kind e4e
    python -m ppstyleclip.worlds.portrait.training.encoder --folder run3 --family stylegan3

The first is pSp's. The second is e4e's: heads of offsets are opened one after another, offsets are kept
short, and a critic that tells the mapping network's w from the encoder's draws the latter to where the former
are. The third is ReStyle's, of the world's StyleGAN3: it is asked several times, and sees its last result
beside the picture. It begins with the trunk of the first. `--start` takes an encoder whose generator has
changed since a little further.

Goes on from encoder-state.pt (e4e's: encoder-e4e-state.pt), which it writes every three minutes; 25 minutes
of one core. The folder's data/ holds shards of the command `data`; an identity.safetensors in the folder, or
else in the world's pack, adds its term to the loss. `--set steps=400 refit=6000` makes a fair encoder of the
first kind in minutes, its last layers by least squares; a longer run goes on from its trunk.
`benchmarks/encoders.py` and `benchmarks/scene_inversion.py` judge the result.
"""

from __future__ import annotations

import time

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.worlds.portrait.training.plans import THREADS, changed_plan


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="the run's folder")
    parser.add_argument("--data", help="the folder whose data/ holds shards (default: the run's)")
    parser.add_argument(
        "--kind",
        choices=("psp", "e4e"),
        default="psp",
        help="of encoder (default: psp; stylegan3's is ReStyle's)",
    )
    parser.add_argument("--family", choices=("stylegan2", "stylegan3"), default="stylegan2")
    parser.add_argument("--generator", help="exported generator (default: the world's own)")
    parser.add_argument(
        "--start",
        metavar="FILE",
        help="exported encoder that a new fit begins with: all of one of the same make, for a generator that "
        "has changed a little, else its trunk, as far as it fits (default: none, and for stylegan3 the "
        "world's own)",
    )
    parser.add_argument("--threads", type=THREADS, default=1)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the plan")
    args = parser.parse_args(argv)
    import cv2

    from ppstyleclip.files import check_writable
    from ppstyleclip.threads import keep_freed_memory

    keep_freed_memory()
    from ppstyleclip.worlds.portrait.training.encoder.fit import (
        E4E,
        FIGURES,
        RESTYLE,
        RESULT,
        Plan,
        Target,
        build_encoder,
        fit,
        load_identity,
        save,
    )
    from ppstyleclip.worlds.portrait.training.encoder.readout import refit
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.people import PACK, PACKS, gather, load_generator

    cv2.setNumThreads(1)
    torch.set_num_threads(args.threads)
    if args.kind == "e4e" and args.family != "stylegan2":
        parser.error("--kind e4e is of the family stylegan2; ReStyle's is made for stylegan3")
    changes = RESTYLE if args.family == "stylegan3" else E4E if args.kind == "e4e" else {}
    plan, folder = changed_plan(Plan, args.set, changes), check_writable(args.folder)
    if plan.refit and (plan.rounds or plan.critic):
        parser.error("last layers are solved for pSp's encoder, which is asked once; leave out refit")
    path = args.generator or PACKS[args.family] / "generator.safetensors"
    generator, mark = load_generator(path, args.family)
    smallest = generator.size if args.family == "stylegan3" else 8
    if not smallest <= plan.draw_size <= generator.size:
        parser.error(f"draw_size={plan.draw_size}: the generator draws {generator.size} px")
    known = [
        path for path in (folder / "identity.safetensors", PACK / "identity.safetensors") if path.is_file()
    ]
    identity = load_identity(known[0]) if known else None
    begin, target = time.time(), Target(generator)
    start = args.start or (PACK / RESULT if args.family == "stylegan3" else None)
    build_encoder(target, plan, start)  # refuses what cannot be, before pictures are drawn
    people = gather(args.data or folder, generator, mark, shards=plan.shards, count=plan.drawn, keep=folder)
    for step, means in fit(folder, people, target, identity, plan, start):
        figures = " ".join(f"{name} {mean:.5f}" for name, mean in zip(FIGURES, means))
        print(f"step {step} {figures} {time.time() - begin:.0f} s", flush=True)
    encoder = fitted(folder, target, plan)
    if plan.refit:
        encoder, error = refit(encoder, target, people, count=plan.refit, size=encoder.settings["input_size"])
        print(f"last layers solved; w is off by {error:.4f} of its variance", flush=True)
    path = folder / plan.result
    found = save(path, encoder, target.mean.numpy(), generator=mark)
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {found}", flush=True)


def fitted(folder, target, plan):
    """The moving average of a fit that is over."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.encoder.fit import build_encoder

    encoder = build_encoder(target, plan)
    checkpoint.resume({"average": encoder}, checkpoint.load(folder / plan.state), folder / plan.state)
    return encoder.eval()


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
