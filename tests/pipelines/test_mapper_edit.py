# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Mappers at work: the chain's arithmetic, several texts at once, style space last, records of a bank."""

import numpy as np
import pytest
from tiny_mappers import STYLES, save_mappers
from tiny_world import live_in, save_tiny_pack

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines import mapper_edit as pipeline


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def kinds(pack):
    return save_mappers(pack)


@pytest.fixture(autouse=True)
def home(pack, kinds, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


@pytest.fixture
def editor():
    return Editor.from_pretrained()


def test_a_chain_goes_on_from_what_the_one_before_made(editor, pack, kinds):
    face = editor.sample(3).numpy()
    chain = pipeline.open_chain(editor, ["smile", "hair"], ["curly"], [1.0, 0.5], folder=pack)
    first, second = pipeline.apply_chain(editor, chain, face)
    expected = face + kinds["smile"].step(face)
    np.testing.assert_allclose(first, expected, atol=1e-6)
    expected = expected + 0.5 * kinds["hair"].step(expected, STYLES[2:])
    np.testing.assert_allclose(second, expected, atol=1e-6)


def test_one_mapper_does_several_texts_at_once(editor, pack, kinds):
    face = editor.sample(3).numpy()
    expected = face + kinds["multi"].step(face, STYLES[0:1] + STYLES[2:3])
    for texts in (["long", "curly"], ["long+curly"]):
        (found,) = pipeline.apply_chain(
            editor, pipeline.open_chain(editor, ["multi"], texts, folder=pack), face
        )
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_mappers_of_style_space_come_last(editor, pack, kinds):
    face = editor.sample(3).numpy()
    chain = pipeline.open_chain(editor, ["smile", "style"], folder=pack)
    w_plus, s = pipeline.apply_chain(editor, chain, face)
    np.testing.assert_allclose(
        s, editor.styles(w_plus).numpy() + kinds["style"].step(editor.styles(w_plus)), atol=1e-5
    )
    to_rgb = ~np.isin(np.arange(s.shape[1]), editor.bundle.layout.editable_index)
    np.testing.assert_array_equal(s[:, to_rgb], editor.styles(w_plus).numpy()[:, to_rgb])
    with pytest.raises(UserError, match="smile moves w_plus, which styles no longer have"):
        list(pipeline.apply_chain(editor, chain[::-1], face))


def test_any_text_for_a_mapper_of_clips_features(editor, pack, kinds):
    (link,) = pipeline.open_chain(editor, ["any"], ["sad face"], folder=pack)
    expected = editor.bundle.clip.encode_text(["sad face"]).numpy()
    np.testing.assert_allclose(link.vector, expected, atol=1e-6)
    with pytest.warns(UserWarning, match="never saw 'purple'"):
        pipeline.open_chain(editor, ["any"], ["purple hair"], folder=pack)
    with pytest.warns(UserWarning, match="never saw") as caught:
        pipeline.open_chain(editor, ["any"], ["x" * 50 + " y" * 50], folder=pack)
    assert len(str(caught[0].message)) < 400
    with pytest.raises(
        UserError, match="0 texts came, .*; give each of them one .any: any, such as .happy face..$"
    ):
        pipeline.open_chain(editor, ["any"], folder=pack)


def test_a_bank_comes_in_batches_and_a_server_writes_nothing(editor, kinds, monkeypatch):
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("no file is opened"))
    faces = editor.sample([1, 2, 3]).numpy()
    chain = pipeline.make_chain(editor, [("smile", kinds["smile"])])
    records = list(pipeline.map_faces(editor, faces, chain, batch_size=2))
    assert [(record.first, record.done, record.total) for record in records] == [(0, 2, 3), (2, 3, 3)]
    mapped = np.concatenate([record.mapped for record in records])
    np.testing.assert_allclose(mapped, faces + kinds["smile"].step(faces), atol=1e-6)
    assert records[1].pictures.shape == (1, 16, 16, 3)
