# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The same edit over many pictures, such as the frames of a video; they come and go one by one.

Where the pictures can be gone through twice, `find_frame_faces` is the first way: it keeps landmarks only,
smoothed over time. `edit_frames` is the second. For a camera it is the only one: then it looks for faces
itself, and holds the frames that smoothing looks ahead to. Either way frames are held whose faces wait for a
run of fitting, which takes `together` faces, wherever they are, and those without a face between them; of all
these at most `held_bytes`, or one, or as many as smoothing of latents looks ahead to. Frames that can be gone
through three times need not be held: frame_passes.py.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ppstyleclip.align import Face, FaceFinder, smooth_along, smooth_stream
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pipelines.faces import (
    AlignedFace,
    check_align,
    cut_large_faces,
    cut_middle,
    find_faces_if_any,
    load_finder,
)
from ppstyleclip.pipelines.inversion import LatentFinder, latent_finder
from ppstyleclip.pipelines.photo import apply_photo_recipe, paste_edit
from ppstyleclip.pipelines.recipes import Edits, as_recipe, check_recipe, needs_solving
from ppstyleclip.pipelines.records import Record
from ppstyleclip.wording import counted


@dataclass(frozen=True)
class FramesConfig:
    """How the faces of many pictures are edited.

    Attributes:
        face: as in PhotoConfig; a picture that has fewer faces than a number asks for stays as it is.
        fitting: of the latents, behind the encoder.
        paste: as in PhotoConfig.
        smooth: frames on each side over which landmarks are averaged; 0 for pictures that do not follow one
            another.
        smooth_latents: frames on each side over which latents are averaged, so that a face does not tremble.
        together: faces that are fitted in one run.
        steady: strengths that are solved for a face are solved for the first one and kept for all; so a video
            does not flicker.
        held_bytes: of frames that wait for it; beyond that fewer faces are fitted together.
        align: as in PhotoConfig.
    """

    face: str | int = "best"
    fitting: FittingConfig = FittingConfig()
    paste: str = "blend"
    smooth: int = 0
    smooth_latents: int = 0
    together: int = 16
    steady: bool = False
    held_bytes: int = 2**27
    align: str = "face"


@dataclass(frozen=True, eq=False)
class FrameRecord:
    """How far the pictures are; with each that is done, the picture itself.

    Attributes:
        done: pictures that are finished.
        total: all of them; where the source does not say how many it has, those that were read so far.
        stage: "faces", "latents" or "pictures".
        pixels: `[H, W, 3]` uint8, the finished picture; None with a record of another stage.
        num_faces: how many faces of that picture were edited.
    """

    done: int
    total: int
    stage: str
    pixels: np.ndarray | None = None
    num_faces: int = 0


@dataclass(frozen=True, eq=False)
class FacesRecord(Record[list[list[Face]]]):
    """A Record of find_frame_faces.

    Attributes:
        found: the faces of one picture, their landmarks as they were found.
    """

    found: Sequence[Face] = ()


@dataclass(eq=False)
class _Waiting:
    """A picture on its way: its faces are cut, and their latents are found or not."""

    pixels: np.ndarray
    faces: list[AlignedFace]
    w_plus: list[np.ndarray] = field(default_factory=list)


def find_frame_faces(
    editor: Editor,
    frames: Iterable[np.ndarray],
    config: FramesConfig = FramesConfig(),  # noqa: B008  frozen
    *,
    finder: FaceFinder | None = None,
    known: Sequence[Sequence[Face]] = (),
) -> Iterator[FacesRecord]:
    """Find the faces of many pictures, their landmarks smoothed over time; one picture is held at once.

    Args:
        editor, frames, config, finder: as for edit_frames.
        known: what an earlier run found in the first pictures: the `found` of its records.
    Yields:
        FacesRecord for each picture; the last one's result is a list of faces for each picture.
    Raises:
        UserError: none of the pictures shows a face; there are no pictures.
    """
    finder = load_finder(editor.bundle) if finder is None else finder
    count = Count(frames)
    found: list[Sequence[Face]] = []
    for picture in frames:
        if count.read:
            yield FacesRecord(count.read, max(count.total, count.read + 1), "faces", found=found[-1])
        is_known, count.read = count.read < len(known), count.read + 1
        found.append(known[len(found)] if is_known else find_faces_if_any(finder, picture, config.face))
    faces = list(smooth_stream(iter(found), config.smooth))
    if not any(faces):
        raise no_face(editor, count.read)
    yield FacesRecord(count.read, count.read, "faces", faces, found[-1])


def no_face(editor: Editor, count: int) -> UserError:
    pictures = counted(count, "picture")
    return UserError(f"none of the {pictures} shows a face that '{editor.bundle.name}' knows")


def edit_frames(
    editor: Editor,
    frames: Iterable[np.ndarray],
    edit: Edits,
    config: FramesConfig = FramesConfig(),  # noqa: B008  frozen
    *,
    finder: FaceFinder | None = None,
    faces: Sequence[Sequence[Face]] | None = None,
) -> Iterator[FrameRecord]:
    """Edit the faces of many pictures alike; a picture without a face stays as it is.

    Args:
        editor: Editor.
        frames: pictures `[H, W, 3]` uint8; any iterable, which is asked for the next one when it is needed.
        edit: Edit, or a Recipe of several; "auto" is solved for each face, see FramesConfig.steady.
        config: FramesConfig.
        finder: of faces.load_finder; None loads the model's own.
        faces: of each picture, as find_frame_faces found them; then nothing is looked for or smoothed.
    Yields:
        FrameRecord; one for each picture has its `pixels`, in order.
    Raises:
        UserError: a text; or none of the pictures shows a face (behind the last of them).
    """
    check_recipe(editor, edit)
    check_align(config.align)
    strengths = Strengths(editor, edit, config.steady)
    count = Count(frames if faces is None else faces)
    if faces is not None or config.align == "none":
        pairs = _given(frames, faces or (), count)
    else:
        finder = load_finder(editor.bundle) if finder is None else finder
        pairs = _smoothed(frames, finder, config, count)
    find = latent_finder(editor, config.fitting)
    waiting, past = deque[_Waiting](), deque[_Waiting](maxlen=config.smooth_latents)
    done = num_faces = 0
    for picture, found in pairs:
        cut = _cut(editor, picture, found, config)
        waiting.append(_Waiting(picture, cut))
        del picture  # held in the row only
        num_faces += len(cut)
        yield FrameRecord(done, count.total, "faces")
        while _num_open(waiting) >= config.together or _num_open(waiting) and _is_full(waiting, config):
            yield from _fit(find, waiting, config, done, count.total)
        for record in _finished(editor, waiting, past, strengths, config, done, count):
            done = record.done
            yield record
    while _num_open(waiting):
        yield from _fit(find, waiting, config, done, count.total)
    yield from _finished(editor, waiting, past, strengths, config, done, count, is_end=True)
    if not num_faces:
        raise no_face(editor, count.read)


def _cut(
    editor: Editor, picture: np.ndarray, faces: Sequence[Face], config: FramesConfig
) -> list[AlignedFace]:
    size = editor.bundle.generator.size
    if config.align == "none":
        return [cut_middle(picture, size)]
    return cut_large_faces(picture, faces, size, editor.bundle.crop)


class Strengths:
    """The edits of all frames; where they are solved once, with the strengths of the first face."""

    def __init__(self, editor: Editor, edit: Edits, steady: bool):
        self._editor, self._edit, self.is_open = editor, edit, steady and needs_solving(edit)

    def edits(self, pixels: np.ndarray, faces: Sequence[AlignedFace], w_plus: np.ndarray) -> Edits:
        """The edits for faces `[N, L, D]` of a picture."""
        if self.is_open:
            applied = apply_photo_recipe(self._editor, pixels, faces[0], w_plus[:1], self._edit)
            self._edit, self.is_open = applied.settled(as_recipe(self._edit).orthogonal), False
        return self._edit


class Count:
    """How many pictures were read, and how many there are as far as that is known."""

    def __init__(self, source: Any):
        self.known: int | None = (
            len(source) if isinstance(source, Sized) else getattr(source, "expected", None)
        )
        self.read = 0

    @property
    def total(self) -> int:
        return self.read if self.known is None else max(self.known, self.read)


def _given(
    frames: Iterable[np.ndarray], faces: Sequence[Sequence[Face]], count: Count
) -> Iterator[tuple[np.ndarray, Sequence[Face]]]:
    """Yield each picture with its faces; a picture that came later than they were looked for has none."""
    for picture in frames:
        place, count.read = count.read, count.read + 1
        yield picture, faces[place] if place < len(faces) else ()


def _is_full(waiting: deque[_Waiting], config: FramesConfig) -> bool:
    return sum(one.pixels.nbytes for one in waiting) > config.held_bytes


def _smoothed(
    frames: Iterable[np.ndarray], finder: FaceFinder, config: FramesConfig, count: Count
) -> Iterator[tuple[np.ndarray, Sequence[Face]]]:
    """Yield each picture with its chosen faces, their landmarks smoothed."""
    held: deque[np.ndarray] = deque()

    def found() -> Iterator[list[Face]]:
        for picture in frames:
            count.read += 1
            held.append(picture)
            yield find_faces_if_any(finder, picture, config.face)

    for faces in smooth_stream(found(), config.smooth):
        yield held.popleft(), faces


def _num_open(waiting: deque[_Waiting]) -> int:
    """Count the faces whose latents are not found yet."""
    return sum(len(one.faces) - len(one.w_plus) for one in waiting)


def _fit(
    find: LatentFinder, waiting: deque[_Waiting], config: FramesConfig, done: int, total: int
) -> Iterator[FrameRecord]:
    """Find the latents of the next faces, as many as go together."""
    places = [(one, k) for one in waiting for k in range(len(one.w_plus), len(one.faces))]
    places = places[: config.together]
    w_plus = np.empty([0, 0, 0])
    for record in find(np.stack([one.faces[k].crop for one, k in places])):
        w_plus = record.w_plus
        yield FrameRecord(done, total, "latents")
    for (one, _), latent in zip(places, w_plus):
        one.w_plus.append(latent)


def _finished(
    editor: Editor,
    waiting: deque[_Waiting],
    past: deque[_Waiting],
    strengths: Strengths,
    config: FramesConfig,
    done: int,
    count: Count,
    *,
    is_end: bool = False,
) -> Iterator[FrameRecord]:
    """Draw the first pictures in the row, as far as the latents of each, and of those ahead, are there."""
    while waiting and _num_ready(waiting, config.smooth_latents + 1) > (
        0 if is_end else config.smooth_latents
    ):
        one = waiting[0]
        num_faces, pixels = len(one.faces), one.pixels
        if one.faces:
            w_plus = _averaged(past, waiting, config.smooth_latents)
            edits = strengths.edits(pixels, one.faces, w_plus)
            pixels = paste_edit(editor, pixels, one.faces, w_plus, edits, paste=config.paste)[0]
        done += 1
        waiting.popleft()
        past.append(_Waiting(np.empty([0, 0, 3], np.uint8), one.faces, one.w_plus))
        del one  # the picture itself goes while the caller has the edited one
        yield FrameRecord(done, count.total, "pictures", pixels, num_faces)
        del pixels


def _num_ready(waiting: deque[_Waiting], most: int) -> int:
    """Count the first pictures in the row, `most` at most, all of whose latents are there."""
    first = itertools.islice(waiting, most)
    return sum(1 for _ in itertools.takewhile(lambda one: len(one.w_plus) == len(one.faces), first))


def _averaged(past: deque[_Waiting], waiting: deque[_Waiting], radius: int) -> np.ndarray:
    """The latents `[F, L, D]` of the first picture in the row, averaged over those before and behind."""
    near = [*past, *itertools.islice(waiting, radius + 1)]
    faces = [[face.face for face in one.faces if face.face is not None] for one in near]
    return np.stack(smooth_along(faces, [one.w_plus for one in near], radius)[len(past)])
