# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3's synthesis layer by layer; a state holds `x` `[N, C, H, W]`, see generator.PrefixDrawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from paddle import Tensor

from ..generator import CachedConvolution, PrefixState
from .geometry import LAYERS

if TYPE_CHECKING:
    from .generator import StyleGAN3Generator


class StyleGAN3Prefix:
    """A StyleGAN3Generator, drawn layer by layer."""

    def __init__(self, generator: StyleGAN3Generator):
        self._generator = generator

    @property
    def stops(self) -> Mapping[int, int]:
        """Only the whole picture: there is one ToRGB layer."""
        return {self._generator.size: LAYERS + 1}

    @property
    def cacheable(self) -> tuple[int, ...]:
        """None: the convolution that would be shared is 4 to 9 % of what relevance draws."""
        return ()

    def initial_state(self, count: int) -> PrefixState:
        """Nothing; the Fourier features depend on the first style."""
        return PrefixState(0)

    def run_layer(self, state: PrefixState, style: Tensor) -> PrefixState:
        """Draw one layer under its style `[N, C_k]`."""
        return PrefixState(
            state.k + 1, {"x": self._generator.draw_layer(state.k, state.tensors.get("x"), style)}
        )

    def run_remaining(self, state: PrefixState, styles: Sequence[Tensor]) -> Tensor:
        """Draw the layers from state.k on, a style each."""
        return self._generator.draw_layers(state.tensors.get("x"), state.k, styles)

    def cache_convolution(self, state: PrefixState, style: Tensor) -> CachedConvolution:
        """See PrefixDrawing; no tensor is cacheable."""
        raise ValueError("a 'stylegan3' generator has no convolution that can be cached")

    def state_bytes(self, k: int) -> int:
        """Memory of one picture's state before tensor k."""
        shape = state_shape(self._generator, k)
        return 4 * shape[0] * shape[1] * shape[2] if shape else 0

    def cached_bytes(self, k: int) -> int:
        """See PrefixDrawing; no tensor is cacheable."""
        raise ValueError("a 'stylegan3' generator has no convolution that can be cached")

    def activation_bytes(self) -> int:
        """Memory of the largest activation of one picture: at a leaky ReLU's sampling rate."""
        shapes = [layer.shape for layer in self._generator.layers]
        return max(4 * shape.out_channels * (shape.in_size * shape.up) ** 2 for shape in shapes)

    def work(self, k: int, end: int | None = None) -> float:
        """Multiplications that the layers from k up to `end` need for one picture."""
        first = self._generator.input.shape
        works = [float(first.channels * (first.channels + 2) * first.size**2)]
        for layer in self._generator.layers:
            shape = layer.shape
            works.append(float(layer.weight.size * shape.in_size**2) + _filter_work(shape))
        return sum(works[k:end])


def _filter_work(shape) -> float:
    """Multiplications of a layer's filters, axis by axis where they are separable."""
    if shape.down_filter is None:
        return 0.0
    side, up_taps = shape.in_size * shape.up, len(shape.up_filter) // shape.up
    enlarge = up_taps * side * (shape.in_size + side)
    if shape.down_filter.ndim == 2:
        shrink = shape.down_filter.size * shape.out_size**2
    else:
        shrink = len(shape.down_filter) * shape.out_size * (side + shape.out_size)
    return float(shape.out_channels * (enlarge + shrink))


def state_shape(generator: StyleGAN3Generator, k: int) -> tuple[int, ...]:
    """Shape `(C, H, W)` of what is drawn before style tensor k; () before the first."""
    if k == 0:
        return ()
    if k == 1:
        return generator.input.shape.channels, generator.input.shape.size, generator.input.shape.size
    shape = generator.layers[k - 2].shape
    return shape.out_channels, shape.out_size, shape.out_size
