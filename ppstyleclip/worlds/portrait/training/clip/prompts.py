# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The captions of a batch: of every one it is known of which of the pictures it is true."""

from __future__ import annotations

from itertools import cycle

import numpy as np

from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES, INDEX
from ppstyleclip.worlds.portrait.captions.sampling import LANGUAGES, Caption, caption_of, choose, say
from ppstyleclip.worlds.portrait.captions.truth import NOT, PLAIN, judge, truth_table
from ppstyleclip.worlds.portrait.training.clip.meaning import meaning

SHORT = 0.4  # share of captions that are short prompts such as an edit has
DIFFERENCE = 0.6  # of the captions of pairs, how many say what is true of one of them only
RIVALS = 0.5  # of the captions that say one thing, how many are followed by what contradicts them
NEUTRAL = {
    "en": ("face", "head", "portrait", "person", "a photo of a face."),
    "zh": ("脸", "人", "头像", "一张脸的照片"),
}


def short(truths, rng, language):
    """A prompt that says one thing, without a template mostly."""
    return say(choose(truths, rng, language, 1), rng, language, template=rng.rand() < 0.25)


def of_face(table, row, mate, rng, language, share):
    """A caption true of face `row`; if it has a mate, often one that is false of that."""
    truths = table[row]
    if mate is not None and rng.rand() < DIFFERENCE:
        differing = truths * (table[mate] < 0)
        if (differing > 0).any():
            found = short(differing, rng, language)
            if found.statements:
                return found
    if rng.rand() < share:
        return short(truths, rng, language)
    return caption_of(truths, rng, language)


def rivals_of(caption, rng, language):
    """A short prompt that contradicts one which says a single thing: that it is not so, or its opposite."""
    index, degree = caption.statements[0]
    if degree not in (PLAIN, NOT):
        return []
    opposite = ATTRIBUTES[index].opposite
    if degree == PLAIN and opposite and rng.rand() < 0.5:
        return [say([(INDEX[opposite], PLAIN)], rng, language, template=False)]
    return [say([(index, PLAIN if degree == NOT else NOT)], rng, language, template=False)]


def captions_of(factors, pairs, count, rng, share=SHORT):
    """Captions for a batch of faces, the languages by turns.

    Args:
        factors: `[N, NUM_FACTORS]`; the last 2 * pairs rows are pairs, side by side.
        pairs: how many.
        count: captions.
        rng: numpy RandomState.
        share: of short prompts.
    Returns:
        (texts, truths `[N, count]` int8: 1 true, -1 false, 0 undecided; meanings `[count, WIDTH]`). The first
        captions say nothing.
    """
    table, first = truth_table(factors), len(factors) - 2 * pairs
    found = [Caption(options[rng.randint(len(options))], ()) for options in NEUTRAL.values()]
    languages = cycle(LANGUAGES)
    while len(found) < count:
        row, language = rng.randint(len(factors)), next(languages)
        mate = first + ((row - first) ^ 1) if row >= first else None
        found.append(of_face(table, row, mate, rng, language, share))
        if len(found[-1].statements) == 1 and rng.rand() < RIVALS:
            found += rivals_of(found[-1], rng, language)
    texts, statements = zip(*found[:count])
    meanings = np.stack([meaning(said) for said in statements]).astype(np.float32)
    return list(texts), np.stack([judge(table, said) for said in statements], 1), meanings
