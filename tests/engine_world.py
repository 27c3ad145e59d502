# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the tests of the engine share: small networks, inputs, the eager result."""

from __future__ import annotations

import threading

import numpy as np
import paddle
from tiny_world import CLIP

from ppstyleclip.models.clip import build_clip
from ppstyleclip.models.forms import inference_of, prefix_drawing_of

SECONDS = 180.0  # after which a thread hangs
BOUND = 1e-3  # largest difference of images in about [-1, 1]


def small_resnet_clip():
    paddle.seed(3)
    return build_clip(
        {
            **CLIP,
            "vision_layers": (1, 1, 1, 1),
            "vision_width": 4,
            "vision_patch_size": None,
            "image_size": 32,
        }
    )


def draw_styles(generator, count, seed=0):
    z = np.random.RandomState(seed).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        return [style.numpy() for style in generator.style_affine(generator.get_latent(paddle.to_tensor(z)))]


def eager(generator, styles, noise="const"):
    with paddle.no_grad():
        return generator.synthesis_from_styles([paddle.to_tensor(s) for s in styles], noise=noise).numpy()


@paddle.no_grad()
def drawn_before(generator, styles, start):
    """The state that a synthesis from style tensor `start` goes on from."""
    drawing = prefix_drawing_of(generator)
    state = drawing.initial_state(len(styles[0]))
    while state.k < start:
        state = drawing.run_layer(state, paddle.to_tensor(styles[state.k]))
    return state


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


class Step(paddle.nn.Layer):
    """Synthesis, CLIP and a cosine to a text feature: a loss with everything in it that an edit has."""

    def __init__(self, generator, clip):
        super().__init__()
        self.synthesis, self.clip = inference_of(generator).differentiable(), clip

    def shapes(self):
        widths = self.synthesis.widths
        return {**{f"s{k:02d}": [-1, width] for k, width in enumerate(widths)}, "text": [-1, self.clip.dim]}

    def forward(self, tensors):
        """Return [loss, images]."""
        images = self.synthesis([tensors[f"s{k:02d}"] for k in range(len(self.synthesis.widths))])
        return [-paddle.mean(self.clip.encode_image(images) * tensors["text"]), images]


def in_threads(count, function):
    """Results of a function, or its errors, called in new threads at once."""
    results = [None] * count

    def call(k):
        try:
            results[k] = function(k)
        except BaseException as error:
            results[k] = error

    threads = [threading.Thread(target=call, args=(k,), daemon=True) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return results
