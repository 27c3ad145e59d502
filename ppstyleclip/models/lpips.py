# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""VGG-16's features and LPIPS v0.1 over them (Zhang et al. 2018): how different two pictures look.

Keys: `features.N.weight` and `.bias` as torchvision and Paddle name VGG-16's (the classifier is left out);
the heads `{0..4}.model.1.weight` as PaddleGAN stores them.
"""

from __future__ import annotations

import paddle
import paddle.nn as nn

WIDTHS = (64, 128, 256, 512, 512)  # channels of the five stages
DEPTHS = (2, 2, 3, 3, 3)  # their convolutions
LPIPS_TAPS = (3, 8, 15, 22, 29)  # the last ReLU of each stage
IMAGE2STYLEGAN_TAPS = (1, 3, 13, 20)  # seed 001's: ReLU 1_1, 1_2, 3_2 and 4_2
_SHIFT = (-0.030, -0.088, -0.188)  # of RGB in [-1, 1]; together ImageNet's normalisation
_SCALE = (0.458, 0.448, 0.450)


class VGG16(nn.Layer):
    """VGG-16 without its classifier.

    Args:
        widths: channels of the five stages.
    """

    def __init__(self, widths=WIDTHS):
        super().__init__()
        layers, before = [], 3
        for width, depth in zip(widths, DEPTHS):
            for _ in range(depth):
                layers += [nn.Conv2D(before, width, 3, 1, 1), nn.ReLU()]
                before = width
            layers.append(nn.MaxPool2D(2, 2))
        self.features = nn.Sequential(*layers)

    def forward(self, images, taps=None):
        """Return the outputs of some layers.

        Args:
            images: `[N, 3, H, W]`, at least 16 x 16, normalised as the user of the features wants it.
            taps: rising indices into `features`; layers behind the last one are not computed. None is
                LPIPS_TAPS, which cannot be the default itself: a tracer does not know the name.
        Returns:
            list of `[N, C, h, w]`.
        """
        taps = LPIPS_TAPS if taps is None else taps
        x, found = images, []
        for index in range(taps[-1] + 1):
            x = self.features[index](x)
            if index in taps:
                found.append(x)
        return found


class LPIPS(nn.Layer):
    """Learned perceptual distance, version 0.1, VGG: 0 for equal pictures, near 1 for unrelated ones.

    Its weights are fixed: gradients go to the pictures only. There is no dropout in any mode.

    Args:
        widths: channels of VGG's five stages.
    """

    def __init__(self, widths=WIDTHS):
        super().__init__()
        self.vgg = VGG16(widths)
        self.lins = nn.LayerList([_Head(width) for width in widths])
        for parameter in self.parameters():
            parameter.stop_gradient = True

    def forward(self, first, second):
        """Compare `[N, 3, H, W]` with `[N or 1, 3, H, W]`, RGB in [-1, 1]; returns `[N]`."""
        return self.distance(self.directions(first), self.directions(second))

    def directions(self, images):
        """Each tap's features, of length 1 at each pixel: what `distance` compares, to be kept for a target.

        Args:
            images: `[N, 3, H, W]`, RGB in [-1, 1], at least 16 x 16.
        Returns:
            list of `[N, C, h, w]`.
        """
        shift = paddle.to_tensor(_SHIFT, dtype="float32").reshape([3, 1, 1])
        scale = paddle.to_tensor(_SCALE, dtype="float32").reshape([3, 1, 1])
        maps = self.vgg((images - shift) / scale)
        return [x / (_norm(x) + 1e-10) for x in maps]

    def distance(self, first, second):
        """Compare two results of `directions`, of N and of N or 1 pictures; returns `[N]`."""
        return paddle.add_n([head((a - b) ** 2) for head, a, b in zip(self.lins, first, second)])


class _Head(nn.Layer):
    """Weighs the channels of a squared difference `[N, C, h, w]` and averages over the picture: `[N]`."""

    def __init__(self, channels):
        super().__init__()
        self.model = nn.Sequential(("1", nn.Conv2D(channels, 1, 1, bias_attr=False)))

    def forward(self, x):
        return self.model(x).mean(axis=[1, 2, 3])


def _norm(x):
    # The root's slope is infinite at 0, where a ReLU leaves whole pixels black: keep away from it.
    squares = (x * x).sum(axis=1, keepdim=True)
    return paddle.sqrt(paddle.clip(squares, min=1e-20))
