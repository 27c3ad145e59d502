# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The same edit over pictures that can be gone through several times, such as a video's; none is held.

    find_frame_faces      (frames.py) landmarks, smoothed over time
    find_frame_latents    latents of those faces
    smooth_frame_latents  averaged over time
    draw_frames           the edited pictures

What the first three give is small, so a caller may keep it and go on where it was stopped: the second and the
last begin with any picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ppstyleclip.align import Face, smooth_stream_along
from ppstyleclip.editor import Editor
from ppstyleclip.pipelines.faces import cut_faces, cut_large_faces
from ppstyleclip.pipelines.frames import Count, FrameRecord, FramesConfig, Strengths, no_face
from ppstyleclip.pipelines.inversion import latent_finder
from ppstyleclip.pipelines.photo import paste_edit
from ppstyleclip.pipelines.recipes import Edits, check_recipe


@dataclass(frozen=True, eq=False)
class FrameFaces:
    """The faces of one picture that are large enough, and what draws them.

    Attributes:
        faces: F of them.
        w_plus: `[F, L, D]` float32 their latents.
    """

    faces: list[Face]
    w_plus: np.ndarray


@dataclass(frozen=True, eq=False)
class LatentsRecord:
    """How far latents are found.

    Attributes:
        done, total: pictures.
        part: of the next ones that is done, 0 to 1 and more; they are fitted together.
        found: what became of picture `done`; None with a record between two pictures.
    """

    done: int
    total: int
    part: float = 0.0
    found: FrameFaces | None = None


def find_frame_latents(
    editor: Editor,
    frames: Iterable[np.ndarray],
    faces: Sequence[Sequence[Face]],
    config: FramesConfig = FramesConfig(),  # noqa: B008  frozen
    *,
    start: int = 0,
) -> Iterator[LatentsRecord]:
    """Find the latents of the faces of many pictures; only crops are held, of about `together` faces.

    Args:
        editor: Editor.
        frames: pictures `[H, W, 3]` uint8.
        faces: of each picture, as find_frame_faces found them.
        config: FramesConfig.
        start: the first picture whose latents are wanted, from 0.
    Yields:
        LatentsRecord; one for each picture from `start` on has its `found`, in order.
    """
    generator, crop = editor.bundle.generator, editor.bundle.crop
    find = latent_finder(editor, config.fitting)
    waiting: list[tuple[list[Face], list[np.ndarray]]] = []
    done, total, num_open = min(start, len(faces)), len(faces), 0

    def fitted() -> Iterator[LatentsRecord]:
        nonlocal done
        crops, rest = [one for _, row in waiting for one in row], np.empty([0, 0, 0], np.float32)
        if crops:
            for record in find(np.stack(crops)):
                rest = record.w_plus
                yield LatentsRecord(done, total, len(waiting) * record.done / record.total)
        for found, row in waiting:
            own, rest = rest[: len(row)], rest[len(row) :]
            done += 1
            yield LatentsRecord(done, total, found=FrameFaces(found, own))
        waiting.clear()

    for place, (picture, found) in enumerate(zip(frames, faces)):
        if place < start:
            continue
        cut = cut_large_faces(picture, found, generator.size, crop)
        waiting.append(([one.face for one in cut if one.face is not None], [one.crop for one in cut]))
        num_open += len(cut)
        if num_open >= config.together or not num_open:
            yield from fitted()
            num_open = 0
    yield from fitted()


def smooth_frame_latents(known: Iterable[FrameFaces], radius: int) -> Iterator[FrameFaces]:
    """Average the latents of each face over `radius` pictures before and behind it."""
    for faces, rows in smooth_stream_along(((one.faces, list(one.w_plus)) for one in known), radius):
        yield FrameFaces(list(faces), np.stack(rows) if rows else np.empty([0, 0, 0], np.float32))


def draw_frames(
    editor: Editor,
    frames: Iterable[np.ndarray],
    known: Iterable[FrameFaces],
    edit: Edits,
    config: FramesConfig = FramesConfig(),  # noqa: B008  frozen
    *,
    total: int | None = None,
    start: int = 0,
) -> Iterator[FrameRecord]:
    """Edit the faces of many pictures, whose latents are known, alike; one picture is held at once.

    Args:
        editor, frames, edit, config: as for edit_frames.
        known: of each picture, from the first on.
        total: how many pictures there are; None where that is not known.
        start: the first picture that is wanted, from 0; those before are only looked at, so that strengths
            that are solved for the first face stay what they were.
    Yields:
        FrameRecord of each picture from `start` on.
    Raises:
        UserError: a text; or none of the pictures has a face.
    """
    check_recipe(editor, edit)
    strengths, count, num_faces = Strengths(editor, edit, config.steady), Count(range(total or 0)), 0
    size, crop = editor.bundle.generator.size, editor.bundle.crop
    for picture, one in zip(frames, known):
        place, count.read = count.read, count.read + 1
        num_faces += len(one.faces)
        pixels = picture
        if one.faces and (place >= start or strengths.is_open):
            cut = cut_faces(picture, one.faces, size, crop)
            edits = strengths.edits(picture, cut, one.w_plus)
            if place >= start:
                pixels = paste_edit(editor, picture, cut, one.w_plus, edits, paste=config.paste)[0]
        del picture
        if place >= start:
            yield FrameRecord(count.read, count.total, "pictures", pixels, len(one.faces))
    if not num_faces:
        raise no_face(editor, count.read)
