# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Photos of the face world: portraits turned and scaled over a busy ground, with their landmarks and boxes.

A portrait keeps its own plain backdrop, as the generator knows it, a little beyond the frame on all sides,
like a print lying on a patterned table.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.toonface.face_shape import CX, CY
from ppstyleclip.toonface.landmarks import landmarks_68
from ppstyleclip.toonface.renderer import NUM_FACTORS, render

MARGIN = 0.09  # of the frame, around it, still backdrop
BOX = 0.66  # side of a face's box, of the frame's
TRIES = 2000  # to find room for the faces


@dataclass(frozen=True)
class SceneFace:
    """One face of a scene; coordinates are pixels, the middle of the upper left pixel is (0, 0).

    Attributes:
        factors: `[NUM_FACTORS]` of the renderer.
        centre: (x, y) of the frame's middle.
        side: of the frame, in pixels.
        angle: degrees, clockwise as seen.
        landmarks: `[68, 2]`.
        box: (left, top, right, bottom), upright, around the middle of the face.
    """

    factors: np.ndarray
    centre: tuple
    side: int
    angle: float
    landmarks: np.ndarray
    box: tuple


@dataclass(frozen=True)
class Scene:
    """`pixels [H, W, 3]` uint8 and its faces, from left to right."""

    pixels: np.ndarray
    faces: tuple


def draw_scene(seed, *, faces=None, width=640, height=480, angles=(-25, 25), sides=(96, 192)):
    """Draw one scene; the same arguments give the same scene.

    Args:
        seed: of everything random in it.
        faces: how many; None for 1 to 4.
        width, height: of the picture, in pixels.
        angles: range of the faces' roll, degrees.
        sides: range of the frames' sides, in pixels.
    Returns:
        Scene.
    Raises:
        UserError: the faces do not fit.
    """
    rng = np.random.RandomState(seed)
    pixels = draw_ground(rng, width, height)
    count = rng.randint(1, 5) if faces is None else faces
    found = []
    for centre, side, angle in _places(rng, count, width, height, angles, sides):
        factors = rng.randn(NUM_FACTORS)
        found.append(_place_face(pixels, factors, centre, side, angle))
    ordered = sorted(found, key=lambda face: face.centre[0])
    return Scene(np.clip(np.round(pixels), 0, 255).astype(np.uint8), tuple(ordered))


def draw_ground(rng, width, height):
    """A patterned ground `[height, width, 3]` float32: blurred blotches, shapes and lines of any colour."""
    small = (rng.uniform(60, 190, 3) + rng.uniform(-55, 55, (6, 8, 3))).astype(np.float32)
    ground = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    scale = (width + height) / 2
    for _ in range(rng.randint(40, 90)):
        colour = rng.uniform(0, 255, 3).tolist()
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        size = [max(2, int(scale * v)) for v in rng.uniform(0.01, 0.09, 2)]
        kind = rng.randint(3)
        if kind == 0:
            edge = int(rng.choice([-1, 2, 4]))
            cv2.ellipse(ground, (x, y), size, rng.uniform(0, 180), 0, 360, colour, edge, cv2.LINE_AA)
        elif kind == 1:
            corners = np.int32(rng.uniform(-1, 1, (rng.randint(3, 6), 2)) * size + [x, y])
            cv2.fillPoly(ground, [cv2.convexHull(corners)], colour, cv2.LINE_AA)
        else:
            end = (x + int(rng.uniform(-3, 3) * size[0]), y + int(rng.uniform(-3, 3) * size[1]))
            cv2.line(ground, (x, y), end, colour, int(rng.randint(1, 7)), cv2.LINE_AA)
    grain = rng.randn(height, width, 1).astype(np.float32) * 6
    return ground + cv2.GaussianBlur(grain, (0, 0), 0.8)[:, :, None]


def _places(rng, count, width, height, angles, sides):
    """Draw (centre, side, angle) of faces that lie in the picture and do not touch."""
    for attempt in range(TRIES):
        room = 1 - attempt / TRIES  # smaller and smaller faces, the longer room is looked for
        placed, boxes = [], []
        for _ in range(count):
            side = int(round(sides[0] + (sides[1] - sides[0]) * room * rng.uniform()))
            angle, centre = rng.uniform(*angles), rng.uniform(0, 1, 2)
            turn = np.radians(angle)
            reach = side * (0.5 + MARGIN) * (abs(np.cos(turn)) + abs(np.sin(turn)))
            centre = reach + centre * np.subtract([width, height], 2 * reach)
            placed.append((centre, side, angle))
            boxes.append((centre, reach))
        if _apart(boxes) and all(2 * reach < min(width, height) for _, reach in boxes):
            return placed
    raise UserError(f"{count} faces of {sides[0]} pixels and more do not fit in {width}x{height}; draw fewer")


def _apart(boxes):
    return all(np.abs(a - b).max() > reach + far
               for i, (a, reach) in enumerate(boxes) for b, far in boxes[:i])  # fmt: skip


def _place_face(pixels, factors, centre, side, angle):
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    _blend(pixels, render(factors, side), centre, rotation)
    landmarks = (landmarks_68(factors) - 0.5) @ rotation.T * side + centre
    middle = rotation @ (np.array([CX, CY]) - 0.5) * side + centre
    half = BOX * side / 2
    box = (*(middle - half), *(middle + half))
    return SceneFace(factors, tuple(centre), side, float(angle), landmarks, tuple(map(float, box)))


def _blend(pixels, portrait, centre, rotation):
    """Lay a portrait, with its backdrop drawn out on all sides, over `pixels` in place."""
    side, margin = len(portrait), int(round(MARGIN * len(portrait)))
    wide = cv2.copyMakeBorder(portrait, *[margin + 2] * 4, cv2.BORDER_REPLICATE).astype(np.float32)
    cover = np.zeros(wide.shape[:2], np.float32)
    cover[2:-2, 2:-2] = 1
    middle = (side + 2 * margin + 3) / 2  # of `wide`, counted from the middle of its first pixel
    shift = np.asarray(centre) - rotation @ [middle, middle]
    matrix = np.hstack([rotation, shift[:, None]])
    size = pixels.shape[1::-1]
    mask = cv2.warpAffine(cover, matrix, size, flags=cv2.INTER_LINEAR)[:, :, None]
    shadow = cv2.GaussianBlur(mask[:, :, 0], (0, 0), 3)[:, :, None]
    pixels *= 1 - 0.45 * shadow
    warped = cv2.warpAffine(wide, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    pixels += mask * (warped - pixels)
