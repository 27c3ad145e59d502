# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a CLIP of this world is asked: an attribute against its opposite, in both languages."""

from __future__ import annotations

from functools import cache

import numpy as np

from ppstyleclip.worlds.portrait.captions.attributes import ATTRIBUTES
from ppstyleclip.worlds.portrait.captions.attributes import INDEX as PLACE
from ppstyleclip.worlds.portrait.captions.sampling import LANGUAGES, language_of, ways
from ppstyleclip.worlds.portrait.captions.truth import NOT, PLAIN

__all__ = ["LANGUAGES", "negation_of", "opposite_of", "prompts_for", "share_of_wins"]
WORDINGS = 6  # of each side at most


def opposite_of(index: int) -> tuple[int, int]:
    """The statement (attribute's index, degree) against which an attribute is tried."""
    name = ATTRIBUTES[index].opposite
    return (PLACE[name], PLAIN) if name else (index, NOT)


def negation_of(index: int) -> tuple[int, int]:
    """That an attribute is not so."""
    return index, NOT


@cache
def prompts_for(language: str, index: int, degree: int) -> tuple[str, ...]:
    """Short prompts that say one statement, in up to WORDINGS wordings spread over all ways."""
    found = list(
        dict.fromkeys(language_of(language).prompt(piece) for piece in ways(language, index, degree))
    )
    places = np.unique(np.linspace(0, len(found) - 1, min(WORDINGS, len(found))).round().astype(int))
    return tuple(found[place] for place in places)


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
