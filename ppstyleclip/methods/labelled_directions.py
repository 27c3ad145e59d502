# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Directions in w_plus from labelled faces, and what tells two groups of faces apart in style space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.wording import counted

_RIDGES = 10.0 ** np.arange(-6, 3)  # shares of the mean eigenvalue that are tried
_MOST_READ = 2000  # faces that the reading is judged on; more take minutes
LEAST_FACES = 4


def latent_slopes(latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How latents change with each label while all other labels stay, by least squares.

    latent = intercept + sum over f of label_f * slope_f. Of a single label of 0 and 1 the slope is the
    difference of the means of both groups.

    Args:
        latents: `[N, ...]`, such as w_plus `[N, L, D]`.
        labels: `[N, F]`.
    Returns:
        `[F, ...]` float64, for a change of the label by 1.
    Raises:
        UserError: there are too few faces, or a label is the same for all, or follows from the others.
    """
    latents, labels = np.asarray(latents, np.float64), np.asarray(labels, np.float64)
    count, number = labels.shape
    if len(latents) != count:
        raise UserError(f"{counted(len(latents), 'latent')} and {counted(count, 'label')}; give one for each")
    if count < max(LEAST_FACES, number + 2):
        raise UserError(
            f"{counted(count, 'labelled face')} cannot tell {counted(number, 'label')} apart; give more faces"
        )
    inputs = np.concatenate([np.ones([count, 1]), labels], axis=1)
    slopes, _, rank, _ = np.linalg.lstsq(inputs, latents.reshape(count, -1), rcond=None)
    if rank < number + 1:
        raise UserError(
            "a label is the same for all faces, or follows from the other labels; leave it out, or take each "
            "label alone"
        )
    return slopes[1:].reshape(number, *latents.shape[1:])


def label_agreement(latents: np.ndarray, labels: np.ndarray) -> float:
    """How well a label can be told from a latent: the correlation of what ridge regression says with it.

    Each face is judged by a regression that has not seen it (leave one out, in closed form); of the ridges
    that are tried the best counts.

    Args:
        latents: `[N, ...]`.
        labels: `[N]`.
    Returns:
        -1 to 1; near 0 the labels have nothing to do with the latents.
    """
    x = np.asarray(latents, np.float64).reshape(len(latents), -1)[:_MOST_READ]
    y = np.asarray(labels, np.float64)[:_MOST_READ]
    x, y = x - x.mean(axis=0), y - y.mean()
    if not y.any():
        return 0.0
    values, vectors = np.linalg.eigh(x @ x.T)  # [N], [N, N]
    values = np.maximum(values, 0)
    best = -1.0
    for ridge in _RIDGES * max(values.mean(), 1e-12):
        kept = values / (values + ridge)
        said = vectors @ (kept * (vectors.T @ y))
        own = (vectors**2 @ kept) + 1 / len(y)  # how far a face's own label decides what is said of it
        unseen = y - (y - said) / np.maximum(1 - own, 1e-9)
        if unseen.std() > 0:
            best = max(best, float(np.corrcoef(unseen, y)[0, 1]))
    return best


@dataclass(frozen=True, eq=False)
class GroupDifference:
    """How two groups of faces differ in style space.

    Attributes:
        first, second: `[S]` means of the groups.
        deviation: `[S]` the deviation within the groups, pooled.
        effect: `[S]` (second - first) / deviation, Cohen's d; 0 where nothing varies.
        p: `[S]` how likely so large a difference is by chance (Welch's test, normal approximation).
    """

    first: np.ndarray
    second: np.ndarray
    deviation: np.ndarray
    effect: np.ndarray
    p: np.ndarray


def compare_groups(first: np.ndarray, second: np.ndarray) -> GroupDifference:
    """Compare two groups of faces channel by channel.

    Args:
        first, second: styles `[N, S]` and `[M, S]`.
    Raises:
        UserError: a group has fewer than two faces, or they are of two generators.
    """
    groups = [np.asarray(group, np.float64) for group in (first, second)]
    if groups[0].shape[1:] != groups[1].shape[1:] or min(map(len, groups)) < 2:
        shapes = " and ".join(str(list(group.shape)) for group in groups)
        raise UserError(f"two groups of at least two faces of one generator are compared; got {shapes}")
    means, variances = [g.mean(axis=0) for g in groups], [g.var(axis=0, ddof=1) for g in groups]
    counts = [len(group) for group in groups]
    weights = [count - 1 for count in counts]
    pooled = np.sqrt((weights[0] * variances[0] + weights[1] * variances[1]) / sum(weights))
    difference = means[1] - means[0]
    error = np.sqrt(variances[0] / counts[0] + variances[1] / counts[1])
    alive = (pooled > 0) & (error > 0)
    effect = np.where(alive, difference / np.where(alive, pooled, 1), 0)
    z = np.where(alive, np.abs(difference) / np.where(alive, error, 1), 0)
    return GroupDifference(means[0], means[1], pooled, effect, _two_sided(z))


def _two_sided(z: np.ndarray) -> np.ndarray:
    from math import erfc, sqrt

    return np.array([erfc(value / sqrt(2)) for value in z])
