# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces drawn with several edits, each in its own region or everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppstyleclip.models.region import paste
from ppstyleclip.worker import on_worker


@dataclass(frozen=True, eq=False)
class RegionEdit:
    """What one edit adds, and where.

    Attributes:
        step: `[S]` or `[N, S]` added to the styles.
        masks: `[N or 1, size, size]` float32, 0 to 1; None for the whole picture.
    """

    step: np.ndarray
    masks: np.ndarray | None = None

    def rows(self, rows: slice, count: int) -> RegionEdit:
        """The same for some of `count` faces."""
        step = self.step[rows] if self.step.ndim == 2 and len(self.step) == count else self.step
        masks = self.masks
        if masks is not None and len(masks) == count:
            masks = masks[rows]
        return RegionEdit(step, masks)


def draw_edits(
    renderer: Any,
    layout: Any,
    s: np.ndarray,
    edits: Sequence[RegionEdit],
    *,
    before: np.ndarray | None = None,
) -> np.ndarray:
    """Draw faces with edits that stay in their regions.

    Edits of the whole picture come first, then each region on what is there so far. Where regions overlap,
    the later one takes the earlier ones' steps along, by the share of it that they cover.

    Args:
        renderer: engine.Renderer.
        layout: the generator's StyleLayout.
        s: `[N, S]` float32, the faces before all edits.
        edits: in the order in which they were made.
        before: `[N, 3, size, size]` the faces as they were drawn before all edits; None draws them. With it
            an edit in its region costs little more than two pictures.
    Returns:
        images `[N, 3, size, size]` float32; pixels that no mask reaches are bit for bit those of the picture
        with the edits of the whole picture alone.
    """
    whole = [edit.step for edit in edits if edit.masks is None]
    s = np.asarray(s + sum(whole, np.float32(0)), np.float32)
    images = renderer.synthesize(layout.unflatten(s)) if before is None or whole else before
    earlier: list[RegionEdit] = []
    for edit in edits:
        if edit.masks is None:
            continue
        step = edit.step + sum((_share(edit, one) * one.step for one in earlier), np.float32(0))
        edited = layout.unflatten(np.asarray(s + step, np.float32))
        drawn = renderer.synthesize_in_region(layout.unflatten(s), edited, edit.masks)
        images = paste(images, drawn, edit.masks)
        earlier.append(edit)
    return images


@on_worker
def draw_in_batches(
    renderer: Any,
    layout: Any,
    s: np.ndarray,
    edits: Sequence[RegionEdit],
    *,
    before: np.ndarray | None = None,
    batch: int,
) -> np.ndarray:
    """Draw faces as draw_edits does, `batch` of them at a time."""
    parts = []
    for rows in (slice(k, k + batch) for k in range(0, len(s), batch)):
        some = [edit.rows(rows, len(s)) for edit in edits]
        known = None if before is None else before[rows]
        parts.append(draw_edits(renderer, layout, s[rows], some, before=known))
    return np.concatenate(parts)


def _share(edit: RegionEdit, earlier: RegionEdit) -> np.ndarray:
    """`[N or 1, 1]` how much of an edit's region an earlier one covers, 0 to 1."""
    assert edit.masks is not None and earlier.masks is not None
    both = (edit.masks * earlier.masks).sum(axis=(1, 2))
    return (both / edit.masks.sum(axis=(1, 2)))[:, None].astype(np.float32)
