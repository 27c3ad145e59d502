# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Training of a mapper as a whole task: values in, records, mappers at the end; states, older ones too."""

import json

import numpy as np
import pytest
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper import text_set
from ppstyleclip.pipelines.mapper_training import prepare_training, run_training, sample_latents
from ppstyleclip.pipelines.presets import read_training_preset

TEXTS = text_set(["happy face"])


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def home(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def latents(pack):
    random = np.random.RandomState(3)
    return tuple(random.randn(count, 6, 12).astype(np.float32) for count in (8, 3))


def task_of(latents, preset="official", **changes):
    small = {"steps": 5, "batch_size": 2, "validate_every": 2, "identity": 0.0}
    config = read_training_preset(preset, {**small, **changes})[0]
    return prepare_training(Editor.from_pretrained().bundle, TEXTS, latents, config)


@pytest.mark.slow
def test_the_last_record_has_both_mappers_and_nothing_is_written(latents, tmp_path):
    task = task_of(latents)
    records = list(run_training(task, pictures_every=2))
    assert {path.name for path in tmp_path.iterdir()} <= {"cache", "home"}  # those are Paddle's
    assert [(record.done, record.total) for record in records] == [(k, 5) for k in range(6)]
    assert [record.picture is not None for record in records] == [True, False, True, False, True, True]
    assert [record.val is not None for record in records] == [False, False, True, False, True, True]
    assert [record.is_last for record in records] == [False] * 5 + [True]
    result = records[-1].result
    face = latents[0][:1]
    np.testing.assert_array_equal(result.last.step(face), task.mapper().step(face))
    best = min((record.val["loss"], record.done) for record in records if record.val)[1]
    if best < 5:
        assert (result.best.step(face) != result.last.step(face)).any()
    assert result.last.texts == ("happy face",) and records[0].picture.dtype == np.uint8


def test_the_best_mapper_is_as_it_was_then(latents):
    """At a rate that leads away from it, the best is that of the first validation."""
    task = task_of(latents, learning_rate=30.0, optimizer="adam", validate_every=1)
    kept, face = {}, latents[0][:1]
    for record in run_training(task):
        if record.is_best:
            kept[record.done] = task.mapper().step(face)
    best = task.training.best()[0]
    np.testing.assert_array_equal(record.result.best.step(face), kept[best])


def test_a_state_is_a_value_from_which_another_task_goes_on(latents):
    whole = task_of(latents)
    for record in run_training(whole):
        if record.done == 3:
            arrays, metadata = whole.state()
    assert all(isinstance(value, str) for value in metadata.values())
    part = task_of(latents)
    part.load_state(arrays, metadata)
    assert [record.done for record in run_training(part)] == [3, 4, 5]
    for name, value in whole.state()[0].items():
        np.testing.assert_array_equal(part.state()[0][name], value, err_msg=name)


def test_a_state_of_another_training_is_refused(latents):
    arrays, metadata = task_of(latents).state()
    with pytest.raises(UserError, match="another training: learning_rate 0.5, not 0.1"):
        task_of(latents, learning_rate=0.1).load_state(arrays, metadata)
    with pytest.raises(UserError, match="another training: view"):
        task_of(latents, view="clip").load_state(arrays, metadata)
    with pytest.raises(UserError, match="no state of a training"):
        task_of(latents).load_state(arrays, {**metadata, "kind": "ppstyleclip mapper"})


# What version 0.1 wrote into a state beside fingerprints, texts and classes.
OLD = {
    "mapper_type": "LevelsMapper", "mode": "Mapper", "coarse": True, "medium": True, "fine": True,
    "space": "w_plus", "scale": 0.1, "embed": "none", "batch_size": 2, "optimiser": "ranger", "rate": 0.5,
    "l2": 0.8, "identity": 0.0, "view": "official", "views": 1, "reach": 0.05, "toward": 0.0, "seed": 0,
    "mixed": False,
}  # fmt: skip


def old_metadata(metadata, **changes):
    now = json.loads(metadata["training"])
    same = {name: now[name] for name in ("generator", "clip", "texts", "classes", "latents")}
    return {**metadata, "training": json.dumps({**OLD, **changes, **same})}


def test_a_state_of_an_earlier_version_goes_on(latents):
    arrays, metadata = task_of(latents).state()
    task_of(latents).load_state(arrays, old_metadata(metadata))
    with pytest.raises(UserError, match="another training: learning_rate 0.25, not 0.5"):
        task_of(latents).load_state(arrays, old_metadata(metadata, rate=0.25))


def test_a_directed_state_of_an_earlier_version_began_at_the_whole_picture(latents):
    changes = {"directional_strength": 2.0, "view": "clip", "crops": 3}
    arrays, metadata = task_of(latents, **changes).state()
    old = old_metadata(metadata, toward=2.0, view="clip", views=3)
    with pytest.raises(UserError, match="another training: anchor picture, not crops"):
        task_of(latents, **changes).load_state(arrays, old)
    task_of(latents, **changes, anchor="picture").load_state(arrays, old)
    one = {**changes, "crops": 1}
    task_of(latents, **one).load_state(arrays, old_metadata(metadata, toward=2.0, view="clip", views=1))


def test_sampled_latents_are_those_of_their_seeds():
    editor = Editor.from_pretrained()
    np.testing.assert_array_equal(sample_latents(editor, 3, 5)[2], editor.sample([7]).numpy()[0])
    assert sample_latents(editor, 0, 5).shape == (0, 6, 12)
    for options, words in (
        ((1, -1), "seed must be 0 to"),
        ((-1, 1), "number of faces must be at least 0"),
        ((1, 1, -0.5), "truncation must be a number from 0 on"),
    ):
        with pytest.raises(UserError, match=words):
            sample_latents(editor, *options)
