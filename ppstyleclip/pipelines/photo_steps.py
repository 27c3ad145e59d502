# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A photo changed by any method that moves latents: its faces found, inverted, moved, and pasted back.

Text directions have a pipeline of their own, edit_photo; this one is for optimisation, mappers and whatever
else takes w_plus and ends in w_plus or styles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable

import numpy as np

from ppstyleclip.align import Face, FaceFinder, paste_back
from ppstyleclip.editor import Editor
from ppstyleclip.pictures import to_levels, to_pixels
from ppstyleclip.pipelines.faces import AlignedFace, cut_chosen_faces
from ppstyleclip.pipelines.inversion import InversionResult, invert_faces
from ppstyleclip.pipelines.photo import PhotoConfig
from ppstyleclip.pipelines.quality import Measures, Quality, load_measures, measure
from ppstyleclip.pipelines.records import Record

Change = Callable[[Editor, np.ndarray], Iterator[Record[np.ndarray]]]


@dataclass(frozen=True, eq=False)
class ChangedPhoto:
    """A changed photo and what came on the way; N faces, from left to right.

    Attributes:
        pixels: `[H, W, 3]` uint8, the changed photo.
        faces: N AlignedFaces.
        before, after: `[N, S, S, 3]` uint8, the faces as they were inverted, and changed.
        inversion: InversionResult.
        quality_after: Quality of the changed faces, beside the crops.
    """

    pixels: np.ndarray
    faces: list[AlignedFace]
    before: np.ndarray
    after: np.ndarray
    inversion: InversionResult
    quality_after: Quality


def change_photo(
    editor: Editor,
    photo: np.ndarray,
    change: Change,
    config: PhotoConfig = PhotoConfig(),  # noqa: B008  frozen
    *,
    change_steps: int = 1,
    faces: Sequence[Face] | None = None,
    finder: FaceFinder | None = None,
    measures: Measures | None = None,
    name: str = "the photo",
) -> Iterator[Record[ChangedPhoto]]:
    """Change the faces of a photo by a function of their latents.

    Args:
        editor: Editor.
        photo: `[H, W, 3]` uint8.
        change: called with an Editor and w_plus `[1, L, D]` of each face; its records may count steps, and
            the last one has the moved face, w_plus `[1, L, D]` or styles `[1, S]`.
        config: PhotoConfig.
        change_steps: records of `change`, for the total.
        faces, finder, measures, name: as in edit_photo.
    Yields:
        Record, its stages "faces", "latents", "tuning", those of `change`, and "pictures".
    Raises:
        UserError: no face (align.NoFace), no such face, one that is tiny, or as `change`.
    """
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
    before, after, done = [], [], first
    for face, latent, own in zip(cut, found.w_plus, found.editors):
        moved: np.ndarray | None = None
        for step in change(own, latent[None]):
            done, moved = min(done + 1, total - 1), step.result
            yield Record(done, total, step.stage)
        assert moved is not None and face.alignment is not None
        old, new = own.synthesize(latent[None])[0], own.synthesize(moved)[0]
        photo = paste_back(photo, face.alignment, to_levels(new), to_levels(old), way=config.paste)
        before.append(old)
        after.append(new)
    drawn = to_pixels(np.stack(after))
    quality = measure(measures, crops, drawn)
    result = ChangedPhoto(photo, cut, to_pixels(np.stack(before)), drawn, found, quality)
    yield Record(total, total, "pictures", result)
