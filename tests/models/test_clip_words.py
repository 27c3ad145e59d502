# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Words that a small CLIP never saw, what is near them, and the tokens of those that it knows."""

from __future__ import annotations

import pytest

from ppstyleclip.models.clip_tokens import prompt_tokens
from ppstyleclip.models.clip_words import describe_unknown, nearest_words, unknown_words, vocabulary_tokens

WORDS = frozenset(
    ["face", "smiling", "with", "beard", "脸", "微笑", "的", "长发", "发型", "戴", "眼镜", "戴眼镜", "人"]
)


@pytest.mark.parametrize(
    "text, unknown",
    [
        ("Smiling face, with BEARD", []),
        ("face with hat and hat", ["hat", "and"]),
        ("微笑的脸", []),
        ("戴眼镜的人", []),
        ("戴帽子的人", ["帽子"]),
        ("秃头、微笑", ["秃头"]),
        ("a smiling脸", ["a"]),
        ("长发型", ["长"]),  # as few characters as possible are left over
        ("脸 50", ["50"]),
        ("😀", ["😀"]),
        ("smiling 😀 face with hat 😀", ["hat", "😀"]),
        ("smiling face!", []),
        (" !? ", ["!?"]),  # nothing is left of it
        ("", []),
    ],
)
def test_unknown_words_of_both_languages(text, unknown):
    assert unknown_words(text, WORDS) == unknown


def test_near_words_are_named():
    assert nearest_words("smilling", WORDS) == ["smiling"]
    assert nearest_words("短发", WORDS)[0] in ("长发", "发型")
    assert nearest_words("zzz", WORDS) == [] and nearest_words("象", WORDS) == []
    assert describe_unknown(["beards", "hat"], WORDS) == "'beards' (is it 'beard'?), 'hat'"


def test_tokens_of_a_vocabulary_cover_its_prompts():
    rows = set(vocabulary_tokens(WORDS))
    for text in (
        "smiling face, with beard.",
        "微笑的脸",
        "脸的微笑",
        "戴眼镜的人",
        "长发 人，脸",
        "a"[:0] + "with 脸",
    ):
        assert set(prompt_tokens(text)) <= rows, text
    assert not set(prompt_tokens("zebra")) <= rows
    assert vocabulary_tokens(WORDS) == sorted(rows)
