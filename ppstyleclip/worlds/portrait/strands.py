# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The strands of the hair: straight, waved, combed, curled; and the light on them."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.canvas import LEFT, TOP, look_up
from ppstyleclip.worlds.portrait.shading import HALF
from ppstyleclip.worlds.portrait.smooth import clip01, gauss, mix, power, step
from ppstyleclip.worlds.portrait.textures import PART, WAVES


def strands(c, g, t, h):
    """Noise along the strands (fine, locks), their direction (tx, ty), and how bright they are (streak)."""
    at, x, y = h.at, h.x, h.y
    # Waves bend the strands across themselves.
    amp, tx, ty = 0.040 * g.wavy * step(-0.75, 0.05, y), t.tx[at], t.ty[at]
    columns = (x - LEFT + amp * h.wave * ty) * (1 / c.px) - 0.5
    rows = (y - TOP - amp * h.wave * tx) * (1 / c.px) - 0.5
    combing = (t.fine_combed, t.locks_combed) if g.combed > 0 else ()
    fine, locks, *combed = look_up((t.fine, t.locks, *combing), columns, rows)
    bend = WAVES * amp * np.cos(t.wave[at]) * np.sign(x - PART)
    tx, ty = (tx - bend * ty) * t.down[at], (ty + bend * tx) * t.down[at]
    parting = t.parting[at] * (1 - h.curly)
    if g.combed > 0:
        share = combed_share(g, h)
        fine, locks = mix_noises((fine, locks), combed, share)
        tx, ty = mix(tx, t.fx[at], share), mix(ty, t.fy[at], share)
        parting = (1 - share) * parting
    streak = 1 + 0.07 * fine + 0.08 * locks - 0.35 * parting
    # Curls replace them where it is curly.
    if g.curly > 0:
        fine = mix(fine, 1.5 * t.swirl[at], h.curly)
        tx, ty = mix(tx, t.cx[at], h.curly), mix(ty, t.cy[at], h.curly)
        streak = mix(streak, (1 + 0.15 * fine) * (1 - clip01(0.82 - t.curls[at])), h.curly)
    smooth = min(0.65 * float(g.hair.mean()), 0.5)  # fair hair is smoother
    return dict(fine=fine, locks=locks, tx=tx, ty=ty, streak=np.clip(mix(streak, 1.0, smooth), 0.4, 1.8))


def combed_share(g, h):
    """How far strands are combed straight down or back: over the forehead, and from there upwards."""
    edge = 0.10 - 1.15 * g.combed
    return step(0.50, 0.32, np.abs(h.x)) * step(0.0, -0.16, h.y) * step(edge - 0.18, edge + 0.18, h.y)


def mix_noises(parted, combed, share):
    """Noises of parted strands mixed with those of combed ones; mixing two noises must not fade them much."""
    keep = np.sqrt(np.sqrt(share * share + (1 - share) ** 2))
    return [mix(a, b, share) / keep for a, b in zip(parted, combed)]


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
