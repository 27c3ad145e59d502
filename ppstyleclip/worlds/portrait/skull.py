# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The skull as a field over the whole picture: what head, beard and hair are built on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from ppstyleclip.worlds.portrait.geometry import POLE


def skull_field(c, g):
    """For every pixel: d, the signed distance to the outline, and q, 0 at its pole and 1 on it."""
    dy = c.ys[:, None] - np.float32(POLE)
    theta = np.arctan2(np.abs(c.xs[None]) + 0 * dy, -dy + 0 * c.xs[None])
    r = np.interp(theta, g.angle, g.radius).astype(np.float32)
    rho = np.sqrt(c.xs[None] ** 2 + dy * dy)
    return SimpleNamespace(d=rho - r, q=rho / r)


def skull_height(q):
    """Height of a plain skull at q of `skull_field`."""
    return 0.56 * (1 - np.minimum(q * (1 / 1.035), 1) ** 2.5) ** 0.55
