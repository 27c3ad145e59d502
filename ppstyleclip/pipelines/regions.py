# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Regions of faces that other methods than a text direction change: mappers and optimisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pictures import to_pixels
from ppstyleclip.regions import RegionEdit


def find_masks(
    editor: Editor, faces: np.ndarray, region: Any, *, neutral: str = "face", text: str | None = None
) -> np.ndarray | None:
    """Where faces may change.

    Args:
        editor: Editor.
        faces: N faces.
        region: as Edit takes it; None: everywhere.
        neutral, text: what the faces are and should be, which "auto" follows; without a text there is no
            "auto".
    Returns:
        `[N or 1, size, size]` float32, 0 to 1; None: everywhere.
    Raises:
        UserError: as regions.check_region and regions.region_masks.
    """
    edit = Edit(neutral, text or "", region=region)
    if edit.region == "auto" and not text:
        raise UserError("the region 'auto' follows a text, and there is none here; name a region or a mask")
    return editor.region_masks(faces, edit)


def draw_in_masks(
    editor: Editor, faces: np.ndarray, changed: np.ndarray, masks: np.ndarray | None
) -> np.ndarray:
    """Draw what became of faces inside masks, and the faces outside; `[N, H, W, 3]` uint8.

    Args:
        editor: Editor.
        faces, changed: N faces before and after.
        masks: of find_masks.
    """
    if masks is None:
        return editor.render(changed)
    return to_pixels(synthesize_in_masks(editor, faces, changed, masks))


def synthesize_in_masks(
    editor: Editor,
    faces: np.ndarray,
    changed: np.ndarray,
    masks: np.ndarray | None,
    *,
    before: np.ndarray | None = None,
) -> np.ndarray:
    """Do what draw_in_masks does; images `[N, 3, H, W]`, `before` those of the faces where they are known."""
    if masks is None:
        return editor.synthesize(changed)
    step = editor.styles(changed).numpy() - editor.styles(faces).numpy()
    return editor.synthesize_edits(faces, [RegionEdit(step, masks, is_kept=False)], before=before)
