# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Random captions that are true of a face."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.captions import chinese_grammar, english_grammar
from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.pieces import Piece, pick
from ppstyleclip.worlds.portrait.captions.truth import DEGREES, NOT, shares, truth_table

LANGUAGES = {grammar.NAME: grammar for grammar in (english_grammar, chinese_grammar)}
COUNT_ODDS = (0.06, 0.42, 0.24, 0.14, 0.09, 0.05)  # of saying 0, 1, ... 5 things
DEGREE_ODDS = (1.0, 0.4, 0.5, 0.6, 0.4, 0.1)
NAMED_ABSENT = 6.0  # times as often is "not" said where the language has words of its own for it
LONGEST = {
    "en": 250,
    "zh": 72,
}  # bytes of a caption; CLIP reads 75 tokens, one for each byte of Chinese at worst
RARE = 0.7  # power of a statement's rarity; at 1 all statements would be as frequent


class Caption(NamedTuple):
    """Attributes: `text`; `statements`, the (attribute's index, degree) pairs that it says."""

    text: str
    statements: tuple[tuple[int, int], ...]


def language_of(name: str):
    """The grammar of a language, "en" or "zh".

    Raises:
        UserError: another language.
    """
    if name not in LANGUAGES:
        raise UserError(f"captions are written in {' and '.join(LANGUAGES)}, not in {name!r}")
    return LANGUAGES[name]


@cache
def ways(language: str, index: int, degree: int) -> tuple[Piece, ...]:
    """All pieces that say one statement; none where the language has no words for it."""
    return tuple(dict.fromkeys(language_of(language).pieces(index, degree)))


@lru_cache(maxsize=2)
def odds(language: str) -> np.ndarray:
    """`[len(ATTRIBUTES), len(DEGREES)]`: how likely each statement is to be said where it is true."""
    found = np.array(DEGREE_ODDS) / np.maximum(shares(), 0.01) ** RARE
    for i, attribute in enumerate(ATTRIBUTES):
        if language_of(language).WORDS[attribute.name].absent:
            found[i, NOT] *= NAMED_ABSENT
        for degree in range(len(DEGREES)):
            found[i, degree] *= bool(ways(language, i, degree))
    return found


def choose(truths: np.ndarray, rng, language: str, count: int) -> list[tuple[int, int]]:
    """Up to `count` statements about different attributes that are true of a face."""
    weights = (odds(language) * (truths > 0)).ravel()
    chosen: dict[int, int] = {}
    for place in rng.choice(
        weights.size, min(count, int((weights > 0).sum())), replace=False, p=weights / weights.sum()
    ):
        index, degree = divmod(int(place), len(DEGREES))
        chosen.setdefault(index, degree)
    return list(chosen.items())


def say(statements, rng, language: str, *, template: bool = True) -> Caption:
    """Put statements into words; one that needs a second noun is left out.

    Args:
        statements: (attribute's index, degree) pairs.
        rng: numpy RandomState.
        language: "en" or "zh".
        template: put the words into a template now and then.
    Raises:
        UserError: another language.
    """
    grammar = language_of(language)
    pieces: list[Piece] = []
    said: list[tuple[int, int]] = []
    for index, degree in statements:
        found = ways(language, index, degree)
        if any(piece.kind == "noun" for piece in pieces):
            found = tuple(piece for piece in found if piece.kind != "noun")
        if found:
            kinds = sorted({piece.kind for piece in found})
            kind = pick(kinds, rng)
            pieces.append(pick([piece for piece in found if piece.kind == kind], rng))
            said.append((index, degree))
    text = grammar.compose(pieces, rng)
    return Caption(grammar.in_template(text, rng) if template else text, tuple(said))


def caption_of(truths: np.ndarray, rng, language: str, *, template: bool = True) -> Caption:
    """A caption of a face of which a row of `truth_table` is known, short enough for CLIP."""
    chosen = choose(truths, rng, language, rng.choice(len(COUNT_ODDS), p=COUNT_ODDS))
    while True:
        found = say(chosen, rng, language, template=template)
        if len(found.text.encode()) <= LONGEST[language] or not chosen:
            return found
        chosen = chosen[:-1]


def caption(factors: np.ndarray, rng, language: str = "en") -> Caption:
    """A random caption that is true of a face.

    Args:
        factors: `[NUM_FACTORS]`.
        rng: numpy RandomState.
        language: "en" or "zh".
    Returns:
        Caption; it says none to five things.
    Raises:
        UserError: factors of another shape, or another language.
    """
    return caption_of(truth_table(np.asarray(factors)[None])[0], rng, language)
