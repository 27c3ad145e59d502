# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation: the loss and Adam against their formulas, batches, presets, the command."""

from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_parts
from tool_main import load_tool

from ppstyleclip.apps import optimize as app
from ppstyleclip.errors import UserError
from ppstyleclip.losses import clip_image_features
from ppstyleclip.methods import optimize
from ppstyleclip.methods.optimize import Settings, directed_features, optimise, styles_of


@pytest.fixture(scope="module")
def world():
    return tiny_parts()


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def home(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


def start_of(world, space, count=2):
    generator, layout = world[:2]
    z = np.random.RandomState(3).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        w_plus = generator.get_latents(paddle.to_tensor(z))
        return {"z": z, "w": w_plus[:, 0].numpy(), "w_plus": w_plus.numpy(),
                "s": layout.flatten(generator.style_affine(w_plus)).numpy()}[space]


def texts_of(world, count=1, number=1):
    return np.random.RandomState(4).randn(count, number, world[4].dim).astype(np.float32)


def loss_by_hand(world, latent, start, texts, weights, settings):
    """The formula, eager, each latent alone; `[N]` Tensor."""
    generator, layout, clip = world[0], world[1], world[4]
    styles = styles_of(generator, layout, latent, settings.space)
    images = generator.synthesis_from_styles(styles, noise="const")
    features = clip_image_features(clip, images, settings.view)
    texts = texts / np.linalg.norm(texts, axis=2, keepdims=True)
    cosines = (features.unsqueeze(1) * paddle.to_tensor(texts)).sum(axis=2)
    away = ((latent - paddle.to_tensor(start)) ** 2).reshape([len(start), -1])
    l2 = away.sum(axis=1) if settings.l2_over == "sum" else away.mean(axis=1)
    return ((1 - cosines) * paddle.to_tensor(np.float32(weights))).sum(axis=1) + settings.l2 * l2


@pytest.mark.parametrize("space", optimize.SPACES)
def test_first_steps_are_adam_on_the_formula(world, space):
    """Three steps against the loss written out and Adam written out."""
    settings = Settings(space=space, steps=3, rate=0.1, schedule="stepped", l2=0.01, view="official")
    start, texts, weights = start_of(world, space), texts_of(world, 2, 2), [1.0, 0.5]
    found = list(optimise(world[0], world[1], world[4], start, texts, settings, weights=weights))
    mask = np.zeros(world[1].size, np.float32)
    mask[world[1].editable_index] = 1
    value, mean, square = start.copy(), 0.0, 0.0
    for number in (1, 2, 3):
        latent = paddle.to_tensor(value, stop_gradient=False)
        loss = loss_by_hand(world, latent, start, texts, weights, settings)
        gradient = paddle.grad(loss.sum(), latent)[0].numpy() * (mask if space == "s" else 1)
        step = found[number - 1]
        total = step.terms["clip"] + settings.l2 * step.terms["l2"]
        np.testing.assert_allclose(total, loss.numpy(), rtol=1e-3)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        spread = np.sqrt(square / (1 - 0.999**number)) + 1e-8
        moved = value - 0.1 * mean / (1 - 0.9**number) / spread
        clear = np.abs(gradient) > 1e-3 * np.abs(gradient).max()  # where Adam's sign is not rounding
        np.testing.assert_allclose(step.value[clear], moved[clear], atol=0.02)
        value = step.value
    assert (found[-1].value[:, mask == 0] == start[:, mask == 0]).all() if space == "s" else True


def test_each_face_goes_as_if_alone(world):
    settings, start, texts = Settings(steps=4, rate=0.05), start_of(world, "w_plus"), texts_of(world, 2)
    *_, both = optimise(world[0], world[1], world[4], start, texts, settings)
    for k in range(2):
        *_, alone = optimise(world[0], world[1], world[4], start[k:k + 1], texts[k:k + 1], settings)
        np.testing.assert_allclose(both.value[k], alone.value[0], atol=2e-3)


def test_the_loss_falls(world):
    settings = Settings(steps=25, rate=0.05, l2=0.0, view="clip", views=3)
    steps = list(optimise(world[0], world[1], world[4], start_of(world, "w_plus"), texts_of(world), settings))
    assert (steps[-1].terms["clip"] < steps[0].terms["clip"] - 0.05).all()


def test_directed_features_keep_what_is_there(world):
    images = np.random.RandomState(0).uniform(-1, 1, [2, 3, 16, 16]).astype(np.float32)
    directions = np.eye(world[4].dim, dtype=np.float32)[:3]
    own = directed_features(world[4], images, directions, 0.0)
    np.testing.assert_allclose(np.linalg.norm(own, axis=2), 1, rtol=1e-5)
    np.testing.assert_allclose(directed_features(world[4], images, directions, 0.5) - own,
                               np.broadcast_to(0.5 * directions, own.shape), atol=1e-6)


@pytest.mark.parametrize("change, words", [
    ({"space": "x"}, "unknown space 'x', known: z, w, w_plus, s"), ({"steps": 0}, "at least 1 step"),
    ({"views": 6}, "1 to 5 views"), ({"rate": float("nan")}, "rate must be a number"),
    ({"l2": -1.0}, "l2 must be a number"), ({"identity": 0.1}, "there is no identity network")])
def test_bad_settings(world, change, words):
    with pytest.raises(UserError, match=words):
        next(optimise(world[0], world[1], world[4], start_of(world, "w_plus"), texts_of(world),
                      Settings(**change)))


@pytest.mark.parametrize("preset", app.known_presets())
def test_presets(preset):
    settings = app.read_settings(preset)
    assert len(settings.rates()) == settings.steps
    assert app.read_settings(preset, steps=7, rate=None).steps == 7


def test_presets_are_the_seeds_numbers():
    official, first, last = (app.read_settings(name) for name in ("official", "seed001", "seed004"))
    assert (official.steps, official.rate, official.l2, official.l2_over) == (300, 0.1, 0.008, "sum")
    rates = official.rates()
    assert rates[0] == 0 and rates[15] == pytest.approx(0.1) and rates[225] == pytest.approx(0.1)
    assert rates[262] == pytest.approx(0.1 * (0.5 - 0.5 * np.cos(np.pi * (1 - 262 / 300) / 0.25)))
    assert (first.steps, first.l2, first.down, first.view) == (150, 0.005, 0.5, "seed001")
    assert last.adam.amsgrad and last.rates()[49] == 0.1 and last.rates()[50] == 0.05


def test_the_command(capsys):
    main = load_tool("optimize")
    assert main(["--description", "happy face", "sad face", "--weights", "1", "0.5", "--step", "3",
                 "--seed", "1", "2", "--preset", "official", "--save_every", "2", "--animation", "gif",
                 "--output_path", "out"]) == 0
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == ["00002.png", "final_result.png", "latent.npy", "losses.csv", "way.gif"]
    assert np.load("out/latent.npy").shape[0] == 2
    lines = Path("out/losses.csv").read_text().splitlines()
    assert lines[0] == "step,clip_0,clip_1,l2_0,l2_1" and len(lines) == 4
    assert "3 steps in w_plus" in capsys.readouterr().out


@pytest.mark.parametrize("space", optimize.SPACES)
def test_the_command_in_every_space(space):
    assert load_tool("optimize")(["--description", "happy face", "--step", "2", "--space", space,
                        "--preset", "toonface", "--output_path", "out"]) == 0
    assert Path("out/final_result.png").is_file()


def test_free_generation_begins_at_the_mean():
    arguments = ["--description", "happy face", "--mode", "free_generation", "--step", "1", "--lr", "0"]
    assert load_tool("optimize")([*arguments, "--preset", "official", "--output_path", "out"]) == 0
    latent = np.load("out/latent.npy")
    assert (latent == latent[0, 0]).all()


@pytest.mark.parametrize("arguments, words", [
    (["--weights", "1", "2"], "--weights are 2, --description are 1"),
    (["--preset", "best"], "unknown preset"), (["--step", "0"], "at least 1 step"),
    (["--space", "q"], "unknown space"),
    (["--id_lambda", "0.1"], "no identity network"), (["--latent", "no.npy"], "no.npy")])
def test_bad_input_is_one_line(capsys, arguments, words):
    assert load_tool("optimize")(["--description", "happy face", *arguments, "--output_path", "out"]) == 2
    line = capsys.readouterr().err.strip()
    assert words in line and "\n" not in line and not Path("out").exists()


def test_a_rate_that_explodes_is_said(capsys):
    arguments = ["--description", "happy face", "--step", "30", "--lr", "1e30", "--preset", "official"]
    assert load_tool("optimize")([*arguments, "--output_path", "out"]) == 2
    assert "is not finite" in capsys.readouterr().err
