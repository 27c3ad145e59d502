# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3's generator: z to w, w or w_plus to 16 styles, styles to images.

    k            0       1          2          ...  15
    name         input   L0_36_512  L1_36_512  ...  L14_1024_3   (T at 1024 px)
    scales       canvas  a convolution's input      ToRGB's input

The style of the input is no scale: it is (r_c, r_s, t_x, t_y), how the canvas is turned and moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import paddle
import paddle.nn as nn
from paddle import Tensor

from ...errors import UserError
from ..configs import check_stylegan3
from ..generator import NOISES, Inference, PrefixDrawing
from ..latents import check_latent, check_styles, check_z, random_z, spread_latent, truncate_latent
from ..layout import StyleLayout
from ..stylegan2.layers import EqualLinear, PixelNorm
from .geometry import LAYERS, TO_RGB, check_size, geometry, usual_channels
from .inference import StyleGAN3Inference
from .layers import INPUT_STYLES, OUTPUT_SCALE, FilteredConv, FourierInput
from .prefix import StyleGAN3Prefix
from .region import draw_in_region, layer_sides
from .transforms import moved_input

FAMILY = "stylegan3"
LEVELS = (5, 3, 8)  # layers of w_plus that are coarse, medium and fine, as published mappers have them


class StyleGAN3Generator(nn.Layer):
    """StyleGAN3 generator without a class label.

    Args:
        size: side of the picture in pixels, one of 16, 32, ... 1024.
        style_dim: length D of z and w.
        configuration: "T", equivariant to translation (3x3 convolutions, separable filters), or "R", also to
            rotation (1x1 convolutions, radial filters, twice the channels).
        n_mlp: layers of the mapping network.
        lr_mlp: learning-rate multiplier of the mapping network.
        channels: widths of L0 to L14, the last of them 3; None are the published ones.
    Raises:
        UserError: a size, configuration or width that cannot be built.
    """

    family = FAMILY
    levels = LEVELS

    def __init__(
        self,
        size: int,
        style_dim: int = 512,
        configuration: str = "T",
        *,
        n_mlp: int = 2,
        lr_mlp: float = 0.01,
        channels: Sequence[int] | None = None,
    ):
        super().__init__()
        check_size(size)
        usual = usual_channels(size, configuration)
        channels = usual if channels is None else tuple(int(width) for width in channels)
        if len(channels) != LAYERS or min(channels) < 1 or channels[-1] != 3:
            raise UserError(f"channels must list {LAYERS} widths, the last of them 3; got {list(channels)}")
        if style_dim < 1 or n_mlp < 0 or not lr_mlp > 0:
            got = f"got {style_dim}, {n_mlp} and {lr_mlp}"
            raise UserError(f"style_dim must be at least 1, n_mlp at least 0 and lr_mlp above 0; {got}")
        self.size, self.style_dim, self.configuration = int(size), int(style_dim), configuration
        self.n_mlp, self.lr_mlp, self.channels = int(n_mlp), float(lr_mlp), channels
        self.n_latent = LAYERS + 1
        mapping = [
            EqualLinear(style_dim, style_dim, lr_mul=self.lr_mlp, activate=True) for _ in range(self.n_mlp)
        ]
        self.mapping = nn.Sequential(PixelNorm(), *mapping)
        first, shapes = geometry(size, configuration, channels)
        self.input = FourierInput(first, style_dim)
        self.layers = nn.LayerList(
            [FilteredConv(shape, style_dim, is_to_rgb=i == TO_RGB) for i, shape in enumerate(shapes)]
        )

    @cached_property
    def layout(self) -> StyleLayout:
        """Names and widths of the style tensors; the input and ToRGB are not editable."""
        shapes = [layer.shape for layer in self.layers]
        return StyleLayout(
            ("input", *(shape.name for shape in shapes)),
            (INPUT_STYLES, *(shape.in_channels for shape in shapes)),
            (False, *(i != TO_RGB for i in range(LAYERS))),
        )

    def inference(self) -> Inference:
        """The forms of the synthesis for exported programs."""
        return StyleGAN3Inference(self)

    def prefix_drawing(self) -> PrefixDrawing:
        """The synthesis layer by layer."""
        return StyleGAN3Prefix(self)

    def config(self) -> dict[str, Any]:
        """Return the family and the constructor's arguments as plain values, for `build_generator`."""
        return {
            "family": FAMILY,
            "size": self.size,
            "style_dim": self.style_dim,
            "configuration": self.configuration,
            "n_mlp": self.n_mlp,
            "lr_mlp": self.lr_mlp,
            "channels": list(self.channels),
        }

    def get_latent(self, z: Tensor) -> Tensor:
        """Map z `[N, D]` to w `[N, D]`."""
        return self.mapping(check_z(self, z))

    def get_latents(
        self,
        z: Tensor,
        truncation: float = 1.0,
        truncation_cutoff: int | None = None,
        truncation_latent: Tensor | None = None,
    ) -> Tensor:
        """Map z `[N, D]` to w_plus `[N, 16, D]`; see Generator and `truncate_latent`."""
        w_plus = spread_latent(self, self.get_latent(z))
        return truncate_latent(self, w_plus, truncation, truncation_cutoff, truncation_latent)

    @paddle.no_grad()
    def mean_latent(self, n_latent: int = 4096, seed: int = 0) -> Tensor:
        """Return the mean w `[1, D]` of `n_latent` samples drawn from `seed`."""
        return self.mapping(random_z(self, n_latent, seed)).mean(axis=0, keepdim=True)

    def style_affine(self, latent: Tensor) -> list[Tensor]:
        """Turn w `[N, D]` or w_plus `[N, 16, D]` into 16 styles: the input's `[N, 4]`, then `[N, C_k]`."""
        check_latent(self, latent)
        rows = [latent] * self.n_latent if latent.ndim == 2 else latent.unbind(axis=1)
        return [self.input.affine(rows[0]), *(layer.style(w) for layer, w in zip(self.layers, rows[1:]))]

    def synthesis_from_styles(
        self,
        styles: Sequence[Tensor],
        *,
        noise: str = "const",
        seed: int | None = None,
        transform: Tensor | None = None,
    ) -> Tensor:
        """Draw images `[N, 3, size, size]`, about [-1, 1], from 16 styles.

        Args:
            styles: as `style_affine` returns them.
            noise, seed: for other families; this one has no noise.
            transform: `[3, 3]` or `[N, 3, 3]`, see `canvas_transform`; None moves nothing.
        Raises:
            ValueError: the styles or the transform do not fit, or `noise` is an unknown word.
        """
        if noise not in NOISES:
            raise ValueError(f"noise must be one of {', '.join(NOISES)}; got {noise!r}")
        check_styles(self, styles)
        if transform is not None and list(transform.shape[-2:]) != [3, 3]:
            raise ValueError(f"transform must be [3, 3] or [N, 3, 3], got {list(transform.shape)}")
        return self.draw_layers(self.input(styles[0], transform), 1, styles[1:])

    @property
    def layer_sides(self) -> tuple[int, ...]:
        """Sampling rates at which synthesis_in_region blends, ascending: the sides of its masks."""
        return layer_sides(self.size)

    def synthesis_in_region(
        self, styles: Sequence[Tensor], edited: Sequence[Tensor], masks: Mapping[int, Tensor]
    ) -> Tensor:
        """Draw images that follow `edited` inside a region and `styles` outside it; see draw_in_region.

        Args:
            styles, edited: as `style_affine` returns them, before and after the edit.
            masks: `{r: [N or 1, 1, r, r]}`, 0 to 1, for each of `layer_sides`.
        Raises:
            ValueError: the styles are not those of this generator.
        """
        check_styles(self, styles)
        check_styles(self, edited)
        return draw_in_region(self, styles, edited, masks)

    @property
    def turns_canvas(self) -> bool:
        """Whether what it draws can be turned: of configuration T it can only be moved."""
        return self.configuration == "R"

    def move_canvas(self, s: np.ndarray, transform: np.ndarray) -> np.ndarray:
        """Flat styles `[N, S]` that draw what `s` draws under a transform, see `moved_input`."""
        return np.concatenate([moved_input(s[:, :INPUT_STYLES], transform), s[:, INPUT_STYLES:]], axis=1)

    def draw_layer(self, k: int, x: Tensor | None, style: Tensor) -> Tensor:
        """What style tensor k makes of what was drawn before, `[N, C, H, W]`, or None for k = 0."""
        return self.input(style) if k == 0 else self.layers[k - 1](x, style)

    def draw_layers(self, x: Tensor | None, k: int, styles: Sequence[Tensor]) -> Tensor:
        """Images `[N, 3, size, size]` of what was drawn before style tensor k, with all styles from k on."""
        out: Any = x
        for index, style in enumerate(styles, k):
            out = self.draw_layer(index, out, style)
        return out * OUTPUT_SCALE


def build_generator(config: Mapping[str, Any]) -> StyleGAN3Generator:
    """Build a StyleGAN3Generator from what its `config()` returned.

    Raises:
        UserError: a value is of another kind or out of range, or cannot be built.
    """
    check_stylegan3(config, "this generator")
    return StyleGAN3Generator(**{name: value for name, value in config.items() if name != "family"})
