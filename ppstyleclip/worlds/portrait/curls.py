# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A pile of curls, drawn once."""

from __future__ import annotations

from functools import lru_cache
from math import pi

import cv2
import numpy as np


@lru_cache(maxsize=1)
def curl_textures(n=512):
    """A pile of curls [n, n]: heights, smooth lobes, bands of strands and the strands' directions.

    Each curl is a dome with a spiral groove, 10 to 14 pixels from turn to turn in a picture of 256: smooth
    enough for a small network to draw.
    """
    rng, found = np.random.RandomState(21), []
    for _ in range(6000):
        x, y, r = rng.uniform(-30, n + 30), rng.uniform(-30, n + 30), rng.uniform(25, 38)
        if all((x - q[0]) ** 2 + (y - q[1]) ** 2 > (0.66 * (r + q[2])) ** 2 for q in found):
            found.append((x, y, r))
    height, band, tx, ty = np.zeros((4, n, n), np.float32)
    for x, y, r in found:
        r, stretch, angle = r * 1.32, rng.uniform(1.1, 1.5), pi / 2 + rng.uniform(-0.7, 0.7)
        turn, base = rng.choice([-1, 1]), rng.uniform(0, 0.3)
        x0, x1, y0, y1 = (
            int(np.clip(v, 0, n)) for p in (x, y) for v in (p - r * stretch, p + r * stretch + 1)
        )
        dy, dx = np.mgrid[y0:y1, x0:x1].astype(np.float32) - np.float32([y, x])[:, None, None]
        ca, sa = np.cos(angle), np.sin(angle)
        a, b = (ca * dx + sa * dy) / (r * stretch), (ca * dy - sa * dx) / r
        q, box = np.hypot(a, b), np.s_[y0:y1, x0:x1]
        dome = base + 0.80 * np.sqrt(np.clip(1 - q * q, 0, 1))
        # Strands are arcs round a point at the curl's side, as on a ringlet.
        far = np.hypot(a + 0.25, b * 0.9 - 0.95 * turn) + 1e-6
        arcs = np.cos(2 * pi * (far * r / 30 + rng.uniform()))
        top = (q < 1) & (dome > height[box])
        u, v = -(b * 0.9 - 0.95 * turn) / far * stretch * turn, (a + 0.25) / far * turn
        u, v = ca * u - sa * v, sa * u + ca * v
        norm = np.hypot(u, v) + 1e-6
        for target, value in ((height, dome), (band, arcs), (tx, u / norm), (ty, v / norm)):
            target[box][top] = value[top]
    height, lobes, band, tx, ty = (
        cv2.GaussianBlur(a, (0, 0), blur)
        for a, blur in ((height, 3.5), (height, 7.0), (band, 3.5), (tx, 4.0), (ty, 4.0))
    )
    return height + 0.06 * band, lobes, band, tx, ty
