# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The beard, from a shadow to a full one."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.outlines import LIP_REACH, mouth_lines
from ppstyleclip.worlds.portrait.shading import CLOTH_WRAP, light_clay
from ppstyleclip.worlds.portrait.skull import skull_height
from ppstyleclip.worlds.portrait.smooth import clip01, ellipse, mix, ramp, rgb, smax, smin, step


def draw_beard(c, g, t, field):
    """Five-o'clock shadow, stubble, then a full beard: the jaw without cheeks, nose and lips."""
    if g.shadow <= 0:
        return
    w = c.window(-0.66, 0.66, 0.0, 0.94)
    x, y, ax, hairs = w.x, w.y, np.abs(w.x), t.beard[w.at]
    full, grow = g.full, ramp(0.35, 1.0, g.beard) * step(0.15, 0.5, y)
    jaw = field.d[w.at] - 0.085 * grow
    bare = ellipse(ax, y, 0.235 * g.sx, 0.085 * g.sy - 0.02 * g.joy, 0.190 * g.sx, 0.215 * g.sy)
    bare = smin(bare, ellipse(x, y, 0, g.ny - 0.10, 0.10 + 0.03 * g.ns, 0.105 + 0.040 * g.ns), 0.05)
    region = smax(smax(jaw, -bare, 0.05), 0.10 - y, 0.08)
    u = x / g.mw
    top, _, _, low = mouth_lines(g, u)
    lips = smax(smax(top - 0.003 - y, y - low - 0.006, 0.01), (np.abs(u) - LIP_REACH) * g.mw, 0.01)
    alpha = step(0.045 - 0.027 * full, -0.050 + 0.032 * full, region + 0.003 * hairs)
    alpha = alpha * (1 - c.cover(lips - 0.003, 3)) * c.cover(jaw + 0.004 * full * hairs, 2 + 3 * full)
    thin = clip01(0.17 * g.shadow + (0.30 + 0.04 * t.grain[w.at]) * g.stubble)
    alpha = alpha * mix(thin, 1.0, full) * step(0.06, 0.30 - 0.08 * full, y)
    z = skull_height(np.maximum(field.q[w.at] - 0.12 * grow, 0))
    z = z + g.beard * (0.045 * step(0.0, -0.12, region) + 0.006 * hairs)
    ink = mix(g.natural_hair * np.float32(0.80), g.skin * np.float32(0.30), 0.25 * (1 - g.beard))
    # Short hair looks cool and dark through the skin, whatever its colour.
    ink = mix(ink * rgb(0.72, 0.76, 0.84) * np.float32(0.7), ink, ramp(0.15, 0.5, g.beard))
    clay = light_clay(c, z, ink, CLOTH_WRAP, sheen=0.02, rim=0.12) * np.clip(1 + 0.13 * hairs, 0.5, 1.5)
    c.over(w, clay, alpha, part="beard")
