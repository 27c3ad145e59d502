# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Moving and turning the canvas of StyleGAN3: what is drawn follows, to the details."""

from __future__ import annotations

import numpy as np


def canvas_transform(translate=(0.0, 0.0), rotate: float = 0.0) -> np.ndarray:
    """Return the `[3, 3]` float32 matrix for `synthesis_from_styles(transform=...)`.

    The picture is turned about its middle, then moved. The matrix is the inverse: it says where in the
    unmoved picture a place of the moved one lies; a picture's side is 1, y points down.

    Args:
        translate: (x, y) in sides of the picture; to the right, downwards.
        rotate: degrees, counter-clockwise.
    """
    cosine, sine = np.cos(np.deg2rad(rotate)), np.sin(np.deg2rad(rotate))
    inverse = np.array([[cosine, -sine], [sine, cosine]])
    matrix = np.eye(3)
    matrix[:2, :2] = inverse
    matrix[:2, 2] = -inverse @ np.asarray(translate, float)
    return matrix.astype(np.float32)
