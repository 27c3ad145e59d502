# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Where the parts of a drawn face are: what the renderer paints and the landmarks mark.

Coordinates are fractions of the picture's side, y downwards; `side` is -1 for the left of the picture, 1 for
the right.
"""

from __future__ import annotations

import numpy as np

CX, CY = 0.5, 0.50  # centre of the face
EYE_Y = CY - 0.03
NOSE_Y = CY + 0.070
MOUTH_Y = CY + 0.185


def ramp(f, low, high):
    """0 below `low`, 1 above `high`, linear between."""
    return min(max((f - low) / (high - low), 0.0), 1.0)


def head_axes(face_width, face_height):
    """(half width, half height) of the face's ellipse."""
    return 0.262 + 0.040 * np.tanh(face_width * 0.7), 0.318 + 0.042 * np.tanh(face_height * 0.7)


def eye_place(eye_size, eye_distance):
    """(size of an eye, its distance from the middle of the face)."""
    return 0.047 + 0.017 * np.tanh(eye_size * 0.7), 0.116 + 0.028 * np.tanh(eye_distance * 0.7)


def eye_axes(size, anger):
    """(half width, half height) of the white of an eye."""
    return size * 1.3, size * (0.92 - 0.26 * ramp(anger, -0.8, 1.9))


def brow_line(side, size, distance, anger):
    """Three points of a brow, from the nose outwards."""
    calm, slant = ramp(-anger, -0.2, 2.0), ramp(anger, -0.8, 1.9)
    x, brow = CX + side * distance, EYE_Y - size - 0.042 - 0.030 * calm + 0.022 * slant
    inner, outer = 0.040 * slant, -0.022 * slant + 0.012 * calm
    return [(x - side * 0.062, brow + inner), (x, brow - 0.012 * calm), (x + side * 0.066, brow + outer)]


def nose_size(nose):
    return 0.032 + 0.020 * np.tanh(nose * 0.7)


def mouth_gap(mouth_open):
    """How far the mouth is open."""
    return 0.085 * ramp(mouth_open, -1.0, 2.2)


def mouth_curves(x, smile, mouth_open, feminine):
    """The four edges of the lips at places `x` in [-1, 1] from the left corner to the right one.

    Returns:
        (outer upper, outer lower, inner upper, inner lower), each `[len(x), 2]`.
    """
    bend, gap = 0.052 * np.tanh(smile * 0.75), mouth_gap(mouth_open)
    arch = 1 - x**2
    middle = MOUTH_Y - bend + bend * 2 * arch - gap * 0.3
    lips = 0.010 + 0.014 * ramp(feminine, -2.0, 2.0)
    top = np.stack([CX + 0.108 * x, middle - lips * (0.35 + 0.65 * arch)], 1)
    low = np.stack([CX + 0.108 * x, middle + (lips + gap) * (0.25 + 0.75 * arch)], 1)
    inner_top = np.stack([CX + 0.084 * x, middle + 0 * x], 1)
    inner_low = np.stack([CX + 0.084 * x, middle + gap * arch], 1)
    return top, low, inner_top, inner_low
