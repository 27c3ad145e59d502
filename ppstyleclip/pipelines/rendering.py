# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces drawn in batches, with a record behind each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.pipelines.records import Record


def render_faces(editor: Editor, face: Any) -> Iterator[Record[np.ndarray]]:
    """Draw faces as Editor.render does, batch by batch.

    Args:
        editor: Editor.
        face: N faces, w_plus `[N, L, D]` or s `[N, S]`.
    Yields:
        Record of pictures; the result is pixels `[N, H, W, 3]` uint8.
    """
    parts, done, total = [], 0, len(face)
    for pixels in editor.render_batches(face):
        parts.append(pixels)
        done += len(pixels)
        yield Record(done, total, "pictures", np.concatenate(parts) if done == total else None)
