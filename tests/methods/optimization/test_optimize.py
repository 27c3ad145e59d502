# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation: the loss and Adam against their formulas, batches, neighbours, directions."""

import dataclasses
from dataclasses import replace

import numpy as np
import paddle
import pytest
from tiny_world import live_in, tiny_parts

from ppstyleclip.errors import UserError
from ppstyleclip.losses import clip_image_features
from ppstyleclip.methods.optimization import (
    SPACES,
    ObjectiveConfig,
    OptimizationConfig,
    directed_features,
    neighbour_offsets,
    optimize,
    to_styles,
)


@pytest.fixture(scope="module")
def world():
    return tiny_parts()


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    live_in(tmp_path, monkeypatch, tmp_path)


def config_of(*, l2=0.008, identity=0.0, **fields):
    """An OptimizationConfig of fields of its own and of its objective."""
    names = {field.name for field in dataclasses.fields(ObjectiveConfig)}
    measured = {name: fields.pop(name) for name in names & set(fields)}
    objective = ObjectiveConfig(weights={"clip": 1.0, "l2": l2, "identity": identity}, **measured)
    return OptimizationConfig(objective=objective, **fields)


def start_of(world, space, count=2):
    generator, layout = world[:2]
    z = np.random.RandomState(3).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        w_plus = generator.get_latents(paddle.to_tensor(z))
        return {
            "z": z,
            "w": w_plus[:, 0].numpy(),
            "w_plus": w_plus.numpy(),
            "s": layout.flatten(generator.style_affine(w_plus)).numpy(),
        }[space]


def texts_of(world, count=1, number=1):
    return np.random.RandomState(4).randn(count, number, world[4].dim).astype(np.float32)


def loss_by_hand(world, latent, start, texts, weights, config):
    """The formula, eager, each latent alone; `[N]` Tensor."""
    generator, layout, clip = world[0], world[1], world[4]
    styles = to_styles(generator, layout, latent, config.space)
    images = generator.synthesis_from_styles(styles, noise="const")
    features = clip_image_features(clip, images, config.objective.view)
    texts = texts / np.linalg.norm(texts, axis=2, keepdims=True)
    cosines = (features.unsqueeze(1) * paddle.to_tensor(texts)).sum(axis=2)
    away = ((latent - paddle.to_tensor(start)) ** 2).reshape([len(start), -1])
    l2 = away.sum(axis=1) if config.objective.l2_reduction == "sum" else away.mean(axis=1)
    return ((1 - cosines) * paddle.to_tensor(np.float32(weights))).sum(axis=1) + config.objective.weights[
        "l2"
    ] * l2


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES)
def test_first_steps_are_adam_on_the_formula(world, space):
    """Three steps against the loss written out and Adam written out."""
    config = config_of(space=space, steps=3, learning_rate=0.1, schedule="step_lr", l2=0.01)
    start, texts, weights = start_of(world, space), texts_of(world, 2, 2), [1.0, 0.5]
    found = list(optimize(world[0], world[4], start, texts, config, weights=weights))
    mask = np.zeros(world[1].size, np.float32)
    mask[world[1].editable_index] = 1
    value, mean, square = start.copy(), 0.0, 0.0
    for number in (1, 2, 3):
        latent = paddle.to_tensor(value, stop_gradient=False)
        loss = loss_by_hand(world, latent, start, texts, weights, config)
        gradient = paddle.grad(loss.sum(), latent)[0].numpy() * (mask if space == "s" else 1)
        step = found[number - 1]
        total = step.terms["clip"] + config.objective.weights["l2"] * step.terms["l2"]
        np.testing.assert_allclose(total, loss.numpy(), rtol=1e-3)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        spread = np.sqrt(square / (1 - 0.999**number)) + 1e-8
        moved = value - 0.1 * mean / (1 - 0.9**number) / spread
        clear = np.abs(gradient) > 1e-3 * np.abs(gradient).max()  # where Adam's sign is not rounding
        np.testing.assert_allclose(step.value[clear], moved[clear], atol=0.02)
        value = step.value
    assert (found[-1].value[:, mask == 0] == start[:, mask == 0]).all() if space == "s" else True


def test_each_face_goes_as_if_alone(world):
    config, start, texts = (
        config_of(steps=4, learning_rate=0.05),
        start_of(world, "w_plus"),
        texts_of(world, 2),
    )
    *_, both = optimize(world[0], world[4], start, texts, config)
    for k in range(2):
        *_, alone = optimize(world[0], world[4], start[k : k + 1], texts[k : k + 1], config)
        np.testing.assert_allclose(both.value[k], alone.value[0], atol=2e-3)


@pytest.mark.slow
def test_the_loss_falls(world):
    config = config_of(steps=25, learning_rate=0.05, l2=0.0, view="clip", crops=3)
    steps = list(optimize(world[0], world[4], start_of(world, "w_plus"), texts_of(world), config))
    assert (steps[-1].terms["clip"] < steps[0].terms["clip"] - 0.05).all()


def test_texts_of_other_places_are_refused(world):
    with pytest.raises(UserError, match="texts have shape .* for each of 3 places"):
        next(
            optimize(
                world[0],
                world[4],
                start_of(world, "z"),
                np.stack([texts_of(world, 2)] * 2),
                config_of(space="z", neighbours=2),
            )
        )


def test_directed_features_keep_what_is_there(world):
    images = np.random.RandomState(0).uniform(-1, 1, [2, 3, 16, 16]).astype(np.float32)
    directions = np.eye(world[4].dim, dtype=np.float32)[:3]
    for crops in (1, 3):
        config = ObjectiveConfig(view="clip", crops=crops)
        own = directed_features(world[4], images, directions, config)
        np.testing.assert_allclose(np.linalg.norm(own, axis=2), 1, rtol=1e-5)
        moved = directed_features(world[4], images, directions, replace(config, directional_strength=0.5))
        np.testing.assert_allclose(moved - own, np.broadcast_to(0.5 * directions, own.shape), atol=1e-6)


@pytest.mark.slow
def test_a_move_of_no_length_is_where_the_face_is(world):
    """What CLIP should see and what it sees are prepared alike, cut out alike, averaged alike."""
    start = start_of(world, "w_plus")
    with paddle.no_grad():
        images = (
            world[0]
            .synthesis_from_styles(
                to_styles(world[0], world[1], paddle.to_tensor(start), "w_plus"), noise="const"
            )
            .numpy()
        )
    direction = np.eye(world[4].dim, dtype=np.float32)[:1]
    for view in ("official", "clip"):
        config = config_of(steps=1, view=view, crops=4, margin=0.2)
        texts = directed_features(world[4], images, direction, config.objective)
        step = next(optimize(world[0], world[4], start, texts, config))
        np.testing.assert_allclose(step.terms["clip"], 0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES)
def test_nearby_faces_take_turns(world, space):
    """Each step sees the face of its turn, moved as far as the latent has moved."""
    config = config_of(space=space, steps=4, learning_rate=0.05, schedule="step_lr", l2=0.01, neighbours=2)
    start, texts = (
        start_of(world, space),
        np.stack([texts_of(world, 2)] * 3) * np.float32([1, -1, 1])[:, None, None, None],
    )
    offsets = neighbour_offsets(world[0], config)
    assert len(offsets) == 3 and not offsets[0].any() and (offsets[1] != offsets[2]).any()
    value = start
    for step, place in zip(optimize(world[0], world[4], start, texts, config), (0, 1, 2, 0)):
        away = offsets[place]
        latent = paddle.to_tensor(value + away)
        loss = loss_by_hand(world, latent, start + away, texts[place], [1.0], config)
        np.testing.assert_allclose(step.terms["clip"] + 0.01 * step.terms["l2"], loss.numpy(), rtol=1e-3)
        value = step.value


@pytest.mark.parametrize("space", SPACES)
def test_nearby_faces_are_as_far_as_faces_are(world, space):
    config = config_of(space=space, neighbours=200, neighbour_std=2.0)
    _, *offsets = neighbour_offsets(world[0], config)
    faces = start_of(world, space, 200)
    assert offsets[0].shape[1:] in (faces.shape[1:], (1, *faces.shape[2:]))  # w_plus: all layers alike
    spread = np.sqrt(np.mean(np.square(np.concatenate(offsets))))
    assert spread == pytest.approx(2 * np.sqrt(np.mean(np.square(faces - faces.mean(0)))), rel=0.15)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"neighbours": -1}, "neighbours must be a whole number from 0"),
        ({"neighbour_std": -0.5}, "neighbour_std must be a number"),
        ({"space": "x"}, "unknown space 'x', known: z, w, w_plus, s"),
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"step_size": 0}, "step_size must be a whole number from 1"),
        ({"rampdown": 0.0}, "rampdown must be a number"),
        ({"crops": 6}, "crops must be a whole number from 1 to 5"),
        ({"margin": 1.0}, "margin must be a number from 0 to below 1"),
        ({"view": "raw"}, "unknown view 'raw', known: official"),
        ({"l2_reduction": "layers"}, "unknown l2_reduction 'layers', known: sum, mean"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number"),
        ({"l2": -1.0}, "l2 must be a number"),
        ({"identity": 0.1}, "there is no identity network"),
    ],
)
def test_bad_configurations(world, change, words):
    with pytest.raises(UserError, match=words):
        next(optimize(world[0], world[4], start_of(world, "w_plus"), texts_of(world), config_of(**change)))
