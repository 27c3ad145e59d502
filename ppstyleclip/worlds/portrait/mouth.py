# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What is between the lips."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.outlines import mouth_lines
from ppstyleclip.worlds.portrait.smooth import bump, clip01, ellipse, ramp, rgb, step


def draw_mouth(c, g):
    """What is between the lips: their line while closed; teeth and tongue while open."""
    w = c.window(-g.mw - 0.06, g.mw + 0.06, g.my - 0.16, g.my + 0.24)
    x, y, u = w.x, w.y, w.x / g.mw
    _, top, low, _ = mouth_lines(g, u)
    gap = c.cover(np.maximum(np.maximum(top - y, y - low), (np.abs(u) - 1) * g.mw), 1.3) * ramp(
        0.0, 0.012, g.gap
    )
    c.over(w, rgb(0.14, 0.022, 0.022), gap, part="mouth")
    tongue = ellipse(x, y, 0, g.my + g.gap * 0.98, g.mw * 0.62, g.gap * 0.48 + 1e-3)
    tone = 0.55 + 0.35 * clip01(-tongue / 0.03)
    c.over(w, [0.62 * tone, 0.17 * tone, 0.17 * tone], gap * c.cover(tongue, 4) * ramp(0.02, 0.06, g.gap))
    shown = (0.35 + 0.65 * ramp(0.0, 0.6, g.joy)) * (1 - 0.55 * g.surprise)
    edge = top + min(0.040, g.gap * 0.55) * shown * (1 - 0.35 * u * u)
    white = (0.66 + 0.26 * ramp(0.0, 0.6, g.joy) - 0.30 * u * u) * (0.68 + 0.32 * step(0, 0.018, y - top))
    c.over(w, [white, white * 0.975, white * 0.93], gap * c.cover(y - edge, 2) * step(0.98, 0.72, np.abs(u)))
    line = np.abs(y - 0.5 * (top + low)) - 0.0035 * (1 - 0.3 * np.abs(u))
    line = c.cover(np.maximum(line, (np.abs(u) - 1.03) * g.mw), 2.2)
    c.darken(w, 0.70 * (1 - ramp(0.0, 0.02, g.gap)) * line, 0.80)
    corner = g.my - 0.55 * g.bend
    c.darken(w, 0.30 * bump(np.abs(x), y, g.mw, corner, 0.014, 0.012), 0.7)
