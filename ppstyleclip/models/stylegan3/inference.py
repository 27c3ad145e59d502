# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3's synthesis for exported programs: one program for each layer from which drawing may start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import paddle.nn as nn

from ..generator import InferencePart, SynthesisRequest, mask_name
from .inference_layers import InferenceConv, InferenceToRGB
from .prefix import state_shape
from .region import blended_tensors, draw_in_region, layer_sides

if TYPE_CHECKING:
    from .generator import StyleGAN3Generator

_AT_ONCE_PIXELS = 2**16  # of a batch that is drawn at a time
# As of StyleGAN2: reshapes run in place, and passes that take every weight for a constant are left out.
ONEDNN_OPERATORS = (
    *("conv2d", "conv2d_transpose", "depthwise_conv2d", "elementwise_mul", "elementwise_add"),
    *("leaky_relu", "clip", "concat", "slice", "matmul_v2", "transpose2"),
)
# The others (Paddle 3's name and 2.6's) find nothing here, but look along every way through the graph: 21 of
# 24 s of the processor for 42 parts.
SKIPPED_PASSES = (
    "is_test_pass",
    "conv_elementwise_add_onednn_fuse_pass",
    "conv_elementwise_add_mkldnn_fuse_pass",
)


class StyleGAN3Inference:
    """A StyleGAN3Generator's synthesis with frozen weights."""

    def __init__(self, generator: StyleGAN3Generator):
        self._generator = generator

    def parts(self, request: SynthesisRequest) -> list[InferencePart]:
        """See Inference."""
        generator = self._generator
        if request.cached_convolution or request.side not in (None, generator.size):
            raise ValueError(f"a 'stylegan3' generator is drawn whole, and at {generator.size} px")
        start, shape = request.start, state_shape(generator, request.start)
        at_once = max(1, _AT_ONCE_PIXELS // generator.size**2)
        batch_one = at_once == 1 and request.legacy_ir
        part = InferencePart(
            key=("stylegan3", start, batch_one),
            first=start,
            widths=generator.layout.channels[start:],
            inputs={"x": shape} if shape else {},
            outputs=("images",),
            at_once=at_once,
            build=lambda: InferenceSynthesis(generator, start, batch_one),
            onednn_operators=ONEDNN_OPERATORS if request.legacy_ir else None,
            skipped_passes=SKIPPED_PASSES if request.legacy_ir else (),
        )
        return [part]

    def region_part(self, request: SynthesisRequest) -> InferencePart:
        """The program of an edit that stays in its region, see draw_in_region.

        Its styles are those before the edit, without the last rate's, and those after it, `[*styles,
        *edited]`; beside them it takes the mask at each of `layer_sides`.
        """
        generator = self._generator
        widths = generator.layout.channels
        return InferencePart(
            key=("stylegan3 region",),
            first=0,
            widths=widths[: blended_tensors(generator.size)] + widths,
            inputs={mask_name(side): (1, side, side) for side in layer_sides(generator.size)},
            outputs=("images",),
            at_once=max(1, _AT_ONCE_PIXELS // generator.size**2),
            build=lambda: _RegionSynthesis(generator),
        )

    def differentiable(self) -> nn.Layer:
        """See Inference; gradients are Paddle's."""
        return _Synthesis(self._generator)


class InferenceSynthesis(nn.Layer):
    """Styles to images from style tensor `start` on.

    Args:
        generator: StyleGAN3Generator; its weights are copied.
        start: the first style tensor that it takes.
        batch_one: whether pictures are drawn one by one.
    """

    def __init__(self, generator: StyleGAN3Generator, start: int = 0, batch_one: bool = False):
        super().__init__()
        self.input = generator.input if start == 0 else None
        layers, self.margin = [], 0  # what a layer does not read is left out of the one before
        for layer in reversed(generator.layers[max(start - 1, 0) :]):
            is_last = layer.is_to_rgb
            layers.append(InferenceToRGB(layer) if is_last else InferenceConv(layer, batch_one, self.margin))
            self.margin = layers[-1].margin
        self.layers = nn.LayerList(layers[::-1])

    def forward(self, styles, x=None):
        """Images of all styles from `start` on, and of `x`, what was drawn before."""
        if self.input is not None:
            x, styles = self.input(styles[0]), styles[1:]
        if self.margin > 0:
            end = x.shape[-1] - self.margin
            x = x[:, :, self.margin : end, self.margin : end]
        for layer, style in zip(self.layers, styles):
            x = layer(x, style)
        return x


class _Synthesis(nn.Layer):
    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def forward(self, styles):
        """Images of all styles."""
        return self.generator.draw_layers(None, 0, styles)


class _RegionSynthesis(nn.Layer):
    def __init__(self, generator):
        super().__init__()
        self.generator = generator
        self.blended, self.sides = blended_tensors(generator.size), layer_sides(generator.size)

    def forward(self, styles, **masks):
        """Images of `[*styles, *edited]` and the mask at each side."""
        by_side = {side: masks[mask_name(side)] for side in self.sides}
        return draw_in_region(self.generator, styles[: self.blended], styles[self.blended :], by_side)
