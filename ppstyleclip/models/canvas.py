# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Moving and turning the canvas that a generator draws on: what is drawn follows, to the details.

A family that can brings one method, `move_canvas(s, transform)`: flat styles `[N, S]` under which the same
picture lies elsewhere. Whatever draws of styles then draws it there: programs, edits, gradients. One whose
pictures stay as good when they are turned has `turns_canvas = True`.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UserError, shown

MOST_DEGREES = 30  # that a network follows that is not made for rotations, about


@dataclass(frozen=True)
class Canvas:
    """Where a picture lies: it is turned about its middle, then moved.

    Attributes:
        translate: (x, y) in sides of the picture; to the right, downwards.
        rotate: degrees, counter-clockwise.
    Raises:
        UserError: a value is no finite number.
    """

    translate: tuple[float, float] = (0.0, 0.0)
    rotate: float = 0.0

    def __post_init__(self) -> None:
        try:
            x, y = (float(value) for value in self.translate)
            object.__setattr__(self, "translate", (x, y))
            object.__setattr__(self, "rotate", float(self.rotate))
        except (TypeError, ValueError):
            raise UserError("a canvas is moved by two numbers, x and y, and turned by one") from None
        if not all(math.isfinite(value) for value in (*self.translate, self.rotate)):
            raise UserError(f"a canvas is moved and turned by finite numbers, got {self}")

    def matrix(self) -> np.ndarray:
        """The `[3, 3]` float32 matrix of this; see canvas_transform."""
        return canvas_transform(self.translate, self.rotate)

    def of_pixels(self, size: int) -> np.ndarray:
        """The `[2, 3]` matrix from pixels of the moved picture to those of the unmoved one; middles count."""
        middle, matrix = (size - 1) / 2, self.matrix().astype(float)
        shift = matrix[:2, 2] * size + middle - matrix[:2, :2] @ [middle, middle]
        return np.concatenate([matrix[:2, :2], shift[:, None]], axis=1)


def canvas_transform(translate: Any = (0.0, 0.0), rotate: float = 0.0) -> np.ndarray:
    """Return the `[3, 3]` float32 matrix for `synthesis_from_styles(transform=...)`; arguments as Canvas's.

    The matrix is the inverse: it says where in the unmoved picture a place of the moved one lies; a picture's
    side is 1, y points down.
    """
    cosine, sine = np.cos(np.deg2rad(rotate)), np.sin(np.deg2rad(rotate))
    inverse = np.array([[cosine, -sine], [sine, cosine]])
    matrix = np.eye(3)
    matrix[:2, :2] = inverse
    matrix[:2, 2] = -inverse @ np.asarray(translate, float)
    return matrix.astype(np.float32)


def check_canvas(canvas: Any) -> Canvas:
    """Take a Canvas as it is, and refuse what is none (UserError), such as the numbers of one."""
    if not isinstance(canvas, Canvas):
        raise UserError(
            f"a canvas is Canvas(translate=(x, y), rotate=degrees) of ppstyleclip.models.canvas, got "
            f"{shown(canvas)}"
        )
    return canvas


def check_can_move(generator: Any, *degrees: float) -> None:
    """Refuse a generator whose canvas does not move (UserError); warn where it is turned too far."""
    if not hasattr(generator, "move_canvas"):
        raise UserError(
            f"pictures of a '{generator.family}' generator cannot be moved or turned, those of 'stylegan3' "
            "can; take such a model (portrait-sg3 is one), or leave out what moves the canvas"
        )
    furthest = max((abs((angle + 180) % 360 - 180) for angle in degrees), default=0.0)  # from upright
    if getattr(generator, "configuration", "R") != "R" and furthest > MOST_DEGREES:
        warnings.warn(
            f"this StyleGAN3 is of configuration {generator.configuration}, which follows turns up to about "
            f"{MOST_DEGREES} degrees; further ones take the picture apart, use one of configuration R",
            stacklevel=3,
        )


def turns_canvas(generator: Any) -> bool:
    """Whether a generator draws what is turned as well as what is upright, so that photos keep their pose."""
    return bool(getattr(generator, "turns_canvas", False))


def move_canvas(generator: Any, s: np.ndarray, canvas: Canvas) -> np.ndarray:
    """Flat styles `[N, S]` of the same pictures on a moved canvas; on one that was moved before, further.

    Raises:
        UserError: the generator's family cannot do that.
    """
    check_can_move(generator)
    check_canvas(canvas)
    return generator.move_canvas(np.asarray(s, np.float32), canvas.matrix())
