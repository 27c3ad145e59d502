# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A sheet to look at: the renderer's faces above the generator's."""

from __future__ import annotations

import cv2
import numpy as np

from ppstyleclip.files import save_png
from ppstyleclip.pictures import grid

COLUMNS, ROWS = 12, 2  # of faces, each of which is there twice
SMALLEST = 128  # side of a face in pixels


def save_sheet(path, theirs, ours):
    """Write a picture of up to COLUMNS x ROWS faces; fewer leave their places black.

    Args:
        theirs: the renderer's, `[N, S, S, 3]` uint8.
        ours: `[N, S', S', 3]`, the generator's of the same faces.
    """
    side, rows = max(SMALLEST, ours.shape[1]), []
    for start in range(0, min(COLUMNS * ROWS, len(ours)), COLUMNS):
        for pixels in (theirs, ours):
            row = np.zeros((COLUMNS, side, side, 3), np.uint8)
            for place, face in zip(row, pixels[start : start + COLUMNS]):
                place[:] = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
            rows.append(row)
    save_png(path, grid(np.concatenate(rows), COLUMNS, gap=0))
