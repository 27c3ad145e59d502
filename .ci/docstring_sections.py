# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Extension of griffe for the API pages: this package's docstrings are shorter than Google's.

Two things differ. No blank line stands before `Returns:` or `Raises:`, and arguments that are described by
one sentence share an entry (`first, second: w_plus`). Both are spelt out before griffe parses a docstring.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

SECTIONS = ("Args:", "Attributes:", "Returns:", "Yields:", "Raises:", "Examples:")
SHARED = re.compile(r"^(    )(\w+(?:, \w+)+):( .*)$")


def spell_out(docstring: str) -> str:
    """Return a docstring with a blank line before each section and an entry for each argument."""
    lines: list[str] = []
    section, entry, names = "", [], []
    for line in [*docstring.split("\n"), ""]:
        shared = SHARED.match(line) if section == "Args:" else None
        if entry and (shared or not line.startswith("     ")):  # the shared entry ends here
            lines += [text for name in names for text in [f"    {name}:{entry[0]}", *entry[1:]]]
            entry = []
        if line in SECTIONS:
            section = line
            if lines and lines[-1]:
                lines.append("")
        if shared:
            names, entry = shared[2].split(", "), [shared[3]]
        elif entry:
            entry.append(line)
        else:
            lines.append(line)
    return "\n".join(lines)


class DocstringSections(griffe.Extension):
    """Spells out every docstring when griffe has found it."""

    def on_instance(self, *, obj: Any, **kwargs: Any) -> None:
        """Replace the text of one object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = spell_out(obj.docstring.value)
