# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""pSp's two encoders whose latents come from the trunk's last map by linear layers alone."""

from __future__ import annotations

import paddle.nn as nn

from ..stylegan2.layers import EqualLinear
from .published import PUBLISHED, build_trunk, check_images, complete_config
from .registry import register_encoder

_POOLED = 7  # side of the map that the W+ form flattens


class LastLayerEncoder(nn.Layer):
    """Turns pictures into one w for all layers, or into w_plus; made by build_encoder.

    Args:
        trunk: `{name: layer}`, applied in this order to `[N, C, H, W]`; the names become keys.
        width: channels of the trunk's last map.
        config: complete config, see published.complete_config.
    """

    def __init__(self, trunk, width, config):
        super().__init__()
        self._config, self._trunk = dict(config), tuple(trunk)
        self.is_single = PUBLISHED[config["encoder_type"]].heads == "w"
        self.input_size, self.input_channels = config["input_size"], config["input_channels"]
        self.num_styles, self.style_dim = config["num_styles"], config["style_dim"]
        for name, layer in trunk.items():
            self.add_sublayer(name, layer)
        dim = self.style_dim
        if self.is_single:
            self.linear = EqualLinear(width, dim)
            return
        self.output_layer_2 = nn.Sequential(
            nn.BatchNorm2D(width),
            nn.AdaptiveAvgPool2D(_POOLED),
            nn.Flatten(),
            nn.Linear(width * _POOLED**2, dim),
        )
        self.linear = EqualLinear(dim, self.num_styles * dim)

    def config(self):
        """The dict from which build_encoder makes the same network; values that JSON can hold."""
        return dict(self._config)

    def forward(self, images):
        """Encode pictures.

        Args:
            images: `[N, input_channels, H, W]` in [-1, 1]; H and W as for StyleEncoder.
        Returns:
            `[N, num_styles, style_dim]`, to be added to the generator's mean latent; the same in every layer
            where the encoder makes one w.
        Raises:
            ValueError: other shapes.
        """
        check_images(images, self.input_channels, self.input_size)
        x = images
        for name in self._trunk:
            x = getattr(self, name)(x)
        if self.is_single:
            w = self.linear(x.mean(axis=[2, 3]))  # [N, D]
            return w.unsqueeze(1).expand([-1, self.num_styles, -1])
        return self.linear(self.output_layer_2(x)).reshape([-1, self.num_styles, self.style_dim])


def _build(config) -> LastLayerEncoder:
    config = complete_config(config)
    stem, blocks = build_trunk(config)
    trunk: dict[str, nn.Layer] = {**stem, "body": nn.Sequential(*blocks)}
    return LastLayerEncoder(trunk, config["widths"][-1], config)


for _name, _kind in PUBLISHED.items():
    if _kind.heads in ("w", "w_plus"):
        register_encoder(_name)(_build)
