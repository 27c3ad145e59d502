# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Errors that a user can act on; everything else is a bug and keeps its traceback.

Each message is one line: what is wrong, what was got, what to do. The classes are also the builtin errors
that their names suggest, so callers may catch `ValueError`, `FileNotFoundError`, `OSError` or `ImportError`.

Text out of files is not trusted with a terminal: `shown` quotes a value for a line, and every message of a
UserError goes through `one_line`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_LINE = 2000  # characters of an error or a warning
LONGEST_VALUE = 60  # characters of a value in a line
_LINE_ENDS = re.compile(r"\s*[^\S ]\s*")


def one_line(text: Any, most: int = LONGEST_LINE) -> str:
    """Make a text one line that a terminal shows as it is.

    Line ends and tabs, with the blanks around them, become one blank. Other characters that do not print
    (escape sequences, marks that turn the direction of text, lone surrogates) are written as their codes,
    such as \\x1b.

    Args:
        text: anything; str() of it is taken.
        most: characters of the result; a longer text is cut and its length said.
    """
    text = str(text)
    if len(text) <= most and text.isprintable():
        return text
    short = _LINE_ENDS.sub(" ", text[: 2 * most]).strip()
    return _cut(_escaped(short), len(text), most) if len(text) > most else _escaped(short)


def _escaped(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def _cut(escaped: str, length: int, most: int) -> str:
    return f"{escaped[: max(0, most - 30)]}... ({length} characters)"


def plain(text: Any, most: int = LONGEST_VALUE) -> str:
    """A text out of a file for a list or a line: as one_line, but blanks and line ends are kept as codes."""
    text = str(text)
    escaped = _escaped(text[:most])
    return escaped if len(text) <= most else _cut(escaped, len(text), most)


def shown(value: Any, most: int = LONGEST_VALUE) -> str:
    """A value for a line, whatever it is and however large: texts in quotes, escaped and cut."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{plain(value, most)}'"
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):
        return f"{len(value)} named value{'s' * (len(value) != 1)}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return _shown_list(list(value)[:7], len(value))
    return f"a value of type {plain(type(value).__name__)}"


def _shown_list(first: list, count: int) -> str:
    if count <= 6 and all(isinstance(item, (int, float, bool)) for item in first):
        return f"[{', '.join(shown(item) for item in first)}]"
    return f"a list of {count}"


def named(names: Iterable[Any], most: int = 8) -> str:
    """Some names out of a file as a list for a line, the first few of them."""
    names = list(names)
    more = f", ... ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(plain(name) for name in names[:most]) + more


class UserError(ValueError):
    """An argument or a file that the user gave is wrong; its message is one printable line."""

    def __init__(self, *args: Any):
        super().__init__(*(one_line(arg) if isinstance(arg, str) else arg for arg in args))


class MissingFile(UserError, FileNotFoundError):
    """A file that the user named, or that has to be fetched first, is not there."""


class CannotWrite(UserError, OSError):
    """The place that the output should go to cannot be written."""


class MissingExtra(UserError, ImportError):
    """An optional package is absent, or another package took its name; the message gives the cure."""


def name_first(problems: list[str], most: int = 3) -> str:
    """Join the first few of a list of problems for one line, and count the rest."""
    more = f"; and {len(problems) - most} more" if len(problems) > most else ""
    return "; ".join(one_line(problem, 300) for problem in problems[:most]) + more
