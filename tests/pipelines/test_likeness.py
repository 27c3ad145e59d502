# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Photographs as portraits, in a tiny world whose likeness is known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from photo_world import SCENE, scene_png
from tiny_world import SIZE, STYLE_DIM, live_in, save_tiny_pack

from ppstyleclip.align import FaceFinder, NoFace, choose, faces_of_landmarks, read_photo
from ppstyleclip.cli import photos
from ppstyleclip.cli.main import main
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines import likeness
from ppstyleclip.pipelines.likeness import are_drawn, edit_likeness, find_people, see_faces
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.worlds import likenesses
from ppstyleclip.worlds.likenesses import LikenessWorld
from ppstyleclip.zoo import load, load_pack

FACES = faces_of_landmarks([face.landmarks for face in SCENE.faces])
HAPPY = Edit("face", "happy face")


def mean_colour(pixels, points):
    """A likeness of one factor, the place of the nose."""
    return SimpleNamespace(factors=np.float32([points[30, 0] / 100]), read={"place": 0.5}, filled=("mood",))


def z_of(factors):
    return np.repeat(np.asarray(factors, np.float32), STYLE_DIM, axis=1)


@pytest.fixture
def pack(tmp_path, monkeypatch):
    folder = save_tiny_pack(tmp_path / "pack")
    live_in(folder, monkeypatch, tmp_path)
    world = LikenessWorld(STYLE_DIM, mean_colour, z_of)
    monkeypatch.setitem(likenesses._WORLDS, "tiny", lambda: world)
    return folder


@pytest.fixture
def editor(pack):
    return Editor(load_pack(pack))


def test_every_chosen_face_becomes_a_portrait_that_is_edited(editor):
    records = list(edit_likeness(editor, SCENE.pixels, HAPPY, FACES))
    made = records[-1].result
    assert [record.stage for record in records] == ["likeness"] * 3 + ["pictures"]
    assert made.pixels.shape == (SIZE, 3 * SIZE, 3)
    assert made.before.shape == made.after.shape == (3, SIZE, SIZE, 3)
    assert (made.before != made.after).any()
    generator = editor.bundle.generator
    assert made.w_plus.shape == (3, generator.n_latent, STYLE_DIM)
    assert np.ptp(made.w_plus[:, 0], axis=0).max() > 0  # each has a latent of its own
    np.testing.assert_array_equal(made.pixels[:, SIZE : 2 * SIZE], made.after[1])


def test_a_model_without_a_likeness_refuses(editor, monkeypatch):
    monkeypatch.delitem(likenesses._WORLDS, "tiny")
    with pytest.raises(UserError, match="'tiny' draws no world"):
        result_of(edit_likeness(editor, SCENE.pixels, HAPPY, FACES))
    assert find_people(editor, SCENE.pixels) is None


def test_a_photo_whose_faces_the_model_draws_well_is_of_its_own_world(editor, monkeypatch):
    assert not are_drawn(editor, SCENE.pixels, FACES)  # it has no encoder that could tell
    drawn = SimpleNamespace(bundle=SimpleNamespace(encoder=1, crop=None, generator=editor.bundle.generator))
    drawn.invert = lambda crops: crops
    drawn.render = lambda crops: crops
    assert are_drawn(drawn, SCENE.pixels, FACES)
    drawn.render = lambda crops: 255 - crops
    assert not are_drawn(drawn, SCENE.pixels, FACES)


def test_people_are_looked_for_by_dlibs_own_detector(editor, monkeypatch):
    monkeypatch.setattr(likeness, "load_people_finder", lambda path: ("finder", path))
    monkeypatch.setattr(likeness, "find_photo_faces", lambda *args, **named: (args[0], named["name"]))
    assert find_people(editor, SCENE.pixels, landmark_path="lm", name="me.jpg") == (
        ("finder", "lm"),
        "me.jpg",
    )


def test_a_photo_of_nobody_is_not_sent_to_another_model(editor, monkeypatch):
    monkeypatch.setattr(likeness, "_look", lambda *_: (None, []))
    for name in ("_count_smaller", "_lying"):
        monkeypatch.setattr(choose, name, lambda *_: 0)
    with pytest.raises(NoFace, match="^no face was found in the photo; use a photo with a face seen"):
        see_faces(editor, SCENE.pixels, finder=FaceFinder(None, None, kind="tiny"))


def test_the_commands_make_portraits_of_a_photo(pack, capsys):
    Path("me.png").write_bytes(scene_png())
    Path("marks.json").write_text(json.dumps([face.landmarks.tolist() for face in SCENE.faces]))
    common = ["--bundle", str(pack), "--landmarks", "marks.json", "--target", "happy face"]
    assert main(["edit", "me.png", *common, "-o", "one.png"]) == 0
    said = capsys.readouterr().out
    assert "face 3: a portrait in its likeness; read: place; not read, so as it goes with that: mood" in said
    assert read_photo("one.png").shape == (SIZE, SIZE, 3)
    assert main(["edit", "me.png", *common, "--json", "-o", "two.png"]) == 0
    assert json.loads(capsys.readouterr().out)["portraits"][0]["read"] == {"place": 0.5}
    assert main(["photo", "me.png", *common, "--face", "2"]) == 0
    assert "face 2: a portrait in its likeness" in capsys.readouterr().out
    assert main(["photo", "me.png", *common, "--face", "all", "--output_path", "out"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "edited.png",
        "faces.npy",
        "faces.png",
        "side_by_side.png",
    ]
    assert np.load("out/faces.npy").shape[0] == 3
    capsys.readouterr()
    assert main(["edit", "me.png", *common, "--tune", "3", "--paste", "replace"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --tune and --paste do nothing with people, of whom 'tiny' draws portraits")
    assert main(["edit", "me.png", *common, "--ir_se50_weights", "marks.json"]) == 2
    assert "--ir_se50_weights does nothing where nothing is solved" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:the face is drawn badly")
@pytest.mark.parametrize("command", [["edit", "me.png", "-o", "out"], ["photo", "me.png"]])
def test_a_drawn_scene_is_read_once_and_its_faces_are_found_once(pack, monkeypatch, command):
    Path("me.png").write_bytes(scene_png())
    (pack / load.LANDMARKS).write_bytes(b"")  # the model finds its own faces
    called = []

    def counted(name, function):
        return lambda *args, **named: called.append(name) or function(*args, **named)

    monkeypatch.setattr(photos, "read_photo", counted("read", read_photo))
    for module in (likeness, choose):
        monkeypatch.setattr(module, "find_faces", counted("found", lambda finder, photo: FACES))
    finder = FaceFinder(None, None, kind="tiny")
    monkeypatch.setattr(likeness, "load_finder", counted("loaded", lambda *_: finder))
    monkeypatch.setattr(likeness, "are_drawn", counted("drawn", lambda *_: True))
    monkeypatch.setattr(choose, "confident_places", lambda *_: [])
    arguments = ["--bundle", str(pack), "--target", "happy face", "--steps", "0", "--face", "2"]
    folder = [] if command[0] == "edit" else ["--output_path", "out"]
    assert main([*command, *arguments, *folder]) == 0
    assert sorted(set(called)) == ["drawn", "found", "loaded", "read"]
    assert all(called.count(name) == 1 for name in ("drawn", "found", "read"))
    assert read_photo("out/edited.png").shape == SCENE.pixels.shape


def test_landmarks_of_people_come_out_of_an_installed_package(tmp_path, monkeypatch):
    live_in(tmp_path, monkeypatch, tmp_path)
    models = tmp_path / "site" / "face_recognition_models" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").write_text("raise ImportError('this is not to be imported')")
    (models / load.DLIB_LANDMARKS).write_bytes(b"landmarks")
    monkeypatch.setattr(load, "_LANDMARK_PACKAGE", "face_recognition_models")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert load.people_landmarks() == models / load.DLIB_LANDMARKS
