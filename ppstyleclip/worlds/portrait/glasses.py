# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Glasses and sunglasses."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.smooth import clip01, gauss, mix, rgb, step


def draw_glasses(c, g):
    """Frames with their shadow, lenses with a tint and a reflection."""
    if g.glasses <= 0:
        return
    w = c.window(-0.66, 0.66, g.ey - 0.24, g.ey + 0.26)
    x, y, ax, k = w.x, w.y, np.abs(w.x), g.glasses
    cx, cy, rx, ry = g.lens_x, g.ey + 0.012, g.lens_rx, 0.140
    lens = (np.abs((ax - cx) / rx) ** 2.7 + np.abs((y - cy) / ry) ** 2.7) ** (1 / 2.7)
    lens = (lens - 1) * 0.485 * (rx + ry)
    bridge = np.abs(y - cy + 0.058 - 5.0 * x * x) - g.frame * 0.85
    arm = np.abs(y - cy + 0.045) - g.frame * 0.9
    frame = np.minimum(np.abs(lens) - g.frame, np.maximum(bridge, ax - cx + rx - 0.01))
    frame = np.minimum(frame, np.maximum(arm, np.maximum(cx + rx - 0.01 - ax, ax - g.half_width - 0.01)))
    alpha = c.cover(frame, 1.3) * (0.75 + 0.25 * g.bold)
    c.darken(w, 0.40 * k * c.blur(c.thrown(alpha, 0.014, 0.030), 0.012), 0.8)
    # Lenses: tinted, darker at the top; a reflection in the corner towards the light.
    glass = c.cover(lens, 2)
    tint = k * g.shades * (1 - 0.22 * step(cy - ry, cy + ry, y) * (1 - g.shades))
    c.over(w, rgb(0.026, 0.020, 0.019), glass * tint, part="glasses")
    side = (ax - cx) * np.sign(x)
    lean = side * 0.8 + y - cy
    glare = 0.20 * gauss(lean + 0.115, 0.022) + 0.10 * gauss(lean + 0.165, 0.014)
    c.over(w, rgb(0.95, 0.97, 1.0), k * glass * (glare * (1 - 0.35 * g.shades) + 0.02))
    # Frames: light and warm while thin, black when bold.
    shine = gauss(lens / g.frame + 0.1, 0.40) * (0.05 + 0.30 * clip01(-(side * 0.5 + y - cy) / ry) ** 2)
    ink = mix(rgb(0.30, 0.20, 0.13), rgb(0.022, 0.019, 0.021), g.bold**0.6)
    c.over(w, [a + shine for a in ink], k * alpha, part="glasses")
