# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Textures fixed in the picture: strands, folds, freckles, the light on the backdrop."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

import cv2
import numpy as np

from ppstyleclip.worlds.portrait.canvas import Canvas, look_up
from ppstyleclip.worlds.portrait.curls import curl_textures
from ppstyleclip.worlds.portrait.smooth import gauss, mix, step

PART = 0.16  # x of the hair's parting

WAVES = 13  # radians of hair waves per unit of length


def noise(seed, shape, sigma, sigma_y=None):
    n = np.random.RandomState(seed).randn(*shape).astype(np.float32)
    n = cv2.GaussianBlur(n, (0, 0), sigmaX=sigma, sigmaY=sigma_y or sigma, borderType=cv2.BORDER_REFLECT)
    return n / n.std()


@lru_cache(maxsize=4)
def textures(size):
    """Everything that depends on the place in the picture only; [S, S] float32 each."""
    c, t = Canvas(size), SimpleNamespace()
    x, y = c.xs[None], c.ys[:, None]
    strand_textures(t, x, y)
    t.curls, t.lobes, t.swirl, t.cx, t.cy = (
        cv2.resize(a, (size, size), interpolation=cv2.INTER_AREA) for a in curl_textures()
    )
    unit = size / 256
    t.grain = noise(11, (size, size), 1.5 * unit)
    t.beard = noise(13, (size, size), 2.0 * unit, 5.5 * unit)
    spots = np.random.RandomState(17).uniform(-1, 1, (26, 2)) * (0.31, 0.075) + (0, 0.145)
    t.freckles = sum(gauss(x - u, 0.0115) * gauss(y - v, 0.0115) for u, v in spots if abs(u) > 0.05)
    folds = ((0.30, 0.60, 0.035, 1.0), (0.46, 0.75, 0.050, 0.9), (0.66, 0.30, 0.050, 0.9))
    t.folds = sum(a * gauss(np.abs(x) - u + slope * (y - 0.88), s) for u, slope, s, a in folds)
    t.folds = t.folds * step(0.70, 0.85, y)
    t.pool = np.exp(-((x + 0.30) ** 2 + (y + 0.35) ** 2) / 0.9)  # the light on the backdrop
    for name, a in vars(t).items():
        setattr(t, name, np.ascontiguousarray(a, np.float32))
    return t


def strand_textures(t, x, y):
    """Straight strands of two widths ("fine", "locks"), parted and combed, with their directions."""
    # Strands are the level lines of psi: arches round the face from the parting, straight below the temples.
    rise = np.maximum(-y, 0) / 0.80
    away = np.minimum(rise * 1.4, 1)
    bow = (x - PART * away) / mix(0.55, np.where(x < PART, 0.55 + PART, 0.55 - PART), away)
    psi = np.sqrt(bow**2 + rise**2 + 1e-4)
    gy, gx = np.gradient(psi)
    norm = np.sqrt(gx * gx + gy * gy) + 1e-9
    t.tx, t.ty = -gy / norm, gx / norm  # direction of the strands
    run = np.arctan2(np.abs(bow), rise + 1e-3) * 0.62 + np.maximum(y, 0)  # length along a strand
    t.down = bow / np.sqrt(bow**2 + 0.0016)  # turns the direction towards the ends
    t.wave = WAVES * run + 2.0 * psi * np.where(bow < 0, 1, -1) + 0.7 * noise(7, psi.shape, len(psi) * 0.09)
    along = 128 + 60 * (np.arctan2(bow, rise + 0.3) + 0.8 * np.maximum(y, 0))
    # Combed strands fan out from far above the head: for bangs, and for hair that is swept back.
    fan, down = 2.6 * (x - 0.02) / (y + 1.9), 128 + 60 * y + 0 * x
    norm = np.hypot(x - 0.02, y + 1.2)
    t.fx, t.fy = (x - 0.02) / norm, (y + 1.2) / norm
    line = PART + 0.10 * (y + 0.45)
    right_side = step(-0.025, 0.025, x - line)
    calm = 1 - 0.85 * gauss(x - line, 0.035) * step(0.1, -0.2, y)
    t.parting = gauss(x - line, 0.012) * step(-0.25, -0.5, y) * step(-0.72, -0.5, y)
    for name, source, scale in (
        ("fine", noise(3, (256, 2048), 5.5, 36), 330),
        ("locks", noise(5, (256, 2048), 5.2, 44), 80),
    ):
        left, right, combed = (
            look_up((source,), middle + level * scale, mirrored(rows, len(source)))[0]
            for middle, level, rows in ((400, psi, along), (900, psi, along), (1500, 0.5 * fan, down))
        )
        setattr(t, name, mix(left, right, right_side) * calm)
        setattr(t, name + "_combed", combed)


def mirrored(rows, count):
    """Row numbers beyond 0 .. count - 1 mirrored back at the edges."""
    return (count - 1) - np.abs((count - 1) - np.abs(rows))
