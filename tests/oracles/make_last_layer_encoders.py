# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write encoders_last_layer.npz: what pSp's two last-layer encoders say with weights drawn by key.

    python tests/oracles/make_last_layer_encoders.py PIXEL2STYLE2PIXEL

The argument is a checkout of eladrich/pixel2style2pixel. The stored numbers are from commit 5cfff385 on
PyTorch 2.13.0, CPU, with all channels: the classes' forward names their width.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from seeded_weights import seeded_images
from torch_peers import checkout, load_keyed

STYLES = 4
CASES = {
    "w": "BackboneEncoderUsingLastLayerIntoW",
    "w_plus": "BackboneEncoderUsingLastLayerIntoWPlus",
}


def main():
    arrays = {}
    for case, name in CASES.items():
        with checkout(sys.argv[1]) as load:
            opts = SimpleNamespace(input_nc=3, n_styles=STYLES)
            network = getattr(load("models.encoders.psp_encoders"), name)(50, "ir_se", opts)
        arrays[f"{case}/shapes"] = load_keyed(network)
        with torch.no_grad():
            codes = network(torch.from_numpy(seeded_images(2, 3, 256, 256)))
        arrays[f"{case}/codes"] = codes.numpy().astype("float32")
    np.savez_compressed(Path(__file__).with_name("encoders_last_layer.npz"), **arrays)


if __name__ == "__main__":
    main()
