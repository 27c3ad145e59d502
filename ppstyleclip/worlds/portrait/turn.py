# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Turning the head: the picture is warped by the depth of the head."""

from __future__ import annotations

import cv2
import numpy as np

from ppstyleclip.worlds.portrait.canvas import LEFT, look_up
from ppstyleclip.worlds.portrait.outlines import depth


def turn_map(c, g):
    """Where the turned picture takes its pixels from: (column, row) numbers for cv2.remap."""
    x = c.xs[None] - np.float32(g.turn) * depth(g, c.xs[None], c.ys[:, None])
    rows = np.repeat(np.arange(c.size, dtype=np.float32)[:, None], c.size, 1)
    return np.float32((x - LEFT) * (1 / c.px) - 0.5), rows


def turn_points(g, points):
    """Move points of the straight head [N, 2] with the turn: the inverse of `turn_map`, by iteration."""
    x, y = points.T
    moved = x
    for _ in range(12):
        moved = x + g.turn * depth(g, moved, y)
    return np.stack([moved, y], 1)


def turn_picture(c, g):
    if g.turn != 0:
        columns, rows = turn_map(c, g)
        for k in range(3):
            c.image[k] = look_up(c.image[k], columns, rows, cv2.INTER_CUBIC)
