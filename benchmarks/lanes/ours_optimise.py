# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Our lanes of latent optimisation: a step is one that a user's run makes, Adam and all."""

from __future__ import annotations

import numpy as np
from drawn import GRADIENT_SIDE, drawn
from ours import make_clip, make_generator, paddle

from ppstyleclip.methods.optimization import ObjectiveConfig, OptimizationConfig, optimize

ENDLESS = 20_000  # steps; no race makes as many


def steps(parts, start, texts, config, batches, identity=None):
    """A step of runs of 1, 4, ... faces; each run is started when it is first asked for."""
    runs = {}

    def step(count):
        if count not in runs:
            wanted = texts[..., :count, :, :]  # with neighbours a place comes first
            runs[count] = optimize(*parts, start[:count], wanted, config, identity=identity)
        return next(runs[count]).value

    return {str(count): (lambda count=count: step(count)) for count in batches}


def official(batches, identity=False):
    """The official loss at 256 px with CLIP ViT-B/32, and with IR-SE50 where it is asked for."""
    generator, clip = make_generator(GRADIENT_SIDE), make_clip()
    with paddle.no_grad():
        w = generator.get_latent(paddle.to_tensor(drawn("z", [max(batches), 512]))).numpy()
    start = np.repeat(w[:, None], generator.n_latent, axis=1)
    texts = drawn("target", [1, 1, clip.dim]).repeat(len(start), axis=0)
    weights = {"clip": 1.0, "l2": 0.008, "identity": 0.1 if identity else 0.0}
    config = OptimizationConfig(steps=ENDLESS, objective=ObjectiveConfig(weights=weights))
    return steps((generator, clip), start, texts, config, batches, make_identity() if identity else None)


def make_identity():
    """IR-SE50 with random weights."""
    from ppstyleclip.models.arcface import IRSE50

    paddle.seed(0)
    network = IRSE50()
    network.eval()
    for parameter in network.parameters():
        parameter.stop_gradient = True
    return network


def pack(batches):
    """The embedded world with its own preset."""
    from ppstyleclip.editor import Editor
    from ppstyleclip.pipelines.optimization import sample_start, target_features
    from ppstyleclip.pipelines.presets import read_optimization_preset

    editor, config = Editor.from_pretrained(), read_optimization_preset("portrait", steps=ENDLESS)
    bundle, start = editor.bundle, sample_start(editor, range(max(batches)), config.space)
    texts = target_features(editor, start, "face", ["happy face"], config)
    identity = bundle.identity if "identity" in config.objective.parts else None
    return steps((bundle.generator, bundle.clip), start, texts, config, batches, identity)
