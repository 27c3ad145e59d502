# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A pile of curls, drawn once: large lobes, so that a small network can learn them."""

from __future__ import annotations

from functools import lru_cache
from math import pi

import cv2
import numpy as np

ARC = 30  # pixels from one band of strands to the next


@lru_cache(maxsize=1)
def curl_textures(n: int = 512) -> tuple[np.ndarray, ...]:
    """Heights, smooth lobes, bands of strands, and the strands' directions x and y: each `[n, n]`."""
    rng = np.random.RandomState(21)
    height, band, tx, ty = layers = np.zeros((4, n, n), np.float32)
    for place in curl_places(rng, n):
        draw_curl(layers, rng, *place)
    heights, lobes, bands, along_x, along_y = (
        cv2.GaussianBlur(a, (0, 0), blur)
        for a, blur in ((height, 3.5), (height, 7.0), (band, 3.5), (tx, 4.0), (ty, 4.0))
    )
    return heights + 0.06 * bands, lobes, bands, along_x, along_y


def curl_places(rng, n):
    """(x, y, radius) of curls that overlap a little."""
    found = []
    for _ in range(6000):
        x, y, r = (rng.uniform(-30, n + 30), rng.uniform(-30, n + 30), rng.uniform(25, 38))
        if all((x - q[0]) ** 2 + (y - q[1]) ** 2 > (0.66 * (r + q[2])) ** 2 for q in found):
            found.append((x, y, r))
    return found


def draw_curl(layers, rng, x, y, r):
    """Lay one curl, a stretched dome, over the others where it is higher."""
    n = layers.shape[-1]
    r, stretch, angle = r * 1.32, rng.uniform(1.1, 1.5), pi / 2 + rng.uniform(-0.7, 0.7)
    turn, base = rng.choice([-1, 1]), rng.uniform(0, 0.3)
    x0, x1, y0, y1 = (int(np.clip(v, 0, n)) for p in (x, y) for v in (p - r * stretch, p + r * stretch + 1))
    dy, dx = np.mgrid[y0:y1, x0:x1].astype(np.float32) - np.float32([y, x])[:, None, None]
    ca, sa = np.cos(angle), np.sin(angle)
    a, b = (ca * dx + sa * dy) / (r * stretch), (ca * dy - sa * dx) / r
    q = np.hypot(a, b)
    dome = base + 0.80 * np.sqrt(np.clip(1 - q * q, 0, 1))
    # Strands are arcs round a point at the curl's side, as on a ringlet.
    far = np.hypot(a + 0.25, b * 0.9 - 0.95 * turn) + 1e-6
    arcs = np.cos(2 * pi * (far * r / ARC + rng.uniform()))
    u, v = -(b * 0.9 - 0.95 * turn) / far * stretch * turn, (a + 0.25) / far * turn
    u, v = ca * u - sa * v, sa * u + ca * v
    norm = np.hypot(u, v) + 1e-6
    box = layers[:, y0:y1, x0:x1]
    top = (q < 1) & (dome > box[0])
    for target, value in zip(box, (dome, arcs, u / norm, v / norm)):
        target[top] = value[top]
