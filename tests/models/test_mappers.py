# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mappers: StyleCLIP's and the seeds' numbers, the axis of their normalisation, their keys, and refusals."""

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
from oracles.seeded_weights import keyed_state, seeded_z

from ppstyleclip.convert.mappers import latent_mapper_keys
from ppstyleclip.models.mappers import (
    LEVELS_16,
    MAPPER_MODES,
    LevelsMapper,
    SingleMapper,
    build_mapper,
    with_text,
)
from ppstyleclip.models.state import from_torch_state, load_state

STORED = np.load(Path(__file__).parents[1] / "oracles" / "mappers.npz", allow_pickle=False)
STYLE_DIMS = [64] * 15 + [32] * 3 + [16] * 3 + [8] * 3 + [4] * 2
ALL_MODES = {
    mode: {
        "mapper_type": "LevelsMapper",
        "mode": mode,
        "style_dim": 64,
        "text_dim": 64,
        "medium": mode != "Mapper_sum",
    }
    for mode in MAPPER_MODES
}
CASES = {
    "single": {"mapper_type": "SingleMapper"},
    "levels": {"mapper_type": "LevelsMapper"},
    "levels_no_fine": {"mapper_type": "LevelsMapper", "fine": False},
    "full": {"mapper_type": "FullStyleSpaceMapper", "style_dims": STYLE_DIMS},
    "no_rgb": {"mapper_type": "WithoutToRGBStyleSpaceMapper", "style_dims": STYLE_DIMS},
    "gan3": {"mapper_type": "LevelsMapper", "levels": LEVELS_16},
    **ALL_MODES,
}


def loaded(case):
    mapper = build_mapper(CASES[case])
    shapes = json.loads(bytes(STORED[f"{case}/shapes"]).decode())
    state = keyed_state(shapes, lr_mul=0.01)
    state = latent_mapper_keys(state) if case == "gan3" else state
    load_state(mapper, from_torch_state(mapper, state), case)
    return mapper


def latents(case):
    if "style_dims" in CASES[case]:
        return paddle.to_tensor(seeded_z(2, sum(STYLE_DIMS)))
    layers, dim = 16 if case == "gan3" else 18, CASES[case].get("style_dim", 512)
    return paddle.to_tensor(seeded_z(2 * layers, dim).reshape(2, layers, dim))


def text_for(case):
    return (paddle.to_tensor(seeded_z(2, 64, seed=5)),) if case in ALL_MODES else ()


@pytest.mark.parametrize("case", CASES)
def test_step_is_the_peers(case):
    with paddle.no_grad():
        step = loaded(case)(latents(case), *text_for(case)).numpy()
    expected = STORED[f"{case}/step"]
    step = step[..., ::4] if step.ndim == 2 or case in ALL_MODES else step[..., ::32]
    assert expected.std() > 0.1
    np.testing.assert_allclose(step, expected, rtol=0, atol=1e-5)


def test_normalisation_runs_over_the_layers_of_a_group():
    """The published W+ mappers' quirk, worked in NumPy: mean square over axis 1 of [N, L, D]."""
    mapper, w = loaded("levels"), latents("levels")
    weights = {key: value.numpy() for key, value in mapper.state_dict().items()}
    x = w.numpy()[:, 4:8]
    x = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-8)
    for layer in range(1, 5):
        key = f"medium_mapping.mapping.{layer}"
        x = x @ (weights[f"{key}.weight"] * 0.01 / np.sqrt(512)) + weights[f"{key}.bias"] * 0.01
        x = np.where(x > 0, x, 0.2 * x) * np.sqrt(2)
    np.testing.assert_allclose(mapper(w).numpy()[:, 4:8], x, rtol=0, atol=1e-5)
    louder = w.numpy().copy()
    louder[:, 4] *= 3  # one layer of the group changes all of the group, and no other
    moved = np.abs((mapper(paddle.to_tensor(louder)) - mapper(w)).numpy()).max(axis=(0, 2)) > 1e-3
    assert moved.tolist() == [4 <= layer < 8 for layer in range(18)]


@pytest.mark.parametrize("group, layers", [("coarse", (0, 4)), ("medium", (4, 8)), ("fine", (8, 10))])
def test_group_without_a_network_stays_and_has_no_keys(group, layers):
    mapper = LevelsMapper(8, mode="Mapper_cat", text_dim=5, levels=(4, 4, 2), **{group: False})
    step = np.abs(mapper(paddle.randn([2, 10, 8]), paddle.randn([1, 5])).numpy()).max(axis=(0, 2))
    assert (step == 0).tolist() == [layers[0] <= layer < layers[1] for layer in range(10)]
    name = {"coarse": "course", "medium": "medium", "fine": "fine"}[group]
    assert not any(key.startswith(name) for key in mapper.state_dict())
    assert len(mapper.state_dict()) == 2 * 8 * 2


@pytest.mark.parametrize(
    "mode, layers, inner",
    [("Mapper", 4, 512), ("Mapper_cat", 8, 1024), ("Mapper_sum", 8, 512), ("Mapper_multi", 10, 1024)],
)
def test_full_size_shapes_are_seed_000s(mode, layers, inner):
    with paddle.LazyGuard():
        mapper = LevelsMapper(mode=mode)
    shapes = {key: list(value.shape) for key, value in mapper.state_dict().items()}
    assert len(shapes) == 3 * 2 * layers
    assert shapes["course_mapping.mapping.2.weight"] == [inner, inner]
    assert shapes[f"fine_mapping.mapping.{layers}.weight"] == [inner, 512]


def test_text_comes_first_or_is_added():
    w, text = paddle.zeros([2, 3, 4]), paddle.arange(4, dtype="float32").reshape([1, 4])
    assert with_text(w, text, "Mapper_cat").numpy()[1, 2].tolist() == [0, 1, 2, 3, 0, 0, 0, 0]
    for mode in ("Mapper_sum", "Mapper_multi", "Mapper"):
        assert with_text(w, text, mode).numpy()[1, 2].tolist() == [0, 1, 2, 3]
    assert with_text(w, None, "Mapper") is w


@pytest.mark.parametrize("case", ["single", "no_rgb", "Mapper_cat"])
def test_mapper_learns_a_step(case):
    config = {
        "single": {"mapper_type": "SingleMapper", "style_dim": 8},
        "no_rgb": {"mapper_type": "WithoutToRGBStyleSpaceMapper", "style_dims": [8, 4, 8]},
        "Mapper_cat": {
            "mapper_type": "LevelsMapper",
            "mode": "Mapper_cat",
            "style_dim": 8,
            "text_dim": 5,
            "levels": (2, 2, 2),
        },
    }[case]
    paddle.seed(0)
    mapper = build_mapper(config)
    latent = paddle.randn([4, 20] if case == "no_rgb" else [4, 6, 8])
    text = (paddle.randn([4, 5]),) if case == "Mapper_cat" else ()
    optimizer, losses = paddle.optimizer.Adam(0.5, parameters=mapper.parameters()), []
    for _ in range(20):
        loss = ((mapper(latent, *text) - 0.5) ** 2).mean()
        loss.backward()
        assert all(parameter.grad is not None for parameter in mapper.parameters())
        optimizer.step()
        optimizer.clear_grad()
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]


CONDITIONED = {
    "mapper_type": "ConditionedMapper",
    "style_dim": 8,
    "text_dim": 5,
    "layers": 6,
    "width": 16,
    "depth": 2,
}


def test_conditioned_mapper_begins_at_nothing_and_learns_a_step_for_each_text():
    paddle.seed(0)
    mapper = build_mapper(CONDITIONED)
    latent, texts = paddle.randn([4, 6, 8]), paddle.randn([2, 5])
    assert float(mapper(latent, texts[:1]).abs().max()) == 0
    wanted = paddle.randn([2, 1, 6, 8])
    optimizer, losses = paddle.optimizer.Adam(0.01, parameters=mapper.parameters()), []
    for _ in range(120):
        loss = sum(((mapper(latent, texts[k : k + 1]) - wanted[k]) ** 2).mean() for k in (0, 1))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        losses.append(float(loss))
    assert losses[-1] < 0.1 * losses[0]  # another step for each text and each layer
    louder = mapper(latent, 7 * texts[:1]) - mapper(latent, texts[:1])
    assert float(louder.abs().max()) < 1e-5
    both = mapper(latent, paddle.concat([texts, texts]))
    np.testing.assert_allclose(both[1:2].numpy(), mapper(latent[1:2], texts[1:]).numpy(), atol=1e-5)


def test_conditioned_mapper_leaves_its_idle_layers_alone():
    paddle.seed(0)
    whole, part = build_mapper(CONDITIONED), build_mapper({**CONDITIONED, "idle": (0, 5)})
    whole.write.bias.set_value(paddle.ones([8]))
    part.set_state_dict(whole.state_dict())
    latent, text = paddle.randn([2, 6, 8]), paddle.randn([1, 5])
    step, wanted = part(latent, text).numpy(), whole(latent, text).numpy()
    assert not step[:, [0, 5]].any() and wanted[:, [0, 5]].all()
    np.testing.assert_array_equal(step[:, 1:5], wanted[:, 1:5])


@pytest.mark.parametrize(
    "config, words",
    [
        ({"mapper_type": "Levels"}, "known: SingleMapper, LevelsMapper"),
        ({"mapper_type": "LevelsMapper", "mode": "sum"}, "known: Mapper, Mapper_cat"),
        ({"mapper_type": "SingleMapper", "fine": False}, "SingleMapper does not know fine"),
        ({"mapper_type": "LevelsMapper", "levels": (9, 9)}, "config.levels is [9, 9]; allowed: a list of 3"),
        ({"mapper_type": "FullStyleSpaceMapper"}, "needs style_dims"),
    ],
)
def test_unknown_mappers_are_refused(config, words):
    with pytest.raises(ValueError) as error:
        build_mapper(config)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: LevelsMapper(4)(paddle.zeros([1, 14, 4])), "w_plus has 14 layers, this mapper 18"),
        (
            lambda: SingleMapper(4, mode="Mapper_sum")(paddle.zeros([1, 6, 4])),
            "Mapper_sum needs a text vector",
        ),
        (lambda: SingleMapper(4, mode="Mapper_sum")(paddle.zeros([2, 6, 4]), paddle.zeros([3, 4])), "[3, 4]"),
        (lambda: SingleMapper(4, mode="Mapper_sum")(paddle.zeros([2, 6, 4]), paddle.zeros([2, 5])), "[2, 5]"),
        (
            lambda: build_mapper(CONDITIONED)(paddle.zeros([1, 5, 8]), paddle.zeros([1, 5])),
            "takes 6 and [N, 5]",
        ),
        (
            lambda: build_mapper(CONDITIONED)(paddle.zeros([1, 6, 8]), paddle.zeros([1, 8])),
            "text shape [1, 8]",
        ),
        (lambda: build_mapper(CASES["full"])(paddle.zeros([2, 5])), "[2, 5], this mapper takes [N, 1136]"),
    ],
)
def test_latents_and_texts_that_do_not_fit_are_refused(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)
