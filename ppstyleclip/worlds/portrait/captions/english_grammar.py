# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How English puts words together: "a very happy woman with long curly hair and no glasses"."""

from __future__ import annotations

from ppstyleclip.text import TEMPLATES
from ppstyleclip.worlds.portrait.captions import english
from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.pieces import Piece, pick
from ppstyleclip.worlds.portrait.captions.truth import LESS, MORE, NOT, PLAIN, SLIGHTLY

NAME = "en"
NOUNS, WORDS = english.NOUNS, english.WORDS
_BEFORE = {"part": "with", "with": "with", "wearing": "wearing", "without": "without", "who": "that is"}
NOUN_ODDS = (0.64, 0.12, 0.12, 0.12)
ALL_TEMPLATES = (
    *TEMPLATES["official"],
    "{}",
    "a {}",
    "the {}",
    "a photo of a {}",
    "a portrait of a {}",
    "{}.",
)


def graded(adjective: str, degree: int) -> tuple[str, ...]:
    """The ways to say an adjective in a degree."""
    if degree == PLAIN:
        return (adjective,)
    if adjective in english.UNGRADED:
        return ()
    if degree == MORE:
        return (english.COMPARATIVES.get(adjective, f"more {adjective}"),)
    if degree in (LESS, NOT):
        return (f"{'less' if degree == LESS else 'not'} {adjective}",)
    adverbs = english.ADVERBS["slightly" if degree == SLIGHTLY else "very"]
    return tuple(f"{adverb} {adjective}" for adverb in adverbs)


def bare(phrase: str) -> str:
    """A noun phrase without its article."""
    first, _, rest = phrase.partition(" ")
    return rest if first in ("a", "an", "the") else phrase


def with_article(phrase: str) -> str:
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def of_part(adjectives: str, part: str) -> str:
    """A part of the face with what it is like: "a big nose", "long hair"."""
    phrase = f"{adjectives} {part}"
    if part in english.WITHOUT_ARTICLE:
        return phrase
    return f"a {part} that is {adjectives}" if adjectives.startswith("a ") else with_article(phrase)


def pieces(index: int, degree: int) -> list[Piece]:
    """All ways to say one statement."""
    words = WORDS[ATTRIBUTES[index].name]
    found = [Piece("adjective", text) for adjective in words.adjectives for text in graded(adjective, degree)]
    for part, adjectives in words.parts.items():
        found += [Piece("part", text, part) for adjective in adjectives for text in graded(adjective, degree)]
    found += [Piece("with", phrase) for phrase in words.of_degree(degree)]
    if degree == PLAIN:
        found += [Piece("noun", noun) for noun in words.nouns]
        found += [Piece("wearing", thing) for thing in words.worn]
    if degree == NOT:
        for thing in (*words.phrases, *words.worn):
            found += [Piece("without", thing), Piece("with", f"no {bare(thing)}")]
        found += [Piece("who", f"not wearing {thing}") for thing in words.worn]
        found += [Piece("who", f"not {with_article(noun)}") for noun in words.nouns]
        for part, adjectives in words.parts.items():
            is_are = "are" if part.endswith("s") else "is"
            found += [Piece("with", f"{part} that {is_are} not {adjective}") for adjective in adjectives]
    return found


def prompt(piece: Piece) -> str:
    """A short prompt that says one piece, such as an edit has for its target."""
    if piece.kind == "noun":
        return piece.text
    if piece.kind == "adjective":
        return f"{piece.text} face"
    text = of_part(piece.text, piece.part) if piece.kind == "part" else piece.text
    return f"face {_BEFORE[piece.kind]} {text}"


def join(items):
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else ""


def things(found, rng):
    """The phrases of all parts and of what follows "with", adjectives of one part together."""
    parts: dict[str, list[str]] = {}
    for piece in found:
        if piece.kind == "part":
            parts.setdefault(piece.part, []).append(piece.text)
    phrases = []
    for part, adjectives in parts.items():
        if part == "hair" and rng.rand() < 0.08:
            part = "hairstyle"
        phrases.append(of_part(" ".join(adjectives), part))
    return phrases + [piece.text for piece in found if piece.kind == "with"]


def compose(found: list[Piece], rng) -> str:
    """Words for some pieces, in one of many orders; without an article in front."""
    found = [found[i] for i in rng.permutation(len(found))]
    by_kind = {
        kind: [p.text for p in found if p.kind == kind]
        for kind in ("adjective", "noun", "wearing", "without", "who")
    }
    phrases, nouns = things(found, rng), by_kind["noun"]
    if found and not nouns and rng.rand() < 0.22:  # keywords: "surprised", "long hair, glasses"
        items = [bare(p) if rng.rand() < 0.7 else p for p in phrases + by_kind["wearing"]]
        items += by_kind["adjective"] + [f"without {p}" for p in by_kind["without"]] + by_kind["who"]
        return ", ".join(items[i] for i in rng.permutation(len(items)))
    noun = nouns[0] if nouns else pick(NOUNS, rng, NOUN_ODDS)
    if nouns and noun.count(" ") == 0 and rng.rand() < 0.25:
        noun += pick((" face", "'s face"), rng)
    late = [a for a in by_kind["adjective"] if rng.rand() < 0.15]
    head = " ".join([a for a in by_kind["adjective"] if a not in late] + [noun])
    wearing = by_kind["wearing"]
    if wearing and rng.rand() < 0.3:
        phrases, wearing = phrases + wearing, []
    tails = [f"{pick(('with', 'with', 'with', 'having', 'who has'), rng)} {join(phrases)}"] if phrases else []
    tails += [f"{pick(('wearing', 'wearing', 'in'), rng)} {join(wearing)}"] if wearing else []
    tails += [f"without {join(by_kind['without'])}"] if by_kind["without"] else []
    tails += [f"who is {p}" if rng.rand() < 0.5 else p for p in by_kind["who"]]
    tails += [pick((", {}", "who is {}", "that looks {}"), rng).format(a) for a in late]
    tails = [tails[i] for i in rng.permutation(len(tails))]
    return " ".join([head, *tails]).replace(" ,", ",")


def in_template(text: str, rng) -> str:
    """The words as they are, or in a template such as CLIP's."""
    return text if rng.rand() < 0.3 else pick(ALL_TEMPLATES, rng).format(text)


def other_words() -> list[str]:
    """What captions hold beside the tables' words."""
    fixed = "a an the with having has wearing in without who that is are looks not no more less and".split()
    fixed += ["face", "face's", "hairstyle"]
    fixed += [adverb for adverbs in english.ADVERBS.values() for adverb in adverbs]
    nouns = [noun for words in WORDS.values() for noun in words.nouns]
    fixed += [f"{noun}'s" for noun in nouns if " " not in noun]
    return [*fixed, *NOUNS, *(t.format("") for t in ALL_TEMPLATES)]
