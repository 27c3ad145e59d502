# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""EQ-T and EQ-R are what NVIDIA's metric says of the same pictures and networks (make_equivariance.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
from oracles.seeded_weights import seeded_images, seeded_z
from stylegan3_files import DIM, SIZE, nvidia_stylegan3

from ppstyleclip.convert import convert
from ppstyleclip.models.families import build_generator
from ppstyleclip.models.stylegan3 import canvas_transform, load_generator_state
from ppstyleclip.models.stylegan3.equivariance import (
    EQ_R,
    EQ_T,
    EQ_T_FRACTIONAL,
    METRICS,
    decibels,
    measure_equivariance,
    moved,
    passed_turned,
    squared_error,
    turned,
)
from ppstyleclip.progress import last

STORED = Path(__file__).parents[2] / "oracles" / "equivariance.npz"
KEPT = np.s_[::2, ::3]  # of the peer's pixels


@pytest.fixture(scope="module")
def peer():
    with np.load(STORED) as file:
        return {name: file[name] for name in file.files}


def loaded(configuration):
    converted = convert(nvidia_stylegan3(configuration))
    generator = build_generator(converted.config)
    load_generator_state(generator, converted.state)
    generator.eval()
    return generator


@pytest.mark.parametrize("kind", [EQ_T, EQ_T_FRACTIONAL])
def test_pictures_are_moved_as_the_peer_moves_them(peer, kind):
    picture = seeded_images(1, 1, SIZE, SIZE)
    for k, place in enumerate(peer[kind]):
        found, valid = moved(picture, place)
        np.testing.assert_array_equal(valid, peer[f"{kind}/{k}/mask"])
        np.testing.assert_allclose(
            found[0, 0][KEPT][valid[KEPT]], peer[f"{kind}/{k}/wanted"][valid[KEPT]], atol=2e-6
        )


def test_pictures_are_turned_as_the_peer_turns_them(peer):
    picture = seeded_images(1, 1, SIZE, SIZE)
    for k, angle in enumerate(peer[EQ_R]):
        (found, valid), (passed, inside) = turned(picture, angle), passed_turned(picture, angle)
        both = valid & inside & peer[f"{EQ_R}/{k}/mask"]
        assert both.sum() == (valid & inside).sum() > 0.97 * peer[f"{EQ_R}/{k}/mask"].sum()
        for name, pixels, atol in (("wanted", found, 1e-4), ("filtered", passed, 1e-5)):
            peers = peer[f"{EQ_R}/{k}/{name}"][both[KEPT]]
            np.testing.assert_allclose(pixels[0, 0][KEPT][both[KEPT]], peers, atol=atol)


@pytest.mark.slow
@pytest.mark.parametrize("configuration", ["T", "R"])
def test_networks_have_the_peers_decibels(peer, configuration):
    generator = loaded(configuration)
    with paddle.no_grad():
        styles = generator.style_affine(generator.get_latent(paddle.to_tensor(seeded_z(1, DIM))))
    still = generator.synthesis_from_styles(styles).numpy()
    for kind in METRICS:
        for place, wanted in zip(peer[kind], peer[f"{configuration}/{kind}"]):
            translate, rotate = ((0.0, 0.0), place) if kind == EQ_R else (place, 0.0)
            transform = paddle.to_tensor(canvas_transform(translate, rotate))
            drawn = generator.synthesis_from_styles(styles, transform=transform).numpy()
            error, valid = squared_error(still, drawn, translate, rotate)
            found = decibels(error[..., valid].mean())
            # Of a turned picture the two leave out a border that differs by a quarter of a pixel.
            assert found == pytest.approx(decibels(wanted), abs=0.1), (kind, place)


class Waves:
    """Draws two waves, on the canvas or, if it is `stuck`, on the picture's pixels."""

    size = 48

    def __init__(self, stuck=False):
        self.stuck = stuck

    def style_affine(self, w_plus):
        return [w_plus]

    def synthesis_from_styles(self, styles, transform=None):
        transform = np.eye(3) if transform is None or self.stuck else transform.numpy()
        axis = (np.arange(self.size) + 0.5) / self.size - 0.5
        x, y = np.meshgrid(axis, axis)
        x, y, _ = np.tensordot(transform, np.stack([x, y, np.ones_like(x)]), 1)
        picture = 0.5 * np.sin(2 * np.pi * (3 * x + 2 * y)) + 0.3 * np.cos(2 * np.pi * 4 * y)
        return paddle.to_tensor(np.broadcast_to(picture, [1, 3, self.size, self.size]).astype("float32"))


def test_what_follows_the_canvas_is_told_from_what_does_not():
    w_plus = np.zeros([3, 16, 8])
    follows = last(measure_equivariance(Waves(), w_plus))
    assert (follows.done, follows.total) == (3, 3) and set(follows.decibels) == set(METRICS)
    assert follows.decibels[EQ_T] > 110 and follows.decibels[EQ_T_FRACTIONAL] > 50
    assert follows.decibels[EQ_R] > 50
    assert all(
        value < 20 for value in last(measure_equivariance(Waves(stuck=True), w_plus)).decibels.values()
    )


def test_the_same_seed_moves_alike_whatever_is_measured():
    w_plus = np.zeros([2, 16, 8])
    both = last(measure_equivariance(Waves(True), w_plus, metrics=[EQ_T, EQ_T_FRACTIONAL], seed=5)).decibels
    alone = last(measure_equivariance(Waves(True), w_plus, metrics=[EQ_T_FRACTIONAL], seed=5)).decibels
    other = last(measure_equivariance(Waves(True), w_plus, metrics=[EQ_T_FRACTIONAL], seed=6)).decibels
    assert both[EQ_T_FRACTIONAL] == alone[EQ_T_FRACTIONAL] != other[EQ_T_FRACTIONAL]


def test_decibels_are_of_the_range_of_a_picture():
    assert decibels(4.0) == 0 and decibels(0.04) == pytest.approx(20) and decibels(0.0) == np.inf
    still = np.zeros([1, 1, 32, 32])
    error, valid = squared_error(still, still + 2, (0.25, -0.125))
    assert valid.sum() == 24 * 28 and valid[:28, 8:].all() and (error[..., valid] == 4).all()
    with pytest.raises(ValueError, match="not both"):
        squared_error(still, still, (0.25, 0), 30)
