# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Run the networks of PyTorch repositories as they are: without their CUDA operators, and narrower.

Used by the scripts beside it only; needs torch, and torchvision for the ResNet-34 encoders.
"""

import contextlib
import importlib
import json
import sys
import types

import numpy as np
import torch
from seeded_weights import keyed_state

# Channel counts in the peers' sources, and what they become. The other entries follow from these four:
# hidden channels of squeeze and excitation, and the flattened maps of the identity networks.
NARROW = {64: 16, 128: 32, 256: 48, 512: 64, 4: 1, 8: 2, 16: 3, 32: 4, 512 * 49: 64 * 49, 512 * 64: 64 * 64}


def _fused_leaky_relu(x, bias, negative_slope=0.2, scale=2**0.5):
    if x.ndim != 3:  # the operator adds the bias on axis 1, but to [B, L, C] on the last one
        bias = bias.view(1, -1, *[1] * (x.ndim - 2))
    return torch.nn.functional.leaky_relu(x + bias, negative_slope) * scale


@contextlib.contextmanager
def checkout(folder):
    """Import from a repository for a while; its CUDA operators are replaced, its modules forgotten after."""
    operators = types.ModuleType("models.stylegan2.op")
    operators.FusedLeakyReLU, operators.upfirdn2d = torch.nn.Module, None
    operators.fused_leaky_relu = _fused_leaky_relu
    before = set(sys.modules)
    sys.modules[operators.__name__] = operators
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if name.split(".")[0] in ("models", "mapper", "utils", "configs", "criteria", "src"):
                del sys.modules[name]


@contextlib.contextmanager
def narrow_layers(*linear_classes):
    """Inside, channel counts given to layers go through the table NARROW; class layouts stay the peer's."""
    classes = [torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.BatchNorm1d, torch.nn.PReLU, torch.nn.Linear]
    originals = {}
    for cls, channels in [(cls, 2) for cls in classes] + [(cls, 2) for cls in linear_classes]:
        originals[cls] = cls.__init__

        def init(self, *args, _init=cls.__init__, _count=channels, **kwargs):
            counts = [NARROW.get(a, a) if isinstance(a, int) else a for a in args[:_count]]
            _init(self, *counts, *args[_count:], **kwargs)

        cls.__init__ = init
    try:
        yield
    finally:
        for cls, original in originals.items():
            cls.__init__ = original


def load_keyed(network, lr_mul=1.0):
    """Give a torch network the weights of keyed_state; returns its `{key: shape}` as stored bytes."""
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    state = {key: torch.from_numpy(value) for key, value in keyed_state(shapes, lr_mul).items()}
    missing, unknown = network.load_state_dict(state, strict=False)
    assert not unknown and all(key.endswith("num_batches_tracked") for key in missing), (missing, unknown)
    network.eval()
    return np.frombuffer(json.dumps(shapes, separators=(",", ":")).encode(), dtype="uint8")
