# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Networks that tell who is in a picture (ArcFace, Deng et al. 2019): IR-SE 50 and the grey ResNet-18.

Both have `identity_features`, pictures `[N, 3, H, W]` to unit vectors `[N, D]`, which `losses` uses. Keys are
PaddleGAN's (`model_ir_se50.pdparams`, `arcface_resnet18.pdparams`); linear weights are `[in, out]`.
Both are used in evaluation mode; whoever only measures with them stops the gradients of their weights.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

from ..errors import UserError
from ..ops.bicubic import resize_matrix
from .irse import DEPTHS, WIDTHS, irse_blocks, irse_input_layer

FRAME = 256  # an aligned picture is brought to this side, then cut
ROWS, COLUMNS = (35, 223), (32, 220)  # the face in it
_LUMA = (0.299, 0.587, 0.114)  # of RGB, as Pillow and OpenCV turn to grey


class IRSE50(nn.Layer):
    """ArcFace's IR-SE network of 50 layers: faces `[N, 3, S, S]` in [-1, 1] to unit vectors `[N, dim]`.

    Args:
        widths, depths: channels and blocks of the four stages.
        face_size: S, a multiple of 16.
        dim: length of the result.
        dropout: share dropped before the last layer, in training.
    """

    def __init__(self, widths=WIDTHS, depths=DEPTHS, *, face_size=112, dim=512, dropout=0.6):
        super().__init__()
        if face_size < 16 or face_size % 16:
            raise UserError(f"face_size must be a multiple of 16; got {face_size}")
        self.face_size, self.dim = face_size, dim
        self.widths, self.depths = tuple(widths), tuple(depths)
        self.input_layer = irse_input_layer(3, widths[0])
        self.body = nn.Sequential(*irse_blocks(widths, depths))
        self.output_layer = nn.Sequential(
            nn.BatchNorm2D(widths[-1]),
            nn.Dropout(dropout),
            _Rows(),
            nn.Linear(widths[-1] * (face_size // 16) ** 2, dim),
            nn.BatchNorm1D(dim),
        )

    def config(self):
        """What the constructor needs for evaluation, in values that JSON can hold."""
        return {
            "widths": list(self.widths),
            "depths": list(self.depths),
            "face_size": self.face_size,
            "dim": self.dim,
        }

    def forward(self, faces):
        """Return unit features `[N, dim]` of face crops `[N, 3, S, S]`."""
        return F.normalize(self.output_layer(self.body(self.input_layer(faces))), axis=1)

    def identity_features(self, images):
        """Describe who is in aligned pictures (FFHQ's crop); differentiable.

        Args:
            images: `[N, 3, H, W]`, RGB in [-1, 1].
        Returns:
            `[N, dim]`, unit vectors.
        """
        height, width = images.shape[2:]
        down = paddle.to_tensor(_cut_matrix(height, ROWS, self.face_size))
        across = paddle.to_tensor(_cut_matrix(width, COLUMNS, self.face_size).T)
        return self(paddle.matmul(down, paddle.matmul(images, across)))


class ResNetFace18(nn.Layer):
    """The grey ResNet-18 of ronghuaiyang's ArcFace: `[N, 1, 128, 128]` in [-1, 1] to `[N, dim]`.

    Args:
        widths: channels of the four stages.
        dim: length of the result.
    """

    def __init__(self, widths=WIDTHS, *, dim=512):
        super().__init__()
        self.face_size = 128
        self.conv1 = nn.Conv2D(1, widths[0], 3, 1, 1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(widths[0])
        self.prelu = _SharedSlope()
        before = widths[0]
        for stage, width in enumerate(widths):
            blocks = [_FaceBlock(before, width, 1 if stage == 0 else 2), _FaceBlock(width, width, 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            before = width
        self.bn4 = nn.BatchNorm2D(before)
        self.dropout = nn.Dropout()
        self.fc5 = nn.Linear(before * (self.face_size // 16) ** 2, dim)
        self.bn5 = nn.BatchNorm1D(dim)

    def forward(self, faces):
        """Return features `[N, dim]` of grey face crops `[N, 1, S, S]`."""
        x = F.max_pool2d(self.prelu(self.bn1(self.conv1(faces))), 2)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.bn5(self.fc5(self.dropout(self.bn4(x)).flatten(1)))

    def identity_features(self, images):
        """Describe who is in pictures: the whole picture, in grey, at 128 px; differentiable.

        Args:
            images: `[N, 3, H, W]`, RGB in [-1, 1] (clamped).
        Returns:
            `[N, dim]`, unit vectors.
        """
        luma = paddle.to_tensor(_LUMA, dtype="float32").reshape([3, 1, 1])
        grey = (paddle.clip(images, -1.0, 1.0) * luma).sum(axis=1, keepdim=True)
        down, across = (
            paddle.to_tensor(resize_matrix(side, self.face_size, "bilinear")) for side in images.shape[2:]
        )
        return F.normalize(self(paddle.matmul(down, paddle.matmul(grey, across.t()))), axis=1)


@lru_cache(maxsize=16)
def _cut_matrix(side, part, size):
    """Along one axis: pool `side` pixels to FRAME, cut out `part`, pool it to `size`; `[size, side]`."""
    cut = _pool_matrix(side, FRAME)[slice(*part)]
    return _pool_matrix(len(cut), size) @ cut


def _pool_matrix(size_in, size_out):
    """adaptive_avg_pool2d along one axis, its windows whole pixels; `[size_out, size_in]`."""
    matrix = np.zeros([size_out, size_in], np.float32)
    for row in range(size_out):
        begin, end = row * size_in // size_out, -(-(row + 1) * size_in // size_out)
        matrix[row, begin:end] = 1 / (end - begin)
    return matrix


class _Rows(nn.Layer):
    """`[N, C, H, W]` to `[N, C * H * W]`; nn.Flatten has no compiled gradient."""

    def forward(self, x):
        return x.reshape([-1, x.shape[1] * x.shape[2] * x.shape[3]])


class _SharedSlope(nn.Layer):
    """PReLU with one slope; a layer of its own because nn.PReLU would name it `_weight`."""

    def __init__(self):
        super().__init__()
        self.weight = self.create_parameter([1], default_initializer=nn.initializer.Constant(0.25))

    def forward(self, x):
        return F.prelu(x, self.weight)


class _FaceBlock(nn.Layer):
    """Residual block `[N, I, H, W]` -> `[N, O, H / stride, W / stride]`; both activations share a slope."""

    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.bn0 = nn.BatchNorm2D(in_channels)
        self.conv1 = nn.Conv2D(in_channels, in_channels, 3, 1, 1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(in_channels)
        self.prelu = _SharedSlope()
        self.conv2 = nn.Conv2D(in_channels, channels, 3, stride, 1, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(channels)
        self.downsample = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2D(in_channels, channels, 1, stride, bias_attr=False), nn.BatchNorm2D(channels)
            )

    def forward(self, x):
        short = x if self.downsample is None else self.downsample(x)
        x = self.prelu(self.bn1(self.conv1(self.bn0(x))))
        return self.prelu(short + self.bn2(self.conv2(x)))
