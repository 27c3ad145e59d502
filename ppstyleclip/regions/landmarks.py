# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Regions of a face whose 68 landmarks are known: hulls of its parts, and what lies around the face.

Landmarks say nothing of hair, shoulders and what is behind them: "hair", "clothes" and "background" are
drawn by the proportions of a head, generously, because long hair must have room where there is none yet.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2
from ppstyleclip.regions.masks import NAMES, grown

FINE = 256  # pixels of the picture that masks are drawn on, at least
JAW, NOSE, LIPS = slice(0, 17), slice(27, 36), slice(48, 60)
BROWS, EYES = (slice(17, 22), slice(22, 27)), (slice(36, 42), slice(42, 48))


class _Drawing:
    """A face's own measures, and shapes filled on a picture of `side` pixels."""

    def __init__(self, points: np.ndarray, side: int):
        self.points, self.side = points, side
        left, right = (points[eye].mean(0) for eye in EYES)
        self.eyes, across = (left + right) / 2, right - left
        self.unit = max(1e-3, float(np.hypot(*across)))  # the distance of the eyes
        self.right = across / self.unit
        self.down = np.array([-self.right[1], self.right[0]])

    def place(self, x: float, y: float) -> np.ndarray:
        """A point so many eyes' distances right of and below the middle of the eyes."""
        return self.eyes + self.unit * (x * self.right + y * self.down)

    def hull(self, points: np.ndarray, grow: float = 0.0) -> np.ndarray:
        cv2, mask = import_cv2(), np.zeros([self.side] * 2, np.float32)
        outline = cv2.convexHull(np.round(np.asarray(points, np.float32) * 16).astype(np.int32))
        cv2.fillConvexPoly(mask, outline, 1.0, cv2.LINE_AA, 4)
        return grown(mask, grow * self.unit) if grow else mask

    def ellipse(self, x: float, y: float, half_width: float, half_height: float) -> np.ndarray:
        angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        return self.hull(
            np.stack([self.place(x + half_width * np.cos(a), y + half_height * np.sin(a)) for a in angle])
        )


def _face(d: _Drawing) -> np.ndarray:
    """The face with its forehead."""
    brows = np.concatenate([d.points[part] for part in BROWS])
    return d.hull(np.concatenate([d.points[JAW], brows - 0.62 * d.unit * d.down]))


def _head(d: _Drawing) -> np.ndarray:
    """The face and where hair may be: around it, and down to the shoulders."""
    chin = float((d.points[8] - d.eyes) @ d.down) / d.unit
    around = d.ellipse(0, 0.15, 1.75, 1.25 + 0.55 * chin)
    beside = d.hull(np.stack([d.place(x, y) for x, y in ((-1.7, 0), (1.7, 0), (1.9, 2.6), (-1.9, 2.6))]))
    return np.maximum(around, beside)


def _inside(d: _Drawing) -> np.ndarray:
    """Eyes, brows, nose and mouth with all that lies between them."""
    return d.hull(d.points[17:], 0.1)


def _shoulders(d: _Drawing) -> np.ndarray:
    chin = float((d.points[8] - d.eyes) @ d.down) / d.unit
    neck, low = chin + 0.15, chin + 3.5
    return d.hull(
        np.stack([d.place(x, y) for x, y in ((-0.6, neck), (0.6, neck), (2.6, low), (-2.6, low))]), 0.15
    )


def _pair(d: _Drawing, parts: tuple[slice, slice], grow: float) -> np.ndarray:
    return np.maximum(*(d.hull(d.points[part], grow) for part in parts))


def _skin(d: _Drawing) -> np.ndarray:
    holes = np.maximum(_pair(d, EYES, 0.08), d.hull(d.points[LIPS], 0.04))
    return grown(_face(d), 0.04 * d.unit) * (1 - holes)


def _hair(d: _Drawing) -> np.ndarray:
    return grown(_head(d), 0.1 * d.unit) * (1 - np.maximum(_inside(d), _below_brows(d)))


def _below_brows(d: _Drawing) -> np.ndarray:
    """The face from the brows down, a little within its outline."""
    face = d.hull(np.concatenate([d.points[JAW], *(d.points[part] for part in BROWS)]))
    return 1 - grown(1 - face, 0.12 * d.unit)


def _beard(d: _Drawing) -> np.ndarray:
    return d.hull(np.concatenate([d.points[3:14], d.points[31:36]]), 0.16)


def _background(d: _Drawing) -> np.ndarray:
    return 1 - grown(np.maximum(np.maximum(_head(d), _face(d)), _shoulders(d)), 0.1 * d.unit)


def _clothes(d: _Drawing) -> np.ndarray:
    return _shoulders(d) * (1 - grown(_face(d), 0.08 * d.unit))


_DRAW: dict[str, Callable[[_Drawing], np.ndarray]] = {
    "mouth": lambda d: d.hull(d.points[LIPS], 0.32),
    "eyes": lambda d: _pair(d, EYES, 0.24),
    "hair": _hair,
    "skin": _skin,
    "background": _background,
    "nose": lambda d: d.hull(d.points[NOSE], 0.14),
    "brows": lambda d: _pair(d, BROWS, 0.24),
    "beard": _beard,
    "glasses": lambda d: d.hull(d.points[36:48], 0.42),
    "clothes": _clothes,
}


def masks_of_landmarks(
    landmarks: np.ndarray, size: int, names: tuple[str, ...] = NAMES
) -> dict[str, np.ndarray]:
    """Soft masks of a face's regions.

    Args:
        landmarks: `[68, 2]` (x, y) in pixels of a picture of `size`; the middle of its first pixel is (0, 0).
        size: side of the picture and of the masks.
        names: which regions, of NAMES.
    Returns:
        `{name: [size, size]}` float32, 0 to 1.
    Raises:
        UserError: the landmarks are no 68 finite points.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise UserError(f"landmarks are 68 points (x, y), got {list(points.shape)}")
    factor = -(-FINE // size)
    drawing = _Drawing((points + 0.5) * factor - 0.5, size * factor)
    return {name: _small(_DRAW[name](drawing), factor) for name in names}


def _small(mask: np.ndarray, factor: int) -> np.ndarray:
    side = len(mask) // factor
    return np.ascontiguousarray(mask.reshape(side, factor, side, factor).mean(axis=(1, 3)), np.float32)
