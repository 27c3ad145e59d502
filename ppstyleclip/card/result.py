# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The two pictures of an edit, with the card that is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ppstyleclip.card.model import Card
from ppstyleclip.errors import UserError


class EditResult(tuple):
    """(before, after), two pictures `[H, W, 3]` uint8, and the edit's card.

    Attributes: `before`, `after`, the pictures.
    """

    _make_card: Callable[[], Card]
    _card: Card | None

    def __new__(cls, before: np.ndarray, after: np.ndarray, make_card: Callable[[], Card]) -> EditResult:
        """Keep two pictures and what makes their card."""
        self = super().__new__(cls, (before, after))
        self._make_card, self._card = make_card, None
        return self

    @property
    def before(self) -> np.ndarray:
        """The face before its edits."""
        return self[0]

    @property
    def after(self) -> np.ndarray:
        """The face after its edits."""
        return self[1]

    @property
    def card(self) -> Card:
        """What the edits did: see card.Card. It is made when it is first asked for."""
        if self._card is None:
            self._card = self._make_card()
        return self._card

    def __reduce__(self) -> tuple[Any, ...]:
        """Pictures go to other processes; the card goes with them where it is made already."""
        return _from_elsewhere, (self.before, self.after, self._card)


def _from_elsewhere(before: np.ndarray, after: np.ndarray, card: Card | None) -> EditResult:
    result = EditResult(before, after, _lost)
    result._card = card
    return result


def _lost() -> Card:
    raise UserError("the card of an edit is made in the process of the edit; ask for it there first")
