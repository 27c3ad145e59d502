# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a session looks like, and what is measured of it. Any thread may call this."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppstyleclip.align import paste_back
from ppstyleclip.card import Card, Source, describe_edits
from ppstyleclip.card.describe import face_source
from ppstyleclip.card.measure import measure_edits
from ppstyleclip.card.model import Numbers
from ppstyleclip.card.verdict import judge
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pictures import to_levels, to_pixels
from ppstyleclip.pipelines.mapper_edit import MapperLink, apply_chain
from ppstyleclip.pipelines.photo import photo_regions
from ppstyleclip.regions import AUTO, RegionEdit, RegionMask
from ppstyleclip.studio.session import Face, Session, Step
from ppstyleclip.worker import on_worker

REMEMBERED = 256  # of each: pictures of faces, masks, steps
Chain = Callable[[str, str], "list[MapperLink]"]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A session's pictures.

    Attributes:
        before, after: `[S, S, 3]` uint8, the face without its edits and with them.
        seconds: that drawing took.
    """

    before: np.ndarray
    after: np.ndarray
    seconds: float


class Drawing:
    """Draws sessions; remembers what does not change from one slider's position to the next.

    Args:
        editor: Editor.
        chain: from a mapper's name and a text to what apply_chain takes.
    """

    def __init__(self, editor: Editor, chain: Chain):
        self.editor, self._chain = editor, chain
        self._images: _Remembered = _Remembered(REMEMBERED)
        self._masks: _Remembered = _Remembered(REMEMBERED)
        self._ways: _Remembered = _Remembered(REMEMBERED)

    def warm(self) -> None:
        """Compile what draws, and draw once; then a preview takes a fraction of a second."""
        editor = self.editor
        editor.compile_next()
        face = Face("seed", editor.sample(0).numpy(), 0)
        mask = np.ones([editor.bundle.generator.size] * 2, np.float32)
        step = np.zeros([editor.bundle.layout.size], np.float32)
        self.image(face)
        editor.synthesize_edits(face.w_plus, [RegionEdit(step, mask[None])], before=self.image(face))

    def image(self, face: Face) -> np.ndarray:
        """The face before its edits, `[1, 3, S, S]` float32."""
        return self._images.get(face.key, lambda: self.editor.synthesize(face.w_plus))

    def draw(self, session: Session) -> Drawn:
        """Draw a session.

        Raises:
            UserError: a text, a threshold or a region that cannot be; as Editor.direction.
        """
        begin = time.monotonic()
        before = self.image(session.face)
        after = before
        if session.steps:
            after = self._drawn(session.face, self.parts(session), before)
        return Drawn(to_pixels(before)[0], to_pixels(after)[0], time.monotonic() - begin)

    def _drawn(self, face: Face, parts: Sequence[RegionEdit], before: np.ndarray) -> np.ndarray:
        return self.editor.synthesize_edits(face.w_plus, parts, before=before)

    def parts(self, session: Session) -> list[RegionEdit]:
        """What each edit of a session adds, and where."""
        return [
            RegionEdit(
                self._step(session.face, one),
                self.mask(session.face, one),
                is_kept=one.method == "direction",
            )
            for one in session.steps
        ]

    def _step(self, face: Face, step: Step) -> np.ndarray:
        """What an edit adds to the styles, `[S]`."""
        if step.method == "direction":
            return self.editor.step(step.edit())
        if step.method == "optimise":
            if step.way is None or step.way.shape != (self.editor.bundle.layout.size,):
                raise UserError("this optimisation was made for another model; make it again")
            return np.float32(step.alpha) * step.way
        key = (face.key, step.mapper, step.target)
        return np.float32(step.alpha) * self._ways.get(key, lambda: self._mapped(face, step))

    @on_worker
    def _mapped(self, face: Face, step: Step) -> np.ndarray:
        *_, mapped = apply_chain(self.editor, self._chain(step.mapper, step.target), face.w_plus)
        return (self.editor.styles(mapped).numpy() - self.editor.styles(face.w_plus).numpy())[0]

    def mask(self, face: Face, step: Step) -> np.ndarray | None:
        """Where an edit may change a face, `[1, S, S]` of 0 to 1; None: everywhere."""
        region = step.region
        if region is None:
            return None
        words: tuple[Any, ...] = ()
        if region == AUTO:
            if step.method == "mapper":
                raise UserError("the region 'auto' follows a text; choose other regions for a mapper")
            words = (step.neutral, step.target, step.beta)
        return self._masks.get((face.key, region, *words), lambda: self._found(face, step))

    def _found(self, face: Face, step: Step) -> np.ndarray:
        edit = step.edit()
        if face.place is not None and not isinstance(step.region, RegionMask) and step.region != AUTO:
            found = photo_regions(self.editor, face.place.photo, [face.place.aligned], face.w_plus, edit)
        else:
            found = self.editor.region_masks(face.w_plus, edit)
        assert found is not None
        return found

    def photo(self, session: Session, paste: str = "blend") -> np.ndarray:
        """The photo of a session's face with the edited face in it, `[H, W, 3]` uint8.

        Raises:
            UserError: the face came from no photo, or is a portrait in its likeness.
        """
        place = session.face.place
        if place is None or place.aligned.alignment is None:
            raise UserError("this face was not taken out of a photo, so there is none to put it back into")
        if not session.steps:
            return place.photo
        before, parts = self.image(session.face), self.parts(session)
        after = self._drawn(session.face, parts, before)
        masks = [part.masks for part in parts if part.masks is not None]
        region = np.max(masks, axis=0)[0] if masks and len(masks) == len(parts) else None
        new, old = to_levels(after[0]), to_levels(before[0])
        return paste_back(place.photo, place.aligned.alignment, new, old, way=paste, region=region)

    def numbers(self, session: Session, drawn: Drawn) -> tuple[Numbers, str, str] | None:
        """What the edits did to the face, the verdict and its reason; None where no text says it."""
        along = self._along(session)
        if along is None:
            return None
        mask = self._union(session)
        (numbers,) = measure_edits(
            self.editor.bundle,
            along[None],
            drawn.before[None],
            drawn.after[None],
            None if mask is None else mask[None],
        )
        return (numbers, *judge(numbers))

    def card(self, session: Session, drawn: Drawn) -> Card | None:
        """The card of a session of directions alone, for other methods are not made again from words."""
        if not session.steps or any(one.method != "direction" for one in session.steps):
            return None
        face = session.face
        return describe_edits(
            self.editor,
            [one.edit() for one in session.steps],
            drawn.before,
            drawn.after,
            source=face_source(self.editor, face.w_plus) if face.seed is not None else Source("unknown"),
            masks=[None if one is None else one[0] for one in self._each_mask(session)],
            seconds=drawn.seconds,
            bounds=[one.bound for one in session.steps],
        )

    def _along(self, session: Session) -> np.ndarray | None:
        """The way that the texts point together, `[D]`; of edits without a text nothing is known."""
        texts = [one for one in session.steps if one.target]
        if not texts:
            return None
        ways = [np.copysign(1.0, one.alpha) * self.editor.text_direction(one.edit()) for one in texts]
        whole = np.sum(ways, axis=0)
        length = float(np.linalg.norm(whole))
        return np.asarray(whole / length if length > 1e-6 else ways[-1], np.float32)

    def _each_mask(self, session: Session) -> list[np.ndarray | None]:
        return [self.mask(session.face, one) for one in session.steps]

    def _union(self, session: Session) -> np.ndarray | None:
        masks = self._each_mask(session)
        known = [one[0] for one in masks if one is not None]
        return np.max(known, axis=0) if known and len(known) == len(masks) else None


class _Remembered:
    """The latest results of something that takes long; threads may ask at once."""

    def __init__(self, most: int):
        self._most, self._lock = most, threading.Lock()
        self._known: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = make()
        with self._lock:
            self._known[key] = made
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return made
