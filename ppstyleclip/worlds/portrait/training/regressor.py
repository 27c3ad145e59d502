# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train the attribute regressor on the rendered shards; it is the generator fit's second loss.

    python -m ppstyleclip.worlds.portrait.training.regressor --folder run

Goes on from regressor-state.pt, and writes regressor.pt when it is done: minutes of two cores.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np

from ppstyleclip.finite import finite_number

NAME, STATE = "regressor.pt", "regressor-state.pt"
HELD = 250


def load_pictures(paths, side):
    """(pixels `[N, side, side, 3]` uint8, factors `[N, NUM_FACTORS]`) of shards."""
    import cv2

    from ppstyleclip.worlds.portrait.factors import factors_from_z
    from ppstyleclip.worlds.portrait.training.shards import Shard

    pixels, latents = [], []
    for path in paths:
        shard = Shard(path)
        latents.append(shard.z)
        for row in range(len(shard)):
            pixels.append(cv2.resize(shard.pixels(row), (side, side), interpolation=cv2.INTER_AREA))
    return np.stack(pixels), factors_from_z(np.concatenate(latents))


def train(reader, pixels, factors, folder, *, steps, batch, rate):
    """Yield (step, mean loss) every 100 steps; goes on from the state in `folder` and leaves its own."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.network import F, torch
    from ppstyleclip.worlds.portrait.training.pause import Clock, wait_while_paused
    from ppstyleclip.worlds.portrait.training.pictures import to_images
    from ppstyleclip.worlds.portrait.training.reader import augment

    path = Path(folder) / STATE
    optimizer = torch.optim.AdamW(reader.parameters(), rate, weight_decay=0.02)
    state = checkpoint.load(path) or {"step": 0}
    if state["step"]:
        reader.load_state_dict(state["reader"])
        optimizer.load_state_dict(state["optimizer"])
    clock, mean = Clock(checkpoint.EVERY), None
    reader.train()
    for step in range(state["step"], steps):
        wait_while_paused(folder)
        rng = np.random.RandomState(step)
        for group in optimizer.param_groups:
            group["lr"] = rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        rows = rng.randint(0, len(pixels), batch)
        images = augment(to_images(pixels[rows]), rng)
        with torch.autocast("cpu", torch.bfloat16):
            read = reader(images)
        loss = F.smooth_l1_loss(read.float(), torch.from_numpy(factors[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if clock.due() or step + 1 == steps:
            state = {"step": step + 1, "reader": reader.state_dict(), "optimizer": optimizer.state_dict()}
            checkpoint.save(path, state)
        if (step + 1) % 100 == 0 or step + 1 == steps:
            yield step + 1, mean


def load_reader(folder):
    """The trained regressor of a folder, its weights frozen; None where there is none."""
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.reader import Reader

    state = checkpoint.load(Path(folder) / NAME)
    if state is None:
        return None
    reader = Reader()
    reader.load_state_dict(state)
    return reader.eval().requires_grad_(False)


def read_all(reader, images, batch=50):
    """Factors `[N, NUM_FACTORS]` that a reader sees in images `[N, 3, 64, 64]`."""
    from ppstyleclip.worlds.portrait.training.network import torch

    with torch.no_grad():
        return torch.cat([reader(part) for part in images.split(batch)]).numpy()


def correlations(read, factors):
    """Correlation `[NUM_FACTORS]` between read and true factors."""
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(read.T, factors.T)])


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", required=True, help="the run's folder")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=finite_number, default=2e-3)
    parser.add_argument("--shards", type=int, default=48, help="at most so many are learnt from")
    args = parser.parse_args(argv)
    if (Path(args.folder) / NAME).exists():
        print(f"{NAME} is there")
        return
    from ppstyleclip.threads import keep_freed_memory

    keep_freed_memory()
    from ppstyleclip.worlds.portrait.factors import FACTORS
    from ppstyleclip.worlds.portrait.training import checkpoint
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.pictures import to_images
    from ppstyleclip.worlds.portrait.training.reader import SIDE, Reader
    from ppstyleclip.worlds.portrait.training.shards import HELD_OUT, Faces, shard_path

    torch.manual_seed(0)
    pixels, factors = load_pictures(Faces(args.folder, 0).paths()[: args.shards], SIDE)
    reader, start = Reader(), time.time()
    plan = {"steps": args.steps, "batch": args.batch, "rate": args.rate}
    for step, loss in train(reader, pixels, factors, args.folder, **plan):
        print(f"step {step} loss {loss:.4f} {time.time() - start:.0f} s", flush=True)
    checkpoint.save(Path(args.folder) / NAME, reader.state_dict())
    pixels, factors = load_pictures([shard_path(args.folder, HELD_OUT)], SIDE)
    found = correlations(read_all(reader.eval(), to_images(pixels[:HELD])), factors[:HELD])
    print("held out:", " ".join(f"{name} {r:.2f}" for name, r in zip(FACTORS, found)), flush=True)


if __name__ == "__main__":
    main()
