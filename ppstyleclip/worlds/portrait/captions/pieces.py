# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A piece of a caption: one statement in one of its wordings, and the place that it takes."""

from __future__ import annotations

from typing import NamedTuple


class Piece(NamedTuple):
    """Attributes: `kind`, its place in the sentence; `text`; `part` of the face that the text describes."""

    kind: str
    text: str
    part: str = ""


def pick(choices, rng, odds=None):
    """One of several, all equally likely unless `odds` says otherwise."""
    return choices[rng.randint(len(choices)) if odds is None else rng.choice(len(choices), p=odds)]
