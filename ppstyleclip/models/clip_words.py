# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The words that a small CLIP knows: which of a prompt it never saw, what is near them, their tokens.

Chinese is written without spaces, so a run of its characters is cut into known words, such that as few
characters as possible are left over.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

from ppstyleclip.errors import shown
from ppstyleclip.models.clip_tokens import prompt_tokens, prompt_words
from ppstyleclip.translation import HAN, is_chinese

_RUNS = re.compile(f"[{HAN}]+|[^{HAN}]+")
_IS_HAN = re.compile(f"[{HAN}]")
_SIGNS = ("So", "Sm", "Sc")  # Unicode's symbols, emoji among them; none is in SYMBOLS
_ALIKE, _ALIKE_HAN = 0.72, 0.4  # similarity from which a word is named as near; Chinese words are short
SYMBOLS = ".,;:!?'\"-()&/0123456789，。、；：！？"


def knows_chinese(vocabulary: Iterable[str]) -> bool:
    """Whether there are Chinese words in a vocabulary."""
    return any(map(is_chinese, vocabulary))


def unknown_words(text: str, vocabulary: frozenset[str]) -> list[str]:
    """The words of a text that are not in a vocabulary, each once, in order; then signs, such as emoji.

    A text without any word is unknown as a whole.
    """
    found: list[str] = []
    words = prompt_words(text)
    for word in words:
        for run in _RUNS.findall(word) if word not in vocabulary else ():
            if _IS_HAN.match(run):
                found += _left_over(run, vocabulary)
            elif run not in vocabulary:
                found.append(run)
    found += [sign for sign in text if unicodedata.category(sign) in _SIGNS]
    if not words and not found and text.strip():
        found.append(text.strip())
    return list(dict.fromkeys(found))


def _left_over(run, vocabulary):
    """What stays of a run of Chinese characters when it is cut into known words; neighbours stay together."""
    longest = max((len(word) for word in vocabulary if _IS_HAN.match(word)), default=0)
    best = [(0, 0)]  # for each prefix: fewest characters left over, length of the last known word or 0
    for end in range(1, len(run) + 1):
        ways = [(best[end - 1][0] + 1, 0)]
        for length in range(1, min(longest, end) + 1):
            if run[end - length : end] in vocabulary:
                ways.append((best[end - length][0], length))
        best.append(min(ways, key=lambda way: (way[0], -way[1])))
    left, end = [False] * len(run), len(run)
    while end:
        length = best[end][1]
        left[end - 1] = not length
        end -= max(length, 1)
    return re.findall(f"[{HAN}]+", "".join(c if out else " " for c, out in zip(run, left)))


def nearest_words(word: str, vocabulary: Iterable[str], count: int = 3) -> list[str]:
    """The known words that are most like an unknown one, nearest first; Chinese ones share characters."""
    is_han = bool(_IS_HAN.match(word))
    known = sorted(other for other in vocabulary if bool(_IS_HAN.match(other)) == is_han)
    return difflib.get_close_matches(word.lower(), known, count, _ALIKE_HAN if is_han else _ALIKE)


def describe_unknown(words: Iterable[str], vocabulary: Iterable[str]) -> str:
    """Unknown words for a message, each with the known ones near it."""
    known, texts = sorted(vocabulary), []
    for word in words:
        near = " or ".join(f"'{other}'" for other in nearest_words(word, known))
        texts.append(shown(word) + f" (is it {near}?)" * bool(near))
    return ", ".join(texts)


def vocabulary_tokens(words: Iterable[str]) -> list[int]:
    """Every token that prompts of these words may hold, in rising order; start, end and symbols too.

    The last character of a run has tokens of its own, so each Chinese one is asked for in both places.
    """
    words = list(words)
    pairs = {character * 2 for word in words for character in word if _IS_HAN.match(character)}
    plain = {word for word in words if not _IS_HAN.search(word)}
    return sorted({token for text in (*plain, *pairs, *SYMBOLS) for token in prompt_tokens(text)})
