# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""edit_photo.py over a folder and a video."""

from pathlib import Path

import cv2
import pytest
from photo_world import names, read, run
from PIL import Image

from ppstyleclip.pipelines import frames as pipeline
from ppstyleclip.toonface.scenes import draw_scene
from ppstyleclip.video import save_mp4

pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them


def small_scenes():
    return [
        draw_scene(4 + k, faces=count, width=320, height=240, sides=(120, 130)).pixels
        for k, count in enumerate((1, 0, 1))
    ]


@pytest.mark.slow
def test_a_folder_is_edited_picture_by_picture(toonface, capsys):
    Path("frames").mkdir()
    scenes = small_scenes()
    for name, scene in zip("cab", scenes):
        Image.fromarray(scene).save(f"frames/{name}.png")
    Path("frames/notes.txt").write_text("not a picture")
    assert run("edit_photo", "frames", "--target", "happy face", "--steps", "3") == 0
    assert names() == ["a.edited.png", "b.edited.png", "c.edited.png"]
    assert " on 2 faces in 2 of 3 pictures of frames" in capsys.readouterr().out
    changed = [(read(f"{name}.edited.png") != scene).any() for name, scene in zip("cab", scenes)]
    assert changed == [True, False, True]


def test_a_video_is_edited_frame_by_frame(toonface, capsys):
    scenes = small_scenes()
    save_mp4(Path("in.mp4"), scenes, fps=5)
    assert run("edit_photo", "in.mp4", "--target", "happy face", "--steps", "3") == 0
    assert names() == ["edited.mp4"]
    assert "2 of 3 pictures of in.mp4" in capsys.readouterr().out
    video = cv2.VideoCapture("out/edited.mp4")
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 3 and video.get(cv2.CAP_PROP_FPS) == pytest.approx(5)


@pytest.mark.parametrize(
    "name, argv, radius",
    [
        ("in.mp4", [], 2),
        ("in.mp4", ["--smooth", "0"], 0),
        ("frames", [], 0),
        ("frames", ["--smooth", "3"], 3),
    ],
)
def test_landmarks_of_a_video_are_smoothed(toonface, monkeypatch, name, argv, radius):
    asked = []

    def smooth_stream(seen, radius):
        asked.append(([len(faces) for faces in seen], radius))
        return iter([[]] * 2)

    monkeypatch.setattr(pipeline, "smooth_stream", smooth_stream)
    scenes = small_scenes()[:2]
    Path("frames").mkdir()
    for k, scene in enumerate(scenes):
        Image.fromarray(scene).save(f"frames/{k}.png")
    save_mp4(Path("in.mp4"), scenes, fps=5)
    assert run("edit_photo", name, "--target", "happy face", *argv) == 2  # no face is left
    assert asked == [([1, 0], radius)]


@pytest.mark.parametrize("name, words", [("empty", "holds 0 pictures"), ("text.mp4", "no frames that can")])
def test_what_holds_no_frames_is_one_line(toonface, capsys, name, words):
    Path("empty").mkdir()
    Path("text.mp4").write_text("not a video")
    assert run("edit_photo", name, "--target", "happy face") == 2
    assert words in capsys.readouterr().err and not Path("out").exists()
