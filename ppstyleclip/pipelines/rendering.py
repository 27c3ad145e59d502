# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces drawn in batches, with a record behind each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.records import Record


def check_one_face(editor: Editor, face: Any, done: str = "edited") -> None:
    """Refuse several faces, for pipelines that take one at a time; `done` says to what.

    Raises:
        UserError: as Editor.check_face, or there are several faces.
    """
    editor.check_face(face)
    if len(face) != 1:
        raise UserError(f"one face is {done} at a time, got {len(face)}; give one of them, such as face[:1]")


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
