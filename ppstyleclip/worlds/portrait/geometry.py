# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Measures of one face: every length, place, strength and colour that its factors ask for.

`measure` gathers them in one namespace, called g wherever a part is drawn. Coordinates: x to the right, y
down; the picture shows x from -0.86 to 0.86 and y from -0.90 to 0.82, and the eyes lie near y = 0.

    joy, sorrow, grin, fury, mild, surprise, sleepy, open, press: the expression, each in [0, 1)
    fem, masc, old, young: gender in (-1, 1) and its negative part, age
    sx, sy, chin, body, outline, half_width, top, turn: the head; body moves neck and shoulders down
    ex, ey, es, ea: middle of the right eye, its size, half its width
    ny, ns: tip and size of the nose
    my, mw, gap, bend, lip: middle, half width, opening and curve of the mouth, thickness of the lips
    brow, cheek: thickness of the brows, height of the cheeks
    length, volume, curl, wavy, curly, cropped, hair_end, back, swept, bangs, combed: the hair
    glasses, bold, frame, lens_x, lens_rx, shades: how much of glasses, how bold; half the frame's width
    shadow, stubble, beard, full, rosy_chin: stages of a beard
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.colours import colours
from ppstyleclip.worlds.portrait.factors import FACTORS, NUM_FACTORS
from ppstyleclip.worlds.portrait.outlines import head_outline
from ppstyleclip.worlds.portrait.smooth import ramp, sat, smin

TURN = 0.27  # sine of the greatest turn of the head, 16 degrees
POLE = 0.02  # y of the pole of the outline's polar coordinates


def measure(factors) -> SimpleNamespace:
    """All measures of one face.

    Args:
        factors: `[NUM_FACTORS]` floats in FACTORS' order.
    Raises:
        UserError: not as many factors as there are, or one that is not finite.
    """
    values = np.asarray(factors, np.float64)
    if values.shape != (NUM_FACTORS,) or not np.isfinite(values).all():
        raise UserError(f"factors must be {NUM_FACTORS} finite numbers, got an array of shape {values.shape}")
    f = dict(zip(FACTORS, values.tolist()))
    g = SimpleNamespace()
    for part in (expression, kind, head, eyes_and_nose, mouth, hair, glasses, beard, colours):
        vars(g).update(part(g, f))
    return g


def expression(_, f):
    """Strengths of the expression; opposites have a variable each, in [0, 1)."""
    smile, anger, surprise = sat(f["smile"] + 0.45), sat(f["anger"]), sat(f["surprise"])
    wide = max(surprise, 0.0)
    return dict(
        joy=max(smile, 0.0),
        sorrow=max(-smile, 0.0),
        grin=ramp(0.25, 0.95, smile),
        fury=max(anger, 0.0),
        mild=max(-anger, 0.0),
        surprise=wide,
        sleepy=max(-surprise, 0.0),
        open=1 - (1 - ramp(-0.3, 2.2, f["mouth_open"])) * (1 - 0.48 * wide),
        press=ramp(-0.1, 2.2, -f["mouth_open"]) * (1 - wide),
    )


def kind(_, f):
    """Gender and age."""
    fem = sat(f["feminine"])
    old, young = ramp(-0.2, 2.1, f["age"]), ramp(-0.1, 2.1, -f["age"])
    return dict(fem=fem, masc=max(-fem, 0.0), old=old, young=young)


def head(g, f):
    """The head's outline, also in polar coordinates, its turn, and the body's place."""
    width, height = sat(f["face_width"]), sat(f["face_height"])
    sx, sy = 0.965 * (1 + 0.19 * width), (1 + 0.16 * height) * (1 - 0.03 * g.young)
    drop = 0.055 * g.open - 0.012 * g.press - 0.028 * g.young  # of the chin
    outline = head_outline(g, sx, sy, drop, height)
    angle = np.arctan2(outline[:, 0], POLE - outline[:, 1])
    order = np.argsort(angle)
    return dict(
        sx=sx,
        sy=sy,
        chin=0.582 * sy + drop,
        body=0.75 * 0.582 * (sy - 1) - 0.01,  # a long face reaches down, and the shoulders with it
        outline=outline,
        angle=angle[order],
        radius=np.hypot(outline[:, 0], outline[:, 1] - POLE)[order],
        half_width=float(outline[:, 0].max()),
        top=float(outline[:, 1].min()),
        turn=TURN * sat(f["head_turn"], 0.75),
    )


def eyes_and_nose(g, f):
    """Places and sizes of eyes, brows and nose; limited so that they never touch one another."""
    ex = (0.203 + 0.042 * sat(f["eye_distance"])) * g.sx**0.7
    es = 1.07 * (1 + 0.28 * sat(f["eye_size"])) * (1 + 0.09 * g.young + 0.06 * g.fem - 0.05 * g.old)
    ns = (1 + 0.50 * sat(f["nose_size"])) * (1 - 0.10 * g.young + 0.10 * g.old - 0.08 * g.fem)
    return dict(
        ex=ex,
        ey=0.015,
        es=es,
        ea=float(smin(0.122 * es, min(ex - 0.030, g.half_width - 0.025 - ex), 0.03)),
        brow=1.22 * 2.0 ** (1.10 * sat(f["brow_thickness"])),
        ns=ns,
        ny=0.195 * g.sy + 0.030 * (ns - 1),
        cheek=0.165 * g.sy - 0.040 * g.joy,
    )


def mouth(g, f):
    """Place, width, opening and curve of the mouth, and the lips' thickness."""
    bend = (
        0.085 * g.joy * (1 - 0.4 * g.surprise)
        - 0.050 * g.sorrow * (1 - 0.5 * g.open)
        - 0.024 * g.fury * (1 - 0.6 * g.sorrow)
    )
    pull = 1 + 0.33 * g.joy - 0.10 * g.sorrow - 0.22 * g.open * (1 - g.joy) + 0.06 * g.press
    return dict(
        lip=1.10 * (1 + 0.75 * sat(f["lip_fullness"])) * (1 + 0.12 * g.fem) * g.sy**0.5,
        my=0.362 * g.sy + 0.022 * (g.ns - 1) + 0.012 * g.open,
        bend=bend,
        mw=0.181 * pull * (1 - 0.32 * g.surprise * (1 - 0.4 * g.joy)) * g.sx**0.6,
        gap=(0.140 * g.open + 0.045 * g.grin * (1 - g.open)) * min(g.sy, 1.0),
    )


def hair(_, f):
    """Length, volume, curls and fringe of the hair."""
    length, curl = sat(f["hair_length"]), ramp(-2.2, 2.3, f["hair_curl"])
    # One line from swept back through parted and a swept fringe to bangs.
    back, swept, bangs = (ramp(a, b, f["fringe"]) for a, b in ((0.0, -1.7), (-0.4, 0.8), (0.45, 1.6)))
    return dict(
        length=length,
        volume=sat(f["hair_volume"]),
        hair_end=0.36 + 0.50 * length + 0.34 * max(length, 0.0) ** 1.5,
        cropped=1 - ramp(-0.85, 0.05, length),
        curl=curl,
        wavy=ramp(0.0, 0.85, curl),
        curly=ramp(0.54, 0.97, curl),
        back=back,
        swept=swept,
        bangs=bangs,
        combed=max(back, bangs),  # how far the strands fan out from above, and not from the parting
    )


def glasses(g, f):
    """None for about half of the people, then quickly there and ever bolder."""
    v = f["glasses"]
    bold, lens_x = ramp(0.2, 1.7, v), 0.45 * g.ex + 0.55 * 0.207 * g.sx**0.6
    return dict(
        glasses=ramp(0.0, 0.45, v),
        bold=bold,
        frame=0.0070 + 0.0165 * bold,
        shades=0.94 * ramp(-1.6, 1.9, f["shades"]) ** 2,
        lens_x=lens_x,
        lens_rx=float(smin(0.170 * g.sx**0.5, lens_x - 0.030, 0.03)),
    )


def beard(_, f):
    """None for about half of the people, then a shadow, stubble, a beard; a rosy chin is the opposite."""
    v = f["beard"]
    return dict(
        shadow=ramp(-0.2, 0.8, v),
        stubble=ramp(0.15, 1.0, v),
        beard=ramp(0.2, 2.2, v),
        full=ramp(0.55, 1.5, v),
        rosy_chin=ramp(0.0, 1.9, -v),
    )
