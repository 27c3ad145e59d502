# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Photos of the portrait world: portraits turned and scaled over a busy ground, with landmarks and boxes.

A portrait keeps its own plain backdrop, as the generator knows it, a little beyond the frame on all sides,
like a print lying on a patterned table.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.canvas import LEFT, SPAN, TOP
from ppstyleclip.worlds.portrait.factors import factors_from_z, sample_z
from ppstyleclip.worlds.portrait.landmarks import landmarks
from ppstyleclip.worlds.portrait.render import render

MARGIN = 0.09  # of the frame, around it, still backdrop
BOX = 0.52  # side of a face's box, of the frame's
BOX_MIDDLE = (-LEFT / SPAN, (0.16 - TOP) / SPAN)  # in the frame: between the brows and the chin
CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))  # of the frame
TRIES = 400  # to find room for the faces
FRAME = 256  # side of the frame in which landmarks are measured


@dataclass(frozen=True)
class SceneFace:
    """One face of a scene; coordinates are pixels, the middle of the upper left pixel is (0, 0).

    Attributes:
        factors: `[NUM_FACTORS]` of the renderer.
        centre: (x, y) of the frame's middle.
        side: of the frame, in pixels.
        angle: degrees, clockwise as seen.
        landmarks: `[68, 2]` where the parts of the face are.
        frame: `[4, 2]` its upper left, lower left, lower right and upper right corner: the crop of it.
        box: (left, top, right, bottom), upright, around the face.
    """

    factors: np.ndarray
    centre: tuple
    side: int
    angle: float
    landmarks: np.ndarray
    frame: np.ndarray
    box: tuple


@dataclass(frozen=True)
class Scene:
    """`pixels [H, W, 3]` uint8 and its faces, from left to right."""

    pixels: np.ndarray
    faces: tuple


def draw_scene(seed, *, faces=None, width=640, height=480, angles=(-25, 25), sides=(96, 192), factors=None):
    """Draw one scene; the same arguments give the same scene.

    Args:
        seed: of everything random in it.
        faces: how many; None for 1 to 4.
        width, height: of the picture, in pixels.
        angles: range of the faces' roll, degrees.
        sides: range of the frames' sides, in pixels; a face's box is about half a frame (BOX).
        factors: `[faces, NUM_FACTORS]` of the people; None draws them from the population.
    Returns:
        Scene.
    Raises:
        UserError: the faces do not fit.
    """
    rng = np.random.RandomState(seed)
    pixels = draw_ground(rng, width, height)
    count = rng.randint(1, 5) if faces is None else faces
    people = factors_from_z(sample_z(rng.randint(2**31), count)) if factors is None else factors
    places = place_frames(rng, count, (width, height), angles, sides)
    found = [place_face(pixels, person, *place) for person, place in zip(people, places)]
    ordered = sorted(found, key=lambda face: face.centre[0])
    return Scene(np.clip(np.round(pixels), 0, 255).astype(np.uint8), tuple(ordered))


def draw_ground(rng, width, height):
    """A patterned ground `[height, width, 3]` float32: blurred blotches, shapes and lines of any colour."""
    small = (rng.uniform(60, 190, 3) + rng.uniform(-55, 55, (6, 8, 3))).astype(np.float32)
    ground = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    scale = (width + height) / 2
    for _ in range(rng.randint(40, 120)):
        colour, kind = rng.uniform(0, 255, 3).tolist(), rng.randint(4)
        middle = (rng.uniform(0, 1, 2) * (width, height)).astype(int)
        size = np.maximum(scale * rng.uniform(0.008, 0.09, 2), 2).astype(int)
        x, y = map(int, middle)
        if kind == 0:
            edge = int(rng.choice([-1, 2, 4]))
            axes = tuple(map(int, size))
            cv2.ellipse(ground, (x, y), axes, rng.uniform(0, 180), 0, 360, colour, edge, cv2.LINE_AA)
        elif kind == 1:
            corners = np.int32(rng.uniform(-1, 1, (rng.randint(3, 6), 2)) * size + middle)
            cv2.fillPoly(ground, [cv2.convexHull(corners)], colour, cv2.LINE_AA)
        elif kind == 2:
            end = tuple(map(int, middle + rng.uniform(-3, 3, 2) * size))
            cv2.line(ground, (x, y), end, colour, int(rng.randint(1, 7)), cv2.LINE_AA)
        else:
            _draw_dots(ground, rng, middle, size, colour)
    grain = rng.randn(height, width, 1).astype(np.float32) * 6
    return ground + cv2.GaussianBlur(grain, (0, 0), 0.8)[:, :, None]


def _draw_dots(ground, rng, middle, size, colour):
    """Two discs over a stroke in an oval, as in knots of wood or sockets: what only resembles faces."""
    x, y = map(int, middle)
    across, eye = int(size[0] * 0.4), max(1, int(size[0] * rng.uniform(0.08, 0.2)))
    cv2.ellipse(ground, (x, y), tuple(map(int, size)), 0, 0, 360, colour, -1, cv2.LINE_AA)
    dark = rng.uniform(0, 90, 3).tolist()
    for side in (-1, 1):
        cv2.circle(ground, (x + side * across, y - int(size[1] * 0.15)), eye, dark, -1, cv2.LINE_AA)
    if rng.rand() < 0.5:
        low = y + int(size[1] * 0.45)
        cv2.line(ground, (x - across, low), (x + across, low), dark, eye, cv2.LINE_AA)


def place_frames(rng, count, size, angles, sides):
    """Draw (centre, side, angle) of frames that lie in a picture and do not touch; small ones are as many.

    Args:
        rng: RandomState.
        count: how many.
        size: (width, height) of the picture.
        angles, sides: ranges, as for `draw_scene`.
    Raises:
        UserError: they do not fit.
    """
    for attempt in range(TRIES):
        room = 1 - attempt / TRIES  # less and less, while room is sought
        largest = sides[0] + (sides[1] - sides[0]) * room
        wanted = np.exp(rng.uniform(np.log(sides[0]), np.log(largest), count))
        placed = []
        for side in -np.sort(-np.round(wanted)):
            placed.append(_place_frame(rng, int(side), rng.uniform(*angles), size, placed))
            if placed[-1] is None:
                break
        else:
            return [(centre, side, angle) for centre, side, angle, _ in placed]
    raise UserError(
        f"{count} faces of {sides[0]} pixels and more do not fit in {size[0]}x{size[1]}; draw fewer"
    )


def _place_frame(rng, side, angle, size, others, tries=12):
    """(centre, side, angle, half of the square around it) apart from the others; None without room."""
    turn = np.radians(angle)
    reach = side * (0.5 + MARGIN) * (abs(np.cos(turn)) + abs(np.sin(turn)))
    room = np.subtract(size, 2 * reach)
    if room.min() <= 0:
        return None
    for _ in range(tries):
        centre = reach + rng.uniform(0, 1, 2) * room
        if all(np.abs(centre - other[0]).max() > reach + other[3] for other in others):
            return centre, side, angle, reach
    return None


def place_face(pixels, factors, centre, side, angle):
    """Lay a portrait over a ground `[H, W, 3]` float32 in place; the arguments and result as SceneFace."""
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    _blend(pixels, render(factors, side), centre, rotation)
    points = (np.asarray(landmarks(factors, FRAME), np.float64) + 0.5) / FRAME
    there, frame, (middle,) = (
        (np.asarray(part) - 0.5) @ rotation.T * side + centre for part in (points, CORNERS, [BOX_MIDDLE])
    )
    half = BOX * side / 2
    box = (*(middle - half), *(middle + half))
    return SceneFace(factors, tuple(centre), side, float(angle), there, frame, tuple(map(float, box)))


def _blend(pixels, portrait, centre, rotation):
    """Lay a portrait, with its backdrop drawn out on all sides, over `pixels` in place."""
    side, margin = len(portrait), int(round(MARGIN * len(portrait)))
    wide = cv2.copyMakeBorder(portrait, *[margin + 2] * 4, cv2.BORDER_REPLICATE).astype(np.float32)
    cover = np.zeros(wide.shape[:2], np.float32)
    cover[2:-2, 2:-2] = 1
    middle = (side + 2 * margin + 3) / 2  # of `wide`, counted from the middle of its first pixel
    reach = int(np.ceil(middle * 1.5)) + 12
    start = np.maximum(np.floor(centre).astype(int) - reach, 0)
    end = np.minimum(np.ceil(centre).astype(int) + reach, pixels.shape[1::-1])
    part = pixels[start[1] : end[1], start[0] : end[0]]
    shift = np.asarray(centre) - start - rotation @ [middle, middle]
    matrix, size = np.hstack([rotation, shift[:, None]]), part.shape[1::-1]
    mask = cv2.warpAffine(cover, matrix, size, flags=cv2.INTER_LINEAR)[:, :, None]
    part *= 1 - 0.45 * cv2.GaussianBlur(mask[:, :, 0], (0, 0), 3)[:, :, None]
    warped = cv2.warpAffine(wide, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    part += mask * (warped - part)
