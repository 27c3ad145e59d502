# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A photograph of a person becomes a portrait in its likeness, which is then edited by text.

    seen = see_faces(editor, photo)
    if seen.are_people:  # else they are of the world that the model draws
        for record in edit_likeness(editor, photo, edit, seen.found.chosen):
            ...          # record.result.pixels: the edited portraits

Only models whose world has a likeness do this (`worlds/likenesses.py`). What they draw themselves goes the
way of photo.py: its faces, `seen.found.chosen`, are inverted and put back.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.align import (
    Face,
    FaceFinder,
    PhotoFaces,
    find_faces,
    find_photo_faces,
    load_face_finder,
)
from ppstyleclip.editor import Editor
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.pipelines.faces import AlignedFace, cut_faces, load_finder, load_people_finder
from ppstyleclip.pipelines.photo_steps import Change
from ppstyleclip.pipelines.quality import POOR, psnr
from ppstyleclip.pipelines.recipes import Applied, Edits, check_recipe, edit_by_recipe
from ppstyleclip.pipelines.records import Record, result_of
from ppstyleclip.pipelines.regions import draw_in_masks, find_masks
from ppstyleclip.worker import on_worker
from ppstyleclip.worlds.likenesses import LikenessWorld, ReadLikeness, likeness_world


@dataclass(frozen=True, eq=False)
class LikenessEdit:
    """Portraits in the likeness of N faces of a photo, from left to right.

    Attributes:
        pixels: `[S, N * S, 3]` uint8, the edited portraits side by side.
        original: `[H, W, 3]` uint8, the photo.
        faces: N AlignedFaces, as they are in the photo.
        before, after: `[N, S, S, 3]` uint8, the portraits, and edited.
        w_plus: `[N, L, D]` their latents.
        read: N ReadLikenesses: factors, and which of them were read.
        applied: of each face what was done, with all edits.
    """

    pixels: np.ndarray
    original: np.ndarray
    faces: list[AlignedFace]
    before: np.ndarray
    after: np.ndarray
    w_plus: np.ndarray
    read: list[ReadLikeness]
    applied: list[Applied]


@dataclass(frozen=True, eq=False)
class ChangedLikeness:
    """Portraits in the likeness of N faces of a photo, changed by another method than text directions.

    Attributes:
        pixels, faces, before, after, read: as in LikenessEdit.
        masks: `[S, S]` of each face, where it could change; None: everywhere.
    """

    pixels: np.ndarray
    faces: list[AlignedFace]
    before: np.ndarray
    after: np.ndarray
    read: list[ReadLikeness]
    masks: list[np.ndarray | None]


@dataclass(frozen=True, eq=False)
class SeenFaces:
    """The faces of a photo, and whose they are.

    Attributes:
        found: PhotoFaces.
        are_people: the model cannot draw them, but has their likeness; else photo.edit_photo takes them.
    """

    found: PhotoFaces
    are_people: bool


def see_faces(
    editor: Editor,
    photo: np.ndarray,
    which: str | int = "best",
    *,
    landmark_path: str | Path | None = None,
    finder: FaceFinder | None = None,
    name: str = "the photo",
) -> SeenFaces:
    """Find the faces of a photo, and tell whether they are people whose likeness the model has.

    Args:
        editor: Editor.
        photo: `[H, W, 3]` uint8.
        which: as in align.choose_faces.
        landmark_path: a 68-point model of dlib's; None as zoo.load.people_landmarks.
        finder: of faces.load_finder; None loads it where it is needed.
        name: of the photo, for messages.
    Raises:
        NoFace: there is nobody.
        UserError: there is no face of that number.
        MissingFile, MissingExtra: what finds faces is not on this machine; names the cure.
    """
    people, drawn = _look(editor, photo, which, landmark_path, finder, name)
    if people is not None:
        return SeenFaces(people, True)
    if finder is None:
        finder = load_finder(editor.bundle, landmark_path)
    if likeness_world(editor.bundle) is not None:
        finder = replace(finder, kind=None)  # people would do as well as faces of the model's own kind
    return SeenFaces(find_photo_faces(finder, photo, which, name=name, faces=drawn), False)


def find_people(
    editor: Editor,
    photo: np.ndarray,
    which: str | int = "best",
    *,
    landmark_path: str | Path | None = None,
    name: str = "the photo",
) -> PhotoFaces | None:
    """Find the people of a photograph, for a model that has their likeness.

    Returns:
        PhotoFaces; None where the model has no likeness, the photo shows faces that it draws itself, or it
        shows nobody and what finds people is not on this machine. Arguments and errors as see_faces, which
        gives the faces then too.
    """
    return _look(editor, photo, which, landmark_path, None, name)[0]


def _look(
    editor: Editor,
    photo: np.ndarray,
    which: str | int,
    landmark_path: str | Path | None,
    finder: FaceFinder | None,
    name: str,
) -> tuple[PhotoFaces | None, list[Face] | None]:
    """The people, or None; and the faces of the model's own kind, where those were looked for."""
    drawn: list[Face] | None = None
    if likeness_world(editor.bundle) is None:
        return None, drawn
    if landmark_path is None and editor.bundle.finds_own_faces:
        drawn = find_faces(load_finder(editor.bundle) if finder is None else finder, photo)
        if drawn and are_drawn(editor, photo, drawn):
            return None, drawn
    try:
        people = load_people_finder(landmark_path)
    except MissingFile:
        if _shows_nobody(editor, photo):  # then nothing need be fetched to say so
            return None, drawn
        raise
    return find_photo_faces(people, photo, which, name=name), drawn


def _shows_nobody(editor: Editor, photo: np.ndarray) -> bool:
    """Whether dlib's own detector, which is no file, finds no face; the model's landmarks stand in."""
    landmarks = editor.bundle.face_models[0] if editor.bundle.finds_own_faces else None
    return landmarks is not None and not find_faces(load_face_finder(landmarks), photo)


def are_drawn(editor: Editor, photo: np.ndarray, faces: Sequence[Face]) -> bool:
    """Tell whether a model draws the surest of some faces well, which it does with those of its own world."""
    if editor.bundle.encoder is None:
        return False
    surest, bundle = max(faces, key=lambda face: face.weight), editor.bundle
    try:
        crop = cut_faces(photo, [surest], bundle.generator.size, bundle.crop)[0].crop
    except UserError:  # a face that is tiny
        return False
    return bool(psnr(crop[None], editor.render(editor.invert(crop[None])))[0] >= POOR)


def edit_likeness(
    editor: Editor, photo: np.ndarray, edit: Edits, faces: Sequence[Face]
) -> Iterator[Record[LikenessEdit]]:
    """Draw the people of a photo as portraits, and edit those by text.

    Args:
        editor: Editor of a model that has a likeness.
        photo: `[H, W, 3]` uint8.
        edit: Edit, or a Recipe of several.
        faces: N people, such as the chosen ones of find_people.
    Yields:
        Record, its stages "likeness" and "pictures"; the result is a LikenessEdit.
    Raises:
        UserError: a text, a model without a likeness, or a face that is tiny or not in this photo.
    """
    check_recipe(editor, edit)  # bad words are refused first
    crops = cut_faces(photo, faces, editor.bundle.generator.size)
    read = yield from _read(editor, photo, faces, len(faces) + 1)
    w_plus = likeness_latents(editor, read)
    made = [result_of(edit_by_recipe(editor, one[None], edit)) for one in w_plus]
    before, after = (np.stack([getattr(one, when) for one in made]) for when in ("before", "after"))
    pixels, applied = np.concatenate(list(after), axis=1), [one.applied for one in made]
    result = LikenessEdit(pixels, photo, crops, before, after, w_plus, read, applied)
    yield Record(len(faces) + 1, len(faces) + 1, "pictures", result)


def _read(
    editor: Editor, photo: np.ndarray, faces: Sequence[Face], total: int
) -> Generator[Record[Any], None, list[ReadLikeness]]:
    """Read each face of a photo, a record each; return what was read."""
    world, read = _world_of(editor), []
    for number, face in enumerate(faces, 1):
        read.append(world.likeness(photo, face.landmarks))
        yield Record(number, total, "likeness")
    return read


def change_likeness(
    editor: Editor,
    photo: np.ndarray,
    change: Change,
    faces: Sequence[Face],
    *,
    change_steps: int = 1,
    region: Any = None,
    neutral: str = "face",
    text: str = "",
) -> Iterator[Record[ChangedLikeness]]:
    """Draw the people of a photo as portraits, and change those by a function of their latents.

    Args:
        editor, photo, faces: as in edit_likeness.
        change, change_steps, region, neutral, text: as in photo_steps.change_photo; the mask lies on the
            portrait.
    Yields:
        Record, its stages "likeness", those of `change`, and "pictures"; the result is a ChangedLikeness.
    Raises:
        UserError: as edit_likeness, `change` and pipelines.regions.find_masks.
    """
    crops = cut_faces(photo, faces, editor.bundle.generator.size)
    total = (1 + change_steps) * len(faces) + 1
    read = yield from _read(editor, photo, faces, total)
    done, before, after, each = len(faces), [], [], []
    for latent in likeness_latents(editor, read)[:, None]:
        masks = find_masks(editor, latent, region, neutral=neutral, text=text)
        moved: np.ndarray | None = None
        for step in change(editor, latent, masks):
            done, moved = min(done + 1, total - 1), step.result
            yield Record(done, total, step.stage)
        assert moved is not None
        before.append(editor.render(latent)[0])
        after.append(draw_in_masks(editor, latent, moved, masks)[0])
        each.append(None if masks is None else masks[0])
    pixels = np.concatenate(after, axis=1)
    result = ChangedLikeness(pixels, crops, np.stack(before), np.stack(after), read, each)
    yield Record(total, total, "pictures", result)


def likeness_latents(editor: Editor, read: Sequence[ReadLikeness]) -> np.ndarray:
    """Latents `[N, L, D]` float32 of N likenesses: their z in closed form, mapped without truncation."""
    return latents_of_z(editor, _world_of(editor).z_from_factors(np.stack([one.factors for one in read])))


@on_worker
@paddle.no_grad()
def latents_of_z(editor: Editor, z: np.ndarray) -> np.ndarray:
    """Latents `[N, L, D]` float32 of z `[N, D]`, mapped without truncation; their regions are known then."""
    rows = [editor.bundle.generator.get_latents(paddle.to_tensor(one[None])) for one in z]  # as Editor.sample
    w_plus = paddle.concat(rows).numpy()
    editor.sampled.remember(w_plus, None, z, 1.0)
    return w_plus


def _world_of(editor: Editor) -> LikenessWorld:
    world = likeness_world(editor.bundle)
    if world is None:
        raise UserError(
            f"'{editor.bundle.name}' draws no world that a photo can be brought into; edit its photos by "
            "pipelines.photo"
        )
    return world
