# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces of seeds, of photos and of links."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppstyleclip.align import Face as FoundFace
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pipelines.faces import cut_faces, cut_middle, load_finder
from ppstyleclip.pipelines.inversion import invert_faces
from ppstyleclip.pipelines.likeness import latents_of_z, see_faces
from ppstyleclip.pipelines.quality import Measures, load_measures
from ppstyleclip.pipelines.records import Record
from ppstyleclip.server.problems import finding_people
from ppstyleclip.studio.links import SessionNote, latent_of
from ppstyleclip.studio.session import Face, PhotoPlace
from ppstyleclip.worlds.likenesses import likeness_world

FITTING = 0  # steps behind the encoder: the page answers in a second or two


@dataclass(frozen=True, eq=False)
class FoundFaces:
    """The faces of a photo.

    Attributes:
        photo: `[H, W, 3]` uint8.
        faces: from left to right; a single None where nothing is looked for.
        best: number of the surest, from 0.
        is_likeness: they are people, whom the model cannot draw; it draws portraits in their likeness.
    """

    photo: np.ndarray
    faces: list[FoundFace | None]
    best: int
    is_likeness: bool

    @property
    def boxes(self) -> list[list[float]]:
        """Left, top, right and bottom of each face, as shares of the photo's width and height."""
        height, width = self.photo.shape[:2]
        sides = (width, height, width, height)
        return [
            [round(min(1.0, max(0.0, float(v) / side)), 4) for v, side in zip(face.box, sides)]
            for face in self.faces
            if face is not None
        ]


class FaceSource:
    """Makes Faces for one editor.

    Args:
        editor: Editor.
        align: of photos, as in PhotoConfig.
    """

    def __init__(self, editor: Editor, align: str = "face"):
        self.editor, self.align = editor, align
        self._loaded: dict[str, Any] = {}
        self._lock = threading.Lock()

    def of_seed(self, seed: int) -> Face:
        """A sampled face; errors as Editor.sample."""
        return Face("seed", self.editor.sample(seed).numpy(), int(seed))

    def find(self, photo: np.ndarray) -> FoundFaces:
        """Find the faces of a photo `[H, W, 3]` uint8.

        Raises:
            NoFace: there is none; the message says what kind of photo has one.
            UserError: what finds people is not on this machine.
        """
        if self.align == "none":
            return FoundFaces(photo, [None], 0, False)
        with finding_people():
            finder = self._known("finder", self._load_finder) if self.editor.bundle.finds_own_faces else None
            seen = see_faces(self.editor, photo, finder=finder)
        chosen = seen.found.chosen[0]
        best = next(number for number, face in enumerate(seen.found.faces) if face is chosen)
        return FoundFaces(photo, list(seen.found.faces), best, seen.are_people)

    def take(self, found: FoundFaces, number: int) -> Iterator[Record[Face]]:
        """Turn one of the faces of a photo, numbered from 0, into one that can be edited.

        Raises:
            UserError: there is no such face, or it is tiny.
        """
        if not 0 <= number < len(found.faces):
            raise UserError("there is no such face in this photo; choose one of those that are framed")
        one = found.faces[number]
        bundle = self.editor.bundle
        if one is None:
            cut = cut_middle(found.photo, bundle.generator.size)
        elif found.is_likeness:
            yield Record(1, 1, "likeness", self._likeness(found.photo, one))
            return
        else:
            (cut,) = cut_faces(found.photo, [one], bundle.generator.size, bundle.crop)
        inverted = None
        steps = FITTING if bundle.encoder is not None else FittingConfig().steps
        for record in invert_faces(
            self.editor,
            cut.crop[None],
            self._known("measures", self._load_measures),
            FittingConfig(steps=steps),
        ):
            inverted = record.result
            face = None
            if inverted is not None:
                place = PhotoPlace(found.photo, cut, bool(inverted.stages[-1].poor[0]))
                face = Face("photo", np.asarray(inverted.w_plus[:1], np.float32), place=place)
            yield Record(record.done, record.total, record.stage, face)

    def _likeness(self, photo: np.ndarray, face: FoundFace) -> Face:
        world = likeness_world(self.editor.bundle)
        assert world is not None
        read = world.likeness(photo, face.landmarks)
        z = np.asarray(world.z_from_factors(np.stack([read.factors])), np.float32)
        return Face("likeness", latents_of_z(self.editor, z), z=z[0])

    def of_note(self, note: SessionNote) -> Face:
        """The face of a link or a file.

        Raises:
            UserError: it is of another model.
        """
        bundle = self.editor.bundle
        own = bundle.fingerprints.get("generator", "")
        if note.model != bundle.name or (note.generator and own and note.generator != own):
            raise UserError(
                f"this session is of the model '{note.model}' with other weights than '{bundle.name}' here"
            )
        if note.seed is not None:
            return self.of_seed(note.seed)
        values, width = latent_of(note), bundle.generator.style_dim
        if note.z:
            if values.size != width:
                raise UserError("the latent of this session does not fit the model; save the session again")
            return Face("likeness", latents_of_z(self.editor, values[None]), z=values)
        if values.size not in (width, width * bundle.generator.n_latent):
            raise UserError("the latent of this session does not fit the model; save the session again")
        return Face("latent", self.editor.take_latents(values.reshape([1, -1, width])))

    def _load_measures(self) -> Measures:
        return load_measures(self.editor.bundle)

    def _load_finder(self) -> Any:
        return load_finder(self.editor.bundle)

    def _known(self, name: str, load: Callable[[], Any]) -> Any:
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = load()
            return self._loaded[name]
