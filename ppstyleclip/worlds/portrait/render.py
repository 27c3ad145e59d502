# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Draw a portrait, and the soft masks of its parts.

A portrait is a stack of layers, painted from back to front in linear light: backdrop, hair behind the head,
neck and clothes, ears, head, mouth, eyes, beard, brows, glasses, hair. A layer has a mask, antialiased from a
signed distance, so that any size is sharp; a height map, whose slopes say how it is lit; and a colour.
Textures are fixed in the picture: every pixel is a continuous function of the factors, so that a generator
can learn it. At last the picture is warped by the depth of the head, which turns the head a little.
"""

from __future__ import annotations

import cv2
import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.beard import draw_beard
from ppstyleclip.worlds.portrait.body import draw_background, draw_body, draw_ears
from ppstyleclip.worlds.portrait.canvas import REGIONS, Canvas
from ppstyleclip.worlds.portrait.eyes import draw_brows, draw_eyes
from ppstyleclip.worlds.portrait.geometry import measure
from ppstyleclip.worlds.portrait.glasses import draw_glasses
from ppstyleclip.worlds.portrait.hair import draw_back_hair, draw_front_hair, hair_layer
from ppstyleclip.worlds.portrait.head import draw_head
from ppstyleclip.worlds.portrait.landmarks import landmarks
from ppstyleclip.worlds.portrait.mouth import draw_mouth
from ppstyleclip.worlds.portrait.skull import skull_field
from ppstyleclip.worlds.portrait.textures import textures
from ppstyleclip.worlds.portrait.turn import turned

__all__ = ["REGIONS", "landmarks", "regions", "render", "render_batch"]


def tone_map(image, size):
    """8-bit RGB `[size, size, 3]` of linear light `[3, S, S]`."""
    x = np.maximum(image, 0) * 1.18
    x = np.sqrt(x * (1.0 + x * 0.10) / (1.0 + x * 0.32)) * 255
    out = cv2.merge(list(np.minimum(x, 255)))
    if len(out) != size:
        out = cv2.resize(out, (size, size), interpolation=cv2.INTER_AREA)
    return (out + 0.5).astype(np.uint8)


def paint(c, g):
    """All layers, from back to front."""
    t = textures(c.size)
    field = skull_field(c, g)
    h = hair_layer(c, g, t, field)
    draw_background(c, g, t)
    draw_back_hair(c, g, h)
    draw_body(c, g, t)
    draw_ears(c, g)
    draw_head(c, g, t, field)
    draw_mouth(c, g)
    draw_eyes(c, g)
    draw_beard(c, g, t, field)
    draw_brows(c, g)
    draw_glasses(c, g)
    draw_front_hair(c, g, t, h)


def check_size(size):
    """Raise UserError unless the side of a picture is a positive whole number."""
    if int(size) != size or size < 1:
        raise UserError(f"the side of a portrait must be a positive whole number of pixels, got {size}")


def render(factors: np.ndarray, size: int = 256) -> np.ndarray:
    """Draw one portrait.

    Args:
        factors: `[NUM_FACTORS]` floats in FACTORS' order, each standard normal over the population.
        size: side of the picture in pixels; below 256 it is drawn at 256 and averaged down.
    Returns:
        `[size, size, 3]` uint8 RGB.
    Raises:
        UserError: factors of another shape or not finite, or a size below 1.
    """
    check_size(size)
    g, c = measure(factors), Canvas(max(size, 256))
    paint(c, g)
    return tone_map(turned(c.image, c, g), size)


def render_batch(factors: np.ndarray, size: int = 256) -> np.ndarray:
    """Draw portraits: `[N, NUM_FACTORS]` to `[N, size, size, 3]` uint8."""
    check_size(size)
    if not len(factors):
        return np.zeros((0, size, size, 3), np.uint8)
    return np.stack([render(row, size) for row in factors])


def regions(factors: np.ndarray, size: int = 256) -> dict[str, np.ndarray]:
    """Soft masks of the visible parts of one portrait.

    Args:
        factors: as for `render`.
        size: side of the masks in pixels.
    Returns:
        A dict of `[size, size]` float32 in [0, 1] by REGIONS' names, summing to 1 at every pixel. "skin"
        leaves out the nose; "glasses" holds the frames, and the lenses as far as they are tinted; "eyes"
        holds the lashes too.
    Raises:
        UserError: as from `render`.
    """
    check_size(size)
    g, c = measure(factors), Canvas(max(size, 256), labelled=True)
    paint(c, g)
    masks = np.clip(turned(np.stack(list(c.labels.values())), c, g), 0, 1)
    masks /= masks.sum(0)
    if c.size != size:
        masks = [cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA) for mask in masks]
    return dict(zip(c.labels, masks))
