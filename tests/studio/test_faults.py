# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faults in Chinese are found by the texts that are raised."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ppstyleclip
from ppstyleclip.studio.faults import _CHINESE, in_chinese

ROOT = Path(ppstyleclip.__file__).parent


def raised(file):
    """The texts of a file's strings, {} where values stand."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_translated_text_is_raised_somewhere():
    known = {text for file in ROOT.rglob("*.py") if file.name != "faults.py" for text in raised(file)}
    assert [english for english in _CHINESE if english not in known] == []


@pytest.mark.parametrize("english, chinese", _CHINESE.items(), ids=range(len(_CHINESE)))
def test_each_is_in_chinese_with_values_that_were_told(english, chinese):
    values = [f"<{number}>" for number in range(english.count("{}"))]
    said = in_chinese(english.format(*values))
    assert said == chinese.format(*values) and re.search("[一-鿿]", said)


def test_what_is_not_known_stays():
    assert in_chinese("something that nobody has written down") is None


def test_nearest_words_and_languages_are_told_in_chinese():
    seen = "the CLIP of 'a' never saw 'x' (is it 'y' or 'z'?), 'or'; what 'face -> x or' then does is chance"
    assert "没学过 'x'（是不是 'y' 或 'z'？）, 'or'，" in in_chinese(seen)
    reads = "the CLIP of 'a' reads English alone; '脸' is told to it as 'face'"
    assert in_chinese(reads) == "模型 'a' 只懂英文，'脸' 已译成 'face'"
