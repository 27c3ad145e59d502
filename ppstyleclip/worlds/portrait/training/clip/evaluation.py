# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The right one of two prompts on held-out pictures: an attribute against its opposite, in both languages."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.questions import LANGUAGES, opposite_of, prompts_for, share_of_wins
from ppstyleclip.worlds.portrait.captions.truth import PLAIN, truth_table
from ppstyleclip.worlds.portrait.training.clip.network import rows_of
from ppstyleclip.worlds.portrait.training.clip.softness import to_size
from ppstyleclip.worlds.portrait.training.network import F, torch

BAR = 0.97  # the share that every attribute should reach


def image_features(clip, pixels, prepare=to_size, batch=100):
    """Unit features `[N, D]` of `[N, S, S, 3]` uint8, which `prepare` brings to CLIP's size."""
    size, found = clip.config["image_size"], []
    with torch.no_grad():
        for start in range(0, len(pixels), batch):
            found.append(F.normalize(clip.encode_pixels(prepare(pixels[start : start + batch], size))))
    return torch.cat(found).numpy()


def text_features(clip, texts):
    """`{text: unit feature}`."""
    texts = sorted(set(texts), key=lambda text: len(text.encode()))
    found = []
    with torch.no_grad():
        for start in range(0, len(texts), 128):
            found.append(F.normalize(clip.encode_rows(torch.from_numpy(rows_of(texts[start : start + 128])))))
    return dict(zip(texts, torch.cat(found).numpy()))


def evaluate(clip, images, factors, against=opposite_of) -> dict[str, dict[str, float]]:
    """`{language: {attribute: share of wins}}` on held-out pictures.

    Args:
        clip: Clip in evaluation mode.
        images: `[N, D]` its `image_features`; factors: `[N, NUM_FACTORS]`.
        against: `opposite_of`, or `negation_of`.
    """
    table = truth_table(factors)
    found: dict[str, dict[str, float]] = {}
    for language in LANGUAGES:
        sides = {index: (prompts_for(language, index, PLAIN), prompts_for(language, *against(index)))
                 for index in range(len(ATTRIBUTES))}  # fmt: skip
        features = text_features(clip, [text for pair in sides.values() for side in pair for text in side])
        found[language] = {}
        for index, pair in sides.items():
            ours, theirs = (np.stack([features[text] for text in side]) for side in pair)
            other, degree = against(index)
            truth = table[:, index, PLAIN] > 0, table[:, other, degree] > 0
            found[language][ATTRIBUTES[index].name] = share_of_wins(images, ours, theirs, *truth)
    return found


def summary(shares: dict[str, dict[str, float]]) -> dict[str, object]:
    """Means, how many attributes are below the bar, and the worst, for a line of the log."""
    said: dict[str, object] = {}
    for language, values in shares.items():
        known = {name: v for name, v in values.items() if v == v}
        worst = sorted(known, key=known.__getitem__)[:8]
        said[language] = {
            "mean": round(float(np.mean(list(known.values()))), 4),
            "below": sum(v < BAR for v in known.values()),
            "worst": {name: round(known[name], 3) for name in worst},
        }
    return said
