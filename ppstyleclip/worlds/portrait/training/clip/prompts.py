# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The captions of a batch: of every one it is known of which of the pictures it is true."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.captions.sampling import LANGUAGES, caption_of, choose, say
from ppstyleclip.worlds.portrait.captions.truth import judge, truth_table
from ppstyleclip.worlds.portrait.training.clip.meaning import meaning

SHORT = 0.4  # share of captions that are short prompts such as an edit has
DIFFERENCE = 0.6  # of the captions of pairs, how many say what is true of one of them only
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
    texts = [options[rng.randint(len(options))] for options in NEUTRAL.values()]
    statements = [()] * len(texts)
    languages = list(LANGUAGES)
    while len(texts) < count:
        row = rng.randint(len(factors))
        mate = first + ((row - first) ^ 1) if row >= first else None
        found = of_face(table, row, mate, rng, languages[len(texts) % len(languages)], share)
        texts.append(found.text)
        statements.append(found.statements)
    meanings = np.stack([meaning(s) for s in statements]).astype(np.float32)
    return texts, np.stack([judge(table, s) for s in statements], 1), meanings
