# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What both fits of CLIP report of held-out pictures."""

from __future__ import annotations

from ppstyleclip.worlds.portrait.captions.questions import negation_of
from ppstyleclip.worlds.portrait.training.clip.changes import evaluate_changes
from ppstyleclip.worlds.portrait.training.clip.evaluation import evaluate, image_features, summary


def look(clip, held):
    """`{kind: (features, factors)}` of held-out pictures `{kind: (pixels, factors)}`."""
    return {kind: (image_features(clip, pixels), factors) for kind, (pixels, factors) in held.items()}


def report(clip, seen):
    """How well words and pictures agree.

    Args:
        clip: whose side of texts is asked.
        seen: of `look`, "all" and maybe "pairs".
    Returns:
        (`{"summary": ..., "negations": ..., "changes": ...}`, `{language: {attribute: share of wins}}`, for
        negations too, as "not_en").
    """
    shares, negations = evaluate(clip, *seen["all"]), evaluate(clip, *seen["all"], negation_of)
    said = {"summary": summary(shares), "negations": summary(negations)}
    if "pairs" in seen:
        said["changes"] = evaluate_changes(clip, *seen["pairs"])
    return said, {**shares, **{f"not_{language}": part for language, part in negations.items()}}
