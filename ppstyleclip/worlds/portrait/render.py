# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw a portrait, and the soft masks of its parts."""

from __future__ import annotations

import cv2
import numpy as np

from ppstyleclip.worlds.portrait.beard import draw_beard
from ppstyleclip.worlds.portrait.body import draw_background, draw_body, draw_ears
from ppstyleclip.worlds.portrait.canvas import REGIONS, Canvas
from ppstyleclip.worlds.portrait.eyes import draw_brows, draw_eyes
from ppstyleclip.worlds.portrait.geometry import measured
from ppstyleclip.worlds.portrait.glasses import draw_glasses
from ppstyleclip.worlds.portrait.hair import draw_back_hair, draw_front_hair, hair_layer
from ppstyleclip.worlds.portrait.head import draw_head
from ppstyleclip.worlds.portrait.landmarks import landmarks
from ppstyleclip.worlds.portrait.mouth import draw_mouth
from ppstyleclip.worlds.portrait.outlines import face_field
from ppstyleclip.worlds.portrait.textures import textures
from ppstyleclip.worlds.portrait.turn import take_columns, turn_map, turn_picture

__all__ = ["REGIONS", "landmarks", "regions", "render", "render_batch"]


def finish(c, size):
    """Tone-map linear light to 8-bit RGB."""
    x = np.maximum(c.image, 0) * 1.18
    x = np.sqrt(x * (1.0 + x * 0.10) / (1.0 + x * 0.32)) * 255
    out = cv2.merge(list(np.minimum(x, 255)))
    if c.size != size:
        out = cv2.resize(out, (size, size), interpolation=cv2.INTER_AREA)
    return (out + 0.5).astype(np.uint8)


def paint(c, g):
    """All layers, from back to front."""
    t = textures(c.size)
    face_field(c, g)
    h = hair_layer(c, g, t)
    draw_background(c, g, t)
    draw_back_hair(c, g, h)
    draw_body(c, g, t)
    draw_ears(c, g)
    draw_head(c, g, t)
    draw_mouth(c, g)
    draw_eyes(c, g)
    draw_beard(c, g, t)
    draw_brows(c, g)
    draw_glasses(c, g)
    draw_front_hair(c, g, t, h)


def render(factors, size=256):
    """Draw one portrait.

    Args:
        factors: `[NUM_FACTORS]` floats in FACTORS' order, each standard normal over the population.
        size: side of the picture in pixels; below 256 it is drawn at 256 and averaged down.
    Returns:
        `[size, size, 3]` uint8 RGB.
    """
    g, c = measured(factors), Canvas(max(size, 256))
    paint(c, g)
    turn_picture(c, g)
    return finish(c, size)


def render_batch(factors, size=256):
    """`[N, NUM_FACTORS]` to `[N, size, size, 3]` uint8."""
    return np.stack([render(row, size) for row in factors])


def regions(factors, size=256):
    """Soft masks of the visible parts of one portrait.

    Returns:
        A dict of `[size, size]` float32 in [0, 1] by REGIONS' names, summing to 1 at every pixel.  "skin"
        leaves out the nose; "glasses" holds the frames, and the lenses as far as they are tinted; "eyes" holds
        the lashes too.
    """
    g, c = measured(factors), Canvas(max(size, 256), labelled=True)
    paint(c, g)
    masks = take_columns(np.stack(list(c.labels.values())), turn_map(c, g))
    masks = np.clip(masks, 0, 1)
    masks /= masks.sum(0)
    if c.size != size:
        masks = [cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA) for mask in masks]
    return dict(zip(c.labels, masks))
