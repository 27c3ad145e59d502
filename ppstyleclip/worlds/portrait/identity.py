# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Who somebody is in the portrait world: the factors that stay, whatever is worn, felt, grown or dyed.

Those are the bones (width and height of the face, distance and size of the eyes, nose), the fullness of the
lips, the sex of the face, and the skin. Not part of it are what a barber, an optician, a tailor or a mood
changes: hair, beard, brows, glasses, lipstick, clothes, background, expression, turn of the head; nor age,
through which a person stays who she is; nor the colour of the eyes, which dark glasses hide and which is two
pixels of a small face.

Each person has a place on a sphere, such that the cosine of two people is about exp(-d^2 / (2 REACH^2)) with
d the distance of their factors (random Fourier features, Rahimi and Recht 2007).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ppstyleclip.worlds.portrait.factors import (
    INDEX,
    NUM_FACTORS,
    Z_DIM,
    correlation_matrix,
    mixing,
    rotation,
)

IDENTITY = (
    "face_width",
    "face_height",
    "eye_size",
    "eye_distance",
    "nose_size",
    "lip_fullness",
    "feminine",
    "skin_tone",
)
PLACE_DIM = 128  # of the sphere's space
REACH = 2.0  # in deviations of the factors; two people are 4 apart
PLACES_SEED = 5
_SELF = [INDEX[name] for name in IDENTITY]
_REST = [place for place in range(NUM_FACTORS) if place not in _SELF]


def identity_of(factors: np.ndarray) -> np.ndarray:
    """The factors of identity, `[N, len(IDENTITY)]` of `[N, NUM_FACTORS]`."""
    return factors[:, _SELF]


def places(people: np.ndarray) -> np.ndarray:
    """`[N, PLACE_DIM]` float32 unit vectors of people `[N, len(IDENTITY)]`: what identity networks learn."""
    half = PLACE_DIM // 2
    angles = people @ np.random.RandomState(PLACES_SEED).randn(len(IDENTITY), half) / REACH
    return (np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / np.sqrt(half)).astype(np.float32)


@lru_cache(maxsize=1)
def _dressing():
    """(means of the other factors, linear in those of identity; square root of what covariance is left)."""
    matrix = correlation_matrix()
    inner, across = matrix[np.ix_(_SELF, _SELF)], matrix[np.ix_(_REST, _SELF)]
    mean = np.linalg.solve(inner, across.T)
    left = matrix[np.ix_(_REST, _REST)] - across @ mean
    return mean, np.linalg.cholesky(left + 1e-9 * np.eye(len(_REST)))


def dressed(people: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """z `[N, Z_DIM]` float32 of these people; all else is drawn as it goes with them in the population.

    Args:
        people: `[N, len(IDENTITY)]` factors of identity.
        rng: of the rest.
    """
    mean, spread = _dressing()
    factors = np.empty((len(people), NUM_FACTORS))
    factors[:, _SELF] = people
    factors[:, _REST] = people @ mean + rng.randn(len(people), len(_REST)) @ spread.T
    named = np.linalg.solve(mixing(), factors.T).T @ rotation().T
    free = rng.randn(len(people), Z_DIM)
    free -= free @ rotation() @ rotation().T
    length = np.sqrt(np.maximum(Z_DIM - (named**2).sum(1, keepdims=True), 0))  # z's whole is sqrt(Z_DIM)
    return (named + free * length / np.linalg.norm(free, axis=1, keepdims=True)).astype(np.float32)
