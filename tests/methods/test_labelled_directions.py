# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Directions from labels: latents that are made of known directions give these back."""

import numpy as np
import pytest

from ppstyleclip.errors import UserError
from ppstyleclip.methods.labelled_directions import compare_groups, label_agreement, latent_slopes

RANDOM = np.random.RandomState(0)
LABELS = RANDOM.randn(400, 2) @ np.array([[1.0, 0.8], [0.0, 0.6]])  # two labels that go together
STEPS = RANDOM.randn(2, 3, 5)
LATENTS = 0.7 + np.einsum("nf,fld->nld", LABELS, STEPS) + 0.01 * RANDOM.randn(400, 3, 5)


def test_slopes_hold_the_other_labels():
    np.testing.assert_allclose(latent_slopes(LATENTS, LABELS), STEPS, atol=0.01)
    alone = latent_slopes(LATENTS, LABELS[:, :1])[0]  # brings along what goes with the label
    share = np.cov(LABELS.T)[0, 1] / LABELS[:, 0].var(ddof=1)
    np.testing.assert_allclose(alone, STEPS[0] + share * STEPS[1], atol=0.02)


def test_of_two_groups_it_is_the_difference_of_the_means():
    labels = (LABELS[:, 0] > 0.3).astype(float)
    expected = LATENTS[labels == 1].mean(axis=0) - LATENTS[labels == 0].mean(axis=0)
    np.testing.assert_allclose(latent_slopes(LATENTS, labels[:, None])[0], expected, atol=1e-9)


@pytest.mark.parametrize(
    "count, labels, words",
    [
        (400, LABELS[:300], "400 latents and 300 labels"),
        (3, LABELS[:3], "3 labelled faces cannot tell 2 labels apart"),
        (400, np.ones([400, 1]), "the same for all faces"),
        (400, np.stack([LABELS[:, 0], 2 * LABELS[:, 0]], 1), "follows from the other labels"),
    ],
)
def test_labels_that_cannot_be_told_apart(count, labels, words):
    with pytest.raises(UserError, match=words):
        latent_slopes(LATENTS[:count], labels)


def test_agreement_is_that_of_faces_that_were_left_out():
    assert label_agreement(LATENTS, LABELS[:, 0]) > 0.99
    noise = np.random.RandomState(1).randn(60)
    few = np.random.RandomState(2).randn(60, 40)  # enough numbers to learn any label by heart
    assert label_agreement(few, noise) < 0.35
    assert label_agreement(LATENTS, np.ones(400)) == 0
    y, x = noise - noise.mean(), few - few.mean(axis=0)
    ridge = 1e2 * (x**2).sum() / 60
    said = []
    for k in range(60):  # the closed form against the plain loop
        rest = np.arange(60) != k
        a, b = few[rest] - few[rest].mean(axis=0), noise[rest] - noise[rest].mean()
        weights = a.T @ np.linalg.solve(a @ a.T + ridge * np.eye(59), b)
        said.append(noise[rest].mean() + (few[k] - few[rest].mean(axis=0)) @ weights)
    assert label_agreement(few, noise) >= np.corrcoef(said, y)[0, 1] - 0.02


def test_two_groups_channel_by_channel():
    first, second = RANDOM.randn(300, 4), RANDOM.randn(200, 4) * [1, 1, 3, 0] + [0, 1, 1.5, 0]
    first[:, 3] = 0
    found = compare_groups(first, second)
    pooled = np.sqrt((299 * first.var(0, ddof=1) + 199 * second.var(0, ddof=1)) / 498)
    np.testing.assert_allclose(found.deviation, pooled)
    expected = (second.mean(0) - first.mean(0))[:3] / pooled[:3]
    np.testing.assert_allclose(found.effect, [*expected, 0])
    assert found.p[0] > 0.01 and found.p[1] < 1e-9 and found.p[3] == 1
    scipy_p = 2 * (1 - _normal(abs(second[:, 0].mean() - first[:, 0].mean()) / np.sqrt(
        first[:, 0].var(ddof=1) / 300 + second[:, 0].var(ddof=1) / 200)))  # fmt: skip
    assert found.p[0] == pytest.approx(scipy_p)
    for pair in ((first[:1], second), (first, second[:, :2])):
        with pytest.raises(UserError, match="two groups of at least two faces"):
            compare_groups(*pair)


def _normal(z):
    from math import erf, sqrt

    return 0.5 * (1 + erf(z / sqrt(2)))
