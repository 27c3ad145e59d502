# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Several edits at once: their sum, their conflicts, orthogonal steps, and strengths that are solved."""

from dataclasses import replace

import numpy as np
import pytest

from ppstyleclip.editor import Edit, Session
from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions import Budget
from ppstyleclip.pipelines.recipe_files import EditWords, RecipeWords
from ppstyleclip.pipelines.recipes import (
    Recipe,
    apply_recipe,
    check_recipe,
    edit_by_recipe,
    edit_styles,
    needs_solving,
    recipe_of,
)
from ppstyleclip.pipelines.records import result_of

HAPPY, SAD, LONG = (
    Edit("face", "happy face", alpha=2),
    Edit("face", "sad face", alpha=1),
    Edit("hair", "long hair"),
)
FREE = Budget(outside=1.0)


@pytest.fixture
def editor(tiny_editor):
    return tiny_editor


def deviations(editor, ds):
    return ds / editor.bundle.stats.std


def cosine(one, two):
    return float(one @ two / np.linalg.norm(one) / np.linalg.norm(two))


# ---- sums


def test_steps_add_up_as_in_a_session(editor):
    face, session = editor.sample(5), Session(editor, editor.sample(5))
    for edit in (HAPPY, LONG):
        session.accept(edit)
    applied = result_of(apply_recipe(editor, face, Recipe((HAPPY, LONG))))
    np.testing.assert_allclose(applied.s, session.s.numpy(), atol=1e-5)
    assert [edit.alpha for edit in applied.edits] == [2, 3.0] and applied.solutions == (None, None)
    assert applied.lines == []


def test_one_edit_is_a_recipe_too(editor):
    faces = editor.sample([5, 6])
    np.testing.assert_allclose(
        edit_styles(editor, faces, HAPPY), editor.apply(faces, HAPPY).numpy(), atol=1e-6
    )
    made = result_of(edit_by_recipe(editor, faces[:1], HAPPY))
    before, after = editor.edit(faces[:1], HAPPY)
    np.testing.assert_array_equal(made.before, before)
    np.testing.assert_array_equal(made.after, after)
    assert (
        made.conflicts == [] and made.alphas == [2] and len(made.styles) == len(editor.bundle.layout.channels)
    )


# ---- conflicts


def test_conflicts_are_the_cosines_and_the_channels_that_both_move(editor):
    first, second, third = check_recipe(editor, Recipe((HAPPY, SAD, LONG), names=("a", "b", "c")))
    assert (first.first, first.second, third.first, third.second) == ("a", "b", "b", "c")
    known = [editor.direction(edit) for edit in (HAPPY, SAD)]
    steps = [deviations(editor, one.ds) for one in known]
    assert first.cosine == pytest.approx(cosine(*steps), abs=1e-4)
    both = known[0].chosen & known[1].chosen
    assert first.shared == both.sum() and 0 <= first.opposed <= first.shared
    assert first.line.startswith(f"a and b: cosine {first.cosine:+.2f}, {first.shared} channels shared")
    assert second.second == "c"


def test_an_edit_and_its_opposite_work_against_each_other(editor):
    (found,) = check_recipe(editor, Recipe((HAPPY, Edit("happy face", "face"))))
    assert found.cosine == pytest.approx(-1, abs=1e-3) and found.opposed == found.shared > 0
    assert "work against each other" in found.line
    (found,) = check_recipe(editor, Recipe((HAPPY, replace(HAPPY, alpha=1.0))))
    assert found.opposed == 0 and "much of the same" in found.line


# ---- orthogonal


def test_orthogonal_steps_share_nothing_and_keep_their_length_along_themselves(editor):
    face = editor.sample(5)
    plain = [deviations(editor, editor.direction(edit).ds) for edit in (HAPPY, SAD)]
    steps = []
    for k in range(2):
        alone = tuple(replace(edit, alpha=1.0 if k == j else 0.0) for j, edit in enumerate((HAPPY, SAD)))
        s = result_of(apply_recipe(editor, face, Recipe(alone, orthogonal=True))).s
        steps.append(deviations(editor, s[0] - editor.styles(face).numpy()[0]))
    assert abs(cosine(*plain)) > 0.01 and abs(cosine(*steps)) < 1e-3
    for step, was in zip(steps, plain):
        assert step @ was / np.linalg.norm(was) == pytest.approx(np.linalg.norm(was), rel=1e-3)


def test_the_same_edit_twice_cannot_be_made_orthogonal(editor):
    with pytest.raises(UserError, match="cannot be made orthogonal"):
        check_recipe(editor, Recipe((HAPPY, replace(HAPPY, alpha=1.0)), orthogonal=True))


# ---- solved


def test_auto_is_solved_in_the_place_of_its_edit(editor):
    face = editor.sample(5)
    recipe = Recipe(
        (HAPPY, Edit("hair", "long hair", alpha="auto", beta="auto", budget=FREE)), ("smile", "hair")
    )
    assert needs_solving(recipe) and not needs_solving(HAPPY)
    records = list(apply_recipe(editor, face, recipe))
    applied = records[-1].result
    done = [record.done for record in records]
    assert done == sorted(done) and done[-1] == records[-1].total
    assert applied.edits[0].alpha == 2 and applied.solutions[0] is None
    found = applied.solutions[1]
    assert applied.edits[1].alpha == found.trial.alpha and applied.edits[1].beta == found.trial.beta
    assert applied.lines == [f"hair: {found.line}"]
    again = result_of(apply_recipe(editor, face, applied.settled()))
    np.testing.assert_allclose(again.s, applied.s, atol=1e-5)


def test_many_faces_are_solved_one_by_one(editor):
    edit, faces = Edit("face", "happy face", alpha="auto", budget=FREE), editor.sample([5, 6])
    s = edit_styles(editor, faces, edit)
    for k in range(2):
        expected = result_of(apply_recipe(editor, faces[k : k + 1], edit)).s
        np.testing.assert_allclose(s[k : k + 1], expected, atol=1e-5)


# ---- from words


def test_a_recipe_of_words():
    words = RecipeWords(
        (EditWords("happy face", name="smile"), EditWords("long hair", "hair", alpha="auto")), identity=0.8
    )
    recipe = recipe_of(words)
    assert recipe.names == ("smile", "long hair") and recipe.edits[0].budget == Budget(identity=0.8)
    assert recipe.edits[1].alpha == "auto" and recipe.edits[1].neutral == "hair"
    assert recipe_of(RecipeWords((EditWords("happy face"),))).edits[0].budget is None


def test_a_recipe_without_edits():
    with pytest.raises(UserError, match="needs an edit"):
        Recipe(())
