# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Backdrop, neck, sweater and ears."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.shading import CLOTH_WRAP, SKIN_WRAP, light_clay
from ppstyleclip.worlds.portrait.smooth import bump, clip01, ellipse, gauss, ramp, rgb, smax, smin, step

EARS_BACK = 0.15  # how far the ears sit behind the axis of the head's turn


def draw_background(c, g, t):
    """A backdrop with a pool of light."""
    lit, dim = np.minimum(g.backdrop * 1.35, 1.0), g.backdrop * 0.55
    for k in range(3):
        c.image[k] = dim[k] + (lit[k] - dim[k]) * t.pool


def draw_body(c, g, t):
    """Neck and sweater."""
    w = c.window(y0=0.30)
    w.y = w.y - g.body  # the body moves up and down as one
    neck = 0.203 - 0.056 * g.fem
    draw_sweater(c, g, t, w, neck, draw_neck(c, g, w, neck))


def draw_neck(c, g, w, neck):
    """The neck, half of it `neck` wide, in the head's shadow; returns what it covers."""
    ax, y = np.abs(w.x), w.y
    flare = neck + 0.30 * step(0.50, 1.0, y) ** 2
    z = 0.34 * np.sqrt(np.maximum(1.04 - (ax / flare) ** 2, 0))
    alpha = c.cover(ax - flare)
    c.over(w, light_clay(c, z, g.skin, SKIN_WRAP, sheen=0.03, rim=0.3), alpha, figure=True, part="skin")
    head = ellipse(w.x, y, 0.05, g.chin - g.body - 0.36, g.half_width * 0.92, 0.47)  # its shadow
    c.darken(w, 0.62 * alpha * step(0.06, -0.16, head), 0.85)
    return alpha


def draw_sweater(c, g, t, w, neck, under):
    """A sweater with a ribbed collar and raglan sleeves; `under` is what the neck covers."""
    x, y, ax = w.x, w.y, np.abs(w.x)
    shoulder = 0.655 + (0.27 + 0.06 * g.fem) * ax**1.6 + 0.9 * np.maximum(ax - 0.62 + 0.05 * g.fem, 0) ** 2
    hole = ellipse(x, y, 0, 0.640, neck + 0.050, 0.150)
    collar = np.abs(hole - 0.035) - 0.032
    d = smin(smax(shoulder - y, -hole, 0.01), smax(collar, shoulder - 0.012 - y, 0.02), 0.01)
    z = 0.40 * np.sqrt(np.clip(1 - (ax / 1.15) ** 2, 0, 1))
    z = z + 0.22 * np.sqrt(1.0001 - (1 - clip01((y - shoulder) / 0.25)) ** 2)
    z = z + 0.030 * t.folds[w.at] - 0.03 * gauss(np.maximum(hole - 0.067, 0), 0.03)
    z = z - 0.006 * gauss(ax - 0.29 - 0.75 * (y - 0.74), 0.008) * step(0.0, 0.03, hole - 0.067)  # seams
    roll = 0.03 * np.sqrt(np.clip(1 - ((hole - 0.035) / 0.034) ** 2, 0, 1))
    z = z + c.cover(collar, 2) * (roll + 0.0020 * np.cos(np.arctan2(y - 0.56, x) * 44))
    colour = light_clay(c, z, g.clothes, CLOTH_WRAP, rim=0.45) * (1 + 0.02 * t.grain[w.at])
    c.darken(w, 0.35 * under * gauss(np.maximum(d, 0), 0.03))
    alpha = c.cover(d)
    c.over(w, colour, alpha, figure=True, part="clothes")
    head = ellipse(x, y, 0.06, g.chin - g.body - 0.20, g.half_width, 0.40)  # its shadow
    c.darken(w, 0.40 * alpha * step(0.10, -0.12, head))


def draw_ears(c, g):
    """Ears, with pearls on feminine faces."""
    cx = g.half_width + 0.005
    w = c.window(-cx - 0.10, cx + 0.10, -0.10, 0.24)
    x = w.x + EARS_BACK * g.turn  # against the turn: the ears sit behind its axis
    ax, y = np.abs(x), w.y
    d = ellipse(ax, y, cx, 0.050, 0.052, 0.105 * (1 + 0.14 * g.old))
    z = 0.10 * np.sqrt(np.maximum(-d / 0.058, 0)) - 0.035 * bump(ax, y, cx + 0.008, 0.04, 0.022, 0.05)
    alpha = c.cover(d)
    clay = light_clay(c, z, g.skin * rgb(1.0, 0.86, 0.82), SKIN_WRAP, rim=0.25)
    c.over(w, clay, alpha, figure=True, part="skin")
    c.darken(w, 0.35 * alpha * bump(ax, y, cx + 0.002, 0.05, 0.02, 0.05), 0.8)
    # Pearls.
    ex, ey = cx + 0.008, 0.165
    pearl = np.sqrt((ax - ex) ** 2 + (y - ey) ** 2) - 0.019
    glow = 0.55 + 0.45 * gauss(x - np.sign(x) * ex + 0.006, 0.0085) * gauss(y - ey + 0.007, 0.0085)
    c.over(w, [glow, glow * 0.90, glow * 0.74], c.cover(pearl) * ramp(0.2, 0.75, g.fem))
