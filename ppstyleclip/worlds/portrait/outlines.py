# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Where the parts of a face are: its outline, lids, brows, lips, hairline and depth."""

from __future__ import annotations

from math import pi

import numpy as np

from ppstyleclip.worlds.portrait.smooth import bump, clip01, gauss, mix, step
from ppstyleclip.worlds.portrait.textures import PART

LIP_REACH = 1.05  # how far the lips' outer edges reach beyond the inner ones
BROW_FROM, BROW_LENGTH = -0.118, 0.253  # a brow's inner end from the eye's middle, and its length


def head_outline(g, sx, sy, drop, height, per=40):
    """Closed outline of the head [N, 2]: a uniform cubic B-spline."""
    cheek = 1 + 0.025 * g.young
    jaw = 1 - 0.12 * g.fem + 0.06 * g.old + 0.03 * g.young
    chin = 1 - 0.26 * g.fem + 0.10 * g.old
    skull = [(0.0, -0.645), (0.21, -0.63), (0.375, -0.53), (0.452, -0.31), (0.458, -0.06)]
    face = [
        (0.445 * cheek, 0.13),
        (0.392 * jaw, 0.335),
        (0.278 * jaw, 0.485),
        (0.142 * chin, 0.585),
        (0.0, 0.597),
    ]
    p = np.array(skull + face) * [sx, 1]
    p[:, 1] *= np.where(p[:, 1] > 0, sy, 1 + 0.05 * height)
    p[-3:, 1] += drop
    p = np.concatenate([p, p[-2:0:-1] * [-1, 1]])
    t = np.arange(per)[:, None] / per
    basis = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    return np.concatenate(
        [sum(b * p[(i + k) % len(p)] for k, b in enumerate(basis)) / 6 for i in range(len(p))]
    )


def lid_lines(g, u):
    """Edges (upper, lower) of an eye's opening, from g.ey; u: -1 at the inner corner, 1 at the outer."""
    u1 = np.clip(u, -1, 1)
    arch = 1 - u1 * u1
    # Products, so that no mix of expressions shuts the eye.
    lift = 0.078 * (1 + 0.32 * g.surprise) * (1 + 0.08 * g.mild) * (1 - 0.48 * g.sleepy) * (1 - 0.36 * g.fury)
    lift = lift * (1 - 0.14 * g.joy) * (1 - 0.14 * g.sorrow) * (1 - 0.12 * g.old)
    low = 0.055 * (1 + 0.20 * g.surprise) * (1 - 0.40 * g.joy) * (1 - 0.22 * g.fury) * (1 - 0.10 * g.sleepy)
    tilt = (0.010 + 0.007 * g.fem - 0.010 * g.old - 0.008 * g.sorrow) * u
    upper = -lift * g.es * arch**0.62 * (1 - 0.10 * u1) - tilt + 0.010 * g.fury * (1 - u) * arch
    return upper, low * g.es * arch**0.75 * (1 + 0.12 * u1) - tilt


def brow_line(g, s):
    """(height, half thickness) of a brow at s in [0, 1] from its inner to its outer end."""
    base = g.ey - 0.160 - 0.07 * (g.es - 1) - 0.008 * g.fem
    base = base - 0.062 * g.surprise + 0.016 * g.sleepy + 0.022 * g.fury - 0.018 * g.mild
    arch = 0.026 + 0.014 * g.fem + 0.022 * g.surprise - 0.014 * g.fury - 0.010 * g.sleepy
    inner = 0.050 * g.fury - 0.036 * g.sorrow - 0.044 * g.mild - 0.004
    outer = 0.026 - 0.030 * g.fury + 0.010 * g.sorrow + 0.010 * g.mild
    thick = 0.0240 * g.brow - 0.0060 * g.fem * min(g.brow, 1.0)
    thick = thick * (0.62 + 1.1 * s * (1 - s)) * (1 - 0.75 * s**2.5)
    base = base - 0.4 * max(thick.max() - 0.024, 0)  # thick brows grow upwards, away from the eyes
    return base - arch * np.sin(pi * s**1.15) + inner * (1 - s) ** 1.5 + outer * s**1.6, thick


def mouth_lines(g, u):
    """Edges of the lips at u = x / g.mw: (upper outer, upper inner, lower inner, lower outer).

    The inner edges meet at |u| = 1, the outer ones a little beyond.
    """
    inner, outer = clip01(np.abs(u)), clip01(np.abs(u) / LIP_REACH)
    dip = 0.005 * gauss(u, 0.25) * (1 - g.open)
    mid_in, mid_out = (g.my + g.bend * (0.45 - v * v) + dip for v in (inner, outer))
    upper = (
        0.040 * g.lip * (1 - 0.20 * g.joy) * (1 - 0.60 * g.press) * (1 - 0.22 * g.old) * (1 - 0.2 * g.open)
    )
    lower = (
        0.054 * g.lip * (1 - 0.15 * g.joy) * (1 - 0.55 * g.press) * (1 - 0.16 * g.old) * (1 - 0.2 * g.open)
    )
    top_in = mid_in - g.gap * 0.22 * (1 - inner**2) ** 0.6
    low_in = mid_in + g.gap * 0.82 * (1 - inner**2.2) ** 0.6
    top_out = np.minimum(top_in, mid_out) - upper * (1 - outer**2) ** 0.85 * (1 - 0.22 * gauss(u, 0.15))
    low_out = np.maximum(low_in, mid_out) + lower * (1 - outer**2.4) ** 0.85
    return top_out, top_in, low_in, low_out


def hairline(g, x):
    """Lower edge of the hair over the forehead, where it is not rounded into the sides."""
    parted = -0.420 + 0.55 * (x - PART) ** 2 + 0.03 * step(PART + 0.05, PART - 0.50, x)
    swept = parted + 0.075 + 0.075 * step(PART + 0.05, PART - 0.50, x) + 0.03 * step(PART, PART + 0.2, x)
    back = -0.465 + 0.60 * x * x
    bangs = -0.240 + 0.20 * x * x
    return mix(mix(mix(parted, swept, g.swept), bangs, g.bangs), back, g.back)


def depth(g, x, y):
    """How far the head stands out towards the viewer: what a turn of the head moves sideways, and how much.

    One smooth hill over the head and the neck, and a small one for the nose. The slope times TURN stays well
    below 1, so that the warp never folds.
    """
    q = np.sqrt((x * (1 / (1.85 * g.half_width))) ** 2 + ((y - 0.10) * (1 / 1.15)) ** 2)
    hill = 0.42 * step(1.0, 0.0, q) * step(0.90, 0.55, y)
    return hill + 0.10 * g.ns * bump(x - g.turn * 0.38, y, 0, g.ny, 0.085, 0.085)
