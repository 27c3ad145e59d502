# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Counts in words; and no message of the package that counts by hand where the number may be one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ppstyleclip.wording import counted

ROOT = Path(__file__).resolve().parents[1]
NOUNS = "steps|layers|faces|levels|styles|latents|channels|blocks|samples|files|weights|mappers"


@pytest.mark.parametrize(
    "number, words", [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (1000, "1000 steps")]
)
def test_counts_in_words(number, words):
    assert counted(number, "step") == words


def test_an_odd_plural():
    assert counted(1, "index was", "indices were") == "1 index was"
    assert counted(3, "index was", "indices were") == "3 indices were"


def printed(path):
    """What the commands print, as texts in which each value is {}."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(map(str, parts))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "ppstyleclip" / "cli").glob("*.py")), ids=lambda path: path.stem
)
def test_what_commands_print_counts_by_counted(path):
    own = [
        (line, text)
        for line, text in printed(path)
        if re.search(rf"(?<!of )(?<!the )\{{\}} ({NOUNS})\b", text)
    ]
    assert own == []
