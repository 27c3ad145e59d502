# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The population of the portrait world: its factors, how they go together, and how a latent z names them.

A z `[N, 128]` is normalised to unit mean square and rotated to 31 independent factors of unit variance. A
fixed triangular matrix then makes them depend a little on one another, so that random portraits look like
people: few feminine faces have a beard, most old ones have some grey hair. After the normalisation all of it
is linear, so that it can be inverted.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ppstyleclip.errors import UserError

FACTORS = (
    "hair_lightness",  # black, brown, blond
    "hair_redness",  # ash .. natural .. red
    "hair_grey",  # rich .. natural .. grey, white
    "hair_length",  # cropped, jaw, below the shoulders
    "hair_curl",  # straight, wavy, curls from the ends upwards
    "hair_volume",  # flat .. full, at the top and the sides
    "smile",  # sad .. calm .. grin
    "mouth_open",  # pressed, thin .. closed .. wide open
    "anger",  # mild (inner brows up) .. neutral .. lowered brows, frown, narrow eyes
    "glasses",  # none; light thin frames .. bold black ones
    "beard",  # clean, rosy chin .. five-o'clock shadow .. stubble .. full
    "feminine",  # jaw, chin, neck, shoulders, brows, lashes, lips, earrings
    "age",  # freckles, big eyes, round cheeks, small chin .. wrinkles, bags, jowls
    "skin_tone",  # pale .. deep brown
    "face_width",
    "face_height",
    "eye_size",
    "eye_distance",
    "eye_colour",  # brown, hazel, green, blue
    "nose_size",
    "lip_fullness",
    "background_colour",  # blue .. grey .. coral
    "background_tone",  # dark .. bright
    "clothes_colour",  # blue, teal, sage, ochre, red
    "fringe",  # swept back from a high hairline .. parted .. swept fringe .. full bangs
    "hair_dye",  # blue, teal .. natural over most of the range .. violet, pink
    "lipstick",  # pale lips .. natural .. red lipstick
    "brow_thickness",
    "shades",  # clear lenses .. dark sunglasses; shows with glasses only
    "surprise",  # sleepy lids, low brows .. neutral .. wide eyes, high brows, mouth a bit open
    "head_turn",  # to the left of the picture .. to the right
)
INDEX = {name: i for i, name in enumerate(FACTORS)}
NUM_FACTORS = len(FACTORS)
Z_DIM = 128
ROTATION_SEED = 31128

# Correlations of the factors over the population; all others follow from the order of the factors.
CORRELATIONS = {
    ("beard", "feminine"): -0.78,
    ("lipstick", "feminine"): 0.72,
    ("brow_thickness", "feminine"): -0.40,
    ("hair_length", "feminine"): 0.50,
    ("lip_fullness", "feminine"): 0.30,
    ("beard", "lipstick"): -0.62,
    ("beard", "hair_length"): -0.34,
    ("beard", "brow_thickness"): 0.30,
    ("lipstick", "hair_length"): 0.36,
    ("lipstick", "brow_thickness"): -0.28,
    ("lip_fullness", "lipstick"): 0.22,
    ("lip_fullness", "beard"): -0.22,
    ("hair_grey", "age"): 0.50,
    ("hair_dye", "age"): -0.20,
    ("hair_dye", "hair_grey"): -0.10,
    ("skin_tone", "hair_lightness"): -0.45,
    ("skin_tone", "eye_colour"): -0.45,
    ("skin_tone", "hair_curl"): 0.25,
    ("skin_tone", "hair_redness"): -0.15,
    ("hair_lightness", "eye_colour"): 0.30,
    ("smile", "anger"): -0.30,
    ("smile", "surprise"): 0.10,
    ("anger", "surprise"): -0.15,
    ("smile", "mouth_open"): 0.25,
}


def correlation_matrix() -> np.ndarray:
    """`[NUM_FACTORS, NUM_FACTORS]` correlations of the factors over the population."""
    matrix = np.eye(NUM_FACTORS)
    for (a, b), value in CORRELATIONS.items():
        matrix[INDEX[a], INDEX[b]] = matrix[INDEX[b], INDEX[a]] = value
    return matrix


@lru_cache(maxsize=1)
def mixing() -> np.ndarray:
    """Lower-triangular `[NUM_FACTORS, NUM_FACTORS]`: independent factors times it give those of people."""
    return np.linalg.cholesky(correlation_matrix())


@lru_cache(maxsize=1)
def rotation() -> np.ndarray:
    """`[Z_DIM, NUM_FACTORS]` orthonormal columns: the fixed rotation from z to independent factors."""
    q, r = np.linalg.qr(np.random.RandomState(ROTATION_SEED).randn(Z_DIM, Z_DIM))
    return (q * np.sign(np.diag(r)))[:, :NUM_FACTORS]


def factors_from_z(z: np.ndarray) -> np.ndarray:
    """Factors `[N, NUM_FACTORS]` float32 of latents `[N, Z_DIM]`, whose length does not count.

    Raises:
        UserError: the latents have another shape.
    """
    z = as_rows(z, Z_DIM, "latents")
    unit = z / np.sqrt(np.mean(z * z, axis=1, keepdims=True) + 1e-8)
    return (unit @ rotation() @ mixing().T).astype(np.float32)


def z_from_factors(factors: np.ndarray) -> np.ndarray:
    """Latents that name given factors: the inverse of `factors_from_z`.

    The rotation fixes 31 of a latent's 128 dimensions. The others fill up its length to that of a typical
    latent, along one fixed direction.

    Args:
        factors: `[N, NUM_FACTORS]`, any floats.
    Returns:
        `[N, Z_DIM]` float32 of mean square 1, and longer only where the factors alone are longer than that;
        factors that far from all people come back shortened.
    Raises:
        UserError: the factors have another shape.
    """
    independent = np.linalg.solve(mixing(), as_rows(factors, NUM_FACTORS, "factors").T).T
    rest = np.maximum(Z_DIM - np.sum(independent**2, axis=1, keepdims=True), 0)
    return (independent @ rotation().T + np.sqrt(rest) * free_direction()).astype(np.float32)


@lru_cache(maxsize=1)
def free_direction() -> np.ndarray:
    """`[Z_DIM]` unit vector that no factor depends on."""
    v = np.random.RandomState(ROTATION_SEED + 1).randn(Z_DIM)
    v = v - rotation() @ (rotation().T @ v)
    return v / np.linalg.norm(v)


def as_rows(values, width, name):
    """float64 `[N, width]`; raise UserError for any other shape."""
    rows = np.asarray(values, np.float64)
    if rows.ndim != 2 or rows.shape[1] != width:
        raise UserError(f"{name} must be of shape [N, {width}], got {list(rows.shape)}")
    return rows


def sample_z(seed: int, count: int) -> np.ndarray:
    """`[count, Z_DIM]` float32 standard normal latents."""
    return np.random.RandomState(seed).randn(count, Z_DIM).astype(np.float32)
