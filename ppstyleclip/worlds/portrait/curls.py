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
        x, y, r = rng.uniform(-20, n + 20), rng.uniform(-20, n + 20), rng.uniform(22, 36)
        if all((x - q[0]) ** 2 + (y - q[1]) ** 2 > (0.62 * (r + q[2])) ** 2 for q in found):
            found.append((x, y, r))
    height, band, tx, ty = np.zeros((4, n, n), np.float32)
    for x, y, r in found:
        r, stretch, angle = r * 1.30, rng.uniform(1.0, 1.35), pi / 2 + rng.uniform(-0.6, 0.6)
        turn, base = rng.choice([-1, 1]), rng.uniform(0, 0.3)
        x0, x1, y0, y1 = (
            int(np.clip(v, 0, n)) for p in (x, y) for v in (p - r * stretch, p + r * stretch + 1)
        )
        dy, dx = np.mgrid[y0:y1, x0:x1].astype(np.float32) - np.float32([y, x])[:, None, None]
        ca, sa = np.cos(angle), np.sin(angle)
        a, b = (ca * dx + sa * dy) / (r * stretch), (ca * dy - sa * dx) / r
        q, box = np.hypot(a, b), np.s_[y0:y1, x0:x1]
        dome = base + 0.70 * np.sqrt(np.clip(1 - q * q, 0, 1))
        spiral = np.cos(2 * pi * q * r / 26 - turn * np.arctan2(b, a)) * np.clip(q * 4, 0, 1)
        top = (q < 1) & (dome > height[box])
        u, v = -turn * b * stretch - 0.45 * a, turn * a / stretch - 0.45 * b  # around, and a little inwards
        u, v = ca * u - sa * v, sa * u + ca * v
        norm = np.hypot(u, v) + 1e-6
        for target, value in ((height, dome), (band, spiral), (tx, u / norm), (ty, v / norm)):
            target[box][top] = value[top]
    height, lobes, band, tx, ty = (
        cv2.GaussianBlur(a, (0, 0), blur)
        for a, blur in ((height, 3.0), (height, 6.0), (band, 3.0), (tx, 3.0), (ty, 3.0))
    )
    return height + 0.10 * band, lobes, band, tx, ty
