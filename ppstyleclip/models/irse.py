# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""IR-SE residual blocks, ArcFace's with squeeze and excitation; pSp's encoders are built of them too."""

from __future__ import annotations

import paddle.nn as nn

WIDTHS = (64, 128, 256, 512)  # channels of the four stages
DEPTHS = (3, 4, 14, 3)  # their blocks: the 50-layer network
_REDUCTION = 16


class SqueezeExcitation(nn.Layer):
    """Scales each channel of `[N, C, H, W]` by a number in (0, 1) that depends on all channels' means."""

    def __init__(self, channels):
        super().__init__()
        hidden = max(channels // _REDUCTION, 1)
        self.fc1 = nn.Conv2D(channels, hidden, 1, bias_attr=False)
        self.fc2 = nn.Conv2D(hidden, channels, 1, bias_attr=False)

    def forward(self, x):
        """Return `x` `[N, C, H, W]`, scaled."""
        means = x.mean(axis=[2, 3], keepdim=True)
        return x * nn.functional.sigmoid(self.fc2(nn.functional.relu(self.fc1(means))))


class IRSEBlock(nn.Layer):
    """Residual block `[N, I, H, W]` -> `[N, O, H / stride, W / stride]`."""

    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.stride = stride
        self.shortcut_layer = None
        if in_channels != channels:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2D(in_channels, channels, 1, stride, bias_attr=False), nn.BatchNorm2D(channels)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2D(in_channels),
            nn.Conv2D(in_channels, channels, 3, 1, 1, bias_attr=False),
            nn.PReLU(channels),
            nn.Conv2D(channels, channels, 3, stride, 1, bias_attr=False),
            nn.BatchNorm2D(channels),
            SqueezeExcitation(channels),
        )

    def forward(self, x):
        """Return `[N, channels, H / stride, W / stride]`."""
        if self.shortcut_layer is None:
            return x[:, :, :: self.stride, :: self.stride] + self.res_layer(x)
        return self.shortcut_layer(x) + self.res_layer(x)


def irse_input_layer(in_channels, width=WIDTHS[0]):
    """The first layers, at full size: `[N, in_channels, H, W]` -> `[N, width, H, W]`."""
    return nn.Sequential(
        nn.Conv2D(in_channels, width, 3, 1, 1, bias_attr=False), nn.BatchNorm2D(width), nn.PReLU(width)
    )


def irse_blocks(widths=WIDTHS, depths=DEPTHS):
    """The residual blocks of all stages as a list; each stage begins with a block of stride 2.

    Args:
        widths: channels of the stages; the first is also what the input layer gives.
        depths: blocks of the stages.
    """
    blocks, before = [], widths[0]
    for width, depth in zip(widths, depths):
        blocks.append(IRSEBlock(before, width, 2))
        blocks += [IRSEBlock(width, width, 1) for _ in range(depth - 1)]
        before = width
    return blocks
