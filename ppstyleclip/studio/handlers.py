# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What happens at each event of the page, without Gradio: a Visit and what was done in, a Visit and news out.

News is a dict for the page's script, which merges it into what it shows; see assets/studio.js.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ppstyleclip.cli.card_files import label_of
from ppstyleclip.errors import UserError
from ppstyleclip.files import encode_picture
from ppstyleclip.pipelines.mapper_edit import mapper_text_line
from ppstyleclip.regions import NAMES, Region, RegionMask
from ppstyleclip.server import problems
from ppstyleclip.server.model import Model
from ppstyleclip.server.pictures import PictureStore
from ppstyleclip.studio import links, methods, show
from ppstyleclip.studio.drawing import Drawing, Drawn
from ppstyleclip.studio.faces import FaceSource, FoundFaces
from ppstyleclip.studio.faults import in_chinese
from ppstyleclip.studio.session import Face, Moment, Session, Step, is_same_text
from ppstyleclip.text import text_warnings

FIRST_SEED = 58
SEEDS_SHOWN, LARGE = 12, 512  # from LARGE pixels on a face takes seconds, and there are fewer
PHOTO_SIDE = 2400  # pixels of a photo's longer side; larger ones are made smaller
MOST_STEPS = 300  # of an optimisation
SESSION_NOTE = "ppstyleclip session"  # the PNG text that holds a session
News = dict[str, Any]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Fields:
    """What the page's fields hold.

    Attributes:
        method: one of session.METHODS.
        neutral, target, alpha, beta, mapper: as in Step.
        regions: names of regions, among them perhaps "auto" and "brush".
        brush: the painted mask, data of a PNG.
    """

    method: str = "direction"
    neutral: str = "face"
    target: str = ""
    alpha: float = 0.0
    beta: float = 0.0
    regions: tuple[str, ...] = ()
    brush: str = ""
    mapper: str = ""


@dataclass(frozen=True, eq=False)
class Visit:
    """What the server knows of one open page.

    Attributes:
        session: Session.
        found: the faces of the photo that was opened last.
        stop: set when the visitor wants an optimisation to end.
    """

    session: Session
    found: FoundFaces | None = None
    stop: threading.Event = field(default_factory=threading.Event)


class Handlers:
    """The studio of one model.

    Args:
        model: Model of the server.
        store: reads uploads within the server's limits.
    """

    def __init__(self, model: Model, store: PictureStore):
        self.model, self.store = model, store
        self.drawing = Drawing(model.editor, lambda name, text: model.chain(name, text or None, 1.0))
        self.faces = FaceSource(model.editor, model.align)
        self._start: Face | None = None
        self._gallery: list[dict[str, Any]] = []

    def warm(self) -> None:
        """Compile what draws, and draw what each page begins with, which then waits for no other work."""
        self.drawing.warm()
        self.begin()
        self.seeds(0)

    def begin(self, link: str = "") -> tuple[Visit, News]:
        """A new visit: the first face, or the session of a link, `#session=...`."""
        link = link.lstrip("#").removeprefix("session=")
        try:
            session = self._linked(links.from_link(link)) if link else self._first()
            return self._shown(Visit(session))
        except UserError as error:
            visit, told = self._shown(Visit(self._first()))
            return visit, {**told, **fault_of(error)}

    def _first(self) -> Session:
        start = self._start
        if start is None or self.model.editor.sampled.seed_of(start.w_plus[0]) is None:  # it was forgotten
            start = self._start = self.faces.of_seed(FIRST_SEED)
        return Session(Moment(start))

    def _linked(self, note: links.SessionNote) -> Session:
        session = Session(Moment(self.faces.of_note(note), tuple(map(links.step_of, note.steps))))
        self.drawing.parts(session)  # a word or a mapper that this model does not have is said now
        return session

    def try_out(self, visit: Visit, fields: Fields) -> tuple[Visit, News]:
        """Show the edit that the fields describe; an empty text, or no strength, shows none.

        Another text begins with the model's own strength and threshold, as StyleCLIP's window does.
        """
        draft = self._draft(visit, fields)
        return self._shown(replace(visit, session=visit.session.try_out(draft)))

    def _draft(self, visit: Visit, fields: Fields) -> Step | None:
        target = fields.target.strip()
        neutral = fields.neutral.strip() or "face"
        region, before = self._region(fields), visit.session.draft
        if fields.method == "mapper":
            if not fields.mapper or self._lacks_text(fields.mapper, target):
                return None
            step = Step(
                "mapper",
                neutral,
                self._mapper_text(fields.mapper, target),
                float(fields.alpha),
                region=region,
                mapper=fields.mapper,
            )
            return step if is_same_text(step, before) else replace(step, alpha=1.0)
        if fields.method == "optimise":
            if before is None or before.method != "optimise" or before.target != target:
                return None
            return replace(before, alpha=float(fields.alpha), region=region)
        if not target:
            return None
        step = Step("direction", neutral, target, float(fields.alpha), float(fields.beta), region)
        if is_same_text(step, before):
            return step
        return replace(step, **self.usual())

    def _lacks_text(self, name: str, target: str) -> bool:
        """Whether a mapper waits for a text."""
        mapper = self.model.mappers.get(name)
        return mapper is not None and mapper.takes_text and not target

    def _mapper_text(self, name: str, target: str) -> str:
        """The text of a mapper: what it was trained for, where it takes none."""
        mapper = self.model.mappers.get(name)
        if mapper is None or mapper.takes_text:
            return target
        return str(mapper.texts[0]) if mapper.texts else ""

    def _region(self, fields: Fields) -> Region | None:
        names = [name for name in fields.regions if name in NAMES]
        if "brush" in fields.regions:
            painted = show.painted_mask(fields.brush, self.model.editor.bundle.generator.size)
            if painted is not None:
                return painted
        if names:
            return "+".join(names)
        return "auto" if "auto" in fields.regions else None

    def accept(self, visit: Visit, fields: Fields) -> tuple[Visit, News]:
        """Keep the edit that the fields describe; then they are free for the next one."""
        draft = self._draft(visit, fields)
        visit, told = self._shown(replace(visit, session=visit.session.try_out(draft).accept()))
        return visit, {**told, "fields": {**self.usual(), "target": ""}}

    def usual(self) -> dict[str, Any]:
        """The model's own strength and threshold."""
        defaults = self.model.editor.bundle.defaults
        return {"alpha": float(defaults.alpha), "beta": float(defaults.beta)}

    def undo(self, visit: Visit) -> tuple[Visit, News]:
        """Drop what is tried, or go back."""
        return self._shown(replace(visit, session=visit.session.undo()))

    def redo(self, visit: Visit) -> tuple[Visit, News]:
        """Go forward again."""
        return self._shown(replace(visit, session=visit.session.redo()))

    def reset(self, visit: Visit) -> tuple[Visit, News]:
        """Take all edits back."""
        return self._shown(replace(visit, session=visit.session.reset()))

    def remove(self, visit: Visit, number: int) -> tuple[Visit, News]:
        """Take one edit of the list back."""
        return self._shown(replace(visit, session=visit.session.remove(number)))

    def seeds(self, page: int) -> News:
        """A page of the gallery of faces that do not exist; the first one is drawn once."""
        if page == 0 and self._gallery:
            return news_of(seeds=self._gallery, page=page)
        count = SEEDS_SHOWN if self.model.editor.bundle.generator.size < LARGE else SEEDS_SHOWN // 4
        first = 1 + count * (page % 10_000)
        pictures = methods.seeds_page(self.drawing, first, count)
        faces = [{"seed": first + k, "src": show.picture(one, show.THUMB)} for k, one in enumerate(pictures)]
        if page == 0:
            self._gallery = faces
        return news_of(seeds=faces, page=page)

    def choose_seed(self, visit: Visit, seed: int) -> tuple[Visit, News]:
        """Go on with a sampled face."""
        return self._chosen(visit, self.faces.of_seed(seed))

    def open_photo(self, visit: Visit, data: Any) -> Iterator[tuple[Visit, News]]:
        """Find the faces of a photo; of several the visitor chooses, a single one is taken."""
        yield visit, news_of(busy={"stage": "faces", "done": 0, "total": 1})
        photo = show.at_most(self.store.read_upload(show.upload_bytes(data)), PHOTO_SIDE)
        found = self.faces.find(photo)
        visit = replace(visit, found=found)
        if len(found.faces) == 1:
            yield from self.choose_face(visit, 0)
            return
        boxes = {"src": show.photo(photo), "boxes": found.boxes, "best": found.best}
        yield visit, news_of(photo=boxes, busy=None, view="photo")

    def choose_face(self, visit: Visit, number: int) -> Iterator[tuple[Visit, News]]:
        """Take one of the faces of the photo."""
        if visit.found is None:
            raise UserError("there is no photo yet; open one first")
        face: Face | None = None
        for record in self.faces.take(visit.found, number):
            face = record.result
            yield visit, news_of(busy={"stage": record.stage, "done": record.done, "total": record.total})
        assert face is not None
        yield self._chosen(visit, face)

    def _chosen(self, visit: Visit, face: Face) -> tuple[Visit, News]:
        visit, told = self._shown(replace(visit, session=visit.session.choose(face)))
        return visit, {**told, "photo": None, "view": "face"}

    def solve(self, visit: Visit, fields: Fields) -> Iterator[tuple[Visit, News]]:
        """Find the strength of the edit that the fields describe."""
        session = visit.session.try_out(self._draft(visit, fields))
        step: Step | None = None
        yield visit, news_of(busy={"stage": "strength", "done": 0, "total": 1})
        for record in methods.solve(self.drawing, session):
            step = record.result
            yield visit, news_of(busy={"stage": record.stage, "done": record.done, "total": record.total})
        assert step is not None
        visit, told = self._shown(replace(visit, session=session.try_out(step)))
        word = step.bound if step.bound == "reached" else f"bound_{step.bound}"
        yield visit, {**told, "say": word}

    def optimise(self, visit: Visit, fields: Fields, steps: int) -> Iterator[tuple[Visit, News]]:
        """Optimise the face, and show the way."""
        target = fields.target.strip()
        if not target:
            raise UserError("write what the face should become first")
        if not 1 <= steps <= MOST_STEPS:
            raise UserError(f"an optimisation has 1 to {MOST_STEPS} steps here, got {steps}")
        visit.stop.clear()
        step = Step("optimise", fields.neutral.strip() or "face", target, 1.0, region=self._region(fields))
        self.drawing.editor.text_direction(step.edit())  # words that cannot be are refused at once
        busy = {"stage": "optimising", "done": 0, "total": steps, "stop": True}
        yield visit, news_of(busy=busy, warnings=self.warnings(step))
        session = visit.session.try_out(None)
        for way in methods.optimise(self.drawing, session, step, steps, visit.stop.is_set):
            if way.step is not None:
                yield self._shown(replace(visit, session=session.try_out(way.step)))
                return
            busy = {"stage": "optimising", "done": way.done, "total": way.total, "stop": True}
            told = news_of(busy=busy, losses=[round(one, 4) for one in way.loss])
            if way.picture is not None:
                told["after"] = show.picture(way.picture)
            yield visit, told

    def stop(self, visit: Visit) -> None:
        """End an optimisation behind its next step; what it reached stays."""
        visit.stop.set()

    def sheet(self, visit: Visit, fields: Fields) -> Iterator[tuple[Visit, News]]:
        """Draw strengths and thresholds side by side."""
        session = visit.session.try_out(self._draft(visit, fields))
        sheet, busy = None, {"stage": "pictures", "done": 0, "total": 1}
        yield visit, news_of(busy=busy, warnings=self.warnings(session.draft))
        for record in methods.contact_sheet(self.drawing, session):
            sheet = record.result
            yield visit, news_of(busy={"stage": record.stage, "done": record.done, "total": record.total})
        assert sheet is not None
        cells = [[show.picture(one, show.THUMB) for one in row] for row in sheet.cells]
        values = {
            "cells": cells,
            "alphas": sheet.alphas,
            "betas": sheet.betas,
            "chosen": list(sheet.chosen),
        }
        yield replace(visit, session=session), news_of(sheet=values, busy=None)

    def measure(self, visit: Visit) -> News:
        """What the card beside the picture says."""
        session = visit.session
        if not session.steps:
            return news_of(card={})
        measured = self.drawing.numbers(session, self.drawing.draw(session))
        return news_of(card=show.card_values(measured) or {"no_text": True})

    def in_photo(self, visit: Visit) -> News:
        """The photo with the edited face in it."""
        place = visit.session.face.place
        edited = self.drawing.photo(visit.session)
        assert place is not None
        return news_of(
            photo={"src": show.photo(place.photo), "after": show.photo(edited), "boxes": []}, view="photo"
        )

    def download(self, visit: Visit, *, is_photo: bool = False) -> News:
        """The picture as a file that says what it is: labels, card and session are in the PNG."""
        session = visit.session
        drawn = self.drawing.draw(session)
        pixels = self.drawing.photo(session) if is_photo else drawn.after
        data = self._labelled(session, drawn, pixels, is_photo=is_photo)
        name = f"ppstyleclip-{'photo' if is_photo else 'face'}-{next(_numbers)}.png"
        return news_of(save={"name": name, "data": show.file_data(data, "image/png")})

    def _labelled(self, session: Session, drawn: Drawn, pixels: np.ndarray, *, is_photo: bool) -> bytes:
        notes = {SESSION_NOTE: links.to_text(self._note(session))}
        card = self.drawing.card(session, drawn)
        return label_of(pixels, is_photo=is_photo, card=card, notes=notes)(encode_picture(pixels))

    def save_session(self, visit: Visit) -> News:
        """The session as a short file."""
        text = links.to_text(self._note(visit.session))
        data = show.file_data(text.encode(), "application/json")
        return news_of(save={"name": "ppstyleclip-session.json", "data": data})

    def open_session(self, visit: Visit, text: Any) -> tuple[Visit, News]:
        """Go on with the session of a file."""
        if not isinstance(text, str):
            raise UserError("the page has sent no session; choose a file that the studio saved")
        session = self._linked(links.from_text(text))
        return self._shown(replace(visit, session=session, found=None))

    def link(self, visit: Visit) -> News:
        """The session for the part of a link behind '#'."""
        return news_of(link=links.to_link(self._note(visit.session)))

    def _note(self, session: Session) -> links.SessionNote:
        bundle = self.model.editor.bundle
        return links.note_of(session, bundle.name, bundle.fingerprints.get("generator", ""))

    def _shown(self, visit: Visit) -> tuple[Visit, News]:
        """A visit, and all that the page shows of it."""
        session = visit.session
        drawn = self.drawing.draw(session)
        told = news_of(
            before=show.picture(drawn.before),
            after=show.picture(drawn.after),
            ms=round(1000 * drawn.seconds),
            steps=show.steps_list(session),
            can={"undo": bool(session.past or session.draft), "redo": bool(session.future)},
            face={
                "kind": session.face.kind,
                "seed": session.face.seed,
                "poor": session.face.place is not None and session.face.place.poor,
                "photo": session.face.place is not None,
            },
            mask=self._mask(session),
            warnings=self.warnings(session.draft),
            busy=None,
            card=None if session.steps else {},
        )
        if session.face.place is None:
            told["view"] = "face"
        if session.draft is not None:
            told["fields"] = _fields_of(session.draft)
        return visit, told

    def warnings(self, step: Step | Fields | None) -> list[News]:
        """What the model's CLIP cannot make of an edit's texts, each line as told_of gives it."""
        if step is None or not step.target.strip():
            return []
        editor, mapper = self.model.editor, self.model.mappers.get(step.mapper)
        if step.method == "mapper":
            line = None if mapper is None else mapper_text_line(editor, mapper, step.target)
            return [] if line is None else [told_of(line)]
        neutral = step.neutral.strip() or "face"
        return list(map(told_of, text_warnings(editor.bundle.clip, neutral, step.target)))

    def _mask(self, session: Session) -> str:
        draft = session.draft
        if draft is None or draft.region is None or isinstance(draft.region, RegionMask):
            return ""
        mask = self.drawing.mask(session.face, draft)
        return show.mask_picture(None if mask is None else mask[0])


def _fields_of(step: Step) -> dict[str, Any]:
    """What the page's fields hold for a step."""
    if step.method != "direction":
        return {"share": round(step.alpha, 3), "method": step.method}
    told: dict[str, Any] = {"alpha": round(step.alpha, 3), "beta": round(step.beta, 4)}
    return {**told, "method": step.method, "neutral": step.neutral, "target": step.target}


def fault_of(error: UserError) -> News:
    """What the page is told of a user's error; as told_of."""
    return told_of(problems.told(error))


def told_of(line: str) -> News:
    """A line for the page, and that in Chinese where it is known."""
    return {"message": line, "message_zh": in_chinese(line)}


def news_of(**values: Any) -> News:
    """News with a number, so that no two are alike."""
    return {"id": next(_numbers), **values}
