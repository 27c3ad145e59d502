# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From face to face to face, in equal steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.methods.latents import interpolate
from ppstyleclip.pipelines.records import Record

TOGETHER = 8  # pictures between two records


def interpolate_faces(editor: Editor, stops: np.ndarray, steps: int) -> Iterator[Record[np.ndarray]]:
    """Draw the way from face to face; first, last and all between are shown.

    Args:
        editor: Editor.
        stops: K w_plus `[K, L, D]`, at least 2.
        steps: pictures from each stop to the next, that one included.
    Yields:
        Record of pictures; the result is pixels `[(K - 1) * steps + 1, H, W, 3]` uint8.
    Raises:
        UserError: as methods.latents.interpolate.
    """
    w_plus, parts = interpolate(stops, steps), []
    for start in range(0, len(w_plus), TOGETHER):
        parts.append(editor.render(w_plus[start : start + TOGETHER]))
        done = min(start + TOGETHER, len(w_plus))
        result = np.concatenate(parts) if done == len(w_plus) else None
        yield Record(done, len(w_plus), "pictures", result)
