# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""All that can be said: words and phrases for people to read, words for CLIP's vocabulary."""

from __future__ import annotations

import re
from functools import lru_cache

from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.sampling import LANGUAGES, language_of, ways
from ppstyleclip.worlds.portrait.captions.truth import degrees_of
from ppstyleclip.worlds.portrait.captions.words import Words

_LATIN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def phrases_of(words: Words, language: str) -> list[str]:
    """The words and phrases of one attribute, as a reader would look for them; degrees come last."""
    space = " " if language == "en" else ""
    parts = [
        f"{adjective}{space}{part}" for part, adjectives in words.parts.items() for adjective in adjectives
    ]
    found = [*words.nouns, *words.adjectives, *parts, *words.phrases, *words.worn]
    found += [*words.slightly, *words.very, *words.more, *words.less, *words.absent]
    return list(dict.fromkeys(found))


def phrases(language: str) -> list[str]:
    """Every word and phrase of the tables, each once."""
    grammar = language_of(language)
    found = [*grammar.NOUNS, *(p for a in ATTRIBUTES for p in phrases_of(grammar.WORDS[a.name], language))]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Every word that a caption may hold, of both languages, in order.

    English ones are lower case without hyphens. Chinese ones are those of the tables, for prompts are cut
    into them.
    """
    english = [*LANGUAGES["en"].other_words(), *phrases("en")]
    for index, attribute in enumerate(ATTRIBUTES):
        english += [piece.text for d in degrees_of(attribute) for piece in ways("en", index, d)]
    found = {word for text in english for word in _LATIN.findall(text.lower())}
    chinese = [*LANGUAGES["zh"].other_words(), *phrases("zh")]
    return tuple(sorted(found | {word for text in chinese for word in re.findall(r"\w+", text)}))
