# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Lengths and places of one face, measured from its factors."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from ppstyleclip.worlds.portrait.colours import choose_colours
from ppstyleclip.worlds.portrait.factors import FACTORS
from ppstyleclip.worlds.portrait.outlines import head_outline
from ppstyleclip.worlds.portrait.smooth import ramp, sat, smin

TURN = 0.27  # sine of the greatest turn of the head, 16 degrees


def measure(f):
    """All lengths, places and colours of one face from its factors (a dict of floats)."""
    g = SimpleNamespace()
    measure_expression(g, f)
    measure_face(g, f)
    measure_features(g, f)
    measure_hair(g, f)
    measure_extras(g, f)
    choose_colours(g, f)
    return g


def measure_expression(g, f):
    """Opposites get a variable each, in [0, 1)."""
    smile, anger, surprise = sat(f["smile"] + 0.45), sat(f["anger"]), sat(f["surprise"])
    g.joy, g.sorrow, g.grin = max(smile, 0.0), max(-smile, 0.0), ramp(0.25, 0.95, smile)
    g.fury, g.mild = max(anger, 0.0), max(-anger, 0.0)
    g.surprise, g.sleepy = max(surprise, 0.0), max(-surprise, 0.0)
    g.open = 1 - (1 - ramp(-0.3, 2.2, f["mouth_open"])) * (1 - 0.48 * g.surprise)
    g.press = ramp(-0.1, 2.2, -f["mouth_open"]) * (1 - g.surprise)


def measure_face(g, f):
    """The head's outline and the body's place."""
    g.fem, g.old, g.young = sat(f["feminine"]), ramp(-0.2, 2.1, f["age"]), ramp(-0.1, 2.1, -f["age"])
    g.masc = max(-g.fem, 0.0)
    width, height = sat(f["face_width"]), sat(f["face_height"])
    g.sx, g.sy = 0.965 * (1 + 0.19 * width), (1 + 0.16 * height) * (1 - 0.03 * g.young)
    g.drop = 0.055 * g.open - 0.012 * g.press - 0.028 * g.young  # of the chin
    g.chin = 0.582 * g.sy + g.drop
    g.body = 0.75 * 0.582 * (g.sy - 1) - 0.01  # a long face reaches down, and the shoulders with it
    g.cy = 0.02  # pole of the outline's polar coordinates
    g.outline = head_outline(g, height)
    angle = np.arctan2(g.outline[:, 0], g.cy - g.outline[:, 1])
    order = np.argsort(angle)
    g.angle, g.radius = angle[order], np.hypot(g.outline[:, 0], g.outline[:, 1] - g.cy)[order]
    g.half_width, g.top = float(g.outline[:, 0].max()), float(g.outline[:, 1].min())
    g.turn = TURN * sat(f["head_turn"], 0.75)


def measure_features(g, f):
    """Eyes, brows, nose and mouth; limited so that they never touch one another."""
    g.ey, g.ex = 0.015, (0.203 + 0.042 * sat(f["eye_distance"])) * g.sx**0.7
    g.es = 1.07 * (1 + 0.28 * sat(f["eye_size"])) * (1 + 0.09 * g.young + 0.06 * g.fem - 0.05 * g.old)
    g.ea = float(smin(0.122 * g.es, min(g.ex - 0.030, g.half_width - 0.025 - g.ex), 0.03))  # half the width
    g.brow = 1.22 * 2.0 ** (1.10 * sat(f["brow_thickness"]))
    g.ns = (1 + 0.50 * sat(f["nose_size"])) * (1 - 0.10 * g.young + 0.10 * g.old - 0.08 * g.fem)
    g.lip = 1.10 * (1 + 0.75 * sat(f["lip_fullness"])) * (1 + 0.12 * g.fem) * g.sy**0.5
    g.ny = 0.195 * g.sy + 0.030 * (g.ns - 1)
    g.my = 0.362 * g.sy + 0.022 * (g.ns - 1) + 0.012 * g.open
    g.bend = (
        0.085 * g.joy * (1 - 0.4 * g.surprise)
        - 0.050 * g.sorrow * (1 - 0.5 * g.open)
        - 0.024 * g.fury * (1 - 0.6 * g.sorrow)
    )
    pull = 1 + 0.33 * g.joy - 0.10 * g.sorrow - 0.22 * g.open * (1 - g.joy) + 0.06 * g.press
    g.mw = 0.181 * pull * (1 - 0.32 * g.surprise * (1 - 0.4 * g.joy)) * g.sx**0.6
    g.gap = (0.140 * g.open + 0.045 * g.grin * (1 - g.open)) * min(g.sy, 1.0)
    g.cheek = 0.165 * g.sy - 0.040 * g.joy


def measure_hair(g, f):
    g.length, g.volume = sat(f["hair_length"]), sat(f["hair_volume"])
    g.hair_end = 0.36 + 0.50 * g.length + 0.34 * max(g.length, 0.0) ** 1.5
    g.cropped = 1 - ramp(-0.85, 0.05, g.length)
    g.curl = ramp(-2.2, 2.3, f["hair_curl"])
    g.wavy, g.curly = ramp(0.0, 0.85, g.curl), ramp(0.54, 0.97, g.curl)
    # One line from swept back through parted and a swept fringe to bangs.
    g.back, g.swept, g.bangs = (ramp(a, b, f["fringe"]) for a, b in ((0.0, -1.7), (-0.4, 0.8), (0.45, 1.6)))
    g.combed = max(g.back, g.bangs)  # how far the strands fan out from above, and not from the parting


def measure_extras(g, f):
    """Glasses and beard: none for about half of the people, then quickly there and ever stronger."""
    v = f["glasses"]
    g.glasses, g.bold = ramp(0.0, 0.45, v), ramp(0.2, 1.7, v)
    g.frame = 0.0070 + 0.0165 * g.bold
    g.shades = 0.94 * ramp(-1.6, 1.9, f["shades"]) ** 2
    g.lens_x = 0.45 * g.ex + 0.55 * 0.207 * g.sx**0.6
    g.lens_rx = float(smin(0.170 * g.sx**0.5, g.lens_x - 0.030, 0.03))
    v = f["beard"]
    g.shadow, g.stubble, g.beard = ramp(-0.2, 0.8, v), ramp(0.15, 1.0, v), ramp(0.2, 2.2, v)
    g.full, g.rosy_chin = ramp(0.55, 1.5, v), ramp(0.0, 1.9, -v)


def measured(factors):
    return measure(dict(zip(FACTORS, (float(v) for v in factors))))
