# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Auto, several edits, recipes and the contact sheet on the command line: files, lines, JSON, refusals."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from photo_world import save_scene

from ppstyleclip.cli.main import main
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.pipelines.recipes import Recipe, edit_by_recipe
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.zoo import load_pack

HAPPY = ["--target", "happy face"]
AUTO = ["--direction_offset", "auto", "--outside", "1"]
TWO = ["--edit", "face -> happy face @ 2", "--edit", "hair -> long hair @ 1"]
pytestmark = [
    pytest.mark.usefixtures("encoder_world"),
    pytest.mark.filterwarnings("always::UserWarning"),  # run_cli prints them
]


def edit(*argv):
    return main(["edit", *argv])


def read(name):
    return cv2.imread(str(name))[:, :, ::-1]


# ---- auto


def test_auto_says_what_it_chose_and_what_bound_it(capsys, encoder_pack):
    assert edit("5", *HAPPY, *AUTO, "-o", "a.png") == 0
    said = capsys.readouterr().out.splitlines()
    assert "on sampled face 5 of tiny: strength" in said[0] and "channels moved" in said[1]
    assert said[2].startswith("strength ") and said[2].endswith(" drawn")
    assert edit("5", *HAPPY, *AUTO, "-o", "a.png", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["auto"]["bound"] in ("reached", "text") and told["auto"]["renders"] >= 1
    assert edit("5", *HAPPY, "--direction_offset", str(told["alpha"]), "-o", "b.png") == 0
    np.testing.assert_array_equal(read("a.png"), read("b.png"))


def test_paddlegans_command_takes_auto_too(capsys):
    argv = ["styleganv2clip", *HAPPY, "--seed", "5", *AUTO, "--beta_threshold", "auto"]
    assert main([*argv, "--contact_sheet", "sheet.png"]) == 0
    said = capsys.readouterr().out
    assert " drawn\n" in said and "wrote sheet.png" in said
    names = {path.name for path in Path("output_dir").iterdir()}
    assert names == {"src.editing.png", "dst.editing.png", "dst.editing.pd"}


def test_a_contact_sheet_beside_the_edit(capsys):
    argv = [*HAPPY, "--direction_offset", "1", "2", "3", "--contact_sheet", "sheet.png"]
    assert edit("5", *argv, "-o", "row.png") == 0
    assert read("sheet.png").shape[0] > read("row.png").shape[0]
    assert capsys.readouterr().out.splitlines()[-2:] == ["wrote row.png", "wrote sheet.png"]


# ---- several edits


def test_several_edits_and_a_recipe_of_the_same(capsys, encoder_pack):
    assert edit("5", *TWO, "-o", "two.png") == 0
    said = capsys.readouterr().out
    assert "happy face and long hair: cosine" in said and "channels shared" in said
    editor = Editor(load_pack(encoder_pack))
    edits = Recipe((Edit("face", "happy face", alpha=2), Edit("hair", "long hair", alpha=1)))
    np.testing.assert_array_equal(
        read("two.png"), result_of(edit_by_recipe(editor, editor.sample(5), edits)).after
    )
    recipe = {
        "edits": [
            {"target": "happy face", "alpha": 2},
            {"neutral": "hair", "target": "long hair", "alpha": 1},
        ]
    }
    Path("recipe.json").write_text(json.dumps(recipe))
    assert edit("5", "--recipe", "recipe.json", "-o", "again.png", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["alpha"] for one in told["edits"]] == [2, 1] and len(told["conflicts"]) == 1
    np.testing.assert_array_equal(read("two.png"), read("again.png"))
    assert edit("5", *TWO, "--orthogonal", "-o", "orthogonal.png") == 0
    assert (read("two.png") != read("orthogonal.png")).any()


def test_options_say_what_edits_leave_open(capsys):
    argv = [
        "--edit",
        "happy face",
        "--edit",
        "sad face @ 1",
        "--beta_threshold",
        "0.2",
        "--direction_offset",
        "2.5",
    ]
    assert edit("5", *argv, "-o", "a.png", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)["edits"]
    assert (first["alpha"], second["alpha"]) == (2.5, 1) and first["beta"] == second["beta"] == 0.2


def test_a_recipe_over_a_photo(capsys):
    save_scene()
    argv = ["scene.png", "--landmarks", "marks.json", "--steps", "2", "--face", "all"]
    assert edit(*argv, *TWO, "-o", "photo.png") == 0
    said = capsys.readouterr().out
    assert "on 3 faces of scene.png" in said and "face 3: long hair: strength 1" in said
    assert main(["photo", *argv, *TWO, "--output_path", "out"]) == 0
    np.testing.assert_array_equal(read("photo.png"), read("out/edited.png"))
    assert main(["photo", *argv, *HAPPY, *AUTO, "--output_path", "auto"]) == 0
    said = capsys.readouterr().out
    assert "face 1: strength" in said and "face 3: strength" in said and " drawn\n" in said


# ---- refusals

RECIPES = {
    "unknown.yaml": "edits: [{target: happy face, strength: 3}]",
    "text.yaml": "happy face",
    "broken.json": "{",
    "region.yaml": "edits: [{target: happy face, region: mouth}]",
    "twice.yaml": "orthogonal: true\nedits: [{target: happy face}, {target: happy face, alpha: 1}]",
}
BAD = [
    ([], "the following arguments are required: --target"),
    ([*HAPPY, "--edit", "sad face"], "--target and --edit each say what to edit"),
    ([*HAPPY, "--recipe", "unknown.yaml"], "--target and --recipe each say"),
    (["--recipe", "none.yaml"], "none.yaml"),
    (["--recipe", "unknown.yaml"], "strength is unknown; known: target"),
    (["--recipe", "text.yaml"], "text.yaml"),
    (["--recipe", "broken.json"], "broken.json: its content cannot be read"),
    (["--recipe", "twice.yaml"], "cannot be made orthogonal"),
    (["--edit", "face ->"], "an edit is 'NEUTRAL -> TARGET @ STRENGTH'"),
    (["--edit", "happy face @ strong"], "behind @ stands a strength"),
    (["--edit", "happy face", "--direction_offset", "1", "2"], "several edits have one strength each"),
    ([*HAPPY, "--direction_offset", "auto", "2"], "auto is one strength"),
    ([*HAPPY, "--direction_offset", "strong"], "is needed, got"),
    ([*HAPPY, "--identity", "0.6"], "budgets of what is solved, and nothing is"),
    ([*HAPPY, "--direction_offset", "auto", "--identity", "0.6"], "needs an identity network"),
    ([*HAPPY, "--direction_offset", "auto", "--identity", "2"], "from 0 to 1 is needed"),
    ([*TWO, "--contact_sheet", "sheet.png"], "a contact sheet shows one edit"),
    ([*HAPPY, "--contact_sheet", "sheet.doc"], "sheet.doc"),
]


@pytest.mark.parametrize("argv, words", BAD)
def test_bad_input_is_one_line_and_exit_code_2(argv, words, capsys):
    for name, text in RECIPES.items():
        Path(name).write_text(text)
    before = sorted(path.name for path in Path().iterdir())
    assert edit("5", *argv, "-o", "a.png") == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("error: ") and words in said[-1]
    assert sum(line.startswith("error") for line in said) == 1
    assert [name for name in sorted(path.name for path in Path().iterdir()) if name != "cache"] == [
        name for name in before if name != "cache"
    ]


def test_a_photo_has_no_contact_sheet(capsys):
    save_scene()
    assert edit("scene.png", *HAPPY, "--contact_sheet", "sheet.png") == 2
    assert "a contact sheet shows a seed or a latent file" in capsys.readouterr().err
