# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces drawn in batches, with a record behind each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import paddle

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.records import Record


def one_face(editor: Editor, face: Any) -> paddle.Tensor:
    """Styles `[1, S]` of one face, of pipelines that edit one at a time.

    Raises:
        UserError: as Editor.check_face, or there are several faces.
    """
    s = editor.styles(face)
    if s.shape[0] != 1:
        raise UserError(f"one face is edited at a time, got {s.shape[0]}; give one of them, such as face[:1]")
    return s


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
