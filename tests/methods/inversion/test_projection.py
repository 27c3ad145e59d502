# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN2's projection: its schedules, its noise on w, its noise pictures, and what it finds."""

from dataclasses import replace

import numpy as np
import paddle
import pytest
from stylegan3_world import tiny_stylegan3
from tiny_world import STYLE_DIM, live_in, tiny_generator

from ppstyleclip.errors import UserError
from ppstyleclip.methods.inversion import ProjectionConfig, project
from ppstyleclip.methods.inversion.projection import _NoisePictures, measure_w, noise_pattern

SHORT = ProjectionConfig(steps=40, learning_rate=0.1, w_samples=500)


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    live_in(tmp_path, monkeypatch, tmp_path)


@paddle.no_grad()
def draw(generator, w_plus):
    return generator.synthesis_from_styles(generator.style_affine(paddle.to_tensor(w_plus))).numpy()


def faces(generator, count):
    z = np.random.RandomState(1).standard_normal((count, STYLE_DIM)).astype(np.float32)
    with paddle.no_grad():
        return draw(generator, generator.get_latent(paddle.to_tensor(z)).numpy())


def test_rates_and_noise_are_the_seeds():
    config = ProjectionConfig()
    rates, noise = config.rates(), config.noise_on_w()
    assert len(rates) == len(noise) == 1000 and rates[0] == 0 and rates[50] == pytest.approx(0.03)
    assert rates[25] == pytest.approx(0.015) and rates[749] == pytest.approx(0.03, rel=1e-3)
    assert rates[875] == pytest.approx(0.03 * (0.5 - 0.5 * np.cos(np.pi * 0.5)))
    assert noise[0] == 0.05 and noise[375] == pytest.approx(0.05 * 0.25) and noise[750] == noise[999] == 0


def test_the_mean_and_the_spread_of_w():
    generator = tiny_generator()
    mean, spread = measure_w(generator, 2500, 123)
    z = np.random.RandomState(123).standard_normal([2500, STYLE_DIM]).astype(np.float32)
    with paddle.no_grad():
        w = generator.get_latent(paddle.to_tensor(z)).numpy()
    np.testing.assert_allclose(mean, w.mean(0, keepdims=True), atol=1e-5)
    assert spread == pytest.approx(np.linalg.norm(w - w.mean(0), axis=1) @ np.ones(2500) / 2500, rel=0.1)
    assert spread == pytest.approx(np.sqrt(w.var(axis=0).sum()), rel=1e-4)


def test_the_pattern_of_noise_pictures():
    """As the appendix has it, down to 8 px."""
    random = np.random.RandomState(2)
    pictures = [random.standard_normal((2, 1, side, side)).astype(np.float32) for side in (4, 16, 32)]
    expected = np.zeros(2)
    for picture in pictures:
        part = picture
        while True:
            for axis in (2, 3):
                expected += (part * np.roll(part, 1, axis)).mean((1, 2, 3)) ** 2
            side = part.shape[-1] // 2
            if side < 8:
                break
            part = part.reshape(2, 1, side, 2, side, 2).mean((3, 5))
    got = noise_pattern([paddle.to_tensor(picture) for picture in pictures]).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-4)
    stripes = np.tile(np.float32([1, -1]), [1, 1, 16, 8])
    assert noise_pattern([paddle.to_tensor(stripes)]).numpy()[0] == pytest.approx(2)


def test_noise_pictures_are_normalised():
    pictures = _NoisePictures([4, 8])
    flat = np.random.RandomState(3).uniform(2, 5, [2, pictures.count]).astype(np.float32)
    for picture in pictures.split(pictures.normalised(flat)):
        np.testing.assert_allclose(picture.mean((1, 2, 3)), 0, atol=1e-5)
        np.testing.assert_allclose(np.square(picture).mean((1, 2, 3)), 1, atol=1e-4)


def test_a_projection_with_noise_draws_the_picture_better_and_better():
    generator = tiny_generator()
    wanted = faces(generator, 2)
    steps = list(project(generator, wanted, SHORT))
    first, last = steps[0].terms, steps[-1].terms
    assert set(first) == {"plain", "noise"} and first["plain"].shape == (2,)
    assert (last["plain"] < 0.5 * first["plain"]).all()
    found = steps[-1].value
    assert found.shape == (2, 6, STYLE_DIM) and (found == found[:, :1]).all()
    mean = np.tile(measure_w(generator, 500, 123)[0][:, None], [2, 6, 1])
    own = [np.square(draw(generator, w) - wanted).mean((1, 2, 3)) for w in (mean, found)]
    assert (own[1] < own[0]).all()  # with the generator's own noise as well


@pytest.mark.slow
@pytest.mark.parametrize("make", [tiny_generator, tiny_stylegan3])
def test_a_projection_without_noise_pictures(make):
    generator = make()
    wanted = faces(generator, 1)
    steps = list(project(generator, wanted, replace(SHORT, noise_weight=0.0)))
    assert set(steps[0].terms) == {"plain", "mse"}
    assert (steps[-1].terms["plain"] < 0.5 * steps[0].terms["plain"]).all()
    assert (steps[-1].value == steps[-1].value[:, :1]).all()


def test_a_seed_repeats_it_and_another_does_not():
    generator = tiny_generator()
    wanted, config = faces(generator, 1), replace(SHORT, steps=4)
    one, two, three = (
        list(project(generator, wanted, replace(config, seed=seed)))[-1].value for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != three).any()


@pytest.mark.parametrize(
    "change", [{"steps": -1}, {"w_samples": 0}, {"rampdown": 0}, {"noise_weight": np.nan}]
)
def test_what_cannot_be_is_refused(change):
    with pytest.raises(UserError):
        ProjectionConfig(**change)
    with pytest.raises(UserError, match=r"pictures have shape \[1, 3, 8, 8\]"):
        project(tiny_generator(), np.zeros([1, 3, 8, 8]))
