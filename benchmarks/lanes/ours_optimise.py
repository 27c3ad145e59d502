# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Our lanes of latent optimisation: a step is one that a user's run makes, Adam and all."""

from __future__ import annotations

import numpy as np
from drawn import GRADIENT_SIDE, drawn
from ours import make_clip, make_generator, paddle

from ppstyleclip.methods.optimize import Settings, optimise
from ppstyleclip.stylespace import build_layout

ENDLESS = 20_000  # steps; no race makes as many


def steps(parts, start, texts, settings, batches, identity=None):
    """A step of runs of 1, 4, ... faces; each run is started when it is first asked for."""
    runs = {}

    def step(count):
        if count not in runs:
            wanted = texts[..., :count, :, :]  # with nearby faces a place comes first
            runs[count] = optimise(*parts, start[:count], wanted, settings, identity=identity)
        return next(runs[count]).value

    return {str(count): (lambda count=count: step(count)) for count in batches}


def official(batches, identity=False):
    """The official loss at 256 px with CLIP ViT-B/32, and with IR-SE50 where it is asked for."""
    generator, clip = make_generator(GRADIENT_SIDE), make_clip()
    with paddle.no_grad():
        w = generator.get_latent(paddle.to_tensor(drawn("z", [max(batches), 512]))).numpy()
    start = np.repeat(w[:, None], generator.n_latent, axis=1)
    texts = drawn("target", [1, 1, clip.dim]).repeat(len(start), axis=0)
    settings = Settings(steps=ENDLESS, identity=0.1 if identity else 0.0)
    parts = generator, build_layout(generator), clip
    return steps(parts, start, texts, settings, batches, make_identity() if identity else None)


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
    from ppstyleclip.apps.optimize import read_settings, starts, wanted_features
    from ppstyleclip.editor import Editor

    editor, settings = Editor.from_pretrained(), read_settings("toonface", steps=ENDLESS)
    bundle, start = editor.bundle, starts(editor, range(max(batches)), settings.space)
    texts = wanted_features(editor, start, "face", ["happy face"], settings)
    identity = bundle.identity if settings.identity > 0 else None
    parts = bundle.generator, bundle.layout, bundle.clip
    return steps(parts, start, texts, settings, batches, identity)
