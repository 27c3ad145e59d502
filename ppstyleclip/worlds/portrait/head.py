# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The head: heights, skin, wrinkles, nose and lips."""

from __future__ import annotations

from math import pi, tanh

import numpy as np

from ppstyleclip.worlds.portrait.outlines import LIP_REACH, mouth_lines
from ppstyleclip.worlds.portrait.shading import SKIN_WRAP, light_clay
from ppstyleclip.worlds.portrait.skull import skull_height
from ppstyleclip.worlds.portrait.smooth import bump, clip01, ellipse, gauss, mix, smax, smin, step


def wrinkles(c, g, w):
    """Lines of the face in [0, 1]: forehead, crow's feet, frown; each worked out only where it is."""
    lines = np.zeros((w.y.shape[0], w.x.shape[1]), np.float32)

    def part(x0, x1, y0, y1):
        v = c.window(x0, x1, y0, y1)
        rows, cols = (slice(a.start - b.start, a.stop - b.start) for a, b in zip(v.at, w.at))
        return np.abs(v.x), v.y, lines[rows, cols]

    strength = g.old + (1 - g.old) * 0.45 * g.surprise * (1 - 0.5 * g.young)
    ax, y, out = part(-0.42, 0.42, -0.46, -0.22)
    for line in (-0.300, -0.350, -0.400):
        out += (
            strength
            * gauss(y - line - 0.3 * ax * ax + 0.02 * g.surprise, 0.013)
            * np.exp(-((ax / 0.24) ** 4))
        )
    strength = 0.8 * g.old + 0.25 * g.joy * (1 - g.young)
    for side in (-1, 1):
        x = side * (g.ex + 0.155)
        ax, y, out = part(x - 0.08, x + 0.08, g.ey - 0.08, g.ey + 0.07)
        for k in (-1, 0, 1):
            ray = y - (g.ey - 0.01 + k * 0.026 + (ax - g.ex - 0.12) * 0.42 * k)
            out += strength * gauss(ray, 0.009) * np.exp(-(((ax - g.ex - 0.16) / 0.038) ** 4))
    ax, y, out = part(-0.09, 0.09, g.ey - 0.29, g.ey - 0.04)
    out += 0.9 * g.fury * gauss(ax - 0.036, 0.013) * gauss(y - g.ey + 0.160, 0.050)
    return lines


def head_heights(g, w, field):
    """Height map of the head without the lips and the nose."""
    x, y, ax = w.x, w.y, np.abs(w.x)
    ex, ey, my = g.ex, g.ey, g.my
    # Skull, sockets, brow ridge, cheeks, muzzle, chin, jowls.
    z = skull_height(field.q[w.at])
    z -= 0.064 * bump(ax, y, ex - 0.01, ey, 0.095, 0.060)
    z += 0.018 * (1 - 0.5 * g.fem + 0.6 * g.masc) * bump(ax, y, ex, ey - 0.175, 0.14, 0.05)
    cheek = 0.040 + 0.050 * g.joy + 0.028 * g.young - 0.014 * g.old
    z += cheek * bump(ax, y, 0.25 * g.sx, g.cheek, 0.11, 0.085)
    z += 0.030 * bump(x, y, 0, my, 0.16, 0.09) - 0.014 * bump(x, y, 0, my + 0.105 + g.gap, 0.07, 0.018)
    z += 0.045 * bump(x, y, 0, g.chin - 0.085, 0.085 - 0.012 * g.fem, 0.055)
    z -= 0.016 * g.masc * gauss(x, 0.016) * gauss(y - g.chin + 0.075, 0.05)  # cleft chin
    z += g.old * (
        0.026 * bump(ax, y, 0.26 * g.sx, 0.42 * g.sy, 0.06, 0.06)
        - 0.014 * bump(ax, y, ex - 0.01, ey + 0.090, 0.075, 0.014)
        - 0.012 * bump(ax, y, 0.33 * g.sx, 0.24 * g.sy, 0.05, 0.09)
    )
    return z


def nose_heights(g, w, z):
    """Height map z with the nose on it: bridge, tip, wings."""
    x, y, ax = w.x, w.y, np.abs(w.x)
    ey, ny, ns = g.ey, g.ny, g.ns
    grow = step(ey - 0.12, ny, y)
    bridge = np.exp(-0.5 * (x / ((0.030 + 0.018 * grow) * (0.6 + 0.4 * ns))) ** 2)
    slope = step(ey - 0.20, ey + 0.10, y) * step(ny + 0.055 * ns, ny - 0.05, y)
    z = z + (0.028 + 0.048 * grow) * ns**0.7 * slope * bridge
    return z + ns * (
        0.070 * bump(x, y, 0, ny - 0.006, 0.048 * ns, 0.044 * ns)
        + 0.028 * bump(ax, y, 0.060 * ns, ny + 0.006, 0.026 * ns, 0.027 * ns)
    )


def lip_shape(c, g, w):
    """Coverage of the lips (with what is between them), and their two rolls' heights."""
    y, u = w.y, w.x / g.mw
    top_out, top_in, low_in, low_out = mouth_lines(g, u)
    upper = clip01((y - top_out) / np.maximum(top_in - top_out, 1e-3))
    lower = clip01((y - low_in) / np.maximum(low_out - low_in, 1e-3))
    ends = g.lip * clip01((LIP_REACH - np.abs(u)) * 4)
    rolls = ends * (0.040 * upper * (1 - upper) + 0.080 * lower * (1 - lower))
    d = np.maximum(smax(top_out - y, y - low_out, 0.004), (np.abs(u) - LIP_REACH) * g.mw)
    return c.cover(d, 2.2), rolls


def skin_colours(g, t, w, lips):
    """Albedo [3]: skin with blush, freckles and eye shadow; lips."""
    x, y, ax = w.x, w.y, np.abs(w.x)
    rosy = 0.85 * tanh(0.32 + 0.65 * g.young + 0.2 * g.joy + 0.15 * g.fem - 0.15 * g.old + 0.2 * g.fury)
    blush = rosy * bump(ax, y, 0.27 * g.sx, g.cheek + 0.01, 0.10, 0.075)
    blush = blush + (0.30 + 0.25 * g.young + 0.15 * g.old) * bump(x, y, 0, g.ny, 0.055 * g.ns, 0.045 * g.ns)
    # A clean chin is rosy and fresh.
    blush = blush + 0.70 * g.rosy_chin * bump(x, y, 0, g.chin - 0.095, 0.095, 0.065)
    blush = blush + 0.50 * g.rosy_chin * bump(ax, y, 0.23 * g.sx, 0.32 * g.sy, 0.09, 0.085)
    freckles = 1.3 * g.young * t.freckles[w.at]
    shadow = 0.42 * max(g.fem, 0.0) * bump(ax, y, g.ex + 0.012, g.ey - 0.055 * g.es, 0.085, 0.032)
    return [
        mix(g.skin[k] * (1 - b * blush - f * freckles) * (1 - s * shadow), g.lips[k], 0.92 * lips)
        for k, (b, f, s) in enumerate(((0.0, 0.13, 0.25), (0.32, 0.20, 0.55), (0.30, 0.22, 0.35)))
    ]


def nose_mask(g, x, y):
    """Soft region of the nose: a long drop from between the eyes."""
    body = ellipse(x, y, 0, g.ny, 0.088 * g.ns, 0.052 * g.ns)
    bridge = ellipse(x, y, 0, mix(g.ey, g.ny, 0.5), 0.040 + 0.012 * g.ns, 0.60 * (g.ny - g.ey))
    return step(0.015, -0.015, smin(body, bridge, 0.05))


def draw_head(c, g, t, field):
    """Skin, nose and lips, lit; then the shadows that are painted on."""
    w = c.window(-0.70, 0.70, -0.78, 0.84)
    d, lines, fold = field.d[w.at], wrinkles(c, g, w), mouth_fold(g, w)
    lips, rolls = lip_shape(c, g, w)
    z = nose_heights(g, w, head_heights(g, w, field)) - 0.010 * lines + rolls - 0.012 * g.old * fold
    skin = skin_colours(g, t, w, lips)
    occluded = np.clip(3.2 * (c.blur(z, 0.05) - z), 0, 0.64) * step(0.0, -0.06, d)
    tip = bump(w.x, w.y, -0.008 * g.ns, g.ny - 0.012, 0.03 * g.ns, 0.03 * g.ns)
    gloss = 0.05 + 0.05 * g.rosy_chin + lips * g.gloss + 0.12 * tip
    head = c.cover(d)
    clay = light_clay(c, z, skin, SKIN_WRAP, gloss, sheen=0.05, rim=0.50, ao=occluded)
    c.over(w, clay, head, figure=True, part="skin")
    c.label(w, "nose", head * nose_mask(g, w.x, w.y))
    c.label(w, "mouth", lips)
    darken_nose(c, g, w)
    c.darken(w, (0.26 * g.old + 0.10 * g.grin + 0.05 * g.fury) * fold, 0.55)
    c.darken(w, 0.17 * lines * head, 0.6)


def mouth_fold(g, w):
    """The folds from the wings of the nose round the mouth, in [0, 1]."""
    fall = clip01((w.y - g.ny + 0.01) / (g.my + 0.04 - g.ny))
    fold = 0.085 * g.ns + (g.mw + 0.035 - 0.085 * g.ns) * fall + 0.022 * np.sin(pi * fall)
    return gauss(np.abs(w.x) - fold, 0.019) * step(0.0, 0.15, fall) * step(1.0, 0.75, fall)


def darken_nose(c, g, w):
    """Shadows beside and under the nose, and the nostrils."""
    x, y, ax, ny, ns = w.x, w.y, np.abs(w.x), g.ny, g.ns
    c.darken(w, 0.28 * bump(x, y, 0.080 * ns, ny + 0.005, 0.030 * ns, 0.050 * ns), 0.55)
    c.darken(w, 0.10 * bump(x, y, -0.084 * ns, ny + 0.010, 0.018 * ns, 0.030 * ns), 0.55)
    c.darken(w, 0.28 * bump(x, y, 0.008, ny + 0.052 * ns, 0.060 * ns, 0.020 * ns), 0.7)
    nostril = bump(ax, y, 0.034 * ns, ny + 0.036 * ns, 0.0135 * ns, 0.0075 * ns)
    c.darken(w, 0.60 * np.minimum(nostril * 1.2, 1), 0.75)
