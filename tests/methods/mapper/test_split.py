# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latents sorted by CLIP: the shares against their formula, groups, bad input."""

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper.split import groups_of, text_shares

TEXTS = ("happy face", "sad face", "long hair")


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def home(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


def faces_of(editor, count=7):
    return editor.sample(list(range(count))).numpy()


def test_shares_are_a_softmax_of_cosines():
    editor = Editor.from_pretrained()
    faces, clip = faces_of(editor), editor.bundle.clip
    parts = list(text_shares(editor.draw, clip, faces, TEXTS, batch_size=3))
    assert [(part.first, part.done, part.total) for part in parts] == [(0, 3, 7), (3, 6, 7), (6, 7, 7)]
    assert [len(part.shares) for part in parts] == [3, 3, 1]
    images = clip.encode_image(paddle.to_tensor(editor.synthesize(faces))).numpy().astype("float64")
    texts = clip.encode_text(list(TEXTS)).numpy().astype("float64")
    images, texts = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (images, texts))
    odds = np.exp(np.exp(clip.logit_scale.numpy()) * images @ texts.T)
    found = np.concatenate([part.shares for part in parts])
    np.testing.assert_allclose(found, odds / odds.sum(axis=1, keepdims=True), atol=1e-4)
    assert found.std() > 0.01


def test_groups_and_those_that_are_left_out():
    shares = np.array([[0.6, 0.4], [0.1, 0.9], [0.45, 0.55], [1.0, 0.0]])
    assert [group.tolist() for group in groups_of(shares)] == [[0, 3], [1, 2]]
    assert [group.tolist() for group in groups_of(shares, 0.6)] == [[0, 3], [1]]


def test_bad_input_is_refused():
    with pytest.raises(UserError, match="two texts or more"):
        text_shares(None, None, [], ["one"])
    with pytest.raises(UserError, match="batch_size must be at least 1"):
        text_shares(None, None, [], TEXTS, batch_size=0)
    with pytest.raises(UserError, match="least must be a number from 0 to 1"):
        groups_of(np.ones([2, 2]), 1.5)
