# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""BERT's words (Devlin et al. 2018): a text cut into the longest pieces that a list of pieces has.

Every Chinese character and every mark is a word of its own; other letters are made small and lose their
accents. A piece that does not begin a word is written `##piece`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import read_file

VOCABULARY = "vocab.txt"  # the name that BERT's list of pieces has wherever it is published
MOST_BYTES = 4 << 20
PAD, UNKNOWN, START, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
LONGEST_WORD = 200  # letters; a longer word is unknown
_HAN = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


def is_han(letter: str) -> bool:
    """Whether BERT takes a letter for a Chinese character."""
    return any(first <= ord(letter) <= last for first, last in _HAN)


def read_pieces(path: str | Path) -> tuple[str, ...]:
    """Read a list of pieces, one a line; its line says a piece's number.

    Raises:
        MissingFile: there is no such file.
        UserError: it is no such list.
    """
    try:
        lines = read_file(path, MOST_BYTES).decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise UserError(f"{path} is no list of word pieces: it is not in UTF-8") from None
    pieces = tuple(line.strip() for line in (lines[:-1] if lines[-1] == "" else lines))
    check_pieces(pieces, path)
    return pieces


def find_pieces(weights: str | Path, count: int) -> tuple[str, ...]:
    """Read the list that lies beside a file of weights.

    Args:
        weights: path of the weights.
        count: how many pieces they have.
    Raises:
        MissingFile: there is none.
        UserError: it is no such list, or of another number.
    """
    path = Path(weights).parent / VOCABULARY
    if not path.is_file():
        raise MissingFile(
            f"{weights} holds weights and not the words that go with them; put {VOCABULARY} of the same "
            f"model ({count} lines, that of bert-base-chinese) beside it"
        )
    pieces = read_pieces(path)
    if len(pieces) != count:
        raise UserError(f"{path} has {len(pieces)} lines, {weights} has {count} pieces; use the model's own")
    return pieces


def check_pieces(pieces: Sequence[str], where) -> None:
    """Refuse a list without the marks that every text needs."""
    missing = [mark for mark in (PAD, UNKNOWN, START, END) if mark not in pieces]
    if missing:
        raise UserError(f"{where} is no list of word pieces: {missing[0]} is not in it")


class WordPieces:
    """Texts to the numbers of pieces.

    Args:
        pieces: the list, in the order of the rows of the embedding.
        context_length: most pieces of a text, start and end included.
    """

    def __init__(self, pieces: Sequence[str], context_length: int):
        check_pieces(pieces, "the CLIP's vocabulary")
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self._limit = context_length - 2

    def tokenize(self, texts: Sequence[str]) -> np.ndarray:
        """Pieces of several prompts, padded to the longest of them.

        Returns:
            `[N, T]` int64.
        Raises:
            UserError: no prompt at all, or one is empty or too long.
        """
        if not texts:
            raise UserError("no prompt was given; give at least one")
        rows = [self._pieces_of(text) for text in texts]
        tokens = np.full((len(rows), max(map(len, rows))), self._numbers[PAD], np.int64)
        for row, values in zip(tokens, rows):
            row[: len(values)] = values
        return tokens

    def _pieces_of(self, text: str) -> list[int]:
        if not isinstance(text, str) or not text.strip():
            raise UserError(f"a prompt must be a non-empty text, got {text!r}; say what to show")
        pieces = [piece for word in split_words(text) for piece in self._cut(word)]
        if len(pieces) > self._limit:
            raise UserError(
                f"the prompt {text[:40]!r}... has {len(pieces)} word pieces, this CLIP reads at most "
                f"{self._limit}; shorten it"
            )
        return [self._numbers[piece] for piece in (START, *pieces, END)]

    def _cut(self, word: str) -> list[str]:
        """The longest pieces from the left; one unknown piece where the list does not have the rest."""
        pieces: list[str] = []
        start = 0
        while start < len(word) <= LONGEST_WORD:
            mark = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self._numbers), None)
            if end is None:
                return [UNKNOWN]
            pieces.append(mark + word[start:end])
            start = end
        return pieces or [UNKNOWN]


def split_words(text: str) -> list[str]:
    """Words of a text as BERT has them: small letters without accents, Chinese characters and marks alone."""
    spaced = []
    for letter in text:
        kind = unicodedata.category(letter)
        if letter.isspace() and letter in " \t\n\r" or kind == "Zs":
            spaced.append(" ")
        elif kind in ("Cc", "Cf") or letter in "\0\ufffd":
            continue
        else:
            spaced.append(f" {letter} " if is_han(letter) else letter)
    small = unicodedata.normalize("NFD", "".join(spaced).lower())
    kept = (letter for letter in small if unicodedata.category(letter) != "Mn")
    return "".join(f" {letter} " if _is_mark(letter) else letter for letter in kept).split()


def _is_mark(letter: str) -> bool:
    """Whether a letter is punctuation; all ASCII that is neither letter, digit nor space counts."""
    is_ascii_mark = "!" <= letter <= "~" and not letter.isalnum()
    return is_ascii_mark or unicodedata.category(letter).startswith("P")
