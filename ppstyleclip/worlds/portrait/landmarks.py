# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The face's 68 points in iBUG's order."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.canvas import LEFT, SPAN, TOP
from ppstyleclip.worlds.portrait.geometry import POLE, measure
from ppstyleclip.worlds.portrait.outlines import (
    BROW_FROM,
    BROW_LENGTH,
    LIP_REACH,
    brow_line,
    lid_lines,
    mouth_lines,
)
from ppstyleclip.worlds.portrait.turn import turn_points


def both_sides(x, y, mirrored_order):
    """Points of the right half, behind the same ones mirrored to the left half in the given order."""
    right = np.stack([x, y], 1)
    return np.concatenate([(right * (-1, 1))[list(mirrored_order)], right])


def jaw_points(g):
    """0-16: along the outline from ear to ear, equally far from one another."""
    p = g.outline[np.argsort(np.arctan2(g.outline[:, 0], g.outline[:, 1] - POLE))]
    p = p[p[:, 1] > g.ey - 0.01]
    way = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
    at = np.linspace(0, way[-1], 17)
    return np.stack([np.interp(at, way, p[:, k]) for k in (0, 1)], 1)


def brow_points(g):
    """17-21 from outside to inside, 22-26 from inside to outside."""
    s = np.linspace(0.04, 0.96, 5)
    return both_sides(g.ex + BROW_FROM + s * BROW_LENGTH, brow_line(g, s)[0], (4, 3, 2, 1, 0))


def nose_points(g):
    """27-30 down the bridge to the tip, 31-35 under the nose."""
    down = np.linspace(0, 1, 4)[:, None] * (0, g.ny - 0.006 - g.ey) + (0, g.ey)
    x = np.float32([-0.064, -0.033, 0, 0.033, 0.064]) * g.ns
    y = g.ny + np.float32([0.030, 0.040, 0.045, 0.040, 0.030]) * g.ns
    return np.concatenate([down, np.stack([x, y], 1)])


def eye_points(g):
    """36-41: outer corner, along the upper lid, inner corner, back along the lower one; 42-47 mirrored."""
    u = np.float32([-1, -0.36, 0.36, 1, 0.36, -0.36])  # the right eye's, from its inner corner
    upper, lower = lid_lines(g, u)
    y = g.ey + np.where(np.arange(6) < 4, upper, lower)
    return both_sides(g.ex + u * g.ea, y, (3, 2, 1, 0, 5, 4))


def mouth_points(g):
    """48-59 round the lips' outer edges, 60-67 round their inner ones; clockwise from the left corner."""
    u = np.float32([-LIP_REACH, -0.65, -0.22, 0, 0.22, 0.65, LIP_REACH])
    v = np.float32([-1, -0.42, 0, 0.42, 1])
    top_out, _, _, low_out = mouth_lines(g, u)
    _, top_in, low_in, _ = mouth_lines(g, v)
    x = np.concatenate([u, u[5:0:-1], v, v[3:0:-1]]) * g.mw
    return np.stack([x, np.concatenate([top_out, low_out[5:0:-1], top_in, low_in[3:0:-1]])], 1)


def landmarks(factors: np.ndarray, size: int = 256) -> np.ndarray:
    """The face's 68 points in iBUG's order.

    Left and right are the picture's. Points under hair, glasses or beard are where the face has them.

    Returns:
        `[68, 2]` float32 (x, y) in pixels; whole numbers are the pixels' middles.
    """
    g = measure(factors)
    face = np.concatenate([jaw_points(g), brow_points(g), nose_points(g), eye_points(g), mouth_points(g)])
    return np.asarray((turn_points(g, face) - (LEFT, TOP)) * (size / SPAN) - 0.5, np.float32)
