# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The order of StyleGAN2's style tensors, from which sides, latent layers and the StyleLayout follow.

Style tensors come in the order in which synthesis uses them: conv1 and to_rgb1 at 4 px, then for each
doubling of the side an enlarging convolution, a plain one and a ToRGB layer. The number k alone therefore
says what tensor k scales:

    k              0      1        2        3        4          5        6        7
    name           conv1  to_rgb1  convs.0  convs.1  to_rgbs.0  convs.2  convs.3  to_rgbs.1
    output_side    4      4        8        8        8          16       16       16
    latent_layer   0      1        1        2        3          3        4        5
    noise_layer    0      -        1        2        -          3        4        -
"""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import UserError
from ..layout import StyleLayout


def is_to_rgb(k: int) -> bool:
    """Whether style tensor k scales a ToRGB layer; the others scale convolutions."""
    return k % 3 == 1


def is_enlarging(k: int) -> bool:
    """Whether the layer of style tensor k doubles the side."""
    return k % 3 == 2


def output_side(k: int) -> int:
    """Side in pixels of what the layer of style tensor k gives."""
    return 4 * 2 ** ((k + 1) // 3)


def latent_layer(k: int) -> int:
    """Layer of w_plus that style tensor k comes from; ToRGB shares it with the next convolution."""
    return (2 * k + 1) // 3


def noise_layer(k: int) -> int:
    """Number of the noise picture of style tensor k, a convolution's."""
    return k - (k + 1) // 3


def last_to_rgb(k: int) -> int:
    """The last ToRGB layer before style tensor k, which is 2 or more."""
    return (k - 2) // 3 * 3 + 1


def layout_from_channels(size: int, channels: Mapping[int, int]) -> StyleLayout:
    """The layout of a generator of this size and these widths, whether it has been built or not.

    Args:
        size: resolution of the picture, a power of two, at least 8.
        channels: {resolution: width} for 4, 8, ..., size.
    Raises:
        UserError: a resolution is missing from the table, or size is not such a power.
    """
    if size < 8 or size & (size - 1):
        raise UserError(f"size must be a power of two of at least 8, got {size}")
    resolutions = [2**power for power in range(2, size.bit_length())]
    missing = [resolution for resolution in resolutions if resolution not in channels]
    if missing:
        raise UserError(f"the channel table has no width for resolution {missing[0]}, size is {size}")
    names, widths = ["conv1", "to_rgb1"], [channels[4], channels[4]]
    for k, resolution in enumerate(resolutions[1:]):
        names += [f"convs.{2 * k}", f"convs.{2 * k + 1}", f"to_rgbs.{k}"]
        widths += [channels[resolution // 2], channels[resolution], channels[resolution]]
    editable = tuple(not is_to_rgb(k) for k in range(len(names)))
    return StyleLayout(tuple(names), tuple(int(width) for width in widths), editable)
