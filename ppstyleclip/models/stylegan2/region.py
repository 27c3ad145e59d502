# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An edit that stays in its region: two chains through the layers, blended by a mask behind each resolution.

The chains share the layers' weights. The original one is what is drawn without the edit; the edited one takes
from it, resolution by resolution, whatever lies outside the mask, so that what is inside fits what is around
it. At the last resolution the edited chain goes on alone: what it draws outside the mask is not kept anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from paddle import Tensor

from ...ops import TILE
from .layout import is_to_rgb, noise_layer, output_side


def layer_sides(size: int) -> tuple[int, ...]:
    """Sides at which a generator of `size` pixels blends the chains: 4, 8, ..., size / 2."""
    return tuple(2**power for power in range(2, size.bit_length() - 1))


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
        styles: the style tensors of the resolutions below the last one, at least.
        edited: K styles.
        masks: `{side: [N or 1, 1, side, side]}` for each of layer_sides.
        noises: a noise picture of each convolution, where the layers take one.
    """
    original, inside, image = start, start, None
    for k, layer in enumerate(layers):
        mask = masks.get(output_side(k))
        noise = () if noises is None or is_to_rgb(k) else (noises[noise_layer(k)],)
        if mask is None and is_to_rgb(k):
            image = layer(inside, edited[k], image)
        elif mask is None:
            inside = layer(inside, edited[k], *noise)
        elif is_to_rgb(k):
            inside = _blend(original, inside, mask)
            colours = _blend(layer(original, styles[k]), layer(inside, edited[k]), mask)
            image = colours if image is None else colours + layer.enlarge(image)
        else:
            original, inside = layer(original, styles[k], *noise), layer(inside, edited[k], *noise)
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
