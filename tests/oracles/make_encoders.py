# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write encoders.npz: what pSp's, e4e's and ReStyle's encoders say with weights drawn by key.

    python tests/oracles/make_encoders.py PIXEL2STYLE2PIXEL ENCODER4EDITING RESTYLE [--full]

The arguments are checkouts of eladrich/pixel2style2pixel, omertov/encoder4editing and
yuval-alaluf/restyle-encoder. The stored numbers are from commits 5cfff385, 99ea5057 and 5e802762 on
PyTorch 2.13.0, CPU, with a quarter to an eighth of the channels; --full keeps them all (and writes
encoders_full.npz, which is not in the repository).
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from seeded_weights import seeded_images
from torch_peers import NARROW, checkout, load_keyed, narrow_layers

PSP, E4E, RESTYLE = "pixel2style2pixel", "encoder4editing", "restyle-encoder"
# name in the file: (repository, module, class, styles, input channels, height of the 256 wide input)
CASES = {
    "psp": (PSP, "psp_encoders", "GradualStyleEncoder", 18, 3, 256),
    "e4e": (E4E, "psp_encoders", "Encoder4Editing", 10, 3, 256),
    "restyle_fpn": (RESTYLE, "fpn_encoders", "GradualStyleEncoder", 8, 6, 256),
    "restyle_psp": (RESTYLE, "restyle_psp_encoders", "BackboneEncoder", 4, 6, 256),
    "restyle_e4e": (RESTYLE, "restyle_e4e_encoders", "ProgressiveBackboneEncoder", 4, 6, 256),
    "resnet_fpn": (RESTYLE, "fpn_encoders", "ResNetGradualStyleEncoder", 8, 6, 256),
    "resnet_psp": (RESTYLE, "restyle_psp_encoders", "ResNetBackboneEncoder", 3, 6, 192),
    "resnet_e4e": (RESTYLE, "restyle_e4e_encoders", "ResNetProgressiveBackboneEncoder", 3, 6, 256),
}


def build(repository, module, name, styles, channels):
    opts = SimpleNamespace(input_nc=channels, n_styles=styles, stylegan_size=2 ** (styles // 2 + 1))
    cls = getattr(module, name)
    if repository != RESTYLE:
        return cls(50, "ir_se", opts)
    return cls(styles, opts) if name.startswith("ResNet") else cls(50, "ir_se", styles, opts)


def main():
    folders, full = [a for a in sys.argv[1:] if a != "--full"], "--full" in sys.argv
    arrays = {}
    for case, (repository, module, name, styles, channels, height) in CASES.items():
        folder = folders[[PSP, E4E, RESTYLE].index(repository)]
        with checkout(folder) as load:
            if name.startswith("ResNet"):  # the class would download weights, which are replaced below
                resnet34 = load("torchvision.models.resnet").resnet34
            module = load(f"models.encoders.{module}")
            module.resnet34 = lambda pretrained: resnet34()  # noqa: B023
            linear = load("models.stylegan2.model").EqualLinear
            if full:
                network = build(repository, module, name, styles, channels)
            else:
                with narrow_layers(linear):
                    network = build(repository, module, name, styles, channels)
                for head in network.styles:
                    head.out_c = NARROW[head.out_c]
        arrays[f"{case}/shapes"] = load_keyed(network)
        images = torch.from_numpy(seeded_images(1, channels, height, 256))
        with torch.no_grad():
            arrays[f"{case}/codes"] = network(images)[:, :, :: 16 if full else 2].numpy()
    target = "encoders_full.npz" if full else "encoders.npz"
    np.savez_compressed(Path(__file__).with_name(target), **arrays)


if __name__ == "__main__":
    main()
