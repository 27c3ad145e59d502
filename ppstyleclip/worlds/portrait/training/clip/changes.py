# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Whether words point where a picture goes when it becomes what they say: what an edit asks of CLIP."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.questions import LANGUAGES, prompts_for
from ppstyleclip.worlds.portrait.captions.truth import PLAIN, truth_table
from ppstyleclip.worlds.portrait.training.clip.evaluation import text_features
from ppstyleclip.worlds.portrait.training.clip.prompts import NEUTRAL


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-8)


def directions(clip, language):
    """`[len(ATTRIBUTES), D]` unit: from what says nothing to each attribute, the mean of its wordings."""
    prompts = [prompts_for(language, index, PLAIN) for index in range(len(ATTRIBUTES))]
    features = text_features(clip, [*(text for side in prompts for text in side), NEUTRAL[language][0]])
    means = unit(np.stack([unit(np.mean([features[text] for text in side], 0)) for side in prompts]))
    return unit(means - features[NEUTRAL[language][0]])


def evaluate_changes(clip, images, factors):
    """Compare moves of pictures with directions of words.

    Args:
        clip: Clip in evaluation mode.
        images: `[2 P, D]` its `image_features`, pairs side by side; factors: `[2 P, NUM_FACTORS]`.
    Returns:
        `{language: {"right", "cosine", "other"}}`: of the attributes that become true from one face to the
        other, the share whose words point there rather than away, and the mean cosine; for those that stay
        what they were, the mean size of the cosine.
    """
    table = truth_table(factors)[:, :, PLAIN]
    moves = unit(images[1::2] - images[0::2])
    was, now = table[0::2], table[1::2]
    sign, stays = np.sign(now.astype(int) - was) * (was * now != 0), (was == now) & (was != 0)
    found = {}
    for language in LANGUAGES:
        cosines = moves @ directions(clip, language).T  # [P, A]
        along = (cosines * sign)[sign != 0]
        figures = (along > 0).mean(), along.mean(), np.abs(cosines[stays]).mean()
        found[language] = {k: round(float(v), 3) for k, v in zip(("right", "cosine", "other"), figures)}
    return found
