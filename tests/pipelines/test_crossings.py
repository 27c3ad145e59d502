# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Where regions, recipes, strengths that are solved, cards and photos meet."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from photo_world import SCENE
from tiny_world import SIZE

from ppstyleclip.align import crop_mask, faces_of_landmarks
from ppstyleclip.card import read_card
from ppstyleclip.cli.main import main
from ppstyleclip.editor import Edit, Editor, Session
from ppstyleclip.files import load_pixels, save_png
from ppstyleclip.methods.global_directions import Budget
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pipelines.contact_sheet import draw_contact_sheet
from ppstyleclip.pipelines.photo import PhotoConfig, edit_photo
from ppstyleclip.pipelines.recipes import Recipe, apply_recipe, edit_by_recipe
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.zoo import load_pack

LEFT = np.zeros([SIZE, SIZE], np.float32)
LEFT[:, : SIZE // 2] = 1
HALF = np.s_[:, SIZE // 2 :]
AUTO = Edit("face", "happy face", alpha="auto", region=LEFT, budget=Budget(outside=0.001))
LONG = Edit("hair", "long hair", alpha=1, region=1 - LEFT)
BOUNDS = ("reached", "text", "identity", "outside")
pytestmark = [
    pytest.mark.usefixtures("encoder_world"),
    pytest.mark.filterwarnings("always::UserWarning"),  # run_cli prints them
]


@pytest.fixture(scope="module")
def editor(encoder_pack):
    return Editor(load_pack(encoder_pack))


def test_outside_of_its_region_a_solved_edit_changes_nothing_and_no_budget_binds_it(editor):
    before, after = made = editor.edit(editor.sample(5), AUTO)
    np.testing.assert_array_equal(after[HALF], before[HALF])
    *_, record = editor.solve(editor.sample(5), AUTO)
    assert record.result.trial.outside < 1e-6 and record.result.bound in ("reached", "text")
    (note,) = made.card.edits
    assert note.bound_by == record.result.bound and note.alpha == pytest.approx(record.result.trial.alpha)
    assert note.region.mask == AUTO.region.fingerprint and made.card.numbers.region == "own"


def test_a_recipe_solves_in_regions_beside_the_others_as_a_session_does(editor):
    face, session = editor.sample(5), Session(editor, editor.sample(5))
    made = result_of(edit_by_recipe(editor, face, Recipe((LONG, AUTO))))
    session.accept(LONG)
    session.accept(AUTO)
    assert session.bounds == ("", session.bounds[1]) and session.bounds[1] in BOUNDS
    assert made.applied.edits[1].alpha != AUTO.alpha and made.applied.bounds[0] == ""
    np.testing.assert_array_equal(made.applied.masks[0], editor.region_masks(face, LONG)[0])
    alone = result_of(edit_by_recipe(editor, face, LONG))
    np.testing.assert_array_equal(made.after[HALF], alone.after[HALF])
    again = result_of(edit_by_recipe(editor, face, made.applied.settled()))
    np.testing.assert_array_equal(again.after, made.after)


def test_an_edit_without_a_region_acts_everywhere_beside_one_with(editor):
    face, everywhere = editor.sample(5), replace(LONG, region=None)
    applied = result_of(apply_recipe(editor, face, Recipe((replace(AUTO, alpha=2), everywhere))))
    assert applied.masks[1] is None and applied.masks[0] is not None
    made = result_of(edit_by_recipe(editor, face, Recipe((replace(AUTO, alpha=2), everywhere))))
    bare = editor.edit(face, everywhere)[1]
    np.testing.assert_array_equal(made.after[HALF], bare[HALF])
    assert (made.after != bare).any()


def test_a_contact_sheet_keeps_to_the_region(editor):
    edit = replace(AUTO, alpha=2.0)
    sheet = result_of(draw_contact_sheet(editor, editor.sample(5), edit, [1.0], []))
    before, after = editor.edit(editor.sample(5), edit)
    np.testing.assert_array_equal(sheet.cells[0, -1], after)
    assert (sheet.cells[0][:, :, SIZE // 2 :] == before[HALF]).all()


def test_card_and_replay_of_a_recipe_of_regions_and_auto():
    for name, mask in (("left", LEFT), ("right", 1 - LEFT)):
        save_png(f"{name}.png", np.repeat(np.uint8(mask * 255)[:, :, None], 3, 2))
    edits = [
        {"target": "happy face", "alpha": "auto", "region": "left.png"},
        {"neutral": "hair", "target": "long hair", "alpha": 1, "region": "right.png"},
    ]
    Path("two.json").write_text(json.dumps({"edits": edits}))
    assert main(["edit", "5", "--recipe", "two.json", "--card", "--visible_label", "-o", "one.png"]) == 0
    card = read_card("one.card.json")
    assert [one.region.name for one in card.edits] == ["left.png", "right.png"]
    assert card.edits[0].bound_by in BOUNDS and not card.edits[1].bound_by
    for name in ("left.png", "right.png"):
        Path(name).unlink()
    assert main(["replay", "one.card.json", "-o", "again.png"]) == 0
    assert Path("again.png").read_bytes() == Path("one.png").read_bytes()


def test_a_photo_with_two_edits_in_two_regions(editor):
    faces, config = faces_of_landmarks([SCENE.faces[0].landmarks]), PhotoConfig("all", FittingConfig(steps=0))
    edits = Recipe((replace(AUTO, region="mouth"), replace(LONG, region="eyes")))
    made = result_of(edit_photo(editor, SCENE.pixels, edits, config, faces=faces))
    (applied,) = made.applied
    mouth, eyes = applied.masks
    assert (mouth != eyes).any() and applied.bounds[0] in BOUNDS and applied.edits[0].region == "mouth"
    changed = (made.pixels != SCENE.pixels).any(axis=2)
    reach = crop_mask(made.faces[0].alignment, np.maximum(mouth, eyes))
    assert changed.any() and not changed[reach == 0].any()


@pytest.mark.slow
def test_faces_of_a_photo_that_were_solved_are_replayed_with_their_own_strengths():
    save_png("scene.png", SCENE.pixels)
    marks = [face.landmarks.tolist() for face in SCENE.faces[:2]]
    Path("marks.json").write_text(json.dumps(marks))
    options = ["--landmarks", "marks.json", "--face", "all", "--steps", "0", "--card", "-o", "one.png"]
    argv = ["--edit", "happy face @ auto", "--edit", "long hair @ 1", "--region", "mouth"]
    assert main(["edit", "scene.png", *argv, *options]) == 0
    for number in (1, 2):
        card = read_card(f"one.{number}.card.json")
        assert len(card.options["strengths"]) == 2 and card.edits[0].region.name == "mouth"
        assert main(["replay", f"one.{number}.card.json", "-o", "again.png"]) == 0
        np.testing.assert_array_equal(load_pixels("again.png"), load_pixels("one.png"))
