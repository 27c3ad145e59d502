# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Write stylegan2.npz: what PaddleGAN's StyleGANv2Generator draws with seeded weights.

    python tests/oracles/make_stylegan2.py PADDLEGAN        # PADDLEGAN: a checkout of PaddlePaddle/PaddleGAN

The stored numbers are from commit 094a2eb926d451ad9ad56c92c6f23e2c7199df73 on Paddle 3.3.1, CPU.
"""

import importlib
import json
import sys
import types
from pathlib import Path

import numpy as np
import paddle
from seeded_weights import sample, seeded_state, seeded_z

CASES = {64: 2, 1024: 1}  # size: batch


def paddlegan_class(checkout):
    """Import the class alone: the packages' __init__ files would import the whole library."""
    for name in ("ppgan", "ppgan.models", "ppgan.models.generators", "ppgan.modules"):
        package = types.ModuleType(name)
        package.__path__ = [str(Path(checkout, *name.split(".")))]
        sys.modules[name] = package
    builder = types.ModuleType("ppgan.models.generators.builder")
    builder.GENERATORS = types.SimpleNamespace(register=lambda: lambda cls: cls)
    sys.modules[builder.__name__] = builder
    return importlib.import_module("ppgan.models.generators.generator_styleganv2").StyleGANv2Generator


def describe(generator, batch):
    """Return the arrays stored for one generator."""
    shapes = {key: list(value.shape) for key, value in generator.state_dict().items()}
    generator.set_state_dict(seeded_state(shapes))
    z = paddle.to_tensor(seeded_z(batch, generator.style_dim))
    with paddle.no_grad():
        images, w_plus = generator([z], return_latents=True, randomize_noise=False)
        styles = generator.style_affine(w_plus)
    means, squares, pixels = sample(images.numpy())
    return {
        "shapes": np.frombuffer(json.dumps(shapes).encode(), dtype="uint8"),
        "w": w_plus[:, 0, ::16].numpy(),
        "styles": np.concatenate([style[:, ::8].numpy() for style in styles], axis=1),
        "style_peak": np.array([float(style.abs().max()) for style in styles], dtype="float32"),
        "image_peak": np.float32(images.abs().max()),
        "means": means.astype("float32"),
        "squares": squares.astype("float32"),
        "pixels": pixels,
    }


def main():
    generator_class = paddlegan_class(sys.argv[1])
    arrays = {}
    for size, batch in CASES.items():
        found = describe(generator_class(size, 512, 8), batch)
        arrays.update({f"{size}/{name}": value for name, value in found.items()})
    np.savez_compressed(Path(__file__).with_name("stylegan2.npz"), **arrays)


if __name__ == "__main__":
    main()
