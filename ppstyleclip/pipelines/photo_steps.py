# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A photo changed by any method that moves latents: its faces found, inverted, moved, and pasted back.

Text directions have a pipeline of their own, edit_photo; this one is for optimisation, mappers and whatever
else takes w_plus and ends in w_plus or styles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional

import numpy as np

from ppstyleclip.align import Face, FaceFinder, paste_back, take_photo
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.methods.checks import check_kind
from ppstyleclip.pictures import to_levels, to_pixels
from ppstyleclip.pipelines.faces import AlignedFace, cut_chosen_faces
from ppstyleclip.pipelines.inversion import InversionResult, invert_faces
from ppstyleclip.pipelines.photo import PhotoConfig, in_its_pose, photo_regions
from ppstyleclip.pipelines.quality import Measures, Quality, load_measures, measure
from ppstyleclip.pipelines.records import Record
from ppstyleclip.pipelines.regions import synthesize_in_masks

Change = Callable[[Editor, np.ndarray, Optional[np.ndarray]], Iterator[Record[np.ndarray]]]


@dataclass(frozen=True, eq=False)
class ChangedPhoto:
    """A changed photo and what came on the way; N faces, from left to right.

    Attributes:
        pixels: `[H, W, 3]` uint8, the changed photo.
        faces: N AlignedFaces; of a generator that draws any pose, as they stand in the photo.
        before, after: `[N, S, S, 3]` uint8, the faces as they were inverted, and changed, as `faces` stand.
        inversion: InversionResult.
        quality_after: Quality of the changed faces, beside the crops.
        masks: `[S, S]` of each face, where it could change; None: everywhere.
    """

    pixels: np.ndarray
    faces: list[AlignedFace]
    before: np.ndarray
    after: np.ndarray
    inversion: InversionResult
    quality_after: Quality
    masks: list[np.ndarray | None]


def change_photo(
    editor: Editor,
    photo: Any,
    change: Change,
    config: PhotoConfig = PhotoConfig(),  # noqa: B008  frozen
    *,
    change_steps: int = 1,
    faces: Sequence[Face] | None = None,
    finder: FaceFinder | None = None,
    measures: Measures | None = None,
    name: str = "the photo",
    region: Any = None,
    neutral: str = "face",
    text: str = "",
) -> Iterator[Record[ChangedPhoto]]:
    """Change the faces of a photo by a function of their latents.

    Args:
        editor: Editor.
        photo: as in edit_photo.
        change: called with an Editor, w_plus `[1, L, D]` of each face and the mask `[1, S, S]` in which it
            may change, or None; its records may count steps, and the last one has the moved face, w_plus
            `[1, L, D]` or styles `[1, S]`.
        config: PhotoConfig.
        change_steps: records of `change`, for the total.
        faces, finder, measures, name: as in edit_photo.
        region: where the photo may change, as Edit takes it; None: everywhere.
        neutral, text: what the faces are and shall be, which the region "auto" follows.
    Yields:
        Record, its stages "faces", "latents", "tuning", those of `change`, and "pictures".
    Raises:
        UserError: no face (align.NoFace), no such face, one that is tiny, or as `change` and photo_regions.
    """
    check_kind("config", config, PhotoConfig)
    photo = take_photo(photo)
    cut = cut_chosen_faces(
        editor.bundle, photo, config.face, faces=faces, finder=finder, name=name, align=config.align
    )
    measures = load_measures(editor.bundle) if measures is None else measures
    crops = np.stack([face.crop for face in cut])
    first = 2 + config.fitting.steps + (config.tuning.steps if config.tuning else 0) * len(cut)
    total = first + change_steps * len(cut) + 1
    yield Record(1, total, "faces")
    found: InversionResult | None = None
    for record in invert_faces(editor, crops, measures, config.fitting, config.tuning):
        found = record.result
        yield Record(1 + record.done, total, record.stage)
    assert found is not None
    pasted_faces: list[AlignedFace] = []
    before, after, each, done = [], [], [], first
    edit, pasted = Edit(neutral, text, region=region), photo
    for face, latent, own in zip(cut, found.w_plus, found.editors):
        moved: np.ndarray | None = None
        masks = photo_regions(own, photo, [face], latent[None], edit)
        for step in change(own, latent[None], masks):
            done, moved = min(done + 1, total - 1), step.result
            yield Record(done, total, step.stage)
        assert moved is not None
        posed, mask, old, new = _drawn_in_pose(own, photo, face, latent[None], moved, masks, edit)
        assert posed.alignment is not None
        new_levels, old_levels = to_levels(new[0]), to_levels(old[0])
        pasted = paste_back(pasted, posed.alignment, new_levels, old_levels, way=config.paste, region=mask)
        pasted_faces.append(posed)
        before.append(old[0])
        after.append(new[0])
        each.append(mask)
    drawn = to_pixels(np.stack(after))
    quality = measure(measures, np.stack([face.crop for face in pasted_faces]), drawn)
    result = ChangedPhoto(pasted, pasted_faces, to_pixels(np.stack(before)), drawn, found, quality, each)
    yield Record(total, total, "pictures", result)


def _drawn_in_pose(
    editor: Editor,
    photo: np.ndarray,
    face: AlignedFace,
    w_plus: np.ndarray,
    moved: np.ndarray,
    masks: np.ndarray | None,
    edit: Edit,
) -> tuple[AlignedFace, np.ndarray | None, np.ndarray, np.ndarray]:
    """(face, mask `[S, S]` or None, images `[1, 3, S, S]` before, after), as the face stands in its photo."""
    posed, drawing = in_its_pose(photo, face, editor)
    if posed.canvas is not None:
        masks = photo_regions(drawing, photo, [posed], w_plus, edit)
        moved = editor.moved(moved, posed.canvas) if moved.ndim == 2 else moved
    before = drawing.synthesize(w_plus)
    after = synthesize_in_masks(drawing, w_plus, moved, masks, before=before)
    return posed, None if masks is None else masks[0], before, after
