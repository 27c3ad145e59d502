# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A bank split by texts as a whole task: records, and groups at the end."""

import numpy as np
import pytest
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.split import split_faces


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    live_in(save_tiny_pack(tmp_path / "pack"), monkeypatch, tmp_path)


def test_every_face_is_in_the_group_of_its_likeliest_text():
    editor = Editor.from_pretrained()
    faces = editor.sample(list(range(5))).numpy()
    records = list(split_faces(editor, faces, ("happy face", "sad face"), batch_size=2))
    assert [(record.done, record.total) for record in records] == [(2, 5), (4, 5), (5, 5)]
    assert records[0].result is None
    result = records[-1].result
    assert sorted(np.concatenate(result.groups).tolist()) == list(range(5))
    for text, group in enumerate(result.groups):
        assert (result.shares[group].argmax(axis=1) == text).all()


def test_a_share_beyond_one_is_refused_before_anything_is_drawn():
    with pytest.raises(UserError, match="least must be a number from 0 to 1"):
        next(split_faces(Editor.from_pretrained(), np.zeros([1, 6, 12]), ("a", "b"), least=2.0))
