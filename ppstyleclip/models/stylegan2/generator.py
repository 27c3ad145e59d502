# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2's generator with PaddleGAN's class name, constructor and state-dict keys.

Four steps, each its own method: `get_latents` (z to w_plus), `style_affine` (w or w_plus to styles),
`synthesis_from_styles` (styles to images), and `forward`, which is PaddleGAN's call and does all of them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import paddle
import paddle.nn as nn
from paddle import Tensor

from ...errors import UserError, shown
from ..configs import check_stylegan2
from ..generator import NOISES, Inference, PrefixDrawing
from ..latents import check_latent, check_styles, check_z, random_z, spread_latent, truncate_latent
from ..layout import StyleLayout
from .channels import SIZES, channel_table
from .inference import StyleGAN2Inference
from .layers import ConstantInput, EqualLinear, PixelNorm, StyledConv, ToRGB
from .layout import is_to_rgb, latent_layer, layout_from_channels, noise_layer
from .prefix import StyleGAN2Prefix
from .region import draw_in_region, layer_sides

FAMILY = "stylegan2"


class StyleGANv2Generator(nn.Layer):
    """StyleGAN2 generator; loads what PaddleGAN's class of this name has saved.

    Args:
        size: side of the picture in pixels, one of 8, 16, ... 1024.
        style_dim: length D of z and w.
        n_mlp: layers of the mapping network.
        channel_multiplier: 2 for config-f; scales the channels from 64 px on.
        blur_kernel: taps of the filter behind each enlarging convolution.
        lr_mlp: learning-rate multiplier of the mapping network.
        is_concat: only False.
        channels: `{resolution: channels}` in place of the usual table, where given.
    Raises:
        UserError: a size, width or channel count that cannot be built.
    """

    family = FAMILY

    def __init__(
        self,
        size: int,
        style_dim: int,
        n_mlp: int,
        channel_multiplier: float = 2,
        blur_kernel: Sequence[float] = (1, 3, 3, 1),
        lr_mlp: float = 0.01,
        is_concat: bool = False,
        *,
        channels: Mapping[Any, int] | None = None,
    ):
        super().__init__()
        if size not in SIZES:
            raise UserError(f"size must be one of {', '.join(map(str, SIZES))}; got {shown(size)}")
        if is_concat:
            raise UserError("is_concat=True (noise as extra channels) is not supported; use False")
        if style_dim < 1 or n_mlp < 0 or not lr_mlp > 0:
            got = f"got {style_dim}, {n_mlp} and {lr_mlp}"
            raise UserError(f"style_dim must be at least 1, n_mlp at least 0 and lr_mlp above 0; {got}")
        self.size = int(size)
        self.style_dim = int(style_dim)
        self.n_mlp = int(n_mlp)
        self.channel_multiplier = channel_multiplier
        self.blur_kernel = np.asarray(blur_kernel, dtype="float32").tolist()
        self.lr_mlp = float(lr_mlp)
        self.is_concat = False
        self.log_size = self.size.bit_length() - 1
        self.num_layers = 2 * self.log_size - 3
        self.n_latent = 2 * self.log_size - 2
        self.channels = channel_table(channel_multiplier, channels)
        self._build()

    def _build(self) -> None:
        dim, width = self.style_dim, self.channels
        mapping = [EqualLinear(dim, dim, lr_mul=self.lr_mlp, activate=True) for _ in range(self.n_mlp)]
        self.style = nn.Sequential(PixelNorm(), *mapping)
        self.input = ConstantInput(width[4])
        self.conv1 = StyledConv(width[4], width[4], dim)
        self.to_rgb1 = ToRGB(width[4], dim, upsample=False)
        self.convs, self.to_rgbs, self.noises = nn.LayerList(), nn.LayerList(), nn.Layer()
        for power in range(3, self.log_size + 1):
            before, here = width[2 ** (power - 1)], width[2**power]
            self.convs.append(StyledConv(before, here, dim, upsample=True, blur=self.blur_kernel))
            self.convs.append(StyledConv(here, here, dim))
            self.to_rgbs.append(ToRGB(here, dim))
        for index in range(self.num_layers):
            side = 2 ** ((index + 5) // 2)
            picture = paddle.empty([1, 1, side, side])
            nn.initializer.Normal()(picture)
            self.noises.register_buffer(f"noise_{index}", picture)

    @cached_property
    def layout(self) -> StyleLayout:
        """Names and widths of the style tensors."""
        return layout_from_channels(self.size, self.channels)

    def inference(self) -> Inference:
        """The forms of the synthesis for exported programs."""
        return StyleGAN2Inference(self)

    def prefix_drawing(self) -> PrefixDrawing:
        """The synthesis layer by layer."""
        return StyleGAN2Prefix(self)

    def config(self) -> dict[str, Any]:
        """Return the family and the constructor's arguments as plain values, for `build_generator`."""
        return {
            "family": FAMILY,
            "size": self.size,
            "style_dim": self.style_dim,
            "n_mlp": self.n_mlp,
            "channel_multiplier": self.channel_multiplier,
            "blur_kernel": self.blur_kernel,
            "lr_mlp": self.lr_mlp,
            "channels": {str(side): count for side, count in self.channels.items() if side <= self.size},
        }

    def get_latent(self, z: Tensor) -> Tensor:
        """Map z `[N, D]` to w `[N, D]`."""
        return self.style(check_z(self, z))

    def get_latents(
        self,
        z: Tensor,
        truncation: float = 1.0,
        truncation_cutoff: int | None = None,
        truncation_latent: Tensor | None = None,
    ) -> Tensor:
        """Map z `[N, D]` to w_plus `[N, L, D]`, its first layers pulled towards the mean.

        Args:
            z: `[N, D]`, standard normal.
            truncation: 1 leaves w as it is, 0 gives the mean.
            truncation_cutoff: number of layers that are truncated, from the coarsest on; None for all.
            truncation_latent: the mean, `[D]`, `[1, D]` or `[1, L, D]`; None computes it (`mean_latent`).
        Raises:
            ValueError: a shape or a number that does not fit.
        """
        w_plus = spread_latent(self, self.get_latent(z))
        return truncate_latent(self, w_plus, truncation, truncation_cutoff, truncation_latent)

    @paddle.no_grad()
    def mean_latent(self, n_latent: int = 4096, seed: int = 0) -> Tensor:
        """Return the mean w `[1, D]` of `n_latent` samples drawn from `seed`."""
        return self.style(random_z(self, n_latent, seed)).mean(axis=0, keepdim=True)

    def style_affine(self, latent: Tensor) -> list[Tensor]:
        """Turn w `[N, D]` or w_plus `[N, L, D]` into the list of K styles `[N, C_k]`, ToRGB's among them."""
        check_latent(self, latent)
        layers = [latent] * self.n_latent if latent.ndim == 2 else latent.unbind(axis=1)
        return [layer.conv.modulation(layers[latent_layer(k)]) for k, layer in enumerate(self._layers())]

    def synthesis_from_styles(
        self, styles: Sequence[Tensor], *, noise: str = "const", seed: int | None = None
    ) -> Tensor:
        """Draw images `[N, 3, size, size]`, about [-1, 1], from K styles `[N, C_k]`.

        Args:
            styles: as `style_affine` returns them.
            noise: "const" uses the generator's own noise pictures, "random" draws new ones, "none" has none.
            seed: with "random": one set of noise is drawn from it and shared by the batch, so that a picture
                does not depend on its neighbours. None draws for each image from Paddle's generator.
        Raises:
            ValueError: the styles are not those of this generator, or `noise` is an unknown word.
        """
        check_styles(self, styles)
        return self._synthesis(styles, self._noises(noise, seed, styles[0].shape[0]))

    def synthesis_in_region(
        self, styles: Sequence[Tensor], edited: Sequence[Tensor], masks: Mapping[int, Tensor]
    ) -> Tensor:
        """Draw images `[N, 3, size, size]` that follow `edited` inside a region and `styles` outside it.

        Two chains go through the layers, with constant noise. Behind the convolutions of side r, which give
        x and x', the edited one goes on from m x' + (1 - m) x with m = masks[r] (FEAT, Hou et al., 2022); the
        sum of the ToRGB layers likewise. At the last side the edited chain is drawn alone, so that the
        picture outside the mask is of no use: lay it over the original, as models.region.paste does.

        Args:
            styles, edited: as `style_affine` returns them, before and after the edit.
            masks: `{r: [N or 1, 1, r, r]}`, 0 to 1, for each of `layer_sides`.
        Raises:
            ValueError: the styles are not those of this generator.
        """
        check_styles(self, styles)
        check_styles(self, edited)
        return draw_in_region(
            self._layers(), self.input.input, styles, edited, masks, noises=self._own_noises()
        )

    @property
    def layer_sides(self) -> tuple[int, ...]:
        """Sides of the layers' results, ascending: those of the masks of synthesis_in_region."""
        return layer_sides(self.size)

    def forward(
        self,
        styles,
        return_latents=False,
        inject_index=None,
        truncation=1.0,
        truncation_cutoff=None,
        truncation_latent=None,
        input_is_latent=False,
        noise=None,
        randomize_noise=True,
    ):
        """Draw images as PaddleGAN's class does.

        Args:
            styles: list of one z `[N, D]`, or two to be mixed; w or w_plus with `input_is_latent`.
            return_latents: return w_plus as well.
            inject_index: number of layers that take the first of two latents; None draws one.
            truncation, truncation_cutoff, truncation_latent: as in `get_latents`; the cutoff counts layers,
                also where PaddleGAN, given z, would cut features.
            input_is_latent: `styles` holds w `[N, D]` or w_plus `[N, L, D]`.
            noise: list of one noise picture `[1 or N, 1, r, r]` or None for each of `num_layers` layers.
            randomize_noise: without `noise`: draw it (True), or use the generator's own (False).
        Returns:
            (images `[N, 3, size, size]`, w_plus `[N, L, D]` or None).
        Raises:
            ValueError: a shape or a number that does not fit.
        """
        if isinstance(styles, paddle.Tensor) or len(styles) not in (1, 2):
            raise ValueError("styles must be a list of one or two tensors")
        if noise is not None:
            self._checked_noises(noise)
        latents = [spread_latent(self, s if input_is_latent else self.get_latent(s)) for s in styles]
        latents = [
            truncate_latent(self, w, truncation, truncation_cutoff, truncation_latent) for w in latents
        ]
        latent = latents[0]
        if len(latents) == 2:
            index = random.randint(1, self.n_latent - 1) if inject_index is None else inject_index
            latent = paddle.concat([latents[0][:, :index], latents[1][:, index:]], axis=1)
        if noise is None:
            noise = self._noises("random" if randomize_noise else "const", None, latent.shape[0])
        images = self._synthesis(self.style_affine(latent), noise)
        return images, (latent if return_latents else None)

    # Other names that PaddleGAN's class has.

    @property
    def channels_lst(self) -> list[int]:
        """Widths C_k of the K style tensors."""
        return list(self.layout.channels)

    @property
    def style_layers(self) -> list[int]:
        """Numbers k of the style tensors that edits may move: all but ToRGB's."""
        return list(self.layout.editable_layers)

    @property
    def w_idx_lst(self) -> list[int]:
        """The layer of w_plus that each of the K style tensors comes from."""
        return [latent_layer(k) for k in range(len(self.layout.channels))]

    def get_latent_S(self, inputs: Tensor) -> list[Tensor]:  # noqa: N802
        """Map z `[N, D]` to K styles `[N, C_k]`."""
        return self.style_affine(self.get_latent(inputs))

    def get_mean_style(self, n_sample: int = 10, n_latent: int = 1024) -> Tensor:
        """Return the mean w `[1, D]` of `n_sample * n_latent` samples; always the same, as mean_latent's."""
        return self.mean_latent(n_sample * n_latent)

    def make_noise(self) -> list[Tensor]:
        """Draw a noise picture `[1, 1, r, r]` for each of `num_layers` layers."""
        return [paddle.randn(picture.shape) for picture in self._own_noises()]

    def synthesis(
        self,
        latent: Sequence[Tensor],
        noise: Sequence[Tensor | None] | None = None,
        randomize_noise: bool = True,
        is_w_latent: bool = False,
    ) -> Tensor:
        """Draw images `[N, 3, size, size]` from K styles `[N, C_k]`.

        `noise` and `randomize_noise` are as in forward; `is_w_latent` is of no effect, as in PaddleGAN.
        """
        check_styles(self, latent)
        if noise is None:
            noise = self._noises("random" if randomize_noise else "const", None, latent[0].shape[0])
        return self._synthesis(latent, self._checked_noises(noise))

    def _checked_noises(self, noise: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        if len(noise) != self.num_layers:
            raise ValueError(f"noise must list {self.num_layers} pictures, got {len(noise)}")
        return noise

    def synthesis_layers(self) -> list[tuple[Any, Tensor | None]]:
        """Return K pairs (StyledConv, its noise picture) or (ToRGB, None) in the order of the styles."""
        noises = self._own_noises()
        return [
            (layer, None if is_to_rgb(k) else noises[noise_layer(k)])
            for k, layer in enumerate(self._layers())
        ]

    def _layers(self):
        """The K layers in the order of the styles."""
        layers = [self.conv1, self.to_rgb1]
        for k, to_rgb in enumerate(self.to_rgbs):
            layers += [self.convs[2 * k], self.convs[2 * k + 1], to_rgb]
        return layers

    def _synthesis(self, styles, noises):
        """Draw images from K styles and one noise picture, or None, for each convolution."""
        out, image = self.input.input, None
        for k, layer in enumerate(self._layers()):
            if is_to_rgb(k):
                image = layer(out, styles[k], image)
            else:
                out = layer(out, styles[k], noises[noise_layer(k)])
        return image

    def _own_noises(self):
        return [getattr(self.noises, f"noise_{index}") for index in range(self.num_layers)]

    def _noises(self, noise, seed, batch):
        """Return one noise picture, or None, for each layer."""
        if noise not in NOISES:
            raise ValueError(f"noise must be one of {', '.join(NOISES)}; got {noise!r}")
        if noise == "none":
            return [None] * self.num_layers
        own = self._own_noises()
        if noise == "const":
            return own
        if seed is None:
            return [paddle.randn([batch] + list(picture.shape[1:])) for picture in own]
        rng = np.random.RandomState(seed)
        return [paddle.to_tensor(rng.standard_normal(picture.shape).astype("float32")) for picture in own]


def build_generator(config: Mapping[str, Any]) -> StyleGANv2Generator:
    """Build a StyleGANv2Generator from what its `config()` returned (the constructor's arguments).

    Raises:
        UserError: a value is of another kind or out of range, or cannot be built.
    """
    check_stylegan2(config, "this generator")
    return StyleGANv2Generator(**{name: value for name, value in config.items() if name != "family"})
