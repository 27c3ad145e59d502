# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What can be said of a face: words for the factors, and captions that name none to four of them.

The world's boy is a face without lashes, make-up and earrings and with thick brows (the factor `feminine`
below its mean); a man is the same. Age is said by other words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ppstyleclip.text import TEMPLATES
from ppstyleclip.toonface.renderer import INDEX, NUM_FACTORS

NEUTRAL_NOUNS = ("face", "head", "portrait", "person")


@dataclass(frozen=True)
class Attribute:
    """One thing to say: true where `threshold < sign * factor < limit`, unless another factor hides it.

    hidden_by: (factor, low, high): said only while that factor lies between.
    """

    name: str
    factor: str
    sign: int
    threshold: float = 0.5
    adjectives: tuple = ()
    phrases: tuple = ()
    nouns: tuple = ()
    hidden_by: tuple = ()
    limit: float = np.inf

    def holds(self, factors):
        """`[N]` bool for factors `[N, NUM_FACTORS]`."""
        value = self.sign * factors[:, INDEX[self.factor]]
        true = (value > self.threshold) & (value < self.limit)
        if self.hidden_by:
            name, low, high = self.hidden_by
            true &= (factors[:, INDEX[name]] > low) & (factors[:, INDEX[name]] < high)
        return true


NATURAL = ("hair_tone", -0.5, 0.5)
ATTRIBUTES = (
    Attribute(
        "happy", "smile", 1, 0.4, ("happy", "smiling", "cheerful", "joyful"), ("a smile", "a big smile")
    ),
    Attribute("sad", "smile", -1, 0.4, ("sad", "unhappy", "frowning", "gloomy"), ("a frown",)),
    Attribute("angry", "anger", 1, 0.4, ("angry", "mad", "furious"), ("an angry look", "slanted brows")),
    Attribute("calm", "anger", -1, 0.6, ("calm", "relaxed"), ("a calm look", "raised brows")),
    Attribute("open mouth", "mouth_open", 1, 0.4, (), ("open mouth", "an open mouth", "mouth open")),
    Attribute("closed mouth", "mouth_open", -1, 0.5, (), ("closed mouth", "a closed mouth", "mouth closed")),
    Attribute("glasses", "glasses", 1, 0.3, (), ("glasses", "eyeglasses", "spectacles", "black glasses")),
    Attribute("no glasses", "glasses", -1, 0.6, (), ("no glasses",)),
    Attribute("beard", "beard", 1, 0.4, ("bearded",), ("a beard", "beard", "a full beard")),
    Attribute("no beard", "beard", -1, 0.6, ("shaven", "clean-shaven"), ("no beard",)),
    Attribute(
        "girl",
        "feminine",
        1,
        0.4,
        ("female", "feminine"),
        ("lipstick", "long lashes"),
        ("girl", "woman", "lady", "girl face", "woman face", "female face"),
    ),
    Attribute(
        "boy",
        "feminine",
        -1,
        0.4,
        ("male", "masculine"),
        ("thick brows",),
        ("boy", "man", "guy", "boy face", "man face", "male face"),
    ),
    Attribute("old", "age", 1, 0.4, ("old", "elderly", "aged", "wrinkled"), ("wrinkles",)),
    Attribute("young", "age", -1, 0.4, ("young", "youthful"), ("rosy cheeks",)),
    Attribute(
        "gold hair",
        "hair_light",
        1,
        0.6,
        (),
        ("gold hair", "golden hair", "blond hair", "blonde hair", "yellow hair"),
        (),
        NATURAL,
    ),
    Attribute("black hair", "hair_light", -1, 0.6, (), ("black hair", "dark hair"), (), NATURAL),
    Attribute("red hair", "hair_tone", 1, 0.6, (), ("red hair", "ginger hair", "orange hair")),
    Attribute("grey hair", "hair_tone", -1, 0.6, (), ("grey hair", "gray hair", "silver hair")),
    Attribute("brown hair", "hair_light", 1, -0.4, (), ("brown hair", "chestnut hair"), (), NATURAL, 0.4),
    Attribute("long hair", "hair_length", 1, 0.4, (), ("long hair",)),
    Attribute("short hair", "hair_length", -1, 0.4, (), ("short hair",)),
    Attribute("curly hair", "curl", 1, 0.4, ("curly",), ("curly hair", "curl hair", "curls", "wavy hair")),
    Attribute("straight hair", "curl", -1, 0.4, (), ("straight hair", "sleek hair", "smooth hair")),
    Attribute("dark skin", "skin", 1, 0.5, (), ("dark skin", "brown skin")),
    Attribute("pale skin", "skin", -1, 0.5, ("pale",), ("pale skin", "light skin", "fair skin")),
    Attribute("wide face", "face_width", 1, 0.5, ("wide", "round", "chubby")),
    Attribute("narrow face", "face_width", -1, 0.5, ("narrow", "thin", "slim")),
    Attribute("tall face", "face_height", 1, 0.6, ("tall",)),
    Attribute("flat face", "face_height", -1, 0.6, ("flat",)),
    Attribute("big eyes", "eye_size", 1, 0.5, (), ("big eyes", "large eyes")),
    Attribute("small eyes", "eye_size", -1, 0.5, (), ("small eyes", "tiny eyes")),
    Attribute("wide-set eyes", "eye_distance", 1, 0.6, (), ("wide-set eyes", "eyes far apart")),
    Attribute("close-set eyes", "eye_distance", -1, 0.6, (), ("close-set eyes", "eyes close together")),
    Attribute("big nose", "nose", 1, 0.5, (), ("a big nose", "a large nose")),
    Attribute("small nose", "nose", -1, 0.5, (), ("a small nose", "a tiny nose")),
    Attribute("warm background", "background_hue", 1, 0.5, (), ("an orange background", "a warm background")),
    Attribute("blue background", "background_hue", -1, 0.5, (), ("a blue background", "a cold background")),
    Attribute("bright background", "background_light", 1, 0.6, (), ("a bright background",)),
    Attribute("dark background", "background_light", -1, 0.6, (), ("a dark background",)),
    Attribute("red clothes", "clothes", 1, 0.5, (), ("a red shirt", "red clothes")),
    Attribute("blue clothes", "clothes", -1, 0.5, (), ("a blue shirt", "blue clothes")),
)
COUNT_ODDS = (0.10, 0.30, 0.26, 0.20, 0.14)  # of naming 0, 1, ... 4 attributes


def truth_table(factors):
    """`[N, len(ATTRIBUTES)]` bool: what may be said of each face."""
    return np.stack([a.holds(factors) for a in ATTRIBUTES], 1)


@lru_cache(maxsize=1)
def rarity():
    """`[len(ATTRIBUTES)]` 1 / share of faces of which each holds, so that rare things are named as often."""
    factors = np.random.RandomState(0).randn(20000, NUM_FACTORS)
    return 1 / truth_table(factors).mean(0)


def compose(named, rng):
    """Words for a set of attributes: adjectives, a noun, and phrases after "with"."""
    adjectives, phrases, noun = [], [], NEUTRAL_NOUNS[rng.choice(4, p=(0.6, 0.2, 0.1, 0.1))]
    for a in named:
        ways = [
            way
            for way, words in (("noun", a.nouns), ("adjective", a.adjectives), ("phrase", a.phrases))
            if words
        ]
        way = ways[rng.randint(len(ways))]
        if way == "noun":
            noun = a.nouns[rng.randint(len(a.nouns))]
        elif way == "adjective":
            adjectives.append(a.adjectives[rng.randint(len(a.adjectives))])
        else:
            phrases.append(a.phrases[rng.randint(len(a.phrases))])
    words = " ".join(adjectives + [noun])
    if phrases:
        words += " with " + (
            ", ".join(phrases[:-1]) + " and " + phrases[-1] if len(phrases) > 1 else phrases[0]
        )
    return words


def caption(truths, rng, templates=True):
    """One caption of a face.

    Args:
        truths: `[len(ATTRIBUTES)]` bool, a row of `truth_table`.
        rng: numpy RandomState.
        templates: put the words into a prompt template now and then.
    Returns:
        (text, `[len(ATTRIBUTES)]` bool of what it says).
    """
    possible = np.flatnonzero(truths)
    count = min(rng.choice(5, p=COUNT_ODDS), len(possible))
    odds = rarity()[possible]
    chosen = rng.choice(possible, count, replace=False, p=odds / odds.sum())
    says = np.zeros(len(ATTRIBUTES), bool)
    says[chosen] = True
    words = compose([ATTRIBUTES[i] for i in chosen], rng)
    if templates and rng.rand() < 0.8:
        sentences = TEMPLATES["official" if rng.rand() < 0.5 else "paddlegan"]
        words = sentences[rng.randint(len(sentences))].format(words)
    return words, says


def all_words():
    """Every word that a caption may hold, lower case."""
    texts = list(NEUTRAL_NOUNS) + ["with", "and"] + [t.format("") for ts in TEMPLATES.values() for t in ts]
    for a in ATTRIBUTES:
        texts += list(a.adjectives) + list(a.phrases) + list(a.nouns)
    return sorted(
        {
            w
            for text in texts
            for w in "".join(c if c.isalpha() or c in "'-" else " " for c in text.lower())
            .replace("-", " ")
            .split()
        }
    )
