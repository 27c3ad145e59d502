# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What holds of a generator of any family: its programs and compiled gradients are its eager mathematics."""

from __future__ import annotations

import numpy as np
import paddle

from ppstyleclip.engine import compile_gradient, compile_synthesis
from ppstyleclip.methods.global_directions import RelevanceConfig, compute_relevance
from ppstyleclip.models.forms import inference_of
from ppstyleclip.progress import last

ALPHA = 3.0  # of the relevance that is measured


@paddle.no_grad()
def some_styles(generator, count, seed=0):
    """Style arrays of `count` faces."""
    z = np.random.RandomState(seed).randn(count, generator.style_dim).astype(np.float32)
    return [style.numpy() for style in generator.style_affine(generator.get_latent(paddle.to_tensor(z)))]


@paddle.no_grad()
def draw(generator, styles, noise="const"):
    return generator.synthesis_from_styles([paddle.to_tensor(s) for s in styles], noise=noise).numpy()


def measure(generator, clip, measured, compiled=None, **options):
    """Relevance from the last record of `collect_statistics`."""
    config = RelevanceConfig(alpha=ALPHA, **{"batch_size": 8, **options})
    records = compute_relevance(generator, clip, measured.stats, config, s_base=measured.s, compiled=compiled)
    return last(records).relevance


class Brightness(paddle.nn.Layer):
    """A loss of the pictures of `count` style tensors."""

    def __init__(self, generator, count):
        super().__init__()
        self.synthesis, self.count = inference_of(generator).differentiable(), count

    def forward(self, tensors):
        """Return [loss]."""
        images = self.synthesis([tensors[f"s{k}"] for k in range(self.count)])
        return [paddle.mean(images * images)]


def check_compiled_synthesis(generator, folder, noise="const", close=1e-4):
    """Compare pictures, to a share `close` of the largest value."""
    styles = some_styles(generator, 3)
    drawn, wanted = (
        compile_synthesis(generator, noise=noise, folder=folder)(styles),
        draw(generator, styles, noise),
    )
    np.testing.assert_allclose(drawn, wanted, atol=close * np.abs(wanted).max())


def check_compiled_gradients(generator, folder, close=1e-3):
    """Compare a loss and its gradients, each to a share `close` of its largest value."""
    styles = {f"s{k}": style for k, style in enumerate(some_styles(generator, 2))}
    shapes = {name: [-1, style.shape[1]] for name, style in styles.items()}
    loss = Brightness(generator, len(styles))
    (value,), gradients = compile_gradient(loss, shapes, list(shapes), folder=folder)(styles)
    leaves = {name: paddle.to_tensor(style, stop_gradient=False) for name, style in styles.items()}
    [expected] = loss(leaves)
    np.testing.assert_allclose(value, expected.numpy(), rtol=1e-4)
    for name, gradient in zip(leaves, paddle.grad([expected], list(leaves.values()))):
        atol = close * np.abs(gradient.numpy()).max()
        np.testing.assert_allclose(gradients[name], gradient.numpy(), atol=atol, err_msg=name)
