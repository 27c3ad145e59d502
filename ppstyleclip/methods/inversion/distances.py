# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How far pictures are from each other, as layers of one signature that fitting and tuning make small.

A distance of your own is a Layer with `name`, `config()`, `prepare(images)` and `forward(images, wanted)`;
hand it to fit_latents or tune_generator.
"""

from __future__ import annotations

from typing import Any, Protocol

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ppstyleclip.losses import vgg_loss, vgg_maps
from ppstyleclip.models.lpips import IMAGE2STYLEGAN_TAPS

MAX_SIDE = 256  # of the pictures that LPIPS and VGG compare
MIN_SIDE = 8  # of the smallest pictures that the plain distance compares


class Distance(Protocol):
    """What fit_latents and tune_generator need of a distance; it is a paddle.nn.Layer too."""

    name: str

    def prepare(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """Return what forward compares with, of images `[N, 3, H, W]` in [-1, 1]."""

    def __call__(self, images: paddle.Tensor, wanted: list[paddle.Tensor]) -> paddle.Tensor:
        """Return the distance `[N]` of images `[N, 3, H, W]` from prepared ones."""

    def eval(self) -> Any:
        """Set the network to evaluation."""


class PlainDistance(nn.Layer):
    """Mean squared difference of two pictures, added over their halvings down to MIN_SIDE; no weights."""

    name = "plain"

    def prepare(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """Return the picture in every size, the largest first."""
        sizes = [images]
        while sizes[-1].shape[-1] > MIN_SIDE:
            sizes.append(F.avg_pool2d(sizes[-1], 2, 2))
        return sizes

    def forward(self, images: paddle.Tensor, wanted: list[paddle.Tensor]) -> paddle.Tensor:
        """Return `[N]` of images `[N, 3, H, W]` and a prepared picture."""
        return paddle.add_n([mean_square(a - b) for a, b in zip(self.prepare(images), wanted)])


class LpipsDistance(nn.Layer):
    """LPIPS at MAX_SIDE (Zhang et al. 2018).

    Args:
        lpips: models.lpips.LPIPS.
    """

    name = "lpips"

    def __init__(self, lpips: nn.Layer):
        super().__init__()
        self.lpips = lpips

    def prepare(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """Return LPIPS's features of a picture."""
        return self.lpips.directions(shrink(images))

    def forward(self, images: paddle.Tensor, wanted: list[paddle.Tensor]) -> paddle.Tensor:
        """Return `[N]` of images `[N, 3, H, W]` and a prepared picture."""
        return self.lpips.distance(self.prepare(images), wanted)


class VggDistance(nn.Layer):
    """Squared differences of VGG-16's features, as losses.vgg_loss has them (Image2StyleGAN).

    Args:
        vgg: models.lpips.VGG16.
        taps: the layers whose features are compared.
    """

    name = "vgg"

    def __init__(self, vgg: nn.Layer, taps: tuple = IMAGE2STYLEGAN_TAPS):
        super().__init__()
        self.vgg, self.taps = vgg, taps

    def prepare(self, images: paddle.Tensor) -> list[paddle.Tensor]:
        """Return VGG's features of a picture; one smaller than MAX_SIDE keeps its size."""
        return vgg_maps(self.vgg, images, self.taps, side=min(MAX_SIDE, images.shape[-1]))

    def forward(self, images: paddle.Tensor, wanted: list[paddle.Tensor]) -> paddle.Tensor:
        """Return `[N]` of images `[N, 3, H, W]` and a prepared picture."""
        return vgg_loss(self.prepare(images), wanted)


def shrink(images: paddle.Tensor) -> paddle.Tensor:
    """Average pictures down to MAX_SIDE; smaller ones stay."""
    factor = images.shape[-1] // MAX_SIDE
    return F.avg_pool2d(images, factor, factor) if factor > 1 else images


def mean_square(difference: paddle.Tensor) -> paddle.Tensor:
    """Return the mean of the squares of each picture, `[N]` of `[N, 3, H, W]`."""
    return paddle.mean(difference * difference, axis=[1, 2, 3])
