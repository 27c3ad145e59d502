# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write equivariance.npz: what NVIDIA's metric says of the networks of make_stylegan3.py. Needs PyTorch.

    python tests/oracles/make_equivariance.py STYLEGAN3

The argument is a checkout. The stored numbers are from NVlabs/stylegan3
c233a919a6faee6e36a316ddd4eddababad1adf9 on PyTorch 2.13.0. Shifts and angles are given, not drawn as there;
everything else is that code's.
"""

import argparse
import importlib
from pathlib import Path

import numpy as np
import torch
from make_stylegan3 import CONFIGURATIONS, DIM, SIZE, WIDTHS, generator_class
from seeded_weights import seeded_images, seeded_z, stylegan3_state

SHIFTS, PART_SHIFTS = [(3 / 64, -5 / 64), (-7 / 64, 2 / 64)], [(0.0371, -0.0923), (-0.1113, 0.0617)]
ANGLES = [30.0, -101.7, 170.2]  # degrees


def network_of(network_class, settings):
    network = network_class(DIM, 0, DIM, SIZE, 3, mapping_kwargs={"num_layers": 2}, **WIDTHS, **settings)
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    state = {key: torch.from_numpy(value) for key, value in stylegan3_state(shapes).items()}
    network.load_state_dict(state, strict=False)
    return network.eval()


def compared(metric, kind, place, still, drawn):
    """What should have been drawn, what was, and the mask, as compute_equivariance_metrics has them."""
    if kind == "EQ-R":
        wanted, mask = metric.apply_fractional_rotation(still, place)
        drawn, other = metric.apply_fractional_pseudo_rotation(drawn, place)
        return wanted, drawn, mask * other
    move = metric.apply_integer_translation if kind == "EQ-T" else metric.apply_fractional_translation
    wanted, mask = move(still, *place)
    return wanted, drawn, mask


def canvas(metric, kind, place):
    matrix = torch.eye(3)
    if kind == "EQ-R":
        return metric.rotation_matrix(-place)
    matrix[:2, 2] = -place
    return matrix


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkout")
    args = parser.parse_args()
    network_class = generator_class(args.checkout)
    metric = importlib.import_module("metrics.equivariance")
    places = {
        "EQ-T": [torch.tensor(shift) for shift in SHIFTS],
        "EQ-T fractional": [torch.tensor(shift) for shift in PART_SHIFTS],
        "EQ-R": [torch.tensor(np.deg2rad(angle)) for angle in ANGLES],
    }
    found = {"EQ-T": np.array(SHIFTS), "EQ-T fractional": np.array(PART_SHIFTS), "EQ-R": np.array(ANGLES)}
    picture = torch.from_numpy(seeded_images(1, 1, SIZE, SIZE))
    for kind, some in places.items():
        for k, place in enumerate(some):
            wanted, filtered, mask = compared(metric, kind, place, picture, picture)
            found[f"{kind}/{k}/wanted"] = wanted[0, 0, ::2, ::3].numpy()
            found[f"{kind}/{k}/filtered"] = filtered[0, 0, ::2, ::3].numpy()
            found[f"{kind}/{k}/mask"] = mask[0, 0].numpy() > 0
    for name, settings in CONFIGURATIONS.items():
        network = network_of(network_class, settings)
        with torch.no_grad():
            ws = network.mapping(torch.from_numpy(seeded_z(1, DIM)), None)
            still = network.synthesis(ws, noise_mode="const")
            for kind, some in places.items():
                squares = []
                for place in some:
                    network.synthesis.input.transform.copy_(canvas(metric, kind, place))
                    drawn = network.synthesis(ws, noise_mode="const")
                    wanted, drawn, mask = compared(metric, kind, place, still, drawn)
                    squares.append(float(((wanted - drawn).square() * mask).sum() / mask.sum()))
                found[f"{name}/{kind}"] = np.array(squares)
    np.savez_compressed(Path(__file__).resolve().with_name("equivariance.npz"), **found)


if __name__ == "__main__":
    main()
