# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Optimisation as a whole task: values in, records, a value at the end; no file, no bar."""

import numpy as np
import pytest
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.optimization import (
    OptimizationHistory,
    mean_start,
    optimize_faces,
    sample_start,
    to_saveable,
    to_space,
)
from ppstyleclip.pipelines.presets import read_optimization_preset


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def home(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


def config_of(**changes):
    return read_optimization_preset(
        "official", **{"steps": 6, "learning_rate": 0.05, "rampup": 0.0, **changes}
    )


@pytest.mark.slow
def test_the_last_record_has_the_result_and_nothing_is_written(tmp_path):
    editor, config = Editor.from_pretrained(), config_of()
    start = sample_start(editor, [1, 2], "w_plus")
    history = OptimizationHistory(editor, start, config, keep_frames=True)
    records = list(optimize_faces(editor, start, ["happy face"], config, pictures_every=4, history=history))
    assert {path.name for path in tmp_path.iterdir()} <= {"cache", "home"}  # those are Paddle's
    assert [(record.done, record.total) for record in records] == [(k, 6) for k in range(1, 7)]
    assert [record.pictures is not None for record in records] == [False] * 3 + [True] + [False] * 2
    assert all(record.result is None for record in records[:-1])
    result = records[-1].result
    assert result.before.shape == result.after.shape == (2, 16, 16, 3) and result.before.dtype == np.uint8
    np.testing.assert_array_equal(result.before, editor.render(start))
    np.testing.assert_array_equal(result.after, editor.render(result.latent))
    np.testing.assert_array_equal(result.latent, records[-1].value)
    assert result.losses["clip"].shape == (6, 2) and len(result.frames) == 6
    np.testing.assert_array_equal(result.frames[0], result.before)


def test_a_run_that_ends_early_has_a_result_too():
    """Closing the generator cancels; the history has what was reached, and what was last evaluated."""
    editor, config = Editor.from_pretrained(), config_of()
    start = sample_start(editor, [1], "w_plus")
    history = OptimizationHistory(editor, start, config)
    assert history.is_empty
    records = optimize_faces(editor, start, ["happy face"], config, history=history)
    values = [next(records).value for _ in range(3)]
    records.close()
    assert list(records) == [] and not history.is_empty
    np.testing.assert_array_equal(history.result().latent, values[2])
    np.testing.assert_array_equal(history.result(evaluated=True).latent, values[1])
    assert history.result().losses["clip"].shape == (3, 1)


@pytest.mark.parametrize("space", ["z", "w", "w_plus", "s"])
def test_a_seed_is_the_same_face_in_every_space(space):
    editor = Editor.from_pretrained()
    start = sample_start(editor, [7], space, truncation=1.0)
    wanted = editor.render(editor.sample([7], truncation=1.0))
    assert np.abs(editor.render(to_saveable(editor, start, space)).astype(int) - wanted).max() <= 1
    assert mean_start(editor, space).shape == start.shape


def test_seeds_that_cannot_be_are_refused():
    editor = Editor.from_pretrained()
    for space in ("z", "w_plus"):
        with pytest.raises(UserError, match="seed must be 0 to 4294967295, got -1"):
            sample_start(editor, [-1], space)
    with pytest.raises(UserError, match="from which z cannot be had"):
        to_space(editor, editor.sample([1]).numpy(), "z")
