# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Training of mappers: the step against its formula, resuming, sharing, early ends."""

import dataclasses
import random

import numpy as np
import paddle
import pytest
from tiny_world import live_in, tiny_parts

from ppstyleclip.errors import UserError
from ppstyleclip.losses import clip_crop_features, clip_image_features
from ppstyleclip.methods.mapper import (
    ImageLoss,
    LatentDataset,
    MapperConfig,
    ProcessGroup,
    Training,
    TrainingConfig,
    network_config,
    text_set,
    train,
    train_mapper,
)
from ppstyleclip.methods.optimization import ObjectiveConfig, to_styles

WORDS = np.random.RandomState(1).randn(3, 12).astype(np.float32)
TEXTS = text_set(["happy", "sad", "long"], together=2)
ONE = text_set(["happy face"])


@pytest.fixture(scope="module")
def world():
    return tiny_parts()


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    live_in(tmp_path, monkeypatch, tmp_path)


def bank(world, count, space="w_plus", seed=3):
    generator, layout = world[:2]
    z = np.random.RandomState(seed).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        w_plus = generator.get_latents(paddle.to_tensor(z))
        s = layout.flatten(generator.style_affine(w_plus))
    return (w_plus if space == "w_plus" else s).numpy()


def config_of(*, clip=1.0, l2=0.8, identity=0.0, **fields):
    """A TrainingConfig of fields of its own, of its network and of its objective."""
    parts = {}
    for kind in (MapperConfig, ObjectiveConfig):
        names = {field.name for field in dataclasses.fields(kind)}
        parts[kind] = {name: fields.pop(name) for name in names & set(fields)}
    weights = {"clip": clip, "l2": l2, "identity": identity}
    objective = ObjectiveConfig(weights=weights, l2_reduction="mean", **parts[ObjectiveConfig])
    defaults = {"steps": 6, "batch_size": 3, "validate_every": 3}
    return TrainingConfig(MapperConfig(**parts[MapperConfig]), objective, **{**defaults, **fields})


def made(world, texts=ONE, words=None, network=None, **changes):
    """(Training, ImageLoss) of the tiny world."""
    generator, layout, _, _, clip = world
    config = config_of(**changes)
    width = None if words is None else words.shape[1]
    shapes = network_config(config.mapper, generator.n_latent, generator.style_dim, layout.channels, width)
    features = np.random.RandomState(7).randn(len(texts.names), clip.dim).astype(np.float32)
    loss = ImageLoss(generator, clip, texts, features, config, identity=network)
    return Training(shapes, words, texts, config), loss


MULTI = {"texts": TEXTS, "words": WORDS, "mode": "Mapper_multi", "embed": "table"}
DIRECTED = {"directional_strength": 0.5, "crops": 2}


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        {},
        {"space": "s"},
        {"directional_strength": 0.5},
        {**DIRECTED, "anchor": "crops"},
        {**DIRECTED, "anchor": "picture"},
        {"l2": 2.0, "clip": 0.5, "crops": 2},
        MULTI,
        {**MULTI, "directional_strength": 0.5},
        {"mapper_type": "SingleMapper"},
    ],
)
def test_loss_and_gradient_are_the_formula(world, case):
    """The loss of a batch, and its gradient in the mapper's weights, all eager."""
    training, loss = made(world, **case)
    config, texts = training.config, case.get("texts", ONE)
    objective, space = config.objective, config.mapper.space
    faces = LatentDataset(bank(world, 12, space), texts)
    record = next(train(training, loss, faces, None))
    rows = np.random.RandomState(0).randint(0, 12, 3)
    generator, layout, _, _, clip = world
    features = np.random.RandomState(7).randn(len(texts.names), clip.dim).astype(np.float32)
    latent = paddle.to_tensor(faces.latents[rows])
    classes = [texts.classes[faces.classes[row]] for row in rows]
    vector = (
        ()
        if case.get("words") is None
        else (paddle.to_tensor(np.stack([WORDS[list(c)].sum(0) for c in classes])),)
    )
    edited = latent + 0.1 * training.network(latent, *vector)
    seen = seen_by(world, edited, config)
    now = drawn(world, latent, space)
    own = clip_image_features(clip, now, "clip" if objective.anchor == "picture" else objective.view)
    if objective.anchor == "crops":
        own = clip_crop_features(clip, now, view=objective.view, crops=objective.crops)
    own = own.numpy()
    clips, strength = [], objective.directional_strength
    for k, members in enumerate(classes):
        wanted = features[list(members)]
        wanted = own[k : k + 1] + strength * wanted.sum(0) if strength else wanted
        wanted = wanted / np.linalg.norm(wanted, axis=1, keepdims=True)
        clips.append((1 - (seen[k : k + 1] * paddle.to_tensor(wanted)).sum(axis=1)).mean())
    squares = (edited - latent) ** 2
    l2 = paddle.add_n([part.mean() for part in layout.unflatten(squares)]) if space == "s" else squares.mean()
    total = objective.weights["clip"] * paddle.stack(clips).mean() + objective.weights["l2"] * l2
    assert record.terms["loss"] == pytest.approx(float(total), rel=1e-4)
    assert record.terms["l2"] == pytest.approx(float(l2), rel=1e-4)
    names = dict(training.network.named_parameters())
    by_hand = dict(zip(names, paddle.grad(total, list(names.values()))))
    found = gradients_of(training, loss, faces)
    for name in names:
        np.testing.assert_allclose(
            found[name], by_hand[name].numpy(), rtol=2e-3, atol=2e-4 * float(by_hand[name].abs().max())
        )


def drawn(world, latent, space):
    return world[0].synthesis_from_styles(to_styles(world[0], world[1], latent, space), noise="const")


def seen_by(world, latent, config):
    """CLIP's view of the picture, or the mean of it and of the first cut."""
    images = drawn(world, latent, config.mapper.space)
    views = [images] if config.objective.crops == 1 else [images, images[:, :, :-1, :-1]]
    features = [clip_image_features(world[4], view, config.objective.view) for view in views]
    return paddle.nn.functional.normalize(paddle.add_n(features), axis=1)


def gradients_of(training, loss, faces):
    """What train hands to the optimiser in its first step."""
    caught = {}

    class Caught(Exception):
        pass

    def catch(gradients):
        caught.update({name: value.numpy() for name, value in gradients.items()})
        raise Caught

    training.optimizer.step = catch
    with pytest.raises(Caught):
        list(train(training, loss, faces, None))
    return caught


class Likeness(paddle.nn.Layer):
    """Stands for an identity network: mean colours."""

    def identity_features(self, images):
        means = paddle.mean(images, axis=[2, 3])
        return means / paddle.sqrt(paddle.sum(means * means, axis=1, keepdim=True) + 1e-6)


@pytest.mark.slow
def test_identity_is_a_part_of_the_loss(world):
    changes = {"identity": 5.0, "steps": 2, "batch_size": 2}
    with pytest.raises(UserError, match="no identity network"):
        made(world, **changes)
    training, loss = made(world, network=Likeness(), **changes)
    record = next(train(training, loss, LatentDataset(bank(world, 4), ONE), None))
    assert record.terms["identity"] > 1e-5
    assert record.terms["loss"] == pytest.approx(
        record.terms["clip"] + 0.8 * record.terms["l2"] + 5.0 * record.terms["identity"], rel=1e-5
    )


def test_the_loss_falls_and_the_best_is_known(world):
    training, loss = made(world, steps=40, validate_every=5, learning_rate=5.0, optimizer="adam")
    faces = LatentDataset(bank(world, 30), ONE)
    records = list(train(training, loss, faces, LatentDataset(bank(world, 6, seed=9), ONE)))
    looks = [record for record in records if record.val]
    assert [record.done for record in looks] == list(range(5, 41, 5)) and len(records) == 41
    assert looks[-1].val["loss"] < looks[0].val["loss"] - 0.02
    losses = [record.val["loss"] for record in looks]
    assert [record.is_best for record in looks] == [
        loss == min(losses[: k + 1]) for k, loss in enumerate(losses)
    ]


def test_training_stops_early(world):
    training, loss = made(world, steps=40, validate_every=1, patience=3, learning_rate=0.0)
    records = list(
        train(training, loss, LatentDataset(bank(world, 6), ONE), LatentDataset(bank(world, 4), ONE))
    )
    assert records[-1].done == 4 and records[1].is_best and not records[2].is_best


@pytest.mark.slow
def test_going_on_at_five_moments_equals_never_having_stopped(world):
    faces, held_out = LatentDataset(bank(world, 20), TEXTS), LatentDataset(bank(world, 8, seed=9), TEXTS)
    whole, loss = made(world, **MULTI, steps=12)
    list(train(whole, loss, faces, held_out))
    stops = sorted(random.Random(4).sample(range(1, 12), 5))
    state = None
    for stop in [*stops, 99]:
        part, loss = made(world, **MULTI, steps=12)
        if state is not None:
            part.load_state(state)
        for record in train(part, loss, LatentDataset(faces.latents, TEXTS), held_out):
            if record.done == stop:
                state = part.state()
                break
    assert part.step == 12
    end, own = whole.state(), part.state()
    assert sorted(end) == sorted(own) and any(name.startswith("held_out/loss") for name in end)
    for name, value in end.items():
        np.testing.assert_array_equal(own[name], value, err_msg=name)


def test_one_call_trains_as_its_parts_do(world):
    training, loss = made(world, steps=2)
    latents, features = bank(world, 6), np.random.RandomState(7).randn(1, world[4].dim).astype(np.float32)
    *_, by_parts = train(training, loss, LatentDataset(latents, ONE), LatentDataset(latents[:2], ONE))
    config = config_of(steps=2)
    options = {"features": features, "validation": latents[:2]}
    *_, at_once = train_mapper(world[0], world[4], latents, ONE, config, **options)
    assert at_once.terms == by_parts.terms and at_once.val == by_parts.val and at_once.is_last
    for name, weight in training.network.state_dict().items():
        np.testing.assert_array_equal(at_once.value.network.state_dict()[name].numpy(), weight.numpy())


def test_processes_share_every_batch():
    rows = np.arange(7)
    parts = [ProcessGroup(rank, 3).share(rows) for rank in range(3)]
    assert [len(part) for part in parts] == [3, 2, 2] and np.concatenate(parts).tolist() == rows.tolist()


def test_a_batch_that_cannot_be_shared_is_refused(world):
    training, loss = made(world, batch_size=2)
    with pytest.raises(UserError, match="a batch of 2 cannot be shared among 3 processes"):
        next(train(training, loss, LatentDataset(bank(world, 4), ONE), None, group=ProcessGroup(0, 3)))


@pytest.mark.parametrize(
    "change, words",
    [
        ({"mode": "Mapper_sum"}, "Mapper_sum and text vectors 'none' do not fit"),
        ({"embed": "table"}, "Mapper and text vectors 'table' do not fit"),
        ({"space": "s", "mode": "Mapper_sum", "embed": "table"}, "style space take no text"),
        ({"optimizer": "sgd"}, "unknown optimizer 'sgd', known: ranger, adam"),
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number"),
        ({"crops": 9}, "crops must be a whole number from 1 to 5"),
        ({"seed": -1}, "seed must be a whole number from 0 to"),
        ({"patience": -1}, "patience must be a whole number from 0"),
        ({"mapper_type": "FullStyleSpaceMapper"}, "use it in style space"),
    ],
)
def test_bad_settings(world, change, words):
    with pytest.raises(UserError, match=words):
        made(world, **change)


def test_texts_that_are_added_must_be_as_wide(world):
    with pytest.raises(UserError, match="texts are 16 wide and latents 12; use Mapper_cat"):
        made(world, texts=TEXTS, words=np.ones([3, 16], np.float32), mode="Mapper_sum", embed="clip")
