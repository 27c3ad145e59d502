# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Edits that pictures show: the direction between them, their cards, the command, refusals."""

import dataclasses
import json

import numpy as np
import pytest

from ppstyleclip.card import read_card
from ppstyleclip.cli.main import main
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import save_png
from ppstyleclip.pictures import to_images
from ppstyleclip.pipelines.recipe_files import read_recipe
from ppstyleclip.pipelines.recipes import recipe_of
from ppstyleclip.references import KnownReference, check_reference
from ppstyleclip.zoo import load_pack

pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them


@pytest.fixture(scope="module")
def pictures():
    """Six pictures of other sides than the generator's: three before, three after."""
    random = np.random.RandomState(0)
    return [random.randint(0, 256, [40, 48, 3]).astype(np.uint8) for _ in range(6)]


def features(editor, pictures):
    import paddle

    found = [
        editor.bundle.clip.encode_image(paddle.to_tensor(to_images(p[None]))).numpy()[0] for p in pictures
    ]
    return np.stack([one / np.linalg.norm(one) for one in np.asarray(found, np.float64)])


def test_the_direction_goes_between_the_means_of_both_sides(tiny_editor, pictures):
    edit = Edit.of_pictures(pictures[:3], pictures[3:], beta=0.0)
    difference = features(tiny_editor, pictures[3:]).mean(0) - features(tiny_editor, pictures[:3]).mean(0)
    found = tiny_editor.direction(edit)
    np.testing.assert_allclose(found.dt, difference / np.linalg.norm(difference), atol=1e-5)
    assert str(edit) == "before -> after" and tiny_editor.unknown_words(edit) == []
    np.testing.assert_array_equal(found.ds, tiny_editor.direction(dataclasses.replace(edit)).ds)


def test_a_reference_is_gated_and_solved_as_a_text_is(tiny_editor, pictures):
    edit = Edit.of_pictures(pictures[0], pictures[3], beta=0.3, alpha=2.0)
    assert 0 < tiny_editor.direction(edit).num_channels < tiny_editor.bundle.layout.num_editable
    face = tiny_editor.sample(3)
    before, after = tiny_editor.edit(face, edit)
    assert (before != after).any()
    *_, record = tiny_editor.solve(face, Edit.of_pictures(pictures[0], pictures[3], alpha="auto", beta=0.0))
    assert record.result is not None


def test_the_card_keeps_the_direction_and_not_the_pictures(
    tiny_editor, pictures, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for name, picture in (("a.png", pictures[0]), ("b.png", pictures[3])):
        save_png(name, picture)
    assert (
        main(
            [
                "edit",
                "5",
                "--reference",
                "a.png",
                "--reference_to",
                "b.png",
                "--beta_threshold",
                "0",
                "--card",
            ]
        )
        == 0
    )
    assert "a.png -> b.png, on sampled face 5" in capsys.readouterr().out
    card = read_card("edited.card.json")
    dt = card.edits[0].known_reference().dt
    np.testing.assert_array_equal(dt, tiny_editor.direction(Edit.of_pictures("a.png", "b.png", beta=0.0)).dt)
    for name in ("a.png", "b.png"):
        (tmp_path / name).unlink()
    assert main(["replay", "edited.card.json"]) == 0
    assert "the same, bit for bit" in capsys.readouterr().out
    damaged = json.loads((tmp_path / "edited.card.json").read_text())
    damaged["edits"][0]["reference"] = "AAAA"
    (tmp_path / "damaged.card.json").write_text(json.dumps(damaged))
    assert main(["replay", "damaged.card.json"]) == 2
    assert "the card's reference is no unit vector" in capsys.readouterr().err


def test_a_recipe_may_name_pictures(tiny_editor, pictures, tmp_path):
    for name, picture in (("a.png", pictures[0]), ("b.png", pictures[3])):
        save_png(tmp_path / name, picture)
    sides = f"reference: ['{tmp_path}/a.png'], reference_to: ['{tmp_path}/b.png']"
    words = f"edits:\n  - {{name: look, target: look, {sides}}}\n"
    (tmp_path / "look.yaml").write_text(words)
    edit = recipe_of(read_recipe(tmp_path / "look.yaml")).edits[0]
    assert edit.reference == Edit.of_pictures(pictures[0], pictures[3]).reference
    (tmp_path / "half.yaml").write_text(f"edits:\n  - {{target: look, reference: ['{tmp_path}/a.png']}}\n")
    with pytest.raises(UserError, match="pictures on both sides"):
        read_recipe(tmp_path / "half.yaml")


def test_what_is_no_reference_is_one_line(tiny_editor, pictures, tmp_path, capsys):
    with pytest.raises(UserError, match="a reference is a pair"):
        check_reference("a.png")
    with pytest.raises(UserError, match=r"a path or \[H, W, 3\] uint8, got \[2, 2\]"):
        check_reference((np.zeros([2, 2], np.uint8), pictures[0]))
    with pytest.raises(UserError, match="1 to 64 pictures, got 0"):
        check_reference(([], pictures[0]))
    with pytest.raises(MissingFile, match="missing.png"):
        check_reference((tmp_path / "missing.png", pictures[0]))
    with pytest.raises(UserError, match="show the same to CLIP"):
        tiny_editor.direction(Edit.of_pictures(pictures[0], pictures[0]))
    with pytest.raises(UserError, match="has 3 features, CLIP 'portrait' has 16"):
        tiny_editor.direction(Edit("a", "b", reference=KnownReference(np.array([1, 0, 0], np.float32))))
    assert main(["edit", "5", "--reference", "a.png"]) == 2
    assert "--reference and --reference_to go together" in capsys.readouterr().err


def test_where_directions_came_from_is_on_the_card(tiny_pack, tiny_editor):
    own = Editor(load_pack(tiny_pack), relevance="matrix")
    card = own.edit(own.sample(5), Edit("face", "happy face", beta=0.0)).card
    assert card.relevance == "matrix"
    assert tiny_editor.edit(tiny_editor.sample(5), Edit("face", "happy face", beta=0.0)).card.relevance == ""
