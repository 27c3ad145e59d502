# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An encoder of a kind of its own: the recipe "add an encoder", one file and one registration."""

from __future__ import annotations

import paddle.nn as nn

from ppstyleclip.models.encoders import register_encoder


class ColourEncoder(nn.Layer):
    """The mean colour of a picture, through one linear layer, as one w for all layers."""

    def __init__(self, config):
        super().__init__()
        self._config = dict(config)
        self.input_size, self.input_channels = config["input_size"], 3
        self.num_styles, self.style_dim = config["num_styles"], config["style_dim"]
        self.colour = nn.Linear(3, self.style_dim)

    def config(self):
        return dict(self._config)

    def forward(self, images):
        w = self.colour(images.mean(axis=[2, 3]))
        return w.unsqueeze(1).expand([-1, self.num_styles, -1])


@register_encoder("ColourEncoder")
def build_colour_encoder(config) -> ColourEncoder:
    return ColourEncoder(config)
