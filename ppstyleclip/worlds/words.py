# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What can be said to a CLIP, as rows for people to read: its world's attributes, its words, common ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ppstyleclip.models.clip_tokens import prompt_words
from ppstyleclip.translation import ADJECTIVES, NOUNS, PARTS, is_chinese
from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.sampling import language_of
from ppstyleclip.worlds.portrait.captions.vocabulary import phrases_of, vocabulary


@dataclass(frozen=True)
class KnownWords:
    """What can be asked of a CLIP.

    Attributes:
        about: one line: which words it knows.
        rows: (name, English words and phrases, Chinese ones); of what it was trained on, or common ones.
    """

    about: str
    rows: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]

    def find(self, word: str) -> KnownWords:
        """The rows in which a word stands."""
        wanted = word.casefold()
        rows = (
            row for row in self.rows if any(wanted in one.casefold() for one in (row[0], *row[1], *row[2]))
        )
        return KnownWords(self.about, tuple(rows))


def known_words(clip: Any) -> KnownWords:
    """Say what can be asked of a ClipModel."""
    name, known = clip.name, clip.vocabulary
    if known is None:
        if clip.languages == ("zh",):
            own, other = "Chinese", "English"
        else:
            own, other = "English", "Chinese"
        about = f"the CLIP of '{name}' reads any words in {own}; common attributes in {other} are translated"
        return KnownWords(about, _common())
    if frozenset(prompt_words(" ".join(vocabulary()))) <= known:
        about = f"the CLIP of '{name}' knows {len(known)} words; what they say of a portrait:"
        return KnownWords(about, _portrait())
    english = tuple(sorted(word for word in known if not is_chinese(word)))
    chinese = tuple(sorted(word for word in known if is_chinese(word)))
    return KnownWords(f"the CLIP of '{name}' knows {len(known)} words", (("words", english, chinese),))


def _portrait() -> tuple:
    words = {language: language_of(language) for language in ("en", "zh")}
    nouns = ("face", tuple(words["en"].NOUNS), tuple(words["zh"].NOUNS))
    rows = [
        (one.name.replace("_", " "), *(tuple(phrases_of(words[k].WORDS[one.name], k)) for k in ("en", "zh")))
        for one in ATTRIBUTES
    ]
    return (nouns, *rows)


def _common() -> tuple:
    """The table of translation, those of one English word together."""
    rows = []
    for kind, table in (("what", NOUNS), ("how", ADJECTIVES), ("with", PARTS)):
        for english in dict.fromkeys(table.values()):
            rows.append((kind, (english,), tuple(word for word, other in table.items() if other == english)))
    return tuple(rows)
