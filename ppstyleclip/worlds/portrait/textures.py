# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Textures fixed in the picture: strands, curls, folds, freckles, the light on the backdrop."""

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


@lru_cache(maxsize=4)
def textures(size: int) -> SimpleNamespace:
    """Everything that depends on the place in the picture only; `[S, S]` float32 each."""
    c = Canvas(size)
    x, y = c.xs[None], c.ys[:, None]
    found = {
        **strand_lines(x, y),
        **combed_lines(x, y),
        **strand_noises(x, y),
        **curls(size),
        **skin_and_cloth(size),
    }
    found["folds"] = folds(x, y)
    found["pool"] = np.exp(-((x + 0.30) ** 2 + (y + 0.35) ** 2) / 0.9)  # the light on the backdrop
    found["freckles"] = freckles(x, y)
    return SimpleNamespace(**{name: np.ascontiguousarray(a, np.float32) for name, a in found.items()})


def noise(seed, shape, sigma, sigma_y=None):
    """Smooth noise of unit variance."""
    n = np.random.RandomState(seed).randn(*shape).astype(np.float32)
    n = cv2.GaussianBlur(n, (0, 0), sigmaX=sigma, sigmaY=sigma_y or sigma, borderType=cv2.BORDER_REFLECT)
    return n / n.std()


def arches(x, y):
    """(rise, bow, psi) of parted strands, the level lines of psi: arches from the parting round the face."""
    rise = np.maximum(-y, 0) / 0.80
    away = np.minimum(rise * 1.4, 1)
    bow = (x - PART * away) / mix(0.55, np.where(x < PART, 0.55 + PART, 0.55 - PART), away)
    return rise, bow, np.sqrt(bow**2 + rise**2 + 1e-4)


def strand_lines(x, y):
    """Direction of parted strands (tx, ty; times `down` it points to their ends), and waves along them."""
    rise, bow, psi = arches(x, y)
    gy, gx = np.gradient(psi)
    norm = np.sqrt(gx * gx + gy * gy) + 1e-9
    run = np.arctan2(np.abs(bow), rise + 1e-3) * 0.62 + np.maximum(y, 0)  # length along a strand
    wave = WAVES * run + 2.0 * psi * np.where(bow < 0, 1, -1) + 0.7 * noise(7, psi.shape, len(psi) * 0.09)
    return dict(tx=-gy / norm, ty=gx / norm, down=bow / np.sqrt(bow**2 + 0.0016), wave=wave)


def combed_lines(x, y):
    """Direction of combed strands, which fan out from far above the head: bangs, and hair swept back."""
    norm = np.hypot(x - 0.02, y + 1.2)
    return dict(fx=(x - 0.02) / norm, fy=(y + 1.2) / norm)


def strand_noises(x, y):
    """Noise along strands of two widths, parted ("fine", "locks") and combed; and the parting."""
    rise, bow, psi = arches(x, y)
    along = 128 + 60 * (np.arctan2(bow, rise + 0.3) + 0.8 * np.maximum(y, 0))
    fan, down = 2.6 * (x - 0.02) / (y + 1.9), 128 + 60 * y + 0 * x
    line = PART + 0.10 * (y + 0.45)
    right_side = step(-0.025, 0.025, x - line)
    calm = 1 - 0.85 * gauss(x - line, 0.035) * step(0.1, -0.2, y)
    found = dict(parting=gauss(x - line, 0.012) * step(-0.25, -0.5, y) * step(-0.72, -0.5, y))
    for name, source, scale in (
        ("fine", noise(3, (256, 2048), 5.5, 36), 330),
        ("locks", noise(5, (256, 2048), 5.2, 44), 80),
    ):
        left, right, combed = (
            look_up((source,), middle + level * scale, mirrored(rows, len(source)))[0]
            for middle, level, rows in ((400, psi, along), (900, psi, along), (1500, 0.5 * fan, down))
        )
        found[name], found[name + "_combed"] = (mix(left, right, right_side) * calm, combed)
    return found


def mirrored(rows, count):
    """Row numbers beyond 0 .. count - 1 mirrored back at the edges."""
    return (count - 1) - np.abs((count - 1) - np.abs(rows))


def curls(size):
    """The pile of curls at the picture's size."""
    names = ("curls", "lobes", "swirl", "cx", "cy")
    return {
        name: cv2.resize(a, (size, size), interpolation=cv2.INTER_AREA)
        for name, a in zip(names, curl_textures())
    }


def skin_and_cloth(size):
    """Noise of fine grain, and of the hairs of a beard."""
    unit = size / 256
    return dict(
        grain=noise(11, (size, size), 1.5 * unit), beard=noise(13, (size, size), 2.0 * unit, 5.5 * unit)
    )


def freckles(x, y):
    """Freckles beside the nose."""
    spots = np.random.RandomState(17).uniform(-1, 1, (26, 2)) * (0.31, 0.075) + (0, 0.145)
    return sum(gauss(x - u, 0.0115) * gauss(y - v, 0.0115) for u, v in spots if abs(u) > 0.05)


def folds(x, y):
    """Folds of the sweater, steeper towards the arms."""
    lines = ((0.30, 0.60, 0.035, 1.0), (0.46, 0.75, 0.050, 0.9), (0.66, 0.30, 0.050, 0.9))
    found = sum(a * gauss(np.abs(x) - u + slope * (y - 0.88), s) for u, slope, s, a in lines)
    return found * step(0.70, 0.85, y)
