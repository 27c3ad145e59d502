# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""PyTorch twin of the package's StyleEncoder in e4e's form, with an IR-SE trunk.

The first head gives w, each other one an offset to it, of its own map of a feature pyramid. Layers have the
places of Paddle's in the state dict, so `irse.paddle_state` exports it.
"""

from __future__ import annotations

from ppstyleclip.worlds.portrait.training.irse import trunk
from ppstyleclip.worlds.portrait.training.network import EqualLinear, F, nn, torch

COARSE, MEDIUM = 3, 7  # heads from here on look at the map of twice, four times the size
STRIDE = 16  # of the trunk's last map


class Head(nn.Module):
    """Halves `[N, I, size, size]`, `width` channels, until one pixel is left; then a linear layer."""

    def __init__(self, inputs, width, style_dim, size):
        super().__init__()
        layers = []
        for _ in range(size.bit_length() - 1):
            layers += [nn.Conv2d(inputs, width, 3, 2, 1), nn.LeakyReLU(0.01)]
            inputs = width
        self.convs, self.linear = nn.Sequential(*layers), EqualLinear(width, style_dim)

    def forward(self, x):
        return self.linear(self.convs(x).flatten(1))


class Encoder4Editing(nn.Module):
    """Pictures `[N, 3, S, S]` in [-1, 1] to what is added to the mean latent, `[N, L, D]` (Tov et al. 2021).

    Args:
        widths, depths: of the trunk's four stages.
        head_widths: channels inside the first head, and inside the others.
        input_size, num_styles, style_dim: S, L and D.
    """

    def __init__(self, widths, depths, head_widths, input_size, num_styles, style_dim):
        super().__init__()
        self.settings = {
            "encoder_type": "Encoder4Editing",
            "input_size": input_size,
            "input_channels": 3,
            "widths": list(widths),
            "depths": list(depths),
            "head_widths": list(head_widths),
            "num_styles": num_styles,
            "style_dim": style_dim,
        }
        self.input_layer, self.body = trunk(widths, depths)
        self.taps = [sum(depths[:stages]) - 1 for stages in (2, 3, 4)]
        first, other = head_widths
        self.styles = nn.ModuleList(
            Head(widths[3], other if k else first, style_dim, input_size // STRIDE * 2 ** level(k))
            for k in range(num_styles)
        )
        self.latlayer1, self.latlayer2 = (
            nn.Conv2d(widths[2], widths[3], 1),
            nn.Conv2d(widths[1], widths[3], 1),
        )
        for head in self.styles[1:]:
            nn.init.zeros_(head.linear.weight)  # an offset begins at nothing, whenever its head is opened

    def config(self):
        return self.settings

    def forward(self, images, opened=None):
        """Encode pictures; heads from the number `opened` on are shut and give no offset (None: all open)."""
        maps = self.maps(images)
        first = self.styles[0](maps[0])
        offsets = [torch.zeros_like(first)]
        offsets += [
            head(maps[level(k)]) if opened is None or k < opened else offsets[0]
            for k, head in enumerate(self.styles[1:], 1)
        ]
        return first[:, None] + torch.stack(offsets, 1)

    def maps(self, images):
        """The three maps that heads look at, from the last one on."""
        x, tapped = self.input_layer(images.contiguous(memory_format=torch.channels_last)), []
        for k, block in enumerate(self.body):
            x = block(x)
            if k in self.taps:
                tapped.append(x)
        fine, medium, last = tapped
        medium = _enlarged(last, medium) + self.latlayer1(medium)
        return last, medium, _enlarged(medium, fine) + self.latlayer2(fine)


def level(head):
    """Which map a head looks at: 0 for the last one, 1 and 2 for the larger ones."""
    return (head >= COARSE) + (head >= MEDIUM)


def _enlarged(small, large):
    return F.interpolate(small, size=large.shape[2:], mode="bilinear", align_corners=True)
