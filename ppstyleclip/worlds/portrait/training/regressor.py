# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train an attribute regressor on the rendered shards: the generator fit's second loss, or a judge of edits.

    python -m ppstyleclip.worlds.portrait.training.regressor --folder run
    python -m ppstyleclip.worlds.portrait.training.regressor --folder run --judge 1
    python -m ppstyleclip.worlds.portrait.training.regressor --folder run --judge 2

Goes on from regressor-state.pt, and writes regressor.pt when it is done: minutes of two cores. A judge is
larger, sees pictures of 96 px, and is written as judge-1.safetensors, which `worlds.portrait.judge` reads.
Judges are drawn from different seeds and learn from different faces; the generator has learnt from neither.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np

from ppstyleclip.cli.argument_types import COUNT, SEED, Whole
from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import check_writable
from ppstyleclip.worlds.portrait.training.plans import RATE

NAME, STATE = "regressor.pt", "regressor-state.pt"
PARTS = ("reader", "optimizer")  # of the state
SIDES = range(16, 257, 16)  # of the pictures that a regressor may see
HELD = 250


def load_pictures(paths, side):
    """(pixels `[N, side, side, 3]` uint8, factors `[N, NUM_FACTORS]`) of shards."""
    from ppstyleclip.worlds.portrait.factors import factors_from_z
    from ppstyleclip.worlds.portrait.training.shards import load_small

    pixels, z = load_small(paths, side)
    return pixels, factors_from_z(z)


def train(reader, pixels, factors, path, *, steps, batch, rate, seed=0):
    """Yield (step, mean loss) every 100 steps; goes on from the state `path` and leaves its own there.

    Raises:
        KeyboardInterrupt: it was told to end before; the state is saved.
    """
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.network import F, half_precision, torch
    from ppstyleclip.worlds.portrait.training.pause import Clock, told_to_end, wait_while_paused
    from ppstyleclip.worlds.portrait.training.pictures import to_images
    from ppstyleclip.worlds.portrait.training.reader import augment

    optimizer = torch.optim.AdamW(reader.parameters(), rate, weight_decay=0.02)
    state, parts = checkpoint.load(path, "step", *PARTS) or {"step": 0}, dict(zip(PARTS, (reader, optimizer)))
    if state["step"]:
        checkpoint.resume(parts, state, path)
    clock, mean = Clock(checkpoint.EVERY), None
    reader.train()
    with told_to_end() as told:
        for step in range(state["step"], steps):
            wait_while_paused(Path(path).parent, told=told)
            rng = np.random.RandomState(step + 1_000_003 * seed)
            for group in optimizer.param_groups:
                group["lr"] = rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
            rows = rng.randint(0, len(pixels), batch)
            images = augment(to_images(pixels[rows]), rng)
            with half_precision():
                read = reader(images)
            loss = F.smooth_l1_loss(read.float(), torch.from_numpy(factors[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
            ended = bool(told)
            if clock.due() or step + 1 == steps or ended:
                state = {name: part.state_dict() for name, part in parts.items()}
                checkpoint.save(path, {"step": step + 1, **state})
            if (step + 1) % 100 == 0 or step + 1 == steps:
                yield step + 1, mean
            if ended:
                raise KeyboardInterrupt


def load_reader(folder, shown=math.inf):
    """The trained regressor of a folder, its weights frozen; None where there is none.

    Args:
        folder: of the run.
        shown: side of the pictures that it will be shown.
    Raises:
        UserError: it cannot be read, or looks at larger pictures.
    """
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.reader import Reader, shape_of

    path = Path(folder) / NAME
    state = checkpoint.load(path, "blocks.0.0.weight", "hidden.weight")
    if state is None:
        return None
    reader = Reader(**shape_of(state))
    checkpoint.put(reader, state, path, "make it again with the command `regressor`")
    if reader.side > shown:
        raise UserError(f"{path} looks at {reader.side} px, and pictures of {shown} px are drawn whole")
    return reader.eval().requires_grad_(False)


def needed_reader(folder, shown):
    """As load_reader.

    Raises:
        MissingFile: there is none; names the command that makes it.
    """
    reader = load_reader(folder, shown)
    if reader is None:
        make = f"python -m ppstyleclip.worlds.portrait.training.regressor --folder {folder}"
        raise MissingFile(f"{Path(folder) / NAME} is not there; make it with: {make}")
    return reader


def read_all(reader, images, batch=50):
    """Factors `[N, NUM_FACTORS]` that a reader sees in images `[N, 3, side, side]`."""
    from ppstyleclip.worlds.portrait.training.network import torch

    with torch.no_grad():
        return torch.cat([reader(part) for part in images.split(batch)]).numpy()


def correlations(read, factors):
    """Correlation `[NUM_FACTORS]` between read and true factors."""
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(read.T, factors.T)])


def save_judge(path, reader, seed):
    """Write a reader in the form of `ppstyleclip.worlds.portrait.judge.load_judge`, as float16."""
    from ppstyleclip.files import fingerprint, write_safetensors

    state = {key: value.numpy() for key, value in reader.state_dict().items() if "num_batches" not in key}
    state = {key.replace("running_mean", "_mean").replace("running_var", "_variance"): value
             for key, value in state.items()}  # fmt: skip
    for key in ("hidden.weight", "out.weight"):
        state[key] = np.ascontiguousarray(state[key].T)  # Paddle's layout
    state = {key: value.astype(np.float16) for key, value in state.items()}
    mark = fingerprint({key: value.astype(np.float32) for key, value in state.items()})
    config = json.dumps({"width": reader.width, "side": reader.side})
    about = {"kind": "ppstyleclip judge", "config": config, "seed": str(seed), "fingerprint": mark}
    write_safetensors(path, state, about)


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="the run's folder")
    parser.add_argument("--judge", type=SEED, default=0, metavar="SEED", help="train a judge in its place")
    parser.add_argument(
        "--side",
        type=int,
        choices=SIDES,
        default=64,
        metavar="PX",
        help="of the pictures it sees, a multiple of 16; a judge's is its own",
    )
    parser.add_argument("--width", type=COUNT, default=24, help="of its first layer; a judge's is its own")
    parser.add_argument(
        "--seed", type=SEED, default=0, help="of its first weights, and of the order of faces"
    )
    parser.add_argument("--steps", type=COUNT, default=3000)
    parser.add_argument("--batch", type=COUNT, default=48)
    parser.add_argument("--rate", type=RATE, default=2e-3)
    parser.add_argument("--shards", type=COUNT, default=48, help="at most so many are learnt from")
    parser.add_argument("--threads", type=Whole(0, 1024), default=0, help="0: as many as PyTorch takes")
    args = parser.parse_args(argv)
    folder, seed = check_writable(args.folder), args.judge or args.seed
    result = folder / (f"judge-{seed}.safetensors" if args.judge else NAME)
    if result.exists():
        print(f"{result.name} is there")
        return
    from ppstyleclip.threads import keep_freed_memory

    keep_freed_memory()
    from ppstyleclip.worlds.portrait.factors import FACTORS
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.pictures import to_images
    from ppstyleclip.worlds.portrait.training.reader import JUDGE, Reader
    from ppstyleclip.worlds.portrait.training.shards import (
        HELD_OUT,
        Faces,
        Shard,
        needed_shards,
        render_with,
        shard_path,
    )

    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(seed)
    reader, start = Reader(**JUDGE) if args.judge else Reader(args.width, args.side), time.time()
    needed_shards([folder])
    Shard(shard_path(folder, HELD_OUT))  # which is needed at the end
    paths = Faces(folder, 0).paths()
    if args.judge:  # two judges have a third of their faces in common
        paths = [path for place, path in enumerate(paths) if place % 3 != seed % 3]
    if not paths:
        raise MissingFile(f"{folder} has too few shards for a judge; {render_with(folder)}")
    pixels, factors = load_pictures(paths[: args.shards], reader.side)
    state = folder / (f"judge-{seed}-state.pt" if args.judge else STATE)
    plan = {"steps": args.steps, "batch": args.batch, "rate": args.rate, "seed": seed}
    for step, loss in train(reader, pixels, factors, state, **plan):
        print(f"step {step} loss {loss:.4f} {time.time() - start:.0f} s", flush=True)
    if args.judge:
        save_judge(result, reader.eval(), seed)
    else:
        checkpoint.save(result, reader.state_dict())
    pixels, factors = load_pictures([shard_path(folder, HELD_OUT)], reader.side)
    found = correlations(read_all(reader.eval(), to_images(pixels[:HELD])), factors[:HELD])
    print("held out:", " ".join(f"{name} {r:.2f}" for name, r in zip(FACTORS, found)), flush=True)


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
