# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""ResNet-34's residual blocks (He et al. 2016) as ReStyle's encoders for other domains use them."""

from __future__ import annotations

import paddle.nn as nn
import paddle.nn.functional as F

RESNET34_DEPTHS = (3, 4, 6, 3)


class BasicBlock(nn.Layer):
    """Residual block `[N, I, H, W]` -> `[N, O, H / stride, W / stride]`."""

    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2D(in_channels, channels, 3, stride, 1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(channels)
        self.conv2 = nn.Conv2D(channels, channels, 3, 1, 1, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(channels)
        self.downsample = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2D(in_channels, channels, 1, stride, bias_attr=False), nn.BatchNorm2D(channels)
            )

    def forward(self, x):
        """Return `[N, channels, H / stride, W / stride]`."""
        short = x if self.downsample is None else self.downsample(x)
        return F.relu(short + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


def resnet_stem(in_channels, width):
    """The first layers by name, to half the size; ReStyle's have a PReLU and no pooling."""
    return {
        "conv1": nn.Conv2D(in_channels, width, 7, 2, 3, bias_attr=False),
        "bn1": nn.BatchNorm2D(width),
        "relu": nn.PReLU(width),
    }


def resnet_blocks(widths, depths=RESNET34_DEPTHS):
    """The residual blocks of all stages as a list; each stage but the first begins with stride 2.

    Args:
        widths: channels of the stages; the first is also what the stem gives.
        depths: blocks of the stages.
    """
    blocks, before = [], widths[0]
    for stage, (width, depth) in enumerate(zip(widths, depths)):
        blocks.append(BasicBlock(before, width, 1 if stage == 0 else 2))
        blocks += [BasicBlock(width, width, 1) for _ in range(depth - 1)]
        before = width
    return blocks
