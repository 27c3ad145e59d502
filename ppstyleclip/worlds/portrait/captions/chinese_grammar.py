# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How Chinese puts words together: 一张非常开心的、没有胡子的脸的照片."""

from __future__ import annotations

from ppstyleclip.worlds.portrait.captions import chinese, english_grammar
from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.pieces import Piece, pick
from ppstyleclip.worlds.portrait.captions.truth import DEGREES, NOT, PLAIN

NAME = "zh"
NOUNS, WORDS = chinese.NOUNS, chinese.WORDS
NOUN_ODDS = (0.46, 0.2, 0.09, 0.06, 0.06, 0.06, 0.07)


def graded(adjective: str, degree: int) -> tuple[str, ...]:
    """The ways to say an adjective in a degree."""
    if degree == PLAIN:
        return (adjective,)
    return tuple(f"{adverb}{adjective}" for adverb in chinese.ADVERBS[DEGREES[degree]])


def verbs_of(phrase: str) -> tuple[str, ...]:
    """The verbs that say that one has what a phrase names; none where 有 alone does."""
    return next((verbs for ending, verbs in chinese.VERBS.items() if phrase.endswith(ending)), ())


def pieces(index: int, degree: int) -> list[Piece]:
    """All ways to say one statement."""
    words = WORDS[ATTRIBUTES[index].name]
    found = [Piece("adjective", text) for adjective in words.adjectives for text in graded(adjective, degree)]
    for part, adjectives in words.parts.items():
        texts = [text for adjective in adjectives for text in graded(adjective, degree)]
        found += [Piece("with", f"{text}的{part}") for text in texts]
        found += [Piece("adjective", f"{part}{text}") for text in texts if degree != PLAIN]
    if degree == NOT:
        found += [Piece("adjective", text) for text in words.absent]
        worn = [phrase for phrase in words.phrases if "戴" in verbs_of(phrase)]
        found += [Piece("adjective", f"{never}戴{phrase}") for phrase in worn for never in ("不", "没")]
        found += [Piece("adjective", f"没有{phrase}") for phrase in words.phrases]
        found += [Piece("adjective", f"不是{noun}") for noun in words.nouns]
        return found
    found += [Piece("with", phrase) for phrase in words.of_degree(degree)]
    if degree == PLAIN:
        found += [Piece("noun", noun) for noun in words.nouns]
        found += [Piece("adjective", verb) for verb in words.worn]
        found += [Piece("adjective", verb + p) for p in words.phrases for verb in verbs_of(p)]
    return found


def prompt(piece: Piece) -> str:
    """A short prompt that says one piece, such as an edit has for its target."""
    if piece.kind == "noun":
        return piece.text
    return f"{'有' * (piece.kind == 'with')}{piece.text}的脸"


def compose(found: list[Piece], rng) -> str:
    """Words for some pieces, in one of many orders."""
    found = [found[i] for i in rng.permutation(len(found))]
    nouns = [p.text for p in found if p.kind == "noun"]
    others = [p for p in found if p.kind != "noun"]
    if others and not nouns and rng.rand() < 0.25:  # keywords: 长发, 微笑
        return pick(("，", "、", " "), rng).join(p.text for p in others)
    noun = nouns[0] if nouns else pick(NOUNS, rng, NOUN_ODDS)
    if nouns and rng.rand() < 0.2:
        noun += "的脸"
    if others and rng.rand() < 0.2:  # the noun first: 女人，戴眼镜，有长发
        comma = pick(("，", ","), rng)
        return comma.join([noun, *((f"有{p.text}" if p.kind == "with" else p.text) for p in others)])
    phrases = [p.text for p in others if p.kind == "with"]
    if len(phrases) > 1 and rng.rand() < 0.5:
        phrases = ["、".join(phrases[:-1]) + "和" + phrases[-1]]
    before = [
        (text if rng.rand() < 0.25 else pick(("有", "有", "带着"), rng) + text) + "的" for text in phrases
    ]
    before += [p.text + "的" for p in others if p.kind == "adjective"]
    before = [before[i] for i in rng.permutation(len(before))]
    return pick(("", "", "、"), rng).join(before) + noun


def in_template(text: str, rng) -> str:
    """The words as they are, in a Chinese template, or in an English one, where an edit puts them."""
    chance = rng.rand()
    if chance < 0.3:
        return text
    return pick(chinese.TEMPLATES if chance < 0.6 else english_grammar.ALL_TEMPLATES, rng).format(text)


def other_words() -> list[str]:
    """What captions hold beside the tables' words."""
    fixed = ["的", "有", "没有", "不是", "带着", "和", "一个", "一位", "一张"]
    fixed += [adverb for adverbs in chinese.ADVERBS.values() for adverb in adverbs]
    fixed += ["没", *(verb for verbs in chinese.VERBS.values() for verb in verbs)]
    parts = [word for words in WORDS.values() for pair in words.parts.items() for word in (pair[0], *pair[1])]
    return [*fixed, *parts, *NOUNS, *(part for t in chinese.TEMPLATES for part in t.split("{}") if part)]
