# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The card of an edit: what it did, by which weights and versions, and how good that is.

model.py      what a card holds; as JSON and back
measure.py    the numbers: identity, likeness inside and outside the region, CLIP along and across the text
others.py     CLIP along the words for other attributes
verdict.py    good, weak or harmful, from the numbers
origin.py     fingerprints of all weights, versions, machine
describe.py   a card of an editor's edit
picture.py    a card as one picture
result.py     the two pictures of an edit, with their card
"""

from __future__ import annotations

from ppstyleclip.card.describe import describe_edits, edit_result
from ppstyleclip.card.model import Card, Source, card_values, read_card, to_json
from ppstyleclip.card.result import EditResult

__all__ = [
    "Card",
    "EditResult",
    "Source",
    "card_values",
    "describe_edits",
    "edit_result",
    "read_card",
    "to_json",
]
