# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Eyes and brows."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.outlines import BROW_FROM, BROW_LENGTH, brow_line, lid_lines
from ppstyleclip.worlds.portrait.smooth import clip01, gauss, mix, rgb, smax, step


def draw_eyes(c, g):
    """Both eyes; w.u runs from -1 at the inner corner to 1 at the outer one, w.v down from their middle."""
    w = c.window(-0.52, 0.52, g.ey - 0.24, g.ey + 0.20)
    w.ax, w.v = np.abs(w.x), w.y - g.ey
    w.u = (w.ax - g.ex) / g.ea  # -1 at the inner corner, 1 at the outer one
    w.upper, w.lower = lid_lines(g, w.u)
    inside = smax(w.upper - w.v, w.v - w.lower, 0.006)
    w.opening = c.cover(np.maximum(inside, (np.abs(w.u) - 1) * g.ea), 1.3)
    w.under_lid = np.maximum(w.v - w.upper, 0)
    draw_whites(c, w)
    draw_irises(c, g, w)
    draw_lids(c, g, w)


def draw_whites(c, w):
    """A shaded ball in the lid's shadow, pink in the inner corner."""
    ball = 0.92 * (1 - 0.34 * np.clip(np.abs(w.u), 0, 1) ** 2.5)
    ball = ball * (1 - 0.45 * np.exp(w.under_lid * (-1 / 0.018)))
    ball = ball * (1 - 0.15 * np.exp(np.maximum(w.lower - w.v, 0) * -100))
    pink = 0.125 * step(-0.70, -1.0, w.u)
    c.over(w, [ball, ball * (0.97 - pink), ball * (0.96 - pink)], w.opening, part="eyes")


def draw_irises(c, g, w):
    """Iris, bright opposite the light, with a dark rim; pupil; two catchlights."""
    ri = min(0.087 * g.es**0.9, 0.72 * g.ea)
    dx, dy = (w.ax - g.ex + 0.004) * np.sign(w.x), w.v + 0.011 * g.es - 0.001
    r = np.sqrt(dx * dx + dy * dy)
    glow = 0.62 + 0.85 * clip01((dx * 0.45 + dy * 0.9) / ri + 0.15) * step(1.0, 0.6, r / ri)
    glow = glow * (1 - 0.72 * step(0.72, 1.0, r / ri)) * (1.15 - 0.58 * np.exp(w.under_lid * (-1 / 0.016)))
    c.over(w, [k * glow for k in g.iris], w.opening * c.cover(r - ri, 2.0))
    c.over(w, rgb(0.006, 0.005, 0.005), w.opening * c.cover(r - ri * 0.49, 2.5))
    for px, py, size, strength in ((-0.30, -0.36, 0.24, 0.95), (0.34, 0.36, 0.13, 0.35)):
        spot = np.sqrt((dx - px * ri) ** 2 + (dy - py * ri) ** 2) - size * ri
        c.over(w, rgb(1, 1, 1), strength * w.opening * c.cover(spot, 1.8))


def draw_lids(c, g, w):
    """Lash line, with a wing for the feminine; lower lid; crease; bag."""
    u, v, a = w.u, w.v, g.ea
    arch, across = 1 - np.clip(u, -1, 1) ** 2, np.abs(u)
    wing = max(g.fem, 0.0)
    flick = lid_lines(g, 0.8)[0] - (u - 0.8) * (a * 0.32)
    edge = mix(w.upper, flick, wing * step(0.76, 1.0, u))
    thick = (0.0132 + 0.0040 * g.fem) * (0.55 + 0.45 * step(-1.0, 0.6, u)) * step(1.05 + 0.30 * wing, 1.0, u)
    line = np.maximum(np.abs(v - edge + thick * 0.6) - thick, (-1.0 - u) * a)
    ink = mix(rgb(0.035, 0.022, 0.018), g.natural_hair * np.float32(0.15), 0.3)
    c.over(w, ink, c.cover(line, 1.8) * (0.92 * clip01(thick * 400)), part="eyes")
    rim = np.maximum(np.abs(v - w.lower - 0.004) - 0.003, (across - 0.95) * a)
    c.darken(w, 0.30 * c.cover(rim, 2.5), 0.6)
    fold = (0.030 + 0.030 * g.sleepy + 0.012 * g.fury) * g.es  # a lid that hangs leaves its crease behind
    crease = gauss(v - w.upper + fold * np.sqrt(arch + 0.12), 0.0085) * step(1.12, 0.85, across)
    c.darken(w, (0.22 + 0.16 * g.old + 0.16 * g.sleepy) * crease, 0.65)
    bag = gauss(v - w.lower - 0.036 * (arch + 0.05) ** 0.6, 0.012) * step(1.0, 0.6, across)
    c.darken(w, (0.04 + 0.28 * g.old + 0.10 * g.sleepy) * bag, 0.7)


def draw_brows(c, g):
    """Brows of the hair's natural colour, darkened."""
    w = c.window(-0.56, 0.56, g.ey - 0.44, g.ey - 0.01)
    s = (np.abs(w.x) - g.ex - BROW_FROM) / BROW_LENGTH
    line, thick = brow_line(g, clip01(s))
    thick = thick * np.sqrt(clip01(s / 0.10 + 0.02))  # a round inner end
    d = np.maximum(np.abs(w.y - line) - thick, np.maximum(-s, s - 1) * BROW_LENGTH)
    alpha = c.cover(d, 3.0) * min(0.94, 0.78 + 0.16 * g.brow) * (0.65 + 0.35 * step(-0.02, 0.25, s))
    tone = 1 + 0.25 * step(0.01, -0.012, w.y - line)
    ink = mix(mix(g.natural_hair, g.hair, 0.35) * np.float32(0.42), rgb(0.03, 0.02, 0.016), 0.35)
    c.over(w, [a * tone for a in ink], alpha, part="brows")
