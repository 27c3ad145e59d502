# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The hair: its silhouette, and what lies behind and before the head."""

from __future__ import annotations

from math import pi

import numpy as np

from ppstyleclip.worlds.portrait.outlines import hairline
from ppstyleclip.worlds.portrait.shading import Surface
from ppstyleclip.worlds.portrait.smooth import clip01, ellipse, mix, smax, smin, step
from ppstyleclip.worlds.portrait.strands import hair_light, strands


def hair_layer(c, g, t, field):
    """What the hair behind and before the head share: a window h with the measures of every place.

    d is the signed distance to the silhouette, curly how curly it is, lobes the bumps of curls, wave a wave
    along straight strands; `strands` adds fine, locks, tx, ty and streak.
    """
    reach = g.half_width + 0.34
    h = c.window(-reach, reach, -2.0, g.hair_end + 0.20)
    # Curls begin at the ends and climb.
    h.curly = step(0.0, 0.5, g.curly * 1.5 - 1 + step(-0.75, 0.45, h.y))
    h.lobes = t.lobes[h.at] - 0.60
    h.wave = np.sin(t.wave[h.at])
    h.d = silhouette(g, t, h, field)
    vars(h).update(strands(c, g, t, h))
    return h


def silhouette(g, t, h, field):
    """Signed distance to the skull thickened, and to the hair falling beside it."""
    y, end = h.y, g.hair_end
    side = (0.072 + 0.072 * g.volume) * (1 - 0.40 * g.cropped) + 0.045 * g.curly
    side = side * mix(1, step(end, end - 0.45, y), g.cropped)  # cropped hair gets thinner towards its end
    ends = y - end - 0.020 * (t.locks[h.at] - 0.5) * (1 - g.curly)
    cap = smax(cap_distance(g, h, field, side), ends, 0.05)
    d = smin(cap, fall_distance(g, h, side, ends), 0.10 * (1 - g.cropped) + 0.01)
    d = d - 0.022 * g.wavy * (1 - h.curly) * step(-0.45, 0.1, y) * h.wave
    return d - (0.095 + 0.035 * g.curl) * h.curly * h.lobes


def cap_distance(g, h, field, side):
    """Signed distance to the hair on the skull; `side` is how far it stands out."""
    top = 0.118 + 0.080 * g.volume + 0.030 * g.curl + 0.050 * g.back
    top = float(smin(top - g.top, 0.86, 0.05)) + g.top  # stays in the picture
    cap = ellipse(h.x, h.y, -0.01, -0.13, g.half_width + 0.006 + side, -0.13 - g.top + top)
    taper = mix(1, step(g.hair_end, g.hair_end - 0.45, h.y), g.cropped)
    return smin(cap, field.d[h.at] - 0.02 * taper - 0.004, 0.05)


def fall_distance(g, h, side, ends):
    """Signed distance to the hair that falls beside the head: it swings out, then in at its ends."""
    y, end = h.y, g.hair_end
    fall = clip01((y + 0.2) / max(end + 0.2, 0.2))
    swing = (0.035 + 0.04 * g.curly) * np.sin(pi * 0.55 * fall) + 0.02
    turn_in = (0.12 - 0.05 * max(g.length, 0.0)) * step(end - 0.40, end + 0.02, y)
    half = g.half_width + side + mix(swing - turn_in * (1 - 0.5 * g.curly), -0.03, g.cropped)
    return smax(smax(np.abs(h.x) - half, ends, 0.12), -0.20 - y, 0.1)


def draw_back_hair(c, g, h):
    """The hair that is seen behind neck and shoulders, in shadow."""
    alpha = c.cover(h.d + 2.5 * c.px, 1.5)
    c.over(h, [a * 0.26 * h.streak for a in g.hair], alpha, figure=True, part="hair")


def draw_front_hair(c, g, t, h):
    """The hair before the head, and its shadow on the face."""
    y = h.y
    d = smax(h.d, -face_opening(g, h), 0.03 + 0.07 * step(0.0, 0.30, y))
    fade = 6 * g.cropped * step(g.hair_end - 0.18, g.hair_end, y)  # cropped hair fades out
    alpha = c.cover(d, 1.8 + fade / (c.px * 140))
    c.darken(h, 0.52 * c.blur(c.thrown(alpha, 0.012, 0.035), 0.022) * c.figure[h.at], 0.80)
    # Height: a dome, rounded at all its edges, with locks or curls on it.
    z = 0.45 * np.sqrt(np.clip(1 - (h.x / 0.75) ** 2 - ((np.minimum(y, 0.1) - 0.1) / 1.05) ** 2, 0, 1))
    z = z + 0.16 * np.sqrt(1.0001 - (1 - clip01(-d / 0.16)) ** 2)
    z = z + (0.0130 * h.locks + 0.0024 * h.fine) * (1 - 0.85 * h.curly) + 0.105 * h.curly * t.curls[h.at]
    coloured, plain = hair_light(h, Surface(c, z))
    c.over(h, [a * coloured + plain for a in g.hair], alpha, part="hair")


def face_opening(g, h):
    """Signed distance to the opening in the hair: under the hairline, between the locks on the cheeks."""
    x, y, end = h.x, h.y, g.hair_end
    inner = g.half_width - 0.035 - 0.015 * g.swept + 0.02 * g.back - 0.14 * step(0.15, 0.65, y)
    inner = inner + 0.07 * g.cropped * step(-0.30, 0.10, y)
    inner = inner - 0.060 * (1 - g.cropped) * step(end - 0.30, end + 0.02, y)  # ends turn in
    opening = smax(np.abs(x) - inner, hairline(g, x) - y, 0.16 - 0.06 * g.bangs + 0.10 * g.back)
    return opening + 0.006 * h.locks * (1 - g.curly) + 0.06 * g.curly * h.lobes
