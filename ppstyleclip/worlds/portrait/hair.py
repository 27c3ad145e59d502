# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The hair: its silhouette, its strands, and what lies behind and before the head."""

from __future__ import annotations

from math import pi

import numpy as np

from ppstyleclip.worlds.portrait.canvas import LEFT, TOP, look_up
from ppstyleclip.worlds.portrait.outlines import hairline
from ppstyleclip.worlds.portrait.shading import HALF, Surface
from ppstyleclip.worlds.portrait.smooth import clip01, ellipse, gauss, mix, power, smax, smin, step
from ppstyleclip.worlds.portrait.textures import PART, WAVES


def hair_layer(c, g, t):
    """The parts shared by the hair behind and before the head: silhouette, curliness, strands."""
    reach = g.half_width + 0.34
    h = c.window(-reach, reach, -2.0, g.hair_end + 0.20)
    # Curls begin at the ends and climb.
    h.curly = step(0.0, 0.5, g.curly * 1.5 - 1 + step(-0.75, 0.45, h.y))
    h.lobes = t.lobes[h.at] - 0.60
    h.wave = np.sin(t.wave[h.at])
    hair_silhouette(g, t, h)
    hair_strands(c, g, t, h)
    return h


def hair_silhouette(g, t, h):
    """h.d: signed distance to the skull thickened, and to the hair falling beside it."""
    at, x, y, end = h.at, h.x, h.y, g.hair_end
    top = 0.118 + 0.080 * g.volume + 0.030 * g.curl + 0.050 * g.back
    side = (0.072 + 0.072 * g.volume) * (1 - 0.40 * g.cropped) + 0.045 * g.curly
    top = float(smin(top - g.top, 0.86, 0.05)) + g.top  # stays in the picture
    taper = mix(1, step(end, end - 0.45, y), g.cropped)  # cropped hair gets thinner towards its end
    cap = ellipse(x, y, -0.01, -0.13, g.half_width + 0.006 + side * taper, -0.13 - g.top + top)
    cap = smin(cap, g.d[at] - 0.02 * taper - 0.004, 0.05)
    ends = y - end - 0.020 * (t.locks[at] - 0.5) * (1 - g.curly)
    fall = clip01((y + 0.2) / max(end + 0.2, 0.2))
    swing = (0.035 + 0.04 * g.curly) * np.sin(pi * 0.55 * fall) + 0.02
    swing = swing - (0.12 - 0.05 * max(g.length, 0.0)) * step(end - 0.40, end + 0.02, y) * (1 - 0.5 * g.curly)
    half = g.half_width + side * taper + mix(swing, -0.03, g.cropped)
    column = smax(smax(np.abs(x) - half, ends, 0.12), -0.20 - y, 0.1)
    d = smin(smax(cap, ends, 0.05), column, 0.10 * (1 - g.cropped) + 0.01)
    d = d - 0.022 * g.wavy * (1 - h.curly) * step(-0.45, 0.1, y) * h.wave
    h.d = d - (0.095 + 0.035 * g.curl) * h.curly * h.lobes


def hair_strands(c, g, t, h):
    """h.fine, h.locks: noise along the strands; h.tx, h.ty: their direction; h.streak: how bright they are."""
    at, x, y = h.at, h.x, h.y
    # Waves bend the strands across themselves.
    amp, tx, ty = 0.040 * g.wavy * step(-0.75, 0.05, y), t.tx[at], t.ty[at]
    columns = (x - LEFT + amp * h.wave * ty) * (1 / c.px) - 0.5
    rows = (y - TOP - amp * h.wave * tx) * (1 / c.px) - 0.5
    h.fine, h.locks = look_up((t.fine, t.locks), columns, rows)
    bend = WAVES * amp * np.cos(t.wave[at]) * np.sign(x - PART)
    h.tx, h.ty = (tx - bend * ty) * t.down[at], (ty + bend * tx) * t.down[at]
    parting = t.parting[at] * (1 - h.curly)
    if g.combed > 0:
        parting = comb(g, t, h, columns, rows) * parting
    h.streak = 1 + 0.07 * h.fine + 0.08 * h.locks - 0.35 * parting
    # Swirls replace them where it is curly.
    if g.curly > 0:
        h.fine = mix(h.fine, 1.5 * t.swirl[at], h.curly)
        h.tx, h.ty = mix(h.tx, t.cx[at], h.curly), mix(h.ty, t.cy[at], h.curly)
        curls = (1 + 0.15 * h.fine) * (1 - 1.00 * clip01(0.82 - t.curls[at]))
        h.streak = mix(h.streak, curls, h.curly)
    smooth = min(0.65 * float(g.hair.mean()), 0.5)  # fair hair is smoother
    h.streak = np.clip(mix(h.streak, 1.0, smooth), 0.4, 1.8)


def comb(g, t, h, columns, rows):
    """Turn the strands over the forehead into combed ones; returns how much of the others is left."""
    # The combed part begins at the forehead and climbs.
    edge = 0.10 - 1.15 * g.combed
    share = step(0.50, 0.32, np.abs(h.x)) * step(0.0, -0.16, h.y) * step(edge - 0.18, edge + 0.18, h.y)
    keep = np.sqrt(np.sqrt(share * share + (1 - share) ** 2))  # mixing two noises must not fade them much
    found = look_up((t.fine_combed, t.locks_combed), columns, rows)
    for name, combed in zip(("fine", "locks"), found):
        setattr(h, name, mix(getattr(h, name), combed, share) / keep)
    h.tx, h.ty = mix(h.tx, t.fx[h.at], share), mix(h.ty, t.fy[h.at], share)
    return 1 - share


def draw_back_hair(c, g, h):
    alpha = c.cover(h.d + 2.5 * c.px, 1.5)
    c.over(h, [a * 0.26 * h.streak for a in g.hair], alpha, figure=True, part="hair")


def draw_front_hair(c, g, t, h):
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
    """Signed distance to the opening in the hair: under the hairline, then between the locks on the cheeks."""
    x, y, end = h.x, h.y, g.hair_end
    inner = g.half_width - 0.035 - 0.015 * g.swept + 0.02 * g.back - 0.14 * step(0.15, 0.65, y)
    inner = inner + 0.07 * g.cropped * step(-0.30, 0.10, y)
    inner = inner - 0.060 * (1 - g.cropped) * step(end - 0.30, end + 0.02, y)  # ends turn in
    opening = smax(np.abs(x) - inner, hairline(g, x) - y, 0.16 - 0.06 * g.bangs + 0.10 * g.back)
    return opening + 0.006 * h.locks * (1 - g.curly) + 0.06 * g.curly * h.lobes


def hair_light(h, s):
    """Light that takes the hair's colour, and light that keeps the lamp's."""
    # Highlights run across the strands (Kajiya-Kay): bright where those are square to the half vector.
    tz = h.tx * s.zx + h.ty * s.zy
    along = (h.tx * HALF[0] + h.ty * HALF[1] + tz * HALF[2]) / np.sqrt(h.tx**2 + h.ty**2 + tz**2 + 1e-3)
    along = along + 0.03 * h.fine + 0.03 * h.locks
    ring = power(clip01(1 - along * along), 4) * (0.3 + 0.7 * s.half * s.half)
    ring = ring * (0.8 + 0.2 * h.fine) * (0.75 - 0.51 * h.curly)
    soft = power(clip01(1 - (along + 0.15) ** 2), 2) * s.half * 0.25
    key = clip01((s.key + 0.25) * 0.8)
    diffuse = (1.10 * key * key + 0.30 * s.fill + 0.22) * h.streak
    rim = s.edge * gauss(h.d, 0.07)
    plain = 0.085 * ring + h.curly * (0.03 * soft + 0.05 * power(s.half, 3)) + 0.12 * rim
    return diffuse + soft + 0.68 * ring + 0.55 * rim, plain
