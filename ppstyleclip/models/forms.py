# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The forms in which a generator draws beside its own synthesis: the family's, or plain ones for any family.

`PlainInference` exports `synthesis_from_styles` as it is written. `WholePictureDrawing` shares nothing
between pictures: what it keeps of the layers before k is their styles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import paddle
from paddle import Tensor

from ..errors import UserError
from .generator import (
    CachedConvolution,
    Generator,
    Inference,
    InferencePart,
    PrefixDrawing,
    PrefixState,
    SynthesisRequest,
    style_name,
)

AT_ONCE_PIXELS = 2**16  # of a batch that the plain form draws at a time
WIDTH = 64  # channels that a layer of an unknown family is taken to have


def inference_of(generator: Generator) -> Inference:
    """The form of a generator's synthesis for exported programs."""
    own = getattr(generator, "inference", None)
    return PlainInference(generator) if own is None else own()


def prefix_drawing_of(generator: Generator) -> PrefixDrawing:
    """The form of a generator's synthesis that shares layers between pictures."""
    own = getattr(generator, "prefix_drawing", None)
    return WholePictureDrawing(generator) if own is None else own()


def count_tensors(drawing: PrefixDrawing, side: int | None = None) -> int:
    """How many style tensors draw the picture of `side` pixels; None for the whole picture.

    Raises:
        UserError: no picture of that side is drawn on the way.
    """
    side = max(drawing.stops) if side is None else side
    if side not in drawing.stops:
        raise UserError(
            f"this generator draws pictures of {', '.join(map(str, drawing.stops))} px on its way; "
            f"it cannot stop at {side}"
        )
    return drawing.stops[side]


def side_of_tensors(drawing: PrefixDrawing, count: int) -> int:
    """Side of the picture that the first `count` style tensors draw; the inverse of count_tensors."""
    return next(side for side, tensors in drawing.stops.items() if tensors == count)


class PlainInference:
    """A synthesis exported as it is written: one program, without what only a family can know."""

    def __init__(self, generator: Generator):
        self.generator = generator

    def parts(self, request: SynthesisRequest) -> list[InferencePart]:
        """See Inference; the styles before `start` are inputs too, so all starts share one program."""
        generator, widths = self.generator, self.generator.layout.channels
        if request.cached_convolution or request.side not in (None, generator.size):
            raise ValueError(f"a '{generator.family}' generator is drawn whole, and at {generator.size} px")
        before = {style_name(k): (width,) for k, width in enumerate(widths[: request.start])}
        part = InferencePart(
            key=("plain", request.noise),
            first=request.start,
            widths=widths[request.start :],
            inputs=before,
            outputs=("images",),
            at_once=max(1, AT_ONCE_PIXELS // generator.size**2),
            build=lambda: _PlainSynthesis(generator, request.noise),
        )
        return [part]

    def differentiable(self) -> paddle.nn.Layer:
        """See Inference; gradients are Paddle's."""
        return _PlainSynthesis(self.generator, "const")


class _PlainSynthesis(paddle.nn.Layer):
    def __init__(self, generator, noise):
        super().__init__()
        self.generator, self.noise = generator, noise

    def forward(self, styles, **before):
        """Images of `styles`, which follow those `before`."""
        first = [before[style_name(k)] for k in range(len(before))]
        return self.generator.synthesis_from_styles([*first, *styles], noise=self.noise)


class WholePictureDrawing:
    """Every picture is drawn from the first layer on."""

    def __init__(self, generator: Generator):
        self.generator = generator

    @property
    def stops(self) -> Mapping[int, int]:
        """Only the whole picture."""
        return {self.generator.size: len(self.generator.layout.channels)}

    @property
    def cacheable(self) -> tuple[int, ...]:
        """None."""
        return ()

    def initial_state(self, count: int) -> PrefixState:
        """See PrefixDrawing."""
        return PrefixState(0)

    def run_layer(self, state: PrefixState, style: Tensor) -> PrefixState:
        """Keep the style."""
        return PrefixState(state.k + 1, {**state.tensors, style_name(state.k): style})

    def run_remaining(self, state: PrefixState, styles: Sequence[Tensor]) -> Tensor:
        """Draw everything."""
        before = [state.tensors[style_name(k)] for k in range(state.k)]
        return self.generator.synthesis_from_styles([*before, *styles], noise="const")

    def cache_convolution(self, state: PrefixState, style: Tensor) -> CachedConvolution:
        """See PrefixDrawing; no tensor is cacheable."""
        raise ValueError(f"a '{self.generator.family}' generator has no convolution that can be cached")

    def state_bytes(self, k: int) -> int:
        """Memory of the styles."""
        return 4 * sum(self.generator.layout.channels[:k])

    def cached_bytes(self, k: int) -> int:
        """See PrefixDrawing; no tensor is cacheable."""
        raise ValueError(f"a '{self.generator.family}' generator has no convolution that can be cached")

    def activation_bytes(self) -> int:
        """An estimate: WIDTH channels as large as the picture."""
        return 4 * WIDTH * self.generator.size**2

    def work(self, k: int, end: int | None = None) -> float:
        """An estimate, the same for every k: each weight is used once for each pixel."""
        weights = sum(int(weight.size) for weight in self.generator.parameters())
        return float(weights * self.generator.size**2)
