# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The files of an edit's card, and the labels of the pictures that commands write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ppstyleclip.files import read_file, save_png, write_atomic
from ppstyleclip.provenance import EDITED, GENERATED, Label, labelled

if TYPE_CHECKING:
    from ppstyleclip.card import Card

NOTE = "ppstyleclip card"  # the PNG text that holds a card
MOST_SOURCE = 2**30  # bytes of a file whose fingerprint a card notes


def label_of(
    pixels: np.ndarray,
    *,
    is_photo: bool = False,
    card: Card | None = None,
    notes: Mapping[str, str] | None = None,
) -> Callable[[bytes], bytes]:
    """What puts labels into an encoded picture, its card where there is one, and notes `{name: text}`."""
    from ppstyleclip.card import to_json

    mark = hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:32]
    own = {} if card is None else {NOTE: to_json(card)}
    label = Label(EDITED if is_photo else GENERATED, produce_id=mark, notes={**own, **(notes or {})})
    return partial(labelled, label=label)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(read_file(path, MOST_SOURCE)).hexdigest()


def card_path(picture: Path, number: int | None = None) -> Path:
    """The JSON beside a picture: NAME.card.json, or NAME.2.card.json of a photo's second face."""
    return picture.with_name(f"{picture.stem}{'' if number is None else f'.{number}'}.card.json")


def save_card(path: Path, card: Card, before: np.ndarray, after: np.ndarray) -> list[Path]:
    """Write a card's JSON, and the card as one picture beside it."""
    from ppstyleclip.card import to_json
    from ppstyleclip.card.picture import draw_card

    picture = path.with_suffix(".png")
    drawn = draw_card(card, before, after)
    write_atomic(path, to_json(card).encode())
    save_png(picture, drawn, embed=label_of(drawn))
    return [path, picture]


def card_lines(card: Card) -> list[str]:
    """What a card says, for a terminal."""
    n = card.numbers
    identity = "not measured" if n.identity is None else f"{n.identity:.3f}"
    return [
        f"card: {card.verdict}; {card.reason}",
        f"identity {identity}, {n.likeness} {n.inside:.3f} inside and {n.outside:.3f} outside the "
        f"{'region' if n.region == 'own' else 'part where the text lives'}",
    ]
