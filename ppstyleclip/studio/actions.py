# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The names by which the page's script asks for things, and how failures are told.

Every action gives (Visit, news). What the page sends comes from strangers: names, numbers and texts are
checked here or where they are used.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ppstyleclip.errors import UserError
from ppstyleclip.server.logs import log
from ppstyleclip.studio.handlers import Fields, Handlers, News, Visit, fault_of, news_of

MOST_TEXT = 300  # letters of a text
_BY_TEXT = ("try", "cell", "accept", "auto", "optimise", "sheet")  # actions that a text may have failed
_Answer = tuple[Visit, News]


def fields_of(values: dict[str, Any]) -> Fields:
    """What the page's fields hold, from what a page has sent.

    Raises:
        UserError: a text that is too long, or what is no text or number.
    """
    method = str(values.get("method") or "direction")
    strength = values.get("alpha" if method == "direction" else "share")
    try:
        made = Fields(
            method=method,
            neutral=str(values.get("neutral") or "face"),
            target=str(values.get("target") or ""),
            alpha=float(strength or 0.0),
            beta=float(values.get("beta") or 0.0),
            regions=tuple(map(str, values.get("regions") or ())),
            brush=str(values.get("brush") or ""),
            mapper=str(values.get("mapper") or ""),
        )
    except (TypeError, ValueError):
        raise UserError("a field of the page holds no number; load the page again") from None
    if max(len(made.neutral), len(made.target), len(made.mapper)) > MOST_TEXT:
        raise UserError(f"a text has {MOST_TEXT} letters at most; write a shorter one")
    return made


class Actions:
    """What the page may ask for.

    Args:
        handlers: Handlers.
    """

    def __init__(self, handlers: Handlers):
        self.handlers = handlers
        own = handlers
        self._quick: dict[str, Callable[[Visit, Any, Fields], _Answer]] = {
            "try": lambda visit, value, fields: own.try_out(visit, fields),
            "cell": lambda visit, value, fields: own.try_out(visit, _with_cell(fields, value)),
            "accept": lambda visit, value, fields: own.accept(visit, fields),
            "undo": lambda visit, value, fields: own.undo(visit),
            "redo": lambda visit, value, fields: own.redo(visit),
            "reset": lambda visit, value, fields: own.reset(visit),
            "remove": lambda visit, value, fields: own.remove(visit, _whole(value)),
            "seed": lambda visit, value, fields: own.choose_seed(visit, _whole(value)),
            "seeds": lambda visit, value, fields: (visit, own.seeds(_whole(value))),
            "in_photo": lambda visit, value, fields: (visit, own.in_photo(visit)),
            "save": lambda visit, value, fields: (visit, own.download(visit)),
            "save_photo": lambda visit, value, fields: (visit, own.download(visit, is_photo=True)),
            "save_session": lambda visit, value, fields: (visit, own.save_session(visit)),
            "open_session": lambda visit, value, fields: own.open_session(visit, value),
            "link": lambda visit, value, fields: (visit, own.link(visit)),
        }
        self._long: dict[str, Callable[[Visit, Any, Fields], Iterator[_Answer]]] = {
            "photo": lambda visit, value, fields: own.open_photo(visit, value),
            "face": lambda visit, value, fields: own.choose_face(visit, _whole(value)),
            "auto": lambda visit, value, fields: own.solve(visit, fields),
            "optimise": lambda visit, value, fields: own.optimise(visit, fields, _whole(value)),
            "sheet": lambda visit, value, fields: own.sheet(visit, fields),
        }

    def begin(self, link: Any) -> _Answer:
        """A new visit, of a link or of the first face."""
        return self.handlers.begin(link if isinstance(link, str) else "")

    def quick(self, visit: Visit | None, action: Any, value: Any, values: dict[str, Any]) -> _Answer:
        """Do what takes less than a second; of a failure the news tell."""
        if visit is None:  # this server does not know the page: it has restarted, or a day has passed
            visit, told = self.handlers.begin()
            return visit, {**told, "say": "lost"}
        try:
            if action not in self._quick:
                raise UserError("the page asks for something unknown; load it again")
            fields = fields_of(values)
            visit, told = self._quick[action](visit, value, fields)
            if action == "try":  # the words of an example go into the fields
                words = {"neutral": fields.neutral, "target": fields.target}
                told = {**told, "fields": {**words, **told.get("fields", {})}}
            return visit, told
        except Exception as error:
            return visit, self._failure(error, action, values)

    def long(self, visit: Visit | None, action: Any, value: Any, values: dict[str, Any]) -> Iterator[_Answer]:
        """Do what takes seconds, and tell how far it is."""
        if visit is None:
            yield self.quick(None, action, value, values)
            return
        try:
            if action not in self._long:
                raise UserError("the page asks for something unknown; load it again")
            for answer in self._long[action](visit, value, fields_of(values)):
                visit = answer[0]
                yield answer
        except Exception as error:
            yield visit, self._failure(error, action, values)

    def measure(self, visit: Visit | None, shown: Any) -> News:
        """The card of what is shown; `shown` is the number of the news that it belongs to."""
        if visit is None:
            return news_of(card={}, of=shown)
        try:
            return {**self.handlers.measure(visit), "of": shown}
        except Exception as error:
            return {**self._failure(error), "of": shown}

    def stop(self, visit: Visit | None) -> None:
        """End an optimisation behind its next step."""
        if visit is not None:
            self.handlers.stop(visit)

    def _failure(self, error: Exception, action: Any = "", values: dict[str, Any] | None = None) -> News:
        """A user's error in its own words, with what may be wrong with a text; a bug is named in the log."""
        if not isinstance(error, UserError):
            log("studio failed", logging.ERROR, error)
            return news_of(say="failed", busy=None)
        told = news_of(**fault_of(error), busy=None)
        if action in _BY_TEXT:
            with contextlib.suppress(UserError):
                told["warnings"] = self.handlers.warnings(fields_of(values or {}))
        return told


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"a whole number is wanted, got {str(value)[:40]!r}") from None


def _with_cell(fields: Fields, value: Any) -> Fields:
    try:
        return replace(fields, alpha=float(value["alpha"]), beta=float(value["beta"]))
    except (TypeError, ValueError, KeyError):
        raise UserError("this is no cell of a contact sheet; choose another") from None
