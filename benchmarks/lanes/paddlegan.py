# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The lanes of PaddleGAN's own code, imported from a checkout, and of paddleclip's network.

PaddleGAN's packages import the whole library, so only the few files that are measured are imported: empty
packages stand in for their `__init__` files. Paddle is imported as they import it, without our settings.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import types
import zlib  # noqa: F401  before Paddle: Paddle 2.6 brings zlib symbols of its own that crash Python's
from pathlib import Path

import numpy as np
import paddle
from drawn import GRADIENT_SIDE, drawn, generator_state, pictures
from ours import by_batch, make_clip, resampling_steps, style_world

PACKAGES = ("ppgan", "ppgan.models", "ppgan.models.generators", "ppgan.modules", "ppgan.apps", "ppgan.utils")


def _stand_in(name, **values):
    module = types.ModuleType(name)
    vars(module).update(values)
    sys.modules[name] = module
    return module


def open_checkout(path):
    """Make `ppgan` importable from a checkout, file by file."""
    for name in PACKAGES:
        _stand_in(name).__path__ = [str(Path(path, *name.split(".")))]
    registry = types.SimpleNamespace(register=lambda: lambda cls: cls)
    _stand_in("ppgan.models.generators.builder", GENERATORS=registry)
    _stand_in("ppgan.apps.styleganv2_predictor", StyleGANv2Predictor=object)
    _stand_in("ppgan.utils.download", get_path_from_url=None)


def make_generator(path, size):
    """PaddleGAN's generator with the weights of every lane of this size."""
    open_checkout(path)
    module = importlib.import_module("ppgan.models.generators.generator_styleganv2")
    generator = module.StyleGANv2Generator(size, 512, 8)
    shapes = {key: value.shape for key, value in generator.state_dict().items()}
    state = {key: paddle.to_tensor(value) for key, value in generator_state(shapes).items()}
    generator.set_state_dict({**generator.state_dict(), **state})
    generator.eval()
    return generator


def synthesis(path, size, batches):
    generator = make_generator(path, size)

    @paddle.no_grad()
    def draw(styles):
        return generator.synthesis(styles, randomize_noise=False).numpy()

    with paddle.no_grad():
        latents = generator.get_latent(paddle.to_tensor(drawn("z", [max(batches), 512])))
        return by_batch(draw, generator.style_affine(latents), batches)


def upfirdn2d(path, shapes):
    open_checkout(path)
    module = importlib.import_module("ppgan.modules.upfirdn2d")
    layers = {
        "up": module.Upfirdn2dUpsample([1, 3, 3, 1]),
        "blur": module.Upfirdn2dBlur([1, 3, 3, 1], pad=(1, 1), upsample_factor=2),
    }
    return resampling_steps(shapes, lambda kind, x: layers[kind](x))


def clip(batch):
    """paddleclip's network as paddleclip calls it: eager, on normalised pictures of its own size."""
    from ppstyleclip.models.clip import MEAN, STD

    network = make_clip().net
    mean, std = (np.float32(v).reshape(1, 3, 1, 1) for v in (MEAN, STD))
    images = paddle.to_tensor((pictures(batch, 224) * 0.5 + 0.5 - mean) / std)

    @paddle.no_grad()
    def encode():
        return network.encode_image(images).numpy()

    return {"encode": encode}


def relevance(path, channels, images):
    """PaddleGAN's extraction loop on the first channel of `channels` layers, evenly spread.

    `extract_global_direction` itself runs, in a temporary folder that holds the files it reads; only its list
    of layers is shortened, and its CLIP is the one that our lane has.
    """
    from clip import get_transforms

    generator, network = make_generator(path, GRADIENT_SIDE), make_clip().net
    module = importlib.import_module("ppgan.apps.styleganv2clip_predictor")
    module.load_model = lambda name, pretrained: (network, get_transforms(224))
    base, mean, std = style_world(generator, images)
    layers = generator.style_layers
    generator.style_layers = [layers[i] for i in np.linspace(0, len(layers) - 1, channels).astype(int)]
    for layer in generator.style_layers:
        generator.channels_lst[layer] = 1
    folder = tempfile.TemporaryDirectory()
    os.chdir(folder.name)
    paddle.save([paddle.to_tensor(s) for s in base], "S-bench.pdparams")
    stats = {"mean": [paddle.to_tensor(v) for v in mean], "std": [paddle.to_tensor(v) for v in std]}
    paddle.save(stats, "stylegan2-bench-styleclip-stats.pdparams")

    def extract(keep=folder):
        module.extract_global_direction(
            generator, [-5, 5], batchsize=images, num=images, dataset_name="bench"
        )

    return {"channels": extract}
