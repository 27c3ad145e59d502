# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3's synthesis for exported programs: one program for each layer from which drawing may start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import paddle

from ..generator import InferencePart, SynthesisRequest, mask_name
from .prefix import state_shape
from .region import blended_tensors, draw_in_region, layer_sides

if TYPE_CHECKING:
    from .generator import StyleGAN3Generator

_AT_ONCE_PIXELS = 2**16  # of a batch that is drawn at a time


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
        part = InferencePart(
            key=("stylegan3", start),
            first=start,
            widths=generator.layout.channels[start:],
            inputs={"x": shape} if shape else {},
            outputs=("images",),
            at_once=max(1, _AT_ONCE_PIXELS // generator.size**2),
            build=lambda: _Synthesis(generator, start),
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

    def differentiable(self) -> paddle.nn.Layer:
        """See Inference; gradients are Paddle's."""
        return _Synthesis(self._generator, 0)


class _Synthesis(paddle.nn.Layer):
    def __init__(self, generator, start):
        super().__init__()
        self.generator, self.start = generator, start

    def forward(self, styles, x=None):
        """Images of all styles from `start` on, and of `x`, what was drawn before."""
        return self.generator.draw_layers(x, self.start, styles)


class _RegionSynthesis(paddle.nn.Layer):
    def __init__(self, generator):
        super().__init__()
        self.generator = generator
        self.blended, self.sides = blended_tensors(generator.size), layer_sides(generator.size)

    def forward(self, styles, **masks):
        """Images of `[*styles, *edited]` and the mask at each side."""
        by_side = {side: masks[mask_name(side)] for side in self.sides}
        return draw_in_region(self.generator, styles[: self.blended], styles[self.blended :], by_side)
