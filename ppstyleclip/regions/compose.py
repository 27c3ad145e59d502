# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces drawn with several edits, each in its own region or everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from ppstyleclip.models.region import paste
from ppstyleclip.worker import on_worker


@dataclass(frozen=True, eq=False)
class RegionEdit:
    """What one edit adds, and where.

    Attributes:
        step: `[S]` or `[N, S]` added to the styles.
        masks: `[N or 1, size, size]` float32, 0 to 1; None for the whole picture.
        is_kept: whether what is added stays in the range of the model's faces, as a direction should; the
            way to a latent that was found does not.
    """

    step: np.ndarray
    masks: np.ndarray | None = None
    is_kept: bool = True

    def rows(self, rows: slice, count: int) -> RegionEdit:
        """The same for some of `count` faces."""
        step = self.step[rows] if self.step.ndim == 2 and len(self.step) == count else self.step
        masks = self.masks
        if masks is not None and len(masks) == count:
            masks = masks[rows]
        return RegionEdit(step, masks, self.is_kept)


Add = Callable[[np.ndarray, np.ndarray], np.ndarray]  # s and a step `[N, S]` to the edited styles


def draw_edits(
    renderer: Any,
    layout: Any,
    s: np.ndarray,
    edits: Sequence[RegionEdit],
    *,
    before: np.ndarray | None = None,
    add: Add = np.add,
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
        add: how steps that are kept are added to styles.
    Returns:
        images `[N, 3, size, size]` float32; pixels that no mask reaches are bit for bit those of the picture
        with the edits of the whole picture alone.
    """
    whole = [edit for edit in edits if edit.masks is None]
    s = _with_steps(s, [(np.float32(1), edit) for edit in whole], add)
    images = renderer.synthesize(layout.unflatten(s)) if before is None or whole else before
    earlier: list[RegionEdit] = []
    for edit in edits:
        if edit.masks is None:
            continue
        shares = [(np.float32(1), edit), *((_share(edit, one), one) for one in earlier)]
        edited = layout.unflatten(_with_steps(s, shares, add))
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
    add: Add = np.add,
) -> np.ndarray:
    """Draw faces as draw_edits does, `batch` of them at a time."""
    parts = []
    for rows in (slice(k, k + batch) for k in range(0, len(s), batch)):
        some = [edit.rows(rows, len(s)) for edit in edits]
        known = None if before is None else before[rows]
        parts.append(draw_edits(renderer, layout, s[rows], some, before=known, add=add))
    return np.concatenate(parts)


def _with_steps(s: np.ndarray, shares: Sequence[tuple[Any, RegionEdit]], add: Add) -> np.ndarray:
    """Styles `[N, S]` with the shares of some edits."""
    for is_kept in (True, False):
        steps = [share * edit.step for share, edit in shares if edit.is_kept == is_kept]
        if steps:
            step = sum(steps[1:], steps[0])
            s = add(s, step) if is_kept else s + step
    return np.asarray(s, np.float32)


def _share(edit: RegionEdit, earlier: RegionEdit) -> np.ndarray:
    """`[N or 1, 1]` how much of an edit's region an earlier one covers, 0 to 1."""
    assert edit.masks is not None and earlier.masks is not None
    both = (edit.masks * earlier.masks).sum(axis=(1, 2))
    return (both / edit.masks.sum(axis=(1, 2)))[:, None].astype(np.float32)
