# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A face, the edits that were accepted, the one that is being tried, and the way back.

Everything here is a value: what a user does gives another Session. A session's face is always its start plus
the sum of the steps of its edits, whatever method they are of.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ppstyleclip.editor import Edit
from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint
from ppstyleclip.pipelines.faces import AlignedFace
from ppstyleclip.regions import Region

METHODS = ("direction", "optimise", "mapper")
KINDS = ("seed", "likeness", "photo", "latent")
MOST_STEPS = 20  # accepted edits
MOST_UNDO = 100
MOST_PHOTOS = 4  # that a session keeps, in its past too


@dataclass(frozen=True, eq=False)
class PhotoPlace:
    """Where a face came from.

    Attributes:
        photo: `[H, W, 3]` uint8.
        aligned: AlignedFace, by which it returns into the photo.
        poor: whether the generator draws the face badly.
    """

    photo: np.ndarray
    aligned: AlignedFace
    poor: bool = False


@dataclass(frozen=True, eq=False)
class Face:
    """The face that is edited.

    Attributes:
        kind: "seed"; "likeness", a portrait drawn after a photo; "photo", a face that was inverted; "latent",
            one that a link brought.
        w_plus: `[1, L, D]` float32.
        seed: of a sampled face.
        z: `[D]` of a likeness.
        place: PhotoPlace of an inverted face; only here can it return into its photo.
    """

    kind: str
    w_plus: np.ndarray
    seed: int | None = None
    z: np.ndarray | None = None
    place: PhotoPlace | None = None

    @property
    def key(self) -> str:
        """A name of its pixels."""
        return fingerprint({"w_plus": np.asarray(self.w_plus, np.float32)})


@dataclass(frozen=True, eq=False)
class Step:
    """One edit, of whatever method.

    Attributes:
        method: one of METHODS.
        neutral, target: texts; a mapper's target may be empty.
        alpha: strength; of a mapper what its step is multiplied with, of an optimisation the share of its
            way.
        beta: threshold, of a direction.
        region: where the picture may change; None: everywhere.
        mapper: name of the mapper.
        way: `[S]` float32, the whole way of an optimisation in style space.
        bound: what a solved strength was bound by, as Solution.bound.
    """

    method: str
    neutral: str
    target: str
    alpha: float
    beta: float = 0.0
    region: Region | None = None
    mapper: str = ""
    way: np.ndarray | None = None
    bound: str = ""

    def edit(self) -> Edit:
        """The same as an Edit in words; its strength means something for a direction alone."""
        return Edit(self.neutral, self.target, alpha=self.alpha, beta=self.beta, region=self.region)

    @property
    def title(self) -> str:
        """What the list of edits calls it."""
        return self.target or self.mapper


@dataclass(frozen=True, eq=False)
class Moment:
    """A face and its accepted edits at one time."""

    face: Face
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, eq=False)
class Session:
    """What one visitor has done so far.

    Attributes:
        now: Moment.
        draft: the edit that is tried and not accepted; None: nothing is tried.
        past, future: moments to which undo and redo lead; the nearest come last.
    """

    now: Moment
    draft: Step | None = None
    past: tuple[Moment, ...] = field(default=(), repr=False)
    future: tuple[Moment, ...] = field(default=(), repr=False)

    @property
    def face(self) -> Face:
        """The face before all edits."""
        return self.now.face

    @property
    def steps(self) -> tuple[Step, ...]:
        """Accepted edits and the draft, in order."""
        return self.now.steps if self.draft is None else (*self.now.steps, self.draft)

    def try_out(self, draft: Step | None) -> Session:
        """Show one more edit, which is not accepted."""
        return replace(self, draft=draft)

    def accept(self) -> Session:
        """Keep the draft.

        Raises:
            UserError: there is none, or there are MOST_STEPS edits.
        """
        if self.draft is None:
            raise UserError("there is no edit to accept; try one first")
        if len(self.now.steps) >= MOST_STEPS:
            raise UserError(f"a face has {MOST_STEPS} edits at most; take one back first")
        return self._move(Moment(self.face, (*self.now.steps, self.draft)))

    def remove(self, number: int) -> Session:
        """Take one of the accepted edits back, numbered from 0.

        Raises:
            UserError: there is none of this number.
        """
        steps = self.now.steps
        if not 0 <= number < len(steps):
            raise UserError("there is no such edit; look at the list again")
        return replace(self._move(Moment(self.face, steps[:number] + steps[number + 1 :])), draft=self.draft)

    def reset(self) -> Session:
        """Take all edits back, accepted ones and the draft."""
        return self._move(Moment(self.face)) if self.now.steps else self.try_out(None)

    def choose(self, face: Face) -> Session:
        """Go on with another face, without edits; undo leads back."""
        return self._move(Moment(face))

    def undo(self) -> Session:
        """Drop the draft; where there is none, go back to the moment before.

        Raises:
            UserError: there is nothing to undo.
        """
        if self.draft is not None:
            return self.try_out(None)
        if not self.past:
            raise UserError("there is nothing to undo")
        return Session(self.past[-1], None, self.past[:-1], (*self.future, self.now))

    def redo(self) -> Session:
        """Go forward again.

        Raises:
            UserError: there is nothing to redo.
        """
        if not self.future:
            raise UserError("there is nothing to redo")
        return Session(self.future[-1], None, (*self.past, self.now), self.future[:-1])

    def _move(self, moment: Moment) -> Session:
        return Session(moment, None, _with_few_photos((*self.past, self.now)[-MOST_UNDO:]), ())


def _with_few_photos(moments: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """Moments of which the newest MOST_PHOTOS photos are kept; older faces stay, without theirs."""
    kept: list[Moment] = []
    photos: set[int] = set()
    for moment in reversed(moments):
        place = moment.face.place
        if place is not None:
            photos.add(id(place.photo))
            if len(photos) > MOST_PHOTOS:
                moment = Moment(replace(moment.face, kind="latent", place=None), moment.steps)
        kept.append(moment)
    return tuple(reversed(kept))


def is_same_text(first: Step | None, second: Step | None) -> bool:
    """Whether two steps say the same words by the same method."""
    return first is not None and second is not None and _words(first) == _words(second)


def _words(step: Step) -> tuple[Any, ...]:
    return step.method, step.neutral, step.target, step.mapper
