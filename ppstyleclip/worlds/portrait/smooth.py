# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The smooth functions that all shapes are made of."""

from __future__ import annotations

from math import tanh

import numpy as np


def sat(f, k=0.62):
    """Odd, smooth, saturating: about +-0.85 at +-2."""
    return tanh(f * k)


def ramp(a, b, f):
    """Smoothstep of a number, from 0 at a to 1 at b."""
    t = min(max((f - a) / (b - a), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def step(a, b, x):
    """Smoothstep of an array, from 0 at a to 1 at b (either may be the greater)."""
    t = np.clip((x - a) * (1 / (b - a)), 0, 1)
    return t * t * (3 - 2 * t)


def clip01(x):
    return np.clip(x, 0, 1)


def mix(a, b, t):
    return a + (b - a) * t


def smax(a, b, k):
    """Maximum with its corner rounded over k."""
    h = np.maximum(k - np.abs(a - b), 0)
    return np.maximum(a, b) + h * h * (0.25 / k)


def smin(a, b, k):
    return -smax(-a, -b, k)


def gauss(x, s):
    return np.exp(-((x * (1 / s)) ** 2))


def bump(x, y, cx, cy, sx, sy):
    """Separable Gaussian; a symmetric pair where x is |x|."""
    return np.exp(-0.5 * ((x - cx) * (1 / sx)) ** 2) * np.exp(-0.5 * ((y - cy) * (1 / sy)) ** 2)


def ellipse(x, y, cx, cy, rx, ry):
    """Signed distance to an ellipse, good near its edge."""
    dx, dy = (x - cx) / rx, (y - cy) / ry
    k0 = np.sqrt(dx * dx + dy * dy) + 1e-6
    k1 = np.sqrt((dx / rx) ** 2 + (dy / ry) ** 2) + 1e-6
    return k0 * (k0 - 1) / k1


def power(x, doublings):
    """x ** (2 ** doublings)."""
    for _ in range(doublings):
        x = x * x
    return x


def rgb(r, g, b):
    return np.float32((r, g, b))
