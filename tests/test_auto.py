# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`Edit(alpha="auto", beta="auto")` wherever an edit meets a face: Editor, Session; and its refusals."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_world import live_in

from ppstyleclip.editor import Edit, Editor, Session
from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions import Budget
from ppstyleclip.zoo import load_pack

FREE = Budget(outside=1.0)
AUTO = Edit("face", "happy face", alpha="auto", beta="auto", budget=FREE)


@pytest.fixture
def editor(tiny_editor):
    return tiny_editor


def test_each_face_has_its_own_strength(editor):
    faces = editor.sample([5, 6])
    fixed = [editor.fixed(faces[k : k + 1], AUTO) for k in range(2)]
    assert fixed[0].alpha != fixed[1].alpha
    expected = [editor.apply(faces[k : k + 1], fixed[k]).numpy()[0] for k in range(2)]
    np.testing.assert_allclose(editor.apply(faces, AUTO).numpy(), expected, atol=1e-5)


def test_strengths_that_are_given_need_no_solving(editor):
    faces = editor.sample([5])
    assert editor.apply(faces, AUTO, alphas=[1, 2]).shape[0] == 2
    assert editor.direction(AUTO).num_channels == editor.direction(Edit("face", "happy face")).num_channels


def test_beta_alone_is_solved_at_a_given_strength(editor):
    fixed = editor.fixed(editor.sample(5), replace(AUTO, alpha=2.0))
    assert fixed.alpha == 2.0 and fixed.beta != editor.bundle.defaults.beta


def test_a_session_keeps_what_was_solved(editor):
    session = Session(editor, editor.sample(5))
    picture = session.preview(AUTO)
    session.accept(AUTO)
    (kept,) = session.history
    assert kept == editor.fixed(editor.sample(5), AUTO)
    np.testing.assert_array_equal(session.picture(), picture)
    session.accept(AUTO)
    assert abs(session.history[1].alpha) < 0.35 * abs(kept.alpha), "the text was reached already"


def test_numbers_are_wanted_where_there_is_no_face(editor):
    for read in (editor.resolve, editor.step):
        with pytest.raises(UserError, match='alpha "auto" is solved for a face'):
            read(AUTO)


def test_an_identity_budget_needs_a_network(editor):
    edit = replace(AUTO, budget=Budget(identity=0.7))
    with pytest.raises(
        UserError, match="an identity budget of 0.7 needs an identity network, and 'tiny' has none"
    ):
        editor.fixed(editor.sample(5), edit)


@pytest.mark.parametrize("relevance", ["instant"])
def test_directions_from_gradients_are_solved_too(tiny_pack, monkeypatch, tmp_path, relevance):
    live_in(tiny_pack, monkeypatch, tmp_path)
    editor = Editor(load_pack(tiny_pack), relevance=relevance)
    *_, record = editor.solve(editor.sample(5), replace(AUTO, unit="effect"))
    assert record.result.bound in ("reached", "text") and record.result.renders == record.done
