# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""--align none: for cats, cars and churches the square in the middle is taken, and no face is looked for."""

import json
from pathlib import Path

import numpy as np
import pytest
from photo_world import SCENE, SIZE, names, read, run
from PIL import Image

from ppstyleclip.align import crop_to_photo, cut_square
from ppstyleclip.cli.main import main
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines import faces as finding

TARGET = ["--target", "happy face"]
pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them


@pytest.fixture(autouse=True)
def nothing_is_looked_for(monkeypatch):
    monkeypatch.setattr(finding, "load_finder", None)


def middle():
    """Which pixels of the scene are in the square."""
    height, width = SCENE.pixels.shape[:2]
    side, inside = min(height, width), np.zeros([height, width], bool)
    inside[:, (width - side) // 2 : (width + side) // 2] = True
    return inside


@pytest.mark.parametrize("shape", [(60, 100), (100, 60), (64, 64), (33, 48)])
def test_the_square_goes_back_to_where_it_was_cut(shape):
    height, width = shape
    photo = np.random.RandomState(0).randint(0, 256, [height, width, 3]).astype(np.uint8)
    side = min(shape)
    crop, alignment = cut_square(photo, side)
    left, top = (width - side) // 2, (height - side) // 2
    np.testing.assert_array_equal(crop, photo[top : top + side, left : left + side])
    np.testing.assert_allclose(crop_to_photo(alignment, side), [[1, 0, left], [0, 1, top]], atol=1e-9)
    assert cut_square(photo, 16)[0].shape == (16, 16, 3)


def test_a_photo_is_edited_in_its_middle_alone(capsys):
    assert run("edit_photo", "scene.png", *TARGET, "--align", "none", "--steps", "2") == 0
    changed = (read("edited.png") != SCENE.pixels).any(2)
    assert changed[middle()].mean() > 0.3 and not changed[~middle()].any()
    assert np.load("out/faces.npy").shape[0] == 1 and read("faces.png").shape[0] == SIZE + 4
    capsys.readouterr()


def test_its_card_is_replayed(capsys):
    argv = ["edit", "scene.png", *TARGET, "--align", "none", "--steps", "2", "--card"]
    assert main(argv) == 0
    card = json.loads(Path("edited.card.json").read_text())
    assert card["options"]["align"] == "none" and card["options"]["landmarks"] == []
    assert main(["replay", "edited.card.json", "--source", "scene.png"]) == 0
    assert "the same, bit for bit" in capsys.readouterr().out


def test_a_folder_is_edited_so_too(capsys):
    Path("many").mkdir()
    for number in (1, 2):
        Image.fromarray(SCENE.pixels[:, 40 * number :]).save(f"many/{number}.png")
    assert run("edit_photo", "many", *TARGET, "--align", "none", "--steps", "1") == 0
    assert names() == ["1.edited.png", "2.edited.png"]
    assert "on 2 faces in 2 of 2 pictures of many" in capsys.readouterr().out


def test_regions_by_name_need_landmarks_and_a_mask_does_not(capsys):
    argv = ["edit_photo", "scene.png", *TARGET, "--align", "none", "--steps", "0"]
    for region in ("mouth", "eyes+brows"):
        assert run(*argv, "--region", region) == 2
        said = capsys.readouterr().err  # one line, before anything is done
        assert said.startswith(
            f"error: --region {region} is looked up in a face's landmarks, and --align none"
        )
        assert said.count("\n") == 1
    mask = np.zeros(SCENE.pixels.shape[:2], np.uint8)
    mask[80:160, 120:200] = 255
    Image.fromarray(mask).save("mask.png")
    assert run(*argv, "--region", "mask.png") == 0
    changed = (read("edited.png") != SCENE.pixels).any(2)
    assert changed[mask > 0].any()
    changed[60:180, 100:220] = False  # a pixel of the crop is 15 wide there
    assert not changed.any()


def test_what_is_unknown_or_tiny_is_refused(capsys):
    assert run("edit_photo", "scene.png", *TARGET, "--align", "none", "--landmarks", "marks.json") == 2
    assert "--landmarks does nothing with --align none; leave it out" in capsys.readouterr().err
    with pytest.raises(UserError, match="unknown alignment 'eyes', known: face, none"):
        finding.check_align("eyes")
    with pytest.raises(UserError, match="the picture is tiny: 30x10"):
        cut_square(np.zeros([10, 30, 3], np.uint8), 16)
