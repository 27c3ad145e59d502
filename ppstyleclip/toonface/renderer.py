# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw a portrait from independent Gaussian factors; face_shape says where its parts are.

Every factor is continuous and drawn over its whole range, so that a generator can learn it and a
judge can read it back: glasses go from none over thin wire to thick dark frames, a beard from
none over stubble to full, brows from high and calm to low and slanted.
"""

from __future__ import annotations

from functools import lru_cache
from math import erf, sqrt

import cv2
import numpy as np

from ppstyleclip.toonface.face_shape import (
    CX,
    CY,
    EYE_Y,
    NOSE_Y,
    brow_line,
    eye_axes,
    eye_place,
    head_axes,
    mouth_curves,
    mouth_gap,
    nose_size,
    ramp,
)

FACTORS = (
    "background_hue",
    "background_light",
    "clothes",
    "skin",
    "hair_light",
    "hair_tone",
    "hair_length",
    "curl",
    "smile",
    "anger",
    "mouth_open",
    "glasses",
    "beard",
    "feminine",
    "age",
    "face_width",
    "face_height",
    "eye_size",
    "eye_distance",
    "nose",
)
INDEX = {name: i for i, name in enumerate(FACTORS)}
NUM_FACTORS = len(FACTORS)

EYE_SHADOW = (150, 96, 190)

SHIFT = 4  # sub-pixel bits of OpenCV's drawing calls
LOBE = 0.125  # length of a curl, as a fraction of the picture's side
RINGLET_SHINE, RINGLET_SHADE = 68, 27  # 8-bit levels


def uniform(f):
    """Normal cumulative distribution: a factor to (0, 1)."""
    return 0.5 * (1 + erf(f / sqrt(2)))


def mix(a, b, t):
    return np.asarray(a, np.float32) * (1 - t) + np.asarray(b, np.float32) * t


class Canvas:
    """A float RGB picture with antialiased, alpha-blended shapes in fractional coordinates."""

    def __init__(self, side):
        self.side = side
        self.image = np.zeros((side, side, 3), np.float32)
        self.mask = np.zeros((side, side), np.uint8)

    def point(self, x, y):
        return int(round(x * self.side * 16)), int(round(y * self.side * 16))

    def points(self, xy):
        return np.round(np.asarray(xy) * self.side * 16).astype(np.int32)

    def ellipse(self, center, axes, angle=0, start=0, end=360, width=None):
        thickness = -1 if width is None else max(1, int(round(width * self.side)))
        cv2.ellipse(
            self.mask,
            self.point(*center),
            self.point(*axes),
            angle,
            start,
            end,
            255,
            thickness,
            cv2.LINE_AA,
            SHIFT,
        )

    def polygon(self, xy):
        cv2.fillPoly(self.mask, [self.points(xy)], 255, cv2.LINE_AA, SHIFT)

    def polyline(self, xy, width):
        cv2.polylines(
            self.mask,
            [self.points(xy)],
            False,
            255,
            max(1, int(round(width * self.side))),
            cv2.LINE_AA,
            SHIFT,
        )

    def paint(self, color, alpha=1.0):
        """Blend `color` through the mask drawn so far, then clear the mask."""
        x, y, w, h = cv2.boundingRect(self.mask)
        if w and h and alpha > 0:
            box = np.s_[y : y + h, x : x + w]
            m = self.mask[box].astype(np.float32)[..., None] * (alpha / 255)
            self.image[box] += m * (np.asarray(color, np.float32) - self.image[box])
        self.mask[:] = 0


def hair_color(light, tone):
    """Black over brown to gold by `light`; towards grey for low `tone`, towards red for high `tone`."""
    u = uniform(light)
    stops = np.array([[40, 34, 34], [104, 62, 34], [236, 198, 96]], np.float32)
    natural = mix(stops[0], stops[1], u * 2) if u < 0.5 else mix(stops[1], stops[2], u * 2 - 1)
    if tone < 0:
        level = 95 + 125 * u
        return mix(natural, [level, level, level * 1.03], ramp(-tone, 0, 1.6))
    return mix(natural, mix([120, 20, 20], [244, 104, 40], u), ramp(tone, 0, 1.6))


def skin_color(f):
    return mix([255, 224, 198], [112, 72, 48], uniform(f))


def draw_background(c, hue, light):
    warm = np.tanh(hue * 0.7)
    color = np.array([188 + 52 * warm, 196 - 4 * warm, 202 - 58 * warm]) * (0.82 + 0.2 * np.tanh(light * 0.8))
    shade = np.linspace(1.04, 0.94, c.side, dtype=np.float32)[:, None, None]
    c.image[:] = color.astype(np.float32) * shade


def draw_clothes(c, f):
    t = np.tanh(f * 0.8)
    color = np.array([110 + 85 * t, 96 - 22 * abs(t), 128 - 42 * t])
    c.ellipse((CX, 1.10), (0.42, 0.235))
    c.paint(color)
    c.ellipse((CX, 0.885), (0.125, 0.06), 0, 0, 180, width=0.02)
    c.paint(color * 0.75)


def hair_outline(width, top, bottom, curl):
    """Closed outline of the hair behind the head; curls are lobes of the outline all around.

    Down the sides the lobes keep their place in the picture, whatever the head's size.
    """
    t = np.linspace(np.pi, 0, 60)
    crown = top + 0.22
    arc = np.stack([CX + width * np.cos(t), crown - 0.22 * np.sin(t)], 1)
    normal = np.stack([np.cos(t), -np.sin(t)], 1)
    arc = arc + normal * (0.036 * curl * (np.abs(np.sin(np.pi * arc[:, 0] / LOBE)) - 0.4))[:, None]
    y = np.linspace(crown, max(bottom, crown + 0.02), 60)
    wave = 0.055 * curl * (np.abs(np.sin(np.pi * y / LOBE)) - 0.4)
    right = np.stack([CX + width + 0.03 * (y - crown) + wave, y], 1)
    left = right[::-1] * [-1, 1] + [2 * CX, 0]
    return np.concatenate([arc, right, left])


@lru_cache(maxsize=4)
def ringlets(side):
    """Mask of small rings all over the picture; hair that curls shows those that lie in it.

    They keep their place in the picture whatever the head's size, so that a generator can hold their pattern.
    """
    c = Canvas(side)
    for row, y in enumerate(np.arange(LOBE / 4, 1.0, LOBE / 2)):
        for x in np.arange(LOBE / 4 + LOBE / 2 * (row % 2), 1.0, LOBE):
            c.ellipse((x, y), (0.032, 0.032), 0, 200, 500, width=0.016)
    return c.mask


def paint_hair(c, color, curl):
    """Paint the mask drawn so far as hair; where it curls, ringlets shine on darker ground.

    They are added, equally on black and on gold hair, so that colour and curl stay independent.
    """
    inside = c.mask.astype(np.float32) / 255
    c.paint(color)
    shine = inside * (ringlets(c.side) * (RINGLET_SHINE / 255) - RINGLET_SHADE)
    c.image += (curl**1.2 * shine)[..., None]


def draw_back_hair(c, color, fw, fh, length, curl):
    c.polygon(hair_outline(fw + 0.065, CY - fh - 0.075, CY - 0.10 + 0.54 * length, curl))
    paint_hair(c, color * 0.80, curl)


def draw_head(c, skin, fw, fh):
    c.polygon([(CX - 0.095, CY + 0.1), (CX + 0.095, CY + 0.1), (CX + 0.105, 0.90), (CX - 0.105, 0.90)])
    c.ellipse((CX, 0.90), (0.105, 0.04))
    c.paint(skin * 0.84)
    for side in (-1, 1):
        c.ellipse((CX + side * fw, CY + 0.01), (0.035, 0.055))
    c.paint(skin * 0.90)
    c.ellipse((CX, CY), (fw, fh))
    c.paint(skin)


def draw_cheeks(c, skin, fw, age):
    """Young cheeks are rosy; old ones carry folds and bags."""
    rosy = ramp(-age, -0.4, 1.6)
    for side in (-1, 1):
        c.ellipse((CX + side * fw * 0.62, CY + 0.095), (0.055, 0.04))
    c.paint(mix(skin, [240, 90, 90], 0.55), rosy)
    old = ramp(age, -0.6, 1.8)
    for side in (-1, 1):
        x = CX + side * 0.105
        c.polyline([(x - side * 0.03, CY + 0.07), (x, CY + 0.11), (x + side * 0.02, CY + 0.165)], 0.013)
        c.ellipse((CX + side * 0.115, CY + 0.012), (0.06, 0.035), 0, 25, 155, width=0.012)
        c.polyline([(CX + side * 0.205, CY - 0.05), (CX + side * 0.245, CY - 0.075)], 0.01)
        c.polyline([(CX + side * 0.205, CY - 0.02), (CX + side * 0.245, CY - 0.01)], 0.01)
    c.paint(skin * 0.55, old)


def draw_beard(c, color, skin, fw, fh, f):
    """None, stubble, full, long."""
    alpha = ramp(f, -0.7, 1.4)
    grow = 0.05 * ramp(f, 0.2, 2.2)
    c.ellipse((CX, CY + 0.055), (fw * 0.985, fh - 0.05 + grow), 0, 0, 180)
    beard = c.mask.copy()
    c.mask[:] = 0
    c.ellipse((CX, CY + 0.03), (fw * 0.74, 0.125), 0, 0, 360)
    beard = np.minimum(beard, 255 - c.mask)
    c.mask[:] = 0
    c.ellipse((CX, CY + 0.155), (0.115, 0.055), 0, 185, 355, width=0.03)
    c.mask[:] = np.maximum(beard, c.mask)
    c.paint(mix(color * 0.85, skin * 0.5, 0.15), alpha * 0.95)


def draw_fringe(c, color, fw, fh, curl):
    top = CY - fh * 0.50
    c.ellipse((CX, top), (fw * 1.13, fh * 0.72), 0, 180, 360)
    x = np.linspace(-1, 1, 60) * fw * 1.10
    lobes = np.abs(np.sin(np.pi * x / LOBE)) - 0.4
    y = top + 0.012 + 0.035 * (x / fw) ** 2 + 0.050 * curl * lobes
    edge = np.stack([CX + x, y], 1)
    c.polygon(np.concatenate([[(CX - fw * 1.13, top - 0.02)], edge, [(CX + fw * 1.13, top - 0.02)]]))
    paint_hair(c, color, curl)
    c.ellipse((CX, CY - fh * 0.80), (fw * 0.72, 0.05), 0, 195, 345, width=0.03)
    c.paint(mix(color, [255, 255, 255], 0.35), 1 - ramp(curl, 0, 0.75))


def draw_eyes(c, color, skin, size, distance, anger, feminine):
    slant = ramp(anger, -0.8, 1.9)
    lash, thick = ramp(feminine, -2.0, 2.0), ramp(-feminine, -2.0, 2.0)
    y = EYE_Y
    for side in (-1, 1):
        x = CX + side * distance
        c.ellipse((x + side * size * 0.15, y - size * 0.45), (size * 1.6, size * 1.05))
        c.paint(EYE_SHADOW, lash * 0.8)
        c.ellipse((x, y), eye_axes(size, anger))
        c.paint([252, 252, 252])
        c.ellipse((x, y), (size * 0.70, size * (0.74 - 0.16 * slant)))
        c.paint([58, 42, 34])
        c.ellipse((x + size * 0.22, y - size * 0.24), (size * 0.2, size * 0.2))
        c.paint([255, 255, 255])
        if lash > 0:
            c.ellipse((x, y), (size * 1.36, size * 0.98), 0, 190, 350, width=0.016)
            for k in (0, 1):
                tip = (x + side * size * (1.25 + 0.45), y - size * (0.5 + 0.5 * k))
                c.polyline([(x + side * size * (1.15 - 0.3 * k), y - size * (0.3 + 0.3 * k)), tip], 0.012)
            c.paint([25, 18, 22], lash)
        c.polyline(brow_line(side, size, distance, anger), 0.013 + 0.030 * thick)
        c.paint(mix(color * 0.6, [40, 28, 22], 0.45))


def draw_glasses(c, distance, f):
    alpha, width = ramp(f, -0.7, 0.7), 0.008 + 0.020 * ramp(f, -0.3, 1.9)
    for side in (-1, 1):
        c.ellipse((CX + side * distance, CY - 0.025), (0.094, 0.080), width=width)
        c.polyline([(CX + side * (distance + 0.094), CY - 0.04), (CX + side * 0.30, CY - 0.06)], width)
    c.polyline([(CX - distance + 0.094, CY - 0.035), (CX + distance - 0.094, CY - 0.035)], width)
    c.paint([22, 22, 30], alpha)


def draw_earrings(c, fw, feminine):
    for side in (-1, 1):
        c.ellipse((CX + side * (fw + 0.018), CY + 0.105), (0.030, 0.030))
    c.paint([250, 232, 170], ramp(feminine, -2.0, 2.0))


def draw_nose(c, skin, f):
    size = nose_size(f)
    c.ellipse((CX, NOSE_Y), (size, size * 0.95))
    c.paint(skin * 0.76)
    c.ellipse((CX - size * 0.25, CY + 0.066 - size * 0.2), (size * 0.5, size * 0.5))
    c.paint(mix(skin, [255, 255, 255], 0.2), 0.7)


def draw_mouth(c, skin, smile, mouth_open, feminine):
    x = np.linspace(-1, 1, 31)
    top, low, inner_top, inner_low = mouth_curves(x, smile, mouth_open, feminine)
    c.polygon(np.concatenate([top, low[::-1]]))
    c.paint(mix(mix(skin, [140, 50, 50], 0.62), [214, 24, 66], ramp(feminine, -2.0, 2.0)))
    if mouth_gap(mouth_open) > 0.004:
        c.polygon(np.concatenate([inner_top, inner_low[::-1]]))
        c.paint([66, 14, 22])


def render(factors, size=128):
    """Draw one face.

    Args:
        factors: `[NUM_FACTORS]` floats in FACTORS' order, each standard normal over the population.
        size: side of the picture in pixels.
    Returns:
        `[size, size, 3]` uint8 RGB.
    """
    f = dict(zip(FACTORS, (float(v) for v in factors)))
    side = 256 if size <= 128 else 2 * size
    c = Canvas(side)
    skin, hair = skin_color(f["skin"]), hair_color(f["hair_light"], f["hair_tone"])
    fw, fh = head_axes(f["face_width"], f["face_height"])
    eye, distance = eye_place(f["eye_size"], f["eye_distance"])
    curl = ramp(f["curl"], -1.2, 1.6)
    draw_background(c, f["background_hue"], f["background_light"])
    draw_clothes(c, f["clothes"])
    draw_back_hair(c, hair, fw, fh, uniform(f["hair_length"]), curl)
    draw_head(c, skin, fw, fh)
    draw_cheeks(c, skin, fw, f["age"])
    draw_beard(c, hair, skin, fw, fh, f["beard"])
    draw_fringe(c, hair, fw, fh, curl)
    draw_earrings(c, fw, f["feminine"])
    draw_eyes(c, hair, skin, eye, distance, f["anger"], f["feminine"])
    draw_nose(c, skin, f["nose"])
    draw_mouth(c, skin, f["smile"], f["mouth_open"], f["feminine"])
    draw_glasses(c, distance, f["glasses"])
    out = cv2.resize(c.image, (size, size), interpolation=cv2.INTER_AREA)
    return np.clip(np.round(out), 0, 255).astype(np.uint8)


def render_batch(factors, size=128):
    """`[N, NUM_FACTORS]` to `[N, size, size, 3]` uint8."""
    return np.stack([render(row, size) for row in factors])
