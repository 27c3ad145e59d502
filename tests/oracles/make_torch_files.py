# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Makes torch_zip.pt, torch_legacy.pt, torch_torchscript.pt and torch_files.npz; run once, with PyTorch 2.13.

    python tests/oracles/make_torch_files.py

The three files are tiny and genuine: PyTorch's own writers made them; only the debug members of the
TorchScript archive, which hold paths, are left out. The .npz holds what PyTorch reads back.
"""

from __future__ import annotations

import argparse
import io
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent


class Tiny(torch.nn.Module):
    """A network with parameters, a buffer, half precision and strides."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(2, 3, 2, bias=False).to(memory_format=torch.channels_last)
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(2, 3), torch.nn.LayerNorm(3)])
        self.proj = torch.nn.Parameter(torch.randn(3, 2).half())
        self.register_buffer("scale", torch.tensor(0.5))

    def forward(self, x):
        return self.blocks[1](self.blocks[0](x)) @ self.proj.float() * self.scale * self.conv1.weight.sum()


def main() -> None:
    torch.manual_seed(0)
    net = Tiny()
    state = {
        **net.state_dict(),
        "view": torch.arange(12.0).reshape(3, 4)[1:, ::2],
        "brain": torch.randn(3).bfloat16(),
    }
    saved = {"state_dict": state, "opts": argparse.Namespace(size=8, device=torch.device("cpu"))}
    torch.save(saved, HERE / "torch_zip.pt")
    torch.save(saved, HERE / "torch_legacy.pt", _use_new_zipfile_serialization=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        memory = io.BytesIO()
        torch.jit.save(torch.jit.trace(net, torch.randn(1, 2)), memory)
        _write_without_debug(HERE / "torch_torchscript.pt", memory)
        script = torch.jit.load(HERE / "torch_torchscript.pt").state_dict()
    known = {"torchscript": script}
    for kind in ("zip", "legacy"):
        known[kind] = torch.load(HERE / f"torch_{kind}.pt", weights_only=False)["state_dict"]
    np.savez_compressed(
        HERE / "torch_files.npz",
        **{
            f"{kind}/{name}": _numpy(tensor)
            for kind, tensors in known.items()
            for name, tensor in tensors.items()
        },
    )


def _write_without_debug(path, memory):
    with zipfile.ZipFile(memory) as source, zipfile.ZipFile(path, "w") as target:
        for info in source.infolist():
            if not info.filename.endswith(".debug_pkl"):
                target.writestr(info, source.read(info))


def _numpy(tensor) -> np.ndarray:
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().numpy()


if __name__ == "__main__":
    main()
