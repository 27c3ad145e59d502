# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The lane of NVIDIA's StyleGAN3, imported from a checkout: its path for a CPU, in PyTorch."""

from __future__ import annotations

import importlib.util
import sys
import types

import numpy as np
import torch
from drawn import drawn, stylegan3_weights

SETTINGS = {
    "T": {},
    "R": {"channel_base": 65536, "channel_max": 1024, "conv_kernel": 1, "use_radial_filters": True},
}


def generator_class(path):
    """Their class of the network; setuptools no longer brings a package that it asks for a version."""
    sys.path.insert(0, path)
    if importlib.util.find_spec("pkg_resources") is None:
        from packaging.version import parse

        sys.modules["pkg_resources"] = types.SimpleNamespace(parse_version=parse)
    from training.networks_stylegan3 import Generator

    return Generator


def synthesis(path, size, configuration):
    """w_plus of one picture to its pixels, with random weights of PyTorch's, which it leaves for our lane."""
    torch.manual_seed(0)
    network = generator_class(path)(
        512, 0, 512, size, 3, mapping_kwargs={"num_layers": 2}, **SETTINGS[configuration]
    )
    network.eval().requires_grad_(False)
    state = {key: value.numpy() for key, value in network.state_dict().items()}
    np.savez(stylegan3_weights(size, configuration), **state)
    with torch.no_grad():
        w_plus = network.mapping(torch.from_numpy(drawn("z", [1, 512])), None)

    @torch.inference_mode()
    def draw():
        return network.synthesis(w_plus, noise_mode="const").numpy()

    return {"1": draw}
