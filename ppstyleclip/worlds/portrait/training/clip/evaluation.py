# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The right one of two prompts on held-out pictures: an attribute against its opposite, in both languages."""

from __future__ import annotations

from functools import cache

import numpy as np

from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.attributes import INDEX as PLACE
from ppstyleclip.worlds.portrait.captions.sampling import LANGUAGES, language_of, ways
from ppstyleclip.worlds.portrait.captions.truth import NOT, PLAIN, truth_table
from ppstyleclip.worlds.portrait.training.clip.network import rows_of
from ppstyleclip.worlds.portrait.training.clip.softness import to_size
from ppstyleclip.worlds.portrait.training.network import F, torch

WORDINGS = 6  # of each side at most
BAR = 0.97  # the share that every attribute should reach


def opposite_of(index: int) -> tuple[int, int]:
    """The statement (attribute's index, degree) against which an attribute is tried."""
    name = ATTRIBUTES[index].opposite
    return (PLACE[name], PLAIN) if name else (index, NOT)


@cache
def prompts_for(language: str, index: int, degree: int) -> tuple[str, ...]:
    """Short prompts that say one statement, in up to WORDINGS wordings spread over all ways."""
    found = list(
        dict.fromkeys(language_of(language).prompt(piece) for piece in ways(language, index, degree))
    )
    places = np.unique(np.linspace(0, len(found) - 1, min(WORDINGS, len(found))).round().astype(int))
    return tuple(found[place] for place in places)


def image_features(clip, pixels, batch=100):
    """Unit features `[N, D]` of `[N, S, S, 3]` uint8."""
    size, found = clip.config["image_size"], []
    with torch.no_grad():
        for start in range(0, len(pixels), batch):
            found.append(F.normalize(clip.encode_pixels(to_size(pixels[start : start + batch], size))))
    return torch.cat(found).numpy()


def text_features(clip, texts):
    """`{text: unit feature}`."""
    texts = sorted(set(texts), key=lambda text: len(text.encode()))
    found = []
    with torch.no_grad():
        for start in range(0, len(texts), 128):
            found.append(F.normalize(clip.encode_rows(torch.from_numpy(rows_of(texts[start : start + 128])))))
    return dict(zip(texts, torch.cat(found).numpy()))


def share_of_wins(images, ours, theirs, is_ours, is_theirs):
    """How often the right one of two prompts is nearer, over all pairs of wordings.

    Args:
        images: `[N, D]`; ours, theirs: `[W, D]` of the wordings; all unit.
        is_ours, is_theirs: `[N]` bool, of which pictures either is true.
    Returns:
        Mean of the shares on both kinds of pictures, of the one kind where there are none of the other; NaN
        where there are none at all.
    """
    nearer = (images @ ours.T)[:, :, None] > (images @ theirs.T)[:, None, :]  # [N, W, W']
    shares = [nearer[is_ours].mean()] if is_ours.any() else []
    shares += [1 - nearer[is_theirs].mean()] if is_theirs.any() else []
    return float(np.mean(shares)) if shares else float("nan")


def evaluate(clip, pixels, factors) -> dict[str, dict[str, float]]:
    """`{language: {attribute: share of wins}}` on held-out pictures."""
    table, images = truth_table(factors), image_features(clip, pixels)
    found: dict[str, dict[str, float]] = {}
    for language in LANGUAGES:
        sides = {index: (prompts_for(language, index, PLAIN), prompts_for(language, *opposite_of(index)))
                 for index in range(len(ATTRIBUTES))}  # fmt: skip
        features = text_features(clip, [text for pair in sides.values() for side in pair for text in side])
        found[language] = {}
        for index, pair in sides.items():
            ours, theirs = (np.stack([features[text] for text in side]) for side in pair)
            other, degree = opposite_of(index)
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
