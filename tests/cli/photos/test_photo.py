# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""edit_photo.py on one photo: files, words, which face, how it returns."""

import copy
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from edges import slow
from photo_world import EDITED, ENCODED, SCENE, SIZE, TARGET, crops, decibels, masks, names, read, run
from PIL import Image
from tiny_encoder import LEVELS
from tiny_world import STYLE_DIM

from ppstyleclip.align import align_face, crop_mask
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines import quality
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.zoo import load, load_bundle, load_pack, save_generator

pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them


def test_one_command_from_photo_to_photo(capsys):
    assert run("edit_photo", "scene.png", *TARGET, "--face", "all") == 0
    assert names() == EDITED
    said = capsys.readouterr()
    first, *rest = said.out.splitlines()
    assert first == "face -> happy face, strength 3, on 3 faces of scene.png"
    assert said.err == ""
    for number, line in enumerate(rest[:3], 1):
        assert line.startswith(f"face {number}: PSNR ") and line.endswith(" s")
        assert " (no LPIPS), identity not measured (no network; give --ir_se50_weights), " in line
    assert rest[3:] == [
        f"wrote {Path('out') / name}" for name in ("edited.png", "side_by_side.png", "faces.png", "faces.npy")
    ]
    assert np.load("out/faces.npy").shape == (3, LEVELS, STYLE_DIM)
    changed = (read("edited.png") != SCENE.pixels).any(2)
    outside = np.max(masks(), axis=0) == 0
    assert not changed[outside].any()
    assert all(changed[mask > 0.5].mean() > 0.3 for mask in masks())
    np.testing.assert_array_equal(read("side_by_side.png")[4:244, 4:324], SCENE.pixels)
    np.testing.assert_array_equal(read("side_by_side.png")[4:244, 328:648], read("edited.png"))
    assert read("faces.png").shape == (3 * (SIZE + 2) + 2, 3 * (SIZE + 2) + 2, 3)


@pytest.mark.parametrize("which", ["1", slow("3"), "largest"])
def test_only_the_chosen_face_changes(which, capsys):
    assert run("edit_photo", "scene.png", *ENCODED, "--face", which) == 0
    assert " on 1 face of scene.png" in capsys.readouterr().out
    areas = [np.prod(np.ptp(face.landmarks, axis=0)) for face in SCENE.faces]
    chosen = int(np.argmax(areas)) if which == "largest" else int(which) - 1
    changed = (read("edited.png") != SCENE.pixels).any(2)
    assert [bool(changed[mask > 0].any()) for mask in masks()] == [k == chosen for k in range(3)]
    assert np.load("out/faces.npy").shape == (1, LEVELS, STYLE_DIM)


def test_no_steps_is_the_encoder_alone_and_steps_come_nearer(encoder_pack, capsys):
    found = Editor(load_pack(encoder_pack)).invert(crops())
    assert run("edit_photo", "scene.png", *TARGET, "--face", "all", "--steps", "0") == 0
    np.testing.assert_allclose(np.load("out/faces.npy"), found, atol=1e-4)
    before = capsys.readouterr().out
    assert run("edit_photo", "scene.png", *TARGET, "--face", "all", "--steps", "30") == 0
    after = capsys.readouterr().out
    low, high = (decibels(said) for said in (before, after))
    assert [len(one) for one in (*low, *high)] == [1, 1, 1, 2, 2, 2]
    for (encoder,), (start, fitted) in zip(low, high):
        assert start == pytest.approx(encoder, abs=0.1) and fitted > start + 0.5


def test_the_ways_of_pasting_differ_and_strength_0_changes_nothing_by_difference():
    seen = []
    for way in ("blend", "difference", "replace"):
        assert run("edit_photo", "scene.png", *ENCODED, "--paste", way) == 0
        seen.append(read("edited.png"))
    assert len({picture.tobytes() for picture in seen}) == 3
    for way in ("difference", "blend"):
        assert run("edit_photo", "scene.png", *ENCODED, "--paste", way, "--direction_offset", "0") == 0
        np.testing.assert_array_equal(read("edited.png"), SCENE.pixels)


def test_a_face_that_is_drawn_badly_is_named(monkeypatch, capsys):
    monkeypatch.setattr(quality, "POOR", 99.0)
    assert run("edit_photo", "scene.png", *TARGET, "--face", "all") == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and "'tiny'" in lines[0]
    assert all(line.startswith(f"warning: face {k} is drawn badly (") for k, line in enumerate(lines, 1))


def test_a_generator_is_tuned_to_each_face_and_handed_on(capsys):
    assert run("edit_photo", "scene.png", *TARGET, "--face", "all", "--tune", "8") == 0
    assert names() == sorted([*EDITED, *(f"generator_{k}.safetensors" for k in (1, 2, 3))])
    stages = decibels(capsys.readouterr().out)
    assert all(tuned > fitted for _, fitted, tuned in stages)
    latents, sheet = np.load("out/faces.npy"), read("faces.png")
    for k in range(3):
        bundle = load_bundle("portrait", weight_path=f"out/generator_{k + 1}.safetensors")
        assert bundle.fingerprints["generator"] != load_bundle(None).fingerprints["generator"]
        editor, top = Editor(bundle), 2 + k * (SIZE + 2)
        drawn = editor.render(editor.apply(latents[k : k + 1], Edit("face", "happy face")))[0]
        found = sheet[top : top + SIZE, 2 * (SIZE + 2) + 2 :][:, :SIZE]
        assert np.abs(found.astype(int) - drawn).max() <= 1
    shutil.rmtree("out")
    assert run("edit_photo", "scene.png", *TARGET, "--face", "2", "--tune", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:8] for line in lines if " PSNR " in line] == ["face 2: "]
    assert names() == sorted([*EDITED, "generator_2.safetensors"])
    assert run("edit_photo", ".", *TARGET, "--tune", "8") == 2
    assert (
        "--tune and --landmarks do nothing with a folder or a video, only with one photo"
        in capsys.readouterr().err
    )


# ---- with dlib


@pytest.mark.slow
def test_three_faces_at_angles_are_found_edited_and_put_back(embedded, capsys):
    scene = draw_scene(4, faces=3, width=640, height=360, sides=(140, 180))
    Image.fromarray(scene.pixels).save("scene.png")
    assert run("edit_photo", "scene.png", "--target", "happy face", "--face", "all", "--steps", "5") == 0
    said = capsys.readouterr()
    assert " on 3 faces of scene.png" in said.out and said.err == ""
    changed = (read("edited.png") != scene.pixels).any(2)
    crop = load_bundle(None).crop
    cut = [align_face(scene.pixels, face.landmarks, 64, crop)[1] for face in scene.faces]
    frames = np.max([crop_mask(alignment) for alignment in cut], 0)
    near = cv2.dilate(frames, np.ones((31, 31))) > 0  # dlib's landmarks are not the drawn ones to the pixel
    assert changed[frames > 0.9].mean() > 0.1 and not changed[~near].any()


@pytest.mark.slow
def test_a_tuned_generator_of_the_embedded_world_is_edited_as_it_was(embedded, capsys):
    """Its strengths count in the embedded world's own unit, which needs all that was measured."""
    own = load_bundle(None)
    save_generator(
        "tuned.safetensors",
        tiny_change(own.generator),
        name="portrait",
        about={"tuned_from": own.fingerprints["generator"]},
    )
    tuned = load_bundle("portrait", weight_path="tuned.safetensors")
    edit = Edit("face", "happy face")
    np.testing.assert_array_equal(Editor(tuned).step(edit), Editor(own).step(edit))
    assert tuned.face_models == own.face_models
    save_generator("other.safetensors", tuned.generator, name="portrait")
    with pytest.raises(UserError, match="was made for generator"):
        load_bundle("portrait", weight_path="other.safetensors").stats  # noqa: B018


def tiny_change(generator):
    changed = copy.deepcopy(generator)
    first = next(weight for name, weight in changed.named_parameters() if name.startswith("convs"))
    first.set_value(first * 1.001)
    return changed


def test_a_photo_of_nobody_names_the_cure(embedded, monkeypatch, capsys):
    monkeypatch.setattr(load, "_LANDMARK_PACKAGE", "no_such_package")  # else the photo is asked for a person
    Image.fromarray(np.full((240, 320, 3), 128, np.uint8)).save("ground.png")
    assert run("edit_photo", "ground.png", "--target", "happy face") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no face was found in ground.png; use a photo with a face seen from the front" in line


def test_half_a_face_is_edited_with_a_warning_or_refused(embedded, capsys):
    scene = draw_scene(4, faces=3, width=640, height=360, sides=(140, 180))
    left = int(scene.faces[1].landmarks[:, 0].mean())
    Image.fromarray(scene.pixels[:, left : left + 110]).save("half.png")
    code = run("edit_photo", "half.png", "--target", "happy face", "--steps", "5")
    (line,) = capsys.readouterr().err.splitlines()
    assert (code, line[:6]) == (2, "error:") or (code == 0 and "the face is drawn badly" in line)
