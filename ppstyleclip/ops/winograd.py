# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A 3x3 convolution with a quarter of the multiplications: Winograd's F(4x4, 3x3).

An output of 4x4 pixels is a polynomial product; evaluated at six points along each axis it takes 36
multiplications per pair of channels, where the plain convolution takes 144 (Lavin and Gray, "Fast Algorithms
for Convolutional Neural Networks", eq. 8):

    y = A' [(G w G') * (B' x B)] A       summed over input channels before the outer transform

The points 0, 3/4, -3/4, 3/2, -3/2 and infinity lose half as much to rounding as the usual 0, 1, -1, 2, -2.
The transforms are a convolution of one channel and a matrix product, what is between them is one batched
matrix product: operators that an exported program runs at full speed.
"""

from __future__ import annotations

import numpy as np
import paddle
import paddle.nn.functional as F

TILE = 4  # pixels of an output tile along each axis
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # and infinity
_SPAN = TILE + 2  # pixels of an input tile, and the number of points


def _product(roots):
    """Coefficients of the product of (t - root), constant first; padded to the number of points."""
    coefficients = np.array([1.0])
    for root in roots:
        coefficients = np.append(0.0, coefficients) - root * np.append(coefficients, 0.0)
    return np.append(coefficients, np.zeros(_SPAN - len(coefficients)))


def _matrices():
    """B' [6, 6], G [6, 3] and A' [4, 6] by interpolation (Toom-Cook) at POINTS and infinity."""
    others = [[b for b in POINTS if b != a] for a in POINTS]
    to_input = np.stack([_product(roots) for roots in (*others, POINTS)])
    scale = [np.prod([a - b for b in roots]) for a, roots in zip(POINTS, others)]
    to_weight = np.stack([np.power(a, range(3)) / s for a, s in zip(POINTS, scale)] + [np.eye(3)[-1]])
    to_output = np.stack([np.power(a, range(TILE)) for a in POINTS] + [np.eye(TILE)[-1]]).T
    return to_input, to_weight, to_output


_TO_INPUT, _TO_WEIGHT, _TO_OUTPUT = _matrices()


def winograd_weight(weight) -> np.ndarray:
    """Bring a kernel `[O, I, 3, 3]` into the form that winograd_conv2d multiplies with, `[36, O, I]`."""
    moved = np.einsum("pa,oiab,qb->pqoi", _TO_WEIGHT, np.asarray(weight, np.float64), _TO_WEIGHT)
    return np.ascontiguousarray(moved.reshape(_SPAN**2, *weight.shape[:2]), np.float32)


def winograd_input_filter() -> np.ndarray:
    """The input's transform as a convolution kernel, `[36, 1, 6, 6]` float32."""
    both = np.einsum("pa,qb->pqab", _TO_INPUT, _TO_INPUT)
    return np.ascontiguousarray(both.reshape(_SPAN**2, 1, _SPAN, _SPAN), np.float32)


def winograd_output_matrix() -> np.ndarray:
    """The output's transform, `[16, 36]` float32."""
    both = np.einsum("ip,jq->ijpq", _TO_OUTPUT, _TO_OUTPUT)
    return np.ascontiguousarray(both.reshape(TILE**2, _SPAN**2), np.float32)


def winograd_conv2d(x, weight, input_filter, output_matrix):
    """Convolve with a 3x3 kernel, padding 1, stride 1; as F.conv2d but for rounding of about 1e-6.

    Args:
        x: `[N, I, H, W]`; H and W are multiples of 4.
        weight, input_filter, output_matrix: Tensors of what the three functions above give.
    Returns:
        `[N, O, H, W]`.
    """
    tiles = winograd_tiles(x, weight, input_filter, output_matrix)
    return join_tiles(tiles, [weight.shape[1], *x.shape[2:]])


def winograd_tiles(x, weight, input_filter, output_matrix):
    """The same convolution, its pixels left in the order of cut_tiles: `[16, O N H/4 W/4]`."""
    height, width = x.shape[2:]
    # Axes change places before they are joined, which then copies nothing.
    x = x.transpose([1, 0, 2, 3]).reshape([-1, 1, height, width])  # [I N, 1, H, W]
    v = F.conv2d(x, input_filter, stride=TILE, padding=1)  # [I N, 36, H/4, W/4]
    m = paddle.matmul(weight, v.transpose([1, 0, 2, 3]).reshape([_SPAN**2, weight.shape[2], -1]))
    return paddle.matmul(output_matrix, m.reshape([_SPAN**2, -1]))


def join_tiles(tiles, shape):
    """Bring pixels `[16, C N H/4 W/4]` into their places: `[N, C, H, W]`, shape being [C, H, W]."""
    channels, height, width = shape
    y = tiles.reshape([TILE, TILE, channels, -1, height // TILE, width // TILE])
    return y.transpose([3, 2, 4, 0, 5, 1]).reshape([-1, channels, height, width])


def cut_tiles(picture) -> np.ndarray:
    """The opposite of join_tiles for one picture: an array `[C, H, W]` as `[16, C H/4 W/4]`."""
    channels, height, width = picture.shape
    parts = picture.reshape([channels, height // TILE, TILE, width // TILE, TILE])
    return np.ascontiguousarray(parts.transpose(2, 4, 0, 1, 3).reshape(TILE**2, -1))
