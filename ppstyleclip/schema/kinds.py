# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The bounds of a field, and the kinds of values that many schemas have.

A kind is a type, or `Annotated[type, bound, ...]`. A bound has `accepts(value)`, asked for a value that is of
the type already, and `words`, which say what is allowed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from ppstyleclip.errors import UserError, shown

_NO_FILE_NAME = "/\\\0" if os.name == "posix" else '/\\\0:*?"<>|'
_LONGEST_NAME = 100  # characters
_MOST_NAME_BYTES = 180  # in UTF-8; a file name has 255, and something stands before and behind it
_NAME_WORDS = "a name of up to 100 printable characters that is no path"


@dataclass(frozen=True)
class Between:
    """A number from `least` to `most`; with `below`, `most` itself is out."""

    least: float
    most: float
    below: bool = False

    @property
    def words(self) -> str:
        """Such as "from 1 to 9"."""
        return f"from {_number(self.least)} to {'below ' * self.below}{_number(self.most)}"

    def accepts(self, value: Any) -> bool:
        """Whether the number is in the range."""
        return self.least <= value <= self.most and not (self.below and value == self.most)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


@dataclass(frozen=True)
class Size:
    """A text of so many characters, or a list of so many items."""

    least: int
    most: int

    @property
    def words(self) -> str:
        """Such as "of 1 to 9"."""
        return f"of {self.least}" if self.least == self.most else f"of {self.least} to {self.most}"

    def accepts(self, value: Any) -> bool:
        """Whether there are as many."""
        return self.least <= len(value) <= self.most


@dataclass(frozen=True)
class OneOf:
    """One of some words or numbers; a function gives those of a registry that may grow."""

    known: Collection[str] | Callable[[], Collection[str]]

    @property
    def words(self) -> str:
        """The words."""
        return f"out of {', '.join(map(str, self.known() if callable(self.known) else self.known))}"

    def accepts(self, value: Any) -> bool:
        """Whether it is one of them."""
        return value in (self.known() if callable(self.known) else self.known)


@dataclass(frozen=True)
class Like:
    """A text that a regular expression matches as a whole."""

    pattern: str
    words: str

    def accepts(self, value: Any) -> bool:
        """Whether it matches."""
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True)
class _Printable:
    words = "that can be printed in one line"

    def accepts(self, value: Any) -> bool:
        return value.isprintable()


@dataclass(frozen=True)
class _IsName:
    words = f"({_NAME_WORDS})"

    def accepts(self, value: Any) -> bool:
        return is_name(value)


class Open:
    """Base of a schema that lets pass what it does not name: another part reads it, or a later version."""


def is_name(text: str) -> bool:
    """Whether a text is a name: it may become a part of a file's name, and never leads to another folder."""
    return (
        0 < len(text) <= _LONGEST_NAME
        and text.isprintable()
        and len(text.encode()) <= _MOST_NAME_BYTES
        and not any(letter in text for letter in _NO_FILE_NAME)
        and text.strip() == text
        and not text.startswith(".")
        and not text.endswith(".")
    )


def check_name(what: str, text: Any) -> str:
    """Return a text that is a name.

    Args:
        what: whose it is, for the message.
        text: anything.
    Raises:
        UserError: it is no text, or no name; see is_name.
    """
    if not isinstance(text, str) or not is_name(text):
        raise UserError(f"{what}: name is {shown(text)}; allowed: {_NAME_WORDS}")
    return text


def name_of(path: Any) -> str:
    """The name that a file gives to what is in it: its own without folder and ending, as a name can be."""
    stem = Path(os.path.abspath(path)).stem
    kept = "".join(letter if letter.isprintable() and letter not in _NO_FILE_NAME else "_" for letter in stem)
    while len(kept) > _LONGEST_NAME or len(kept.encode()) > _MOST_NAME_BYTES:
        kept = kept[:-1]
    kept = kept.strip(" .")
    return kept if is_name(kept) else "unnamed"


Count = Annotated[int, Between(0, 2**31 - 1)]
Positive = Annotated[int, Between(1, 2**31 - 1)]
Seed = Annotated[int, Between(0, 2**63 - 1)]
Finite = Annotated[float, Between(-1e30, 1e30)]
Ratio = Annotated[float, Between(0, 1)]
Name = Annotated[str, _IsName()]
Line = Annotated[str, Size(0, 1000), _Printable()]
# A fingerprint of arrays. Ours have 16 hexadecimal digits; earlier versions kept what a caller called them.
Mark = Annotated[str, Like("[0-9A-Za-z._-]{0,64}", "of up to 64 letters and digits")]
Plain = Annotated[Any, None]  # whatever JSON holds; its reader has bounded it
