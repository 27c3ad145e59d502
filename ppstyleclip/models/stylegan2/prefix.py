# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2's synthesis layer by layer, with constant noise; see generator.PrefixDrawing.

A state holds `x` `[N, C, H, W]`, the activations so far, and `image` `[N, 3, h, w]`, the sum of the ToRGB
layers so far, which is there from the first of them on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from paddle import Tensor

from ..generator import CachedConvolution, PrefixState
from .layout import is_enlarging, is_to_rgb, last_to_rgb, output_side

if TYPE_CHECKING:
    from .generator import StyleGANv2Generator


class StyleGAN2Prefix:
    """A StyleGANv2Generator, drawn layer by layer."""

    def __init__(self, generator: StyleGANv2Generator):
        self._input, self._layers = generator.input.input, generator.synthesis_layers()

    @property
    def stops(self) -> Mapping[int, int]:
        """The picture after each ToRGB layer."""
        return {output_side(k): k + 1 for k in range(len(self._layers)) if is_to_rgb(k)}

    @property
    def cacheable(self) -> tuple[int, ...]:
        """Every convolution's tensor."""
        return tuple(k for k in range(len(self._layers)) if not is_to_rgb(k))

    def initial_state(self, count: int) -> PrefixState:
        """The constant input."""
        return PrefixState(0, {"x": self._input.expand([count, *self._input.shape[1:]])})

    def run_layer(self, state: PrefixState, style: Tensor) -> PrefixState:
        """Draw one layer under its style `[N, C_k]`."""
        layer, noise = self._layers[state.k]
        x, image = state.tensors["x"], state.tensors.get("image")
        if is_to_rgb(state.k):
            return PrefixState(state.k + 1, {"x": x, "image": layer(x, style, image)})
        return PrefixState(state.k + 1, {**state.tensors, "x": layer(x, style, noise)})

    def run_remaining(self, state: PrefixState, styles: Sequence[Tensor]) -> Tensor:
        """Draw the layers from state.k on, a style each; the last is a ToRGB layer's."""
        for style in styles:
            state = self.run_layer(state, style)
        return state.tensors["image"]

    def cache_convolution(self, state: PrefixState, style: Tensor) -> CachedConvolution:
        """Convolve a state before a convolution under its style `[N, C_k]`."""
        layer, x = self._layers[state.k][0], state.tensors["x"]
        return CachedConvolution(
            k=state.k,
            x=x.numpy(),
            style=style.numpy(),
            y=layer.convolve(x, style).numpy(),
            kernels=layer.channel_kernels(),
            passing={name: tensor.numpy() for name, tensor in state.tensors.items() if name != "x"},
        )

    def state_bytes(self, k: int) -> int:
        """Memory of one picture's state before tensor k."""
        convolutions = [j for j in self.cacheable if j < k]
        width, side = self._input.shape[1], 4
        if convolutions:
            width, side = self._out_channels(convolutions[-1]), output_side(convolutions[-1])
        image = 3 * output_side(last_to_rgb(k)) ** 2 if k > 1 else 0
        return 4 * (width * side**2 + image)

    def cached_bytes(self, k: int) -> int:
        """Memory of one picture's CachedConvolution of tensor k, beside the kernels."""
        return self.state_bytes(k) + 4 * self._out_channels(k) * output_side(k) ** 2

    def activation_bytes(self) -> int:
        """Memory of the largest state of one picture."""
        return max(self.state_bytes(k + 1) for k in range(len(self._layers)))

    def work(self, k: int, end: int | None = None) -> float:
        """Multiplications that the layers from k up to `end` need for one picture."""
        total = 0
        for j in range(k, len(self._layers) if end is None else end):
            side = output_side(j) // 2 if is_enlarging(j) else output_side(j)  # of what it convolves
            total += self._layers[j][0].conv.weight.size * side**2
        return float(total)

    def _out_channels(self, k):
        return self._layers[k][0].conv.weight.shape[1]  # [1, O, I, k, k]
