# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Small PyTorch twins that tests of the recipes share; import it behind importorskip("torch")."""

from __future__ import annotations

import torch

from ppstyleclip.worlds.portrait.factors import Z_DIM
from ppstyleclip.worlds.portrait.training.network import Generator

CHANNELS = {4: 8, 8: 8, 16: 8, 32: 6, 64: 4, 128: 4}


def small_generator():
    """A generator of 128 px, random and frozen."""
    torch.manual_seed(0)
    return Generator(128, style_dim=Z_DIM, channels=CHANNELS).eval().requires_grad_(False)


def stirred(network):
    """A network whose norms have seen something and whose layers of zeros are none, in evaluation mode."""
    torch.manual_seed(3)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.add_(0.2 * torch.rand_like(value))
    return network.eval()
