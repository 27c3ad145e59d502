# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Give factors dimensions of w of their own, where the mapping network has lost them.

    python -m ppstyleclip.worlds.portrait.training.own_dimensions --folder run --generator weights/generator-256.safetensors --factors hair_curl lipstick --lower beard --output own.safetensors

What shows faintly, such as a chin that is the rosier the farther a face is from a beard, leaves w early in a
fit, and hardly comes back: what w does not hold gives the layers behind it nothing to learn from. The
dimensions of w that the generator uses least, a few percent as much as others, are given to such factors: each
carries one factor, as the mapping network's first layer still tells it. Pictures stay what they were, until
what the affine layers make of these dimensions is learnt, and nothing else, in some hundred steps.
"""  # noqa: E501

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.schema import OneOf, Positive, Ratio
from ppstyleclip.worlds.portrait.factors import INDEX, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.training.plans import THREADS, Rate, Weight, changed_plan, check_output

SEED, PEOPLE = 31337, 6000  # by whom dimensions are chosen and filled
DEVIATION = 3.0  # of w in a dimension that is given away; w's others have about 0.6
LOWEST, HIGHEST = -2.4, 2.4  # of a factor as w holds it
UPPER = 0.2  # what is left of the upper half of a factor whose lower one is held


@dataclass(frozen=True)
class Plan:
    """How the affine layers learn what their new dimensions mean."""

    steps: Positive = 300
    batch: Positive = 10
    rate: Rate = 0.06
    floor: Ratio = 0.02
    size: Annotated[int, OneOf((64, 128, 256))] = 128  # of the pictures
    reading: Weight = 1.0  # weight of what the regressor reads, see losses.feature_loss
    texture: Weight = 0.25
    sparsity: Weight = 0.02


def signals(factors, whole, lower):
    """`[N, K]` what w is to hold, of `[N, NUM_FACTORS]`: factors as they are, then others' lower halves."""
    rising = [np.clip(factors[:, INDEX[name]], LOWEST, HIGHEST) for name in whole]
    falling = [np.clip(-factors[:, INDEX[name]], -UPPER, HIGHEST) for name in lower]
    return np.stack(rising + falling, 1).astype(np.float32)


def open_dimension(generator, z, signal, given=()):
    """Let w hold a signal in the dimension that is used least; returns it. The pictures stay as they are.

    Args:
        generator: twin whose weights are changed in place.
        z: tensor `[N, D]` of people.
        signal: tensor `[N]` of theirs.
        given: dimensions that are given away already.
    """
    from ppstyleclip.worlds.portrait.training.network import torch

    first, *others = list(generator.style)[1:]
    affine = [layer for _, layer in generator.style_layers()]
    with torch.no_grad():
        x = first(generator.style[0](z))
        weight, bias = _least_squares(x, signal)
        for index, layer in enumerate(others):
            is_last = layer is others[-1]
            readers, out = (affine if is_last else [others[index + 1]]), layer(x)
            use = sum(reader.weight.norm(dim=1) for reader in readers) * out.std(0)
            use[list(given) if is_last else []] = math.inf
            unit = int(use.argmin())
            for reader in readers:
                reader.bias += out[:, unit].mean() * reader.weight[unit] / math.sqrt(len(reader.weight))
                reader.weight[unit] = 0
            layer.weight[:, unit], layer.bias[unit] = weight * math.sqrt(len(weight)), bias
            if is_last:
                scale = DEVIATION / layer(x)[:, unit].std()
                layer.weight[:, unit] *= scale
                layer.bias[unit] *= scale
            x = layer(x)
            weight, bias = torch.zeros(x.shape[1]), 0.0
            weight[unit] = 1.0
    return unit


def _least_squares(x, signal):
    """(weights, bias) that tell the signal from `x`, nowhere below 0, where a leaky ReLU would bend it."""
    from ppstyleclip.worlds.portrait.training.network import torch

    ones = torch.ones(len(x), 1)
    found = torch.linalg.lstsq(torch.cat([x, ones], 1), signal[:, None]).solution[:, 0]
    told = x @ found[:-1]
    return found[:-1], -told.min()


def learn_rows(generator, dimensions, faces, reader, plan):
    """Yield (step, mean loss) every 50 steps, while the affine layers' rows of some dimensions are learnt."""
    from ppstyleclip.worlds.portrait.training import losses
    from ppstyleclip.worlds.portrait.training.network import half_precision, torch
    from ppstyleclip.worlds.portrait.training.pictures import pyramid, to_images
    from ppstyleclip.worlds.portrait.training.schedule import cosine_rate
    from ppstyleclip.worlds.portrait.training.shards import MAP_SIDE

    affine = [layer for _, layer in generator.style_layers()]
    generator.eval().requires_grad_(False)
    with torch.no_grad():
        mean = generator.style(torch.from_numpy(sample_z(SEED, PEOPLE)))[:, dimensions].mean(0)
    rows = [torch.zeros(len(dimensions), len(layer.bias), requires_grad=True) for layer in affine]
    optimizer, seen = torch.optim.Adam(rows, plan.rate, betas=(0.9, 0.99)), None
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = cosine_rate(plan.rate, plan.floor, step / plan.steps, (step + 1) / 20)
        z, pixels, maps = faces.batch(plan.batch)
        with half_precision():
            w = generator.style(torch.from_numpy(z))
            own = (w[:, dimensions] - mean) / math.sqrt(w.shape[1])
            styles = [layer(w) + own @ row for layer, row in zip(affine, rows)]
            ours = generator.pictures(styles, plan.size)
            sides = [side for side in ours if side >= MAP_SIDE]
            theirs = pyramid(to_images(pixels), sides)
            loss = losses.feature_loss(reader, ours[plan.size], theirs[plan.size], plan.reading).float()
        loss = loss + losses.whole_loss(
            {side: ours[side].float() for side in sides}, theirs, maps, plan.texture
        )
        loss = loss + plan.sparsity * sum(row.abs().mean() for row in rows) / len(rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen = loss.item() if seen is None else 0.95 * seen + 0.05 * loss.item()
        if (step + 1) % 50 == 0 or step + 1 == plan.steps:
            yield step + 1, seen
    with torch.no_grad():
        for layer, row in zip(affine, rows):
            layer.weight[dimensions] += row
            layer.bias -= mean @ row / math.sqrt(len(layer.weight))


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", required=True, help="of shards, and of a regressor")
    parser.add_argument("--generator", required=True, help="exported one")
    parser.add_argument("--factors", nargs="*", default=[], choices=list(INDEX), help="as they are")
    parser.add_argument("--lower", nargs="*", default=[], choices=list(INDEX), help="their lower halves")
    parser.add_argument("--output", required=True, help="file of the new one")
    parser.add_argument("--threads", type=THREADS, default=1)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the plan")
    args = parser.parse_args(argv)
    if not args.factors + args.lower:
        parser.error("name factors, by --factors or --lower")
    for names in (args.factors, args.lower):
        if len(set(names)) < len(names):
            parser.error(f"each factor gets one dimension, got {' '.join(names)}; name each once")
    plan = changed_plan(Plan, args.set)
    check_output(args.output)
    from ppstyleclip.threads import keep_freed_memory

    keep_freed_memory()
    from ppstyleclip.worlds.portrait.training.export import save_generator
    from ppstyleclip.worlds.portrait.training.exported import GENERATOR, read_exported
    from ppstyleclip.worlds.portrait.training.network import torch
    from ppstyleclip.worlds.portrait.training.people import load_generator
    from ppstyleclip.worlds.portrait.training.regressor import needed_reader
    from ppstyleclip.worlds.portrait.training.shards import Faces, needed_shards

    torch.set_num_threads(args.threads)
    generator, _ = load_generator(args.generator, "stylegan2")
    if plan.size > generator.size:
        parser.error(f"size={plan.size}: the generator draws {generator.size} px")
    reader, faces = needed_reader(args.folder, plan.size), Faces(args.folder, SEED)
    needed_shards([args.folder])
    z, begin, dimensions = sample_z(SEED, PEOPLE), time.time(), []
    wanted = signals(factors_from_z(z), args.factors, args.lower)
    for name, signal in zip(args.factors + args.lower, wanted.T):
        signal = torch.from_numpy(signal.copy())
        dimensions.append(open_dimension(generator, torch.from_numpy(z), signal, dimensions))
        print(f"{name}: dimension {dimensions[-1]} of w", flush=True)
    for step, loss in learn_rows(generator, dimensions, faces, reader, plan):
        print(f"step {step} loss {loss:.4f} {time.time() - begin:.0f} s", flush=True)
    pictures = read_exported(args.generator, GENERATOR)[1].pictures
    print(f"{args.output}: {save_generator(args.output, generator, pictures=pictures)}", flush=True)


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
