# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The registry of objectives: one of our own by its name, in records, in the gradient and in the key."""

import dataclasses
from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import live_in, tiny_parts

from ppstyleclip.engine import Compiled
from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper import (
    ImageLoss,
    LatentDataset,
    MapperConfig,
    Training,
    TrainingConfig,
    network_config,
    text_set,
    train,
)
from ppstyleclip.methods.optimization import (
    OBJECTIVES,
    ObjectiveConfig,
    OptimizationConfig,
    optimize,
    register_objective,
)
from ppstyleclip.methods.optimization.compiled_objective import ObjectiveLayer
from ppstyleclip.methods.optimization.objective import needed_networks
from ppstyleclip.pipelines.presets import read_optimization_preset


def redness_now(networks, images):
    """`[N, 1]` of the pictures at the start."""
    return images[:, 0].mean(axis=[1, 2]).unsqueeze(1)


def redness(context):
    """How much redder the picture is than at the start, squared, plus one."""
    now = context.images[:, 0].mean(axis=[1, 2])
    return (now - context.reference[:, 0]) ** 2 + 1.0


register_objective("redness", redness, reference=redness_now)
# That is all: one file, one registration. What follows uses it by its name.


@pytest.fixture(scope="module")
def world():
    return tiny_parts()


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    live_in(tmp_path, monkeypatch, tmp_path)


def redness_of(world, w_plus):
    generator = world[0]
    with paddle.no_grad():
        styles = generator.style_affine(paddle.to_tensor(w_plus))
        images = generator.synthesis_from_styles(styles, noise="const")
    return redness_now(None, images).numpy()[:, 0]


def latents(world, count=2):
    generator = world[0]
    z = np.random.RandomState(3).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        return generator.get_latents(paddle.to_tensor(z)).numpy()


@pytest.mark.slow
def test_an_objective_of_ones_own_is_in_records_and_has_a_gradient(world):
    """A preset of the user's names it; the latents move as it says: away from the start at first by the text,
    and then back in redness, which an optimisation without it does not do."""
    Path("mine.yaml").write_text("weights: {clip: 1.0, l2: 0.0, redness: 1000.0}\n")
    changes = {"steps": 12, "learning_rate": 0.05, "rampup": 0.0}
    config = read_optimization_preset("mine.yaml", **changes)
    start, texts = latents(world), np.random.RandomState(4).randn(1, 1, world[4].dim)
    records = list(optimize(world[0], world[4], start, texts, config))
    assert list(records[0].terms) == ["clip", "l2", "redness"]
    np.testing.assert_allclose(records[0].terms["redness"], 1.0, atol=1e-6)
    moved = redness_of(world, records[4].value) - redness_of(world, start)
    np.testing.assert_allclose(records[5].terms["redness"], 1 + moved**2, rtol=1e-4)
    plain = dataclasses.replace(config, objective=ObjectiveConfig(weights={"clip": 1.0, "l2": 0.0}))
    *_, last = optimize(world[0], world[4], start, texts, plain)
    assert list(last.terms) == ["clip", "l2"]
    drift = [np.abs(redness_of(world, one.value) - redness_of(world, start)) for one in (records[-1], last)]
    assert (drift[0] < 0.5 * drift[1]).all()


@pytest.mark.slow
def test_a_mapper_is_trained_with_it_too(world):
    generator, layout, _, _, clip = world
    objective = ObjectiveConfig(weights={"clip": 1.0, "l2": 0.8, "redness": 2.0}, l2_reduction="mean")
    config, texts = TrainingConfig(objective=objective, steps=1), text_set(["happy face"])
    shapes = network_config(MapperConfig(), generator.n_latent, generator.style_dim, layout.channels, None)
    loss = ImageLoss(generator, clip, texts, np.ones([1, clip.dim], np.float32), config)
    dataset = LatentDataset(latents(world, 4), texts)
    record = next(train(Training(shapes, None, texts, config), loss, dataset, None))
    terms = record.terms
    assert terms["redness"] >= 1.0
    assert terms["loss"] == pytest.approx(
        terms["clip"] + 0.8 * terms["l2"] + 2.0 * terms["redness"], rel=1e-5
    )


def objective_key(world, config, space):
    """The key of the compiled loss."""
    networks = needed_networks(config, world[0], world[4], None)
    return Compiled(ObjectiveLayer(networks, config, space), {}, "weights").program_key()


def test_the_key_of_the_compiled_loss_changes_with_it(world, monkeypatch):
    plain, mine = ({"clip": 1.0, "l2": 0.1}, {"clip": 1.0, "l2": 0.1, "redness": 0.5})
    keys = [objective_key(world, ObjectiveConfig(weights=weights), "w_plus") for weights in (plain, mine)]
    assert keys[0] != keys[1]

    def redness_again(context):
        return redness(context) * 2.0

    monkeypatch.setitem(
        OBJECTIVES, "redness", dataclasses.replace(OBJECTIVES["redness"], measure=redness_again)
    )
    assert objective_key(world, ObjectiveConfig(weights=mine), "w_plus") != keys[1]


OTHER = {
    "weights": {"clip": 1.0, "l2": 0.1, "redness": 0.3},
    "l2_reduction": "mean",
    "view": "clip",
    "crops": 2,
    "margin": 0.1,
    "directional_strength": 0.5,
    "anchor": "picture",
}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(ObjectiveConfig)])
def test_every_field_of_the_configuration_changes_the_key(world, field):
    usual = ObjectiveConfig()
    other = dataclasses.replace(usual, **{field: OTHER[field]})
    assert objective_key(world, other, "w_plus") != objective_key(world, usual, "w_plus")
    assert objective_key(world, usual, "z") != objective_key(world, usual, "w_plus")
    assert objective_key(world, usual, "z") == objective_key(world, ObjectiveConfig(), "z")


@pytest.mark.slow
def test_what_is_compiled_is_found_again_by_its_key_alone(world, monkeypatch):
    """The program of one configuration serves the next run of the same, and no other."""
    keys, load = [], Compiled._load_or_export

    def seen(one):
        keys.append(one.program_key())
        return load(one)

    monkeypatch.setattr(Compiled, "_load_or_export", seen)
    start, texts = latents(world), np.random.RandomState(4).randn(1, 1, world[4].dim)
    for weight in (0.1, 0.1, 0.2):
        objective = ObjectiveConfig(weights={"clip": 1.0, "l2": weight})
        next(optimize(world[0], world[4], start, texts, OptimizationConfig(objective=objective)))
    assert keys[0] == keys[1] != keys[2]


def test_a_name_is_registered_once_and_unknown_ones_are_said(world):
    with pytest.raises(ValueError, match="'redness' is registered already"):
        register_objective("redness", redness)
    config = OptimizationConfig(objective=ObjectiveConfig(weights={"clip": 1.0, "colour": 1.0}))
    with pytest.raises(UserError, match="unknown objective 'colour', known: clip, l2, identity, redness"):
        optimize(world[0], world[4], latents(world), np.ones([1, 1, world[4].dim]), config)
