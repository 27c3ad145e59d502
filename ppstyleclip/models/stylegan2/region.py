# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An edit that stays in its region: two chains through the layers, blended by a mask behind each of them.

The chains share the layers' weights. The original one is what is drawn without the edit; the edited one takes
from it, layer by layer, whatever lies outside the mask, so that what is inside fits what is around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paddle import Tensor

from ...ops import TILE
from .layout import is_to_rgb, noise_layer, output_side


def layer_sides(size: int) -> tuple[int, ...]:
    """Sides of the layers' results of a generator of `size` pixels: 4, 8, ..., size."""
    return tuple(2**power for power in range(2, size.bit_length()))


def draw_in_region(
    layers: Sequence[Any],
    start: Tensor,
    styles: Sequence[Tensor],
    edited: Sequence[Tensor],
    masks: Mapping[int, Tensor],
    *,
    noises: Sequence[Tensor] | None = None,
) -> Tensor:
    """Images `[N, 3, H, W]` of two chains that begin alike; see StyleGANv2Generator.synthesis_in_region.

    Args:
        layers: K layers in the order of the styles, each called with its input and style; what ToRGB layers
            give is added to the picture so far, enlarged.
        start: `[1, C, 4, 4]` what the first layer is of.
        styles, edited: K styles each.
        masks: `{side: [N or 1, 1, side, side]}`.
        noises: a noise picture of each convolution, where the layers take one.
    """
    original, inside, image = start, start, None
    for k, layer in enumerate(layers):
        mask = masks[output_side(k)]
        if is_to_rgb(k):
            colours = _blend(layer(original, styles[k]), layer(inside, edited[k]), mask)
            image = colours if image is None else colours + layer.enlarge(image)
            continue
        noise = () if noises is None else (noises[noise_layer(k)],)
        original, changed = layer(original, styles[k], *noise), layer(inside, edited[k], *noise)
        inside = _blend(original, changed, mask)
    assert image is not None
    return image


def _blend(outside: Tensor, inside: Tensor, mask: Tensor) -> Tensor:
    if outside.ndim == 4:
        return outside + mask * (inside - outside)
    # Tiles, as of cut_tiles: the mask's pixels are brought into their order.
    side = mask.shape[-1] // TILE
    mask = mask.reshape([side, TILE, side, TILE]).transpose([1, 3, 0, 2]).reshape([TILE**2, 1, side**2])
    first, second = (x.reshape([TILE**2, -1, side**2]) for x in (outside, inside))
    return (first + mask * (second - first)).reshape([TILE**2, -1])
