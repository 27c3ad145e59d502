# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How far an edit moved what its words do not name: CLIP's move along the words for other attributes."""

from __future__ import annotations

import warnings
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.text import text_direction

PAIRS = (
    ("happy face", "sad face"),
    ("smiling face", "serious face"),
    ("angry face", "calm face"),
    ("surprised face", "sleepy face"),
    ("old face", "young face"),
    ("woman face", "man face"),
    ("face with long hair", "face with short hair"),
    ("face with curly hair", "face with straight hair"),
    ("face with blond hair", "face with black hair"),
    ("face with grey hair", "face with brown hair"),
    ("face with red hair", "face with blue hair"),
    ("face with glasses", "face without glasses"),
    ("face with a beard", "face without a beard"),
    ("face with open mouth", "face with closed mouth"),
    ("face with dark skin", "face with light skin"),
    ("face with lipstick", "face without lipstick"),
    ("face with bangs", "face without bangs"),
    ("face with big eyes", "face with small eyes"),
    ("face with blue eyes", "face with brown eyes"),
    ("face with thick eyebrows", "face with thin eyebrows"),
    ("face with full lips", "face with thin lips"),
    ("face with a big nose", "face with a small nose"),
    ("wide face", "narrow face"),
    ("long face", "short face"),
    ("face turned left", "face turned right"),
    ("face with a blue background", "face with a grey background"),
    ("face with red clothes", "face with blue clothes"),
)
NAMED = 0.4  # cosine with the text from which on an attribute counts as named by it

_known: WeakKeyDictionary[Any, np.ndarray] = WeakKeyDictionary()


def directions_of_others(clip: Any) -> np.ndarray:
    """`[B, D]` unit vectors in CLIP's space, each from one attribute to its opposite; made once for a CLIP.

    An attribute that the CLIP cannot tell from its opposite is left out.
    """
    if clip not in _known:
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of words that it does not know, which nobody has asked for
            for pair in PAIRS:
                try:
                    found.append(text_direction(clip, pair[1], pair[0], templates="plain"))
                except UserError:
                    continue
        _known[clip] = np.stack(found) if found else np.zeros([0, clip.config()["embed_dim"]], np.float32)
    return _known[clip]


def moves_aside(move: np.ndarray, dt: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far features moved along other attributes' words, on the mean.

    With m the move and t the text's direction it is the mean over directions a of |m a - (m t)(t a)|, of
    those whose cosine with t is below NAMED.

    Args:
        move: `[N, D]` change of CLIP's unit features.
        dt: `[N, D]` unit vectors of the texts.
        others: `[B, D]` unit vectors.
    Returns:
        `[N]`, 0 where all directions are named.
    """
    shared = dt @ others.T  # [N, B]
    aside = np.abs(move @ others.T - (move * dt).sum(axis=1, keepdims=True) * shared)
    counts = np.abs(shared) < NAMED
    return np.asarray((aside * counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1))
