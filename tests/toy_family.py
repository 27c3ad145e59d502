# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A generator family in one file, which brings no more than `models.generator.Generator` asks for.

Three style tensors scale a constant, a convolution and the colours; noise is added once.
"""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ppstyleclip.models.families import register_family
from ppstyleclip.models.layout import StyleLayout

NAMES = ("constant", "conv", "colour")


class ToyGenerator(nn.Layer):
    """Draws soft blobs; has no layer that StyleGAN2 has."""

    family = "toy"

    def __init__(self, size=16, style_dim=8, widths=(6, 5)):
        super().__init__()
        self.size, self.style_dim, self.n_latent = size, style_dim, len(NAMES)
        self.layout = StyleLayout(NAMES, (widths[0], *[widths[1]] * 2), (True, True, False))
        self.mapping = nn.Linear(style_dim, style_dim)
        self.affine = nn.LayerList([nn.Linear(style_dim, width) for width in self.layout.channels])
        self.constant = self.create_parameter([1, widths[0], size // 4, size // 4])
        self.conv = nn.Conv2D(widths[0], widths[1], 3, padding=1)
        self.colour = nn.Conv2D(widths[1], 3, 1)
        self.register_buffer("noise", 0.3 * paddle.randn([1, 1, size, size]))

    def config(self):
        """See Generator."""
        widths = self.layout.channels[:2]
        return {"family": "toy", "size": self.size, "style_dim": self.style_dim, "widths": list(widths)}

    def get_latent(self, z):
        """See Generator."""
        return paddle.tanh(self.mapping(z))

    def get_latents(self, z, truncation=1.0, truncation_cutoff=None, truncation_latent=None):
        """See Generator."""
        w = self.get_latent(z).unsqueeze(1).expand([-1, self.n_latent, -1])
        if truncation == 1:
            return w
        mean = self.mean_latent() if truncation_latent is None else truncation_latent
        strength = np.ones([1, self.n_latent, 1], np.float32)
        strength[:, :truncation_cutoff] = truncation
        return mean.reshape([1, -1, self.style_dim]) + paddle.to_tensor(strength) * (w - mean)

    @paddle.no_grad()
    def mean_latent(self, n_latent=4096, seed=0):
        """See Generator."""
        z = np.random.RandomState(seed).standard_normal([n_latent, self.style_dim]).astype(np.float32)
        return self.get_latent(paddle.to_tensor(z)).mean(axis=0, keepdim=True)

    def style_affine(self, latent):
        """See Generator."""
        layers = [latent] * self.n_latent if latent.ndim == 2 else latent.unbind(axis=1)
        return [1.0 + affine(w) for affine, w in zip(self.affine, layers)]

    def synthesis_from_styles(self, styles, *, noise="const", seed=None):
        """See Generator."""
        first, second, colour = (style.reshape([-1, style.shape[1], 1, 1]) for style in styles)
        x = F.interpolate(self.constant * first, scale_factor=2, mode="nearest")
        x = F.interpolate(F.leaky_relu(self.conv(x) * second), scale_factor=2, mode="nearest")
        x = x if noise == "none" else x + self._noise(noise, seed)
        return self.colour(x * colour)

    def _noise(self, noise, seed):
        if noise == "const":
            return self.noise
        return paddle.to_tensor(np.random.RandomState(seed).standard_normal(self.noise.shape), "float32")


register_family("toy", lambda config: ToyGenerator(config["size"], config["style_dim"], config["widths"]))
