# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the commands say of the faces in a photo, which results they write, and which advice they give."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from edges import slow
from photo_world import TARGET, TOOLS, names, read, run
from PIL import Image

from ppstyleclip.apps import Pixel2Style2PixelPredictor
from ppstyleclip.cli.main import run_command
from ppstyleclip.cli.mappers.mapper_data import photo_latents
from ppstyleclip.cli.photos import distinct_names
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pipelines.photo import PhotoConfig, edit_photo
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.worlds.portrait.scenes import draw_scene

pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them
SMALL = draw_scene(6, faces=1, width=260, height=240, sides=(120, 130), angles=(-5, 5))
QUICK = ["--target", "happy face", "--steps", "0"]


def save(pixels, name):
    Image.fromarray(np.ascontiguousarray(pixels)).save(name)


# ---- one line on what was found


def test_the_faces_that_were_found_are_said_first(embedded, capsys):
    save(SMALL.pixels, "one.png")
    assert run("edit_photo", "one.png", *QUICK) == 0
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith("found 1 face in one.png: 1 at ") and first.endswith("; chosen: face 1")
    assert " pixels, confidence " in first and second.startswith("face -> happy face")


@pytest.mark.slow
def test_edit_says_it_as_json(embedded, capsys):
    save(SMALL.pixels, "one.png")
    assert run_command("edit", ["one.png", *QUICK, "-o", "a.png", "--json"]) == 0
    (face,) = json.loads(capsys.readouterr().out)["faces"]
    assert face["confidence"] > 0.5 and len(face["box"]) == 4
    middle = SMALL.faces[0].box[0] / 2 + SMALL.faces[0].box[2] / 2
    assert abs((face["box"][0] + face["box"][2]) / 2 - middle) < 20


def test_confidence_is_a_value_in_python(embedded):
    config = PhotoConfig(fitting=FittingConfig(steps=0))
    editor = Editor.from_pretrained()
    made = result_of(edit_photo(editor, SMALL.pixels, Edit("face", "happy face"), config))
    (aligned,) = made.faces
    assert aligned.face is not None and aligned.face.confidence > 0.5


@pytest.mark.parametrize("tool, argv", [
    ("pixel2style2pixel", ["--input_image", "lying.png"]),
    slow(("styleganv2fitting", ["--input_image", "lying.png", "--need_align"])),
    ("edit_photo", ["lying.png", "--target", "happy face"])])  # fmt: skip
def test_a_face_on_its_side_asks_for_a_turn(embedded, capsys, tool, argv):
    """And only commands that take landmarks speak of them."""
    save(np.rot90(SMALL.pixels), "lying.png")
    assert TOOLS[tool]([*argv, "--output_path", "out"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "one that lies on its side; turn the photo to the right first" in line
    assert line.endswith("; or give the 68 landmarks by --landmarks") == (tool != "styleganv2fitting")
    assert ("landmarks" in line) == (tool != "styleganv2fitting")


def test_without_dlib_landmarks_are_offered_where_they_are_taken(embedded, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dlib", None)
    save(SMALL.pixels, "one.png")
    assert run("edit_photo", "one.png", *QUICK) == 2
    said = capsys.readouterr().err
    assert "run: pip install dlib-bin; or give the 68 landmarks by --landmarks" in said
    assert run("styleganv2fitting", "--input_image", "one.png", "--need_align") == 2
    assert capsys.readouterr().err.rstrip().endswith("run: pip install dlib-bin")
    with pytest.raises(MissingExtra, match="by landmarks=$"):
        Pixel2Style2PixelPredictor("out").run("one.png")


# ---- results of pictures that share their names


@pytest.mark.slow
def test_pictures_that_differ_by_their_endings_have_results_of_their_own(embedded, capsys):
    Path("both").mkdir()
    other = draw_scene(4, faces=1, width=260, height=240, sides=(120, 130)).pixels
    save(SMALL.pixels, "both/a.png")
    save(other, "both/a.bmp")
    save(other, "both/b.png")
    assert run("edit_photo", "both", *QUICK) == 0
    assert names() == ["a.bmp.edited.png", "a.png.edited.png", "b.edited.png"]
    said = capsys.readouterr()
    assert "wrote " in said.out and " and 2 more" in said.out
    assert "2 pictures share their names but for the ending, so their results keep it" in said.err
    assert np.abs(read("a.png.edited.png").astype(int) - SMALL.pixels).mean() < 10
    assert np.abs(read("a.bmp.edited.png").astype(int) - other).mean() < 10


@pytest.mark.parametrize("paths, results", [
    (["a.png", "b.jpg"], ["a", "b"]),
    (["a.jpg", "a.png", "b.png"], ["a.jpg", "a.png", "b"]),
    (["A.png", "a.jpg"], ["A.png", "a.jpg"]),
    (["a.jpg", "a.png", "a.jpg.png"], ["00001.a.jpg", "00002.a.png", "00003.a.jpg.png"]),
    (["A.png", "a.png"], ["00001.A.png", "00002.a.png"])])  # fmt: skip
def test_names_of_results_differ_on_every_system(paths, results):
    if results != [Path(path).stem for path in paths]:
        with pytest.warns(UserWarning, match="share their names but for the ending"):
            assert distinct_names([Path(path) for path in paths]) == results
    else:
        assert distinct_names([Path(path) for path in paths]) == results


# ---- nothing is written over its source


def test_a_result_never_takes_the_place_of_its_source(capsys):
    Path("edited.png").write_bytes(Path("scene.png").read_bytes())
    Path("frames").mkdir()
    for name in ("a.png", "a.edited.png"):
        Path("frames", name).write_bytes(Path("scene.png").read_bytes())
    before = {path: path.read_bytes() for path in Path().rglob("*.png")}
    for argv in (
        ["edited.png", *TARGET, "--output_path", "."],
        ["frames", *QUICK, "--output_path", "frames"],
    ):
        assert TOOLS["edit_photo"](argv) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "would overwrite its source; choose another --output_path" in line
    assert run_command("edit", ["edited.png", *TARGET]) == 2
    assert {path: path.read_bytes() for path in Path().rglob("*.png")} == before


# ---- a mapper's photos


def test_the_best_face_of_each_photo_becomes_a_latent(embedded):
    Path("frames").mkdir()
    two = draw_scene(21, faces=2, width=420, height=240, sides=(100, 150)).pixels
    for name, pixels in (("a", SMALL.pixels), ("b", np.full((200, 200, 3), 90, np.uint8)), ("c", two)):
        save(pixels, f"frames/{name}.png")
    editor = Editor.from_pretrained()
    with pytest.warns(UserWarning, match="left out: no face of the kind that 'portrait' knows .*b.png"):
        found = photo_latents(editor, "frames")
    assert found.shape == (2, editor.bundle.generator.n_latent, editor.bundle.generator.style_dim)
    with pytest.raises(UserError, match="the folder nowhere is not there; check the path"):
        photo_latents(editor, "nowhere")
