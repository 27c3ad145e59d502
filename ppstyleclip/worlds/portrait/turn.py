# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Turning the head: the picture is warped sideways by the depth of the head."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.canvas import LEFT
from ppstyleclip.worlds.portrait.outlines import depth


def turn_map(c, g):
    """`[S, S]` column numbers that the pixels of the turned picture come from."""
    x = c.xs[None] - np.float32(g.turn) * depth(g, c.xs[None], c.ys[:, None])
    return np.clip((x - LEFT) * (1 / c.px) - 0.5, 0, c.size - 1).astype(np.float32)


def turn_points(g, points):
    """Move points of the straight head [N, 2] with the turn: the inverse of `turn_map`, by iteration."""
    x, y = points.T
    moved = x
    for _ in range(12):
        moved = x + g.turn * depth(g, moved, y)
    return np.stack([moved, y], 1)


def take_columns(image, columns):
    """Values of a picture `[C, S, S]` at fractional columns, by Catmull-Rom interpolation along the rows.

    OpenCV's own interpolation rounds the columns to 1/32 in some of its versions and not in others.
    """
    size = image.shape[-1]
    first = np.minimum(columns.astype(np.int32), size - 2)
    t = columns - first
    start = np.arange(size, dtype=np.int32)[:, None] * (size + 3) + first
    flat = np.pad(image, ((0, 0), (0, 0), (1, 2)), "edge").reshape(len(image), -1)
    t2, t3 = t * t, t * t * t
    weights = (t2 - 0.5 * (t3 + t), 1.5 * t3 - 2.5 * t2 + 1, 2 * t2 + 0.5 * t - 1.5 * t3, 0.5 * (t3 - t2))
    out = np.zeros_like(image)
    for k, weight in enumerate(weights):
        index = start + k
        for channel, values in zip(out, flat):
            channel += weight * values.take(index, mode="clip")
    return out


def turned(pictures, c, g):
    """Pictures `[C, S, S]` of the straight head, turned."""
    return take_columns(pictures, turn_map(c, g)) if g.turn != 0 else pictures
