# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A photo edited by text: its faces found, cut out, inverted, edited, and pasted back.

A program calls it like this:

    finder, measures = load_finder(editor.bundle), load_measures(editor.bundle)  # once
    edit = Edit("face", "happy face")
    for record in edit_photo(editor, photo, edit, finder=finder, measures=measures):
        ...                  # record.done of record.total
    record.result.pixels     # the edited photo
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ppstyleclip.align import Face, FaceFinder, crop_to_photo, landmarks_on_crop, paste_back, take_photo
from ppstyleclip.editor import Edit, Editor, ResolvedEdit
from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2
from ppstyleclip.inputs import as_list
from ppstyleclip.methods.checks import check_kind
from ppstyleclip.methods.inversion import FittingConfig, TuningConfig
from ppstyleclip.models.canvas import turns_canvas
from ppstyleclip.pictures import to_levels, to_pixels
from ppstyleclip.pipelines.faces import AlignedFace, cut_chosen_faces, unaligned_face
from ppstyleclip.pipelines.inversion import InversionResult, invert_faces
from ppstyleclip.pipelines.quality import Measures, Quality, load_measures, measure
from ppstyleclip.pipelines.recipes import (
    Applied,
    Edits,
    apply_recipe,
    check_recipe,
)
from ppstyleclip.pipelines.records import Record, result_of
from ppstyleclip.regions import AUTO, RegionEdit, RegionMask
from ppstyleclip.regions.masks import LEAST, check_mask_size, feathered


@dataclass(frozen=True)
class PhotoConfig:
    """How the faces of a photo are edited.

    Attributes:
        face: which, as in align.choose_faces: a number, from 1 for the leftmost; "best"; "largest"; or "all".
        fitting: of the latents, behind the encoder.
        tuning: of a generator for each face; None tunes nothing.
        paste: how an edited face returns, one of align.paste.WAYS.
        align: "face", or "none" for generators of what has no landmarks: the square in the middle is taken.
    """

    face: str | int = "best"
    fitting: FittingConfig = FittingConfig()
    tuning: TuningConfig | None = None
    paste: str = "blend"
    align: str = "face"

    def __post_init__(self) -> None:
        check_kind("fitting", self.fitting, FittingConfig, ", such as FittingConfig(steps=100)")
        if self.tuning is not None:
            check_kind("tuning", self.tuning, TuningConfig, ", such as TuningConfig()")


@dataclass(frozen=True, eq=False)
class PhotoEdit:
    """An edited photo and what came on the way; N faces, from left to right.

    Attributes:
        pixels: `[H, W, 3]` uint8, the edited photo.
        original: `[H, W, 3]` uint8, the photo.
        faces: N AlignedFaces; of a generator that draws any pose, as they stand in the photo.
        before, after: `[N, S, S, 3]` uint8, the faces as they were inverted, and edited, as `faces` stand.
        inversion: InversionResult: latents, the editors that drew each face, quality, seconds.
        quality_after: Quality of the edited faces, beside the crops; `inversion.stages[-1].poor` tells which
            faces are drawn badly.
        edit: the edit with every default filled in; of several, and of one that was solved, the first of the
            first face.
        applied: of each face what was done, with all edits, and where on its crop.
    """

    pixels: np.ndarray
    original: np.ndarray
    faces: list[AlignedFace]
    before: np.ndarray
    after: np.ndarray
    inversion: InversionResult
    quality_after: Quality
    edit: ResolvedEdit
    applied: list[Applied]


def edit_photo(
    editor: Editor,
    photo: Any,
    edit: Edits,
    config: PhotoConfig = PhotoConfig(),  # noqa: B008  frozen
    *,
    faces: Sequence[Face] | None = None,
    finder: FaceFinder | None = None,
    measures: Measures | None = None,
    name: str = "the photo",
    each: Sequence[Edits] = (),
) -> Iterator[Record[PhotoEdit]]:
    """Edit the faces of a photo by text.

    Args:
        editor: Editor.
        photo: `[H, W, 3]` uint8, the path of a picture, or a PIL image, as align.take_photo takes them.
        edit: Edit, several, or a Recipe of them; "auto" is solved for each face.
        config: PhotoConfig.
        faces: the photo's faces where their landmarks are known (align.faces_of_landmarks); then nothing is
            looked for.
        finder: of load_finder; None loads the model's own.
        measures: of load_measures; None loads what is on this machine.
        name: of the photo, for messages.
        each: the edits of each chosen face, where they are not alike.
    Yields:
        Record, its stages "faces", "latents", "tuning" and "pictures"; the result is a PhotoEdit.
    Raises:
        UserError: a text, no face (align.NoFace), no such face, or one that is tiny.
        MissingFile, MissingExtra: as load_finder.

    Examples:
        >>> from ppstyleclip import Edit, Editor
        >>> from ppstyleclip.align import faces_of_landmarks
        >>> from ppstyleclip.pipelines.records import result_of
        >>> from ppstyleclip.worlds.portrait.scenes import draw_scene
        >>> scene = draw_scene(21, faces=1, width=320, height=240, sides=(120, 130))
        >>> faces = faces_of_landmarks([face.landmarks for face in scene.faces])
        >>> edit, editor = Edit("face", "happy face"), Editor.from_pretrained()
        >>> records = edit_photo(editor, scene.pixels, edit, faces=faces)
        >>> made = result_of(records)  # or a loop over the records, which tell how far the work is
        >>> made.pixels.shape, made.inversion.stages[-1].poor.tolist()
        ((240, 320, 3), [False])
    """
    check_kind("config", config, PhotoConfig)
    photo, each = take_photo(photo), as_list(each, "edit", least=0)
    check_recipe(editor, edit)  # bad words are refused before a minute is spent on the faces
    cut = cut_chosen_faces(
        editor.bundle, photo, config.face, faces=faces, finder=finder, name=name, align=config.align
    )
    measures = load_measures(editor.bundle) if measures is None else measures
    if each and len(each) != len(cut):
        raise UserError(f"{len(cut)} faces are edited, and {len(each)} have edits of their own; give as many")
    yield from _edit_cut_faces(editor, photo, cut, each or [edit] * len(cut), config, measures)


def _edit_cut_faces(
    editor: Editor,
    photo: np.ndarray,
    faces: list[AlignedFace],
    edits: Sequence[Edits],
    config: PhotoConfig,
    measures: Measures,
) -> Iterator[Record[PhotoEdit]]:
    """Invert faces that are cut out, edit them and paste them back."""
    crops, steps = np.stack([face.crop for face in faces]), config.fitting.steps + 1
    total = 1 + steps + (config.tuning.steps if config.tuning else 0) * len(faces) + len(faces)
    yield Record(1, total, "faces")
    found: InversionResult | None = None
    for record in invert_faces(editor, crops, measures, config.fitting, config.tuning):
        found = record.result
        yield Record(1 + record.done, total, record.stage)
    assert found is not None
    faces, found = _in_their_poses(photo, faces, found)
    edited, before, after, applied = photo, [], [], []
    for number, (face, latent, own) in enumerate(zip(faces, found.w_plus, found.editors), 1):
        applied.append(apply_photo_recipe(own, photo, face, latent[None], edits[number - 1]))
        parts = applied[-1].parts
        edited, old, new = paste_parts(own, edited, [face], latent[None], parts, paste=config.paste)
        before.append(old[0])
        after.append(new[0])
        if number < len(faces):
            yield Record(total - len(faces) + number, total, "pictures")
    quality = measure(measures, np.stack([face.crop for face in faces]), np.stack(after))
    yield Record(
        total,
        total,
        "pictures",
        PhotoEdit(
            edited,
            photo,
            faces,
            np.stack(before),
            np.stack(after),
            found,
            quality,
            applied[0].edits[0],
            applied,
        ),
    )


def _in_their_poses(
    photo: np.ndarray, faces: list[AlignedFace], found: InversionResult
) -> tuple[list[AlignedFace], InversionResult]:
    """Faces as they stand in the photo, with editors that draw them so, where the generator can."""
    each = [in_its_pose(photo, face, own) for face, own in zip(faces, found.editors)]
    return [face for face, _ in each], replace(found, editors=[own for _, own in each])


def in_its_pose(photo: np.ndarray, face: AlignedFace, editor: Editor) -> tuple[AlignedFace, Editor]:
    """A face as it stands in its photo, and an editor that draws w_plus so.

    Both are as they were where the generator draws aligned faces only, or what was cut out has no landmarks.
    """
    if face.face is None or not turns_canvas(editor.bundle.generator):
        return face, editor
    posed = unaligned_face(photo, face)
    assert posed.canvas is not None
    return posed, editor.on_canvas(posed.canvas)


def paste_edit(
    editor: Editor,
    photo: np.ndarray,
    faces: Sequence[AlignedFace],
    w_plus: np.ndarray,
    edit: Edits,
    *,
    paste: str = "blend",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edit faces of a photo whose latents are known, and put them back.

    Args:
        editor: Editor.
        photo: `[H, W, 3]` uint8.
        faces: N AlignedFaces of it.
        w_plus: `[N, L, D]` their latents.
        edit: Edit, or a Recipe of several; "auto" is solved for each face.
        paste: as in PhotoConfig.
    Returns:
        (photo with the edited faces, drawn faces `[N, S, S, 3]` uint8 before and after the edit). A generator
        that draws any pose draws them as they stand in the photo.
    Raises:
        UserError: as photo_regions.
    """
    if turns_canvas(editor.bundle.generator):
        return _paste_posed(editor, photo, faces, w_plus, edit, paste)
    each = [apply_photo_recipe(editor, photo, face, w[None], edit).parts for face, w in zip(faces, w_plus)]
    parts = [
        RegionEdit(
            np.stack([part.step for part in of_one_edit]),
            None if of_one_edit[0].masks is None else np.concatenate([part.masks for part in of_one_edit]),
            of_one_edit[0].is_kept,
        )
        for of_one_edit in zip(*each)
    ]
    return paste_parts(editor, photo, faces, w_plus, parts, paste=paste)


def _paste_posed(
    editor: Editor,
    photo: np.ndarray,
    faces: Sequence[AlignedFace],
    w_plus: np.ndarray,
    edit: Edits,
    paste: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As paste_edit, each face on the canvas of its own pose."""
    edited, before, after = photo, [], []
    for face, w in zip(faces, w_plus):
        posed, own = in_its_pose(photo, face, editor)
        parts = apply_photo_recipe(own, photo, posed, w[None], edit).parts
        edited, old, new = paste_parts(own, edited, [posed], w[None], parts, paste=paste)
        before.append(old)
        after.append(new)
    return edited, np.concatenate(before), np.concatenate(after)


def paste_parts(
    editor: Editor,
    photo: np.ndarray,
    faces: Sequence[AlignedFace],
    w_plus: np.ndarray,
    parts: Sequence[RegionEdit],
    *,
    paste: str = "blend",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Do what paste_edit does, with the steps of the edits; if all have regions, nothing else changes."""
    before = editor.synthesize(w_plus)
    after = editor.synthesize_edits(w_plus, parts, before=before)
    regions = _union(parts, len(faces))
    for number, (face, old, new) in enumerate(zip(faces, before, after)):
        assert face.alignment is not None  # it was cut out of this photo
        region = None if regions is None else regions[number]
        photo = paste_back(photo, face.alignment, to_levels(new), to_levels(old), way=paste, region=region)
    return photo, to_pixels(before), to_pixels(after)


def apply_photo_recipe(
    editor: Editor, photo: np.ndarray, face: AlignedFace, w_plus: np.ndarray, edits: Edits
) -> Applied:
    """Make the edits of one face of a photo, whose w_plus `[1, L, D]` is known; errors as photo_regions."""
    find = partial(photo_regions, editor, photo, [face], w_plus)
    return result_of(apply_recipe(editor, w_plus, edits, find))


def _union(parts: Sequence[RegionEdit], count: int) -> np.ndarray | None:
    """Where the edits together may change each of `count` faces; None: everywhere."""
    known = [part.masks for part in parts if part.masks is not None]
    if not known or len(known) < len(parts):
        return None
    size = known[0].shape[-1]
    return np.max([np.broadcast_to(one, [count, size, size]) for one in known], axis=0)


def photo_regions(
    editor: Editor,
    photo: np.ndarray,
    faces: Sequence[AlignedFace],
    w_plus: np.ndarray,
    edit: Edit | ResolvedEdit,
) -> np.ndarray | None:
    """Where an edit may change each face of a photo, `[N, S, S]` on their crops; None: everywhere.

    Names of regions are looked up in the faces' landmarks. A mask is as large as the photo.

    Raises:
        UserError: a mask of another size, or one that leaves a face out; a name where nothing was aligned.
    """
    region = edit.region
    if region is None:
        return None
    size = editor.bundle.generator.size
    if isinstance(region, RegionMask):
        check_mask_size(region, photo.shape[1], photo.shape[0], "the photo")
        return np.stack([_cut(region, face, size) for face in faces])
    if any(face.face is None for face in faces):
        if region != AUTO:
            raise UserError(
                f"the region '{region}' is looked up in a face's landmarks, and without alignment there are "
                f"none; give the file of a mask, or {AUTO}"
            )
        landmarks = None
    else:
        landmarks = [_landmarks_on_crop(face, size) for face in faces]
    masks = editor.region_masks(w_plus, edit, landmarks=landmarks)
    assert masks is not None
    return masks


def _landmarks_on_crop(face: AlignedFace, size: int) -> np.ndarray:
    assert face.alignment is not None and face.face is not None
    return landmarks_on_crop(face.alignment, face.face.landmarks, size)


def _cut(mask: RegionMask, face: AlignedFace, size: int) -> np.ndarray:
    """The part `[size, size]` of a photo's mask that lies on a face's crop."""
    cv2 = import_cv2()
    assert face.alignment is not None
    forth = crop_to_photo(face.alignment, size)
    way = {"flags": cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, "borderMode": cv2.BORDER_CONSTANT}
    cut = cv2.warpAffine(feathered(mask.values), forth, (size, size), **way)
    if cut.max() < LEAST:
        raise UserError(f"the mask '{mask.name}' leaves the face out; paint on the face, or choose another")
    return np.clip(cut, 0, 1).astype(np.float32)
