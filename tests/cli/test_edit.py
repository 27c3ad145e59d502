# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""`ppstyleclip edit` in its three forms: a seed, a latent file, a photo; files, words, JSON, refusals."""

import json
from pathlib import Path

import cv2
import numpy as np
import paddle
import pytest
from photo_world import ENCODED, SCENE, TARGET, save_scene
from PIL import Image
from tool_main import load_tool

from ppstyleclip.apps import DEFAULT_SEED
from ppstyleclip.cli.main import main
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.pipelines import quality
from ppstyleclip.zoo import load_pack

HAPPY = ["--target", "happy face"]
pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them


@pytest.fixture(autouse=True)
def world(encoder_world):
    save_scene()


def edit(*argv):
    return main(["edit", *argv])


def read(name):
    return cv2.imread(str(name))[:, :, ::-1]


def names(folder="."):
    return sorted(path.name for path in Path(folder).iterdir() if path.is_file())


BROUGHT = ["marks.json", "scene.png"]


# ---- a seed


def test_without_anything_the_default_face_is_edited_here(encoder_pack, capsys):
    assert edit(*HAPPY) == 0
    assert names() == sorted([*BROUGHT, "edited.png"])
    said = capsys.readouterr()
    assert f"face -> happy face, on sampled face {DEFAULT_SEED} of tiny: strength 3 (style units)" in said.out
    assert said.out.splitlines()[-1] == "wrote edited.png" and said.err == ""
    editor = Editor(load_pack(encoder_pack))
    expected = editor.edit(editor.sample(DEFAULT_SEED), Edit("face", "happy face"))[1]
    np.testing.assert_array_equal(read("edited.png"), expected)


def test_digits_are_a_seed_and_a_folder_gets_all_files(capsys):
    assert edit("5", *HAPPY, "--direction_offset", "-1", "2", "-o", "out") == 0
    assert load_tool("styleganv2clip")([*HAPPY, "--seed", "5", "--direction_offset", "-1", "2"]) == 0
    assert names("out") == names("output_dir")
    for name in names("out"):
        if not name.endswith(".pd"):
            assert (Path("out") / name).read_bytes() == (Path("output_dir") / name).read_bytes()
    first, second = (paddle.load(f"{folder}/dst.editing.pd") for folder in ("out", "output_dir"))
    assert all((x.numpy() == y.numpy()).all() for x, y in zip(first, second))


@pytest.mark.parametrize("name", ["e.xyz/", "there.d", "run.2"])
def test_a_folder_may_have_a_name_with_a_dot(name):
    Path("there.d").mkdir()
    assert edit("5", *HAPPY, "-o", name) == 0
    assert "dst.editing.png" in names(name)


def test_several_strengths_in_one_picture_are_a_row():
    assert edit("5", *HAPPY, "--direction_offset", "-1", "0", "2", "-o", "row.png") == 0
    assert edit("5", *HAPPY, "--direction_offset", "-1", "0", "2", "--output_path", "out") == 0
    np.testing.assert_array_equal(read("row.png"), read("out/strip.png"))


@pytest.mark.parametrize("name", ["face.jpg", "new/face.webp", "FACE.PNG"])
def test_the_name_of_a_picture_says_its_format(name):
    assert edit(*HAPPY, "-o", name) == 0
    with Image.open(name) as image:
        assert image.format == {"jpg": "JPEG", "webp": "WEBP", "png": "PNG"}[name.lower().rpartition(".")[2]]


# ---- a latent file


@pytest.mark.parametrize("kind", ["npy", "npz", "pdparams", "safetensors"])
def test_a_latent_file_is_a_face(kind, encoder_pack):
    editor = Editor(load_pack(encoder_pack))
    w_plus = editor.sample(5).numpy()
    path = f"face.{kind}"
    if kind == "npy":
        np.save(path, w_plus[0])
    elif kind == "npz":
        np.savez(path, w_plus=w_plus)
    elif kind == "pdparams":
        paddle.save(paddle.to_tensor(w_plus), path)
    else:
        path = str(encoder_pack / "latents.safetensors")
        w_plus = editor.bundle.latents[1:2]
    index = ["--index", "1"] if kind == "safetensors" else []
    assert edit(path, *HAPPY, *index, "-o", "a.png") == 0
    np.testing.assert_array_equal(read("a.png"), editor.edit(w_plus, Edit("face", "happy face"))[1])


# ---- a photo


def test_a_photo_is_edited_as_the_long_command_does(capsys):
    assert edit("scene.png", *TARGET, "--face", "all", "-o", "photo.png") == 0
    said = capsys.readouterr().out
    assert edit("scene.png", *TARGET, "--face", "all", "-o", "folder") == 0
    assert load_tool("edit_photo")(["scene.png", *TARGET, "--face", "all", "--output_path", "out"]) == 0
    assert names("folder") == names("out")
    for name in names("out"):
        assert (Path("folder") / name).read_bytes() == (Path("out") / name).read_bytes()
    np.testing.assert_array_equal(read("photo.png"), read("out/edited.png"))
    assert said.splitlines()[0] == "face -> happy face, strength 3, on 3 faces of scene.png"
    assert said.splitlines()[-1] == "wrote photo.png"


def test_the_knobs_of_an_edit_hold_for_photos_too():
    assert edit("scene.png", *ENCODED, "--direction_offset", "0", "--paste", "difference") == 0
    np.testing.assert_array_equal(read("edited.png"), SCENE.pixels)
    assert edit("scene.png", *ENCODED, "--alpha_unit", "sigma", "-o", "sigma.png") == 0
    assert edit("scene.png", *ENCODED, "-o", "style.png") == 0
    assert (read("sigma.png") != read("style.png")).any()


# ---- JSON


def test_json_is_one_object_and_nothing_else(encoder_pack, capsys):
    assert edit("5", *HAPPY, "--direction_offset", "1", "2", "-o", "out", "--json") == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert said.err == "" and len(said.out.splitlines()) == 1
    assert told["model"] == "tiny" and told["source"] == "sampled face 5"
    assert (told["neutral"], told["target"], told["unit"]) == ("face", "happy face", "style")
    assert (told["alpha"], told["alphas"], told["beta"]) == (2.0, [1.0, 2.0], 0.1)
    assert 0 < told["channels"] <= told["editable_channels"] == 28
    assert [Path(path).name for path in told["written"]] == [
        "src.editing.png", "dst.editing.png", "dst.editing.pd", "strip.png"]  # fmt: skip
    assert all(Path(path).is_file() for path in told["written"]) and told["seconds"] > 0


def test_json_of_a_photo_tells_how_each_face_is_drawn(capsys, monkeypatch):
    monkeypatch.setattr(quality, "POOR", 99.0)
    assert edit("scene.png", *TARGET, "--face", "all", "--json") == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["source"] == "scene.png" and told["written"] == ["edited.png"] and told["alpha"] == 3.0
    assert len(told["faces"]) == 3 and all(face["poor"] and face["psnr"] > 0 for face in told["faces"])
    assert said.err.splitlines()[0].startswith("warning: face 1 is drawn badly")


# ---- what it refuses


@pytest.mark.parametrize(
    "argv, words",
    [
        (["nowhere.npy"], "there is no file nowhere.npy"),
        (["nowhere.jpg"], "there is no file nowhere.jpg"),
        (["."], ". is a folder; for folders and videos there is: ppstyleclip photo"),
        (["text.npy"], "text.npy"),
        (["text.jpg"], "text.jpg is not a picture that can be read"),
        (["scene.png", "--landmarks", "marks.json", "--direction_offset", "1", "2"], "at one strength"),
        (["scene.png", "--landmarks", "marks.json", "--face", "9"], "there is no face 9"),
        (["scene.png", "--steps", "-1"], "--steps: a whole number from 0 to 100000 is needed"),
        (["99999999999"], "seed must be 0 to"),
        (["5", "-o", "text.jpg/out"], "cannot write text.jpg/out"),
        (["5", "-o", "e.xyz"], "e.xyz names no format of .png, .jpg, "),
        (["5", "-o", "out/e.mp4"], "choose one of them, or write out/e.mp4/ for a folder"),
        (["5", "--target", "face"], "say the same"),
    ],
)
def test_bad_input_is_one_clear_line_and_code_2(argv, words, capsys):
    for name in ("text.npy", "text.jpg"):
        Path(name).write_text("this is a text")
    before = names()
    target = [] if "--target" in argv else HAPPY
    assert edit(*argv, *target) == 2
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith("error: ") and words in line and said.out == "" and names() == before


def test_help_says_what_the_first_argument_may_be_and_where_the_picture_goes(capsys):
    with pytest.raises(SystemExit) as left:
        edit("--help")
    said = " ".join(capsys.readouterr().out.split())
    assert left.value.code == 0 and said.startswith("usage: ppstyleclip edit")
    assert "SEED | LATENT | PHOTO" in said and "(default: edited.png)" in said and "--json" in said
