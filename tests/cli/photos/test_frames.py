# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""edit_photo.py over a folder and a video."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from edges import slow
from photo_world import names, read, run
from PIL import Image

from ppstyleclip.cli import saving
from ppstyleclip.cli.photos import open_frames
from ppstyleclip.errors import CannotWrite
from ppstyleclip.files import save_png
from ppstyleclip.pipelines import frames as pipeline
from ppstyleclip.video import save_mp4
from ppstyleclip.worlds.portrait.scenes import draw_scene

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them


def small_scenes():
    return [
        draw_scene(4 + k, faces=count, width=320, height=240, sides=(120, 130)).pixels
        for k, count in enumerate((1, 0, 1))
    ]


@pytest.mark.slow
def test_a_folder_is_edited_picture_by_picture(embedded, capsys):
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


@pytest.mark.slow
def test_a_video_is_edited_frame_by_frame(embedded, capsys):
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
        ("in.mp4", [], 4),
        slow(("in.mp4", ["--smooth", "0"], 0)),
        slow(("frames", [], 0)),
        ("frames", ["--smooth", "3"], 3),
    ],
)
def test_landmarks_of_a_video_are_smoothed(embedded, monkeypatch, name, argv, radius):
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


def test_pictures_of_one_name_and_two_formats_are_two_results(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("b.png", "a.PNG", "a.jpg", "notes.txt"):
        (folder / name).write_bytes(b"")
    with pytest.warns(UserWarning, match="2 pictures share their names but for the ending"):
        assert open_frames(folder).names() == ["a.PNG", "a.jpg", "b"]


def test_a_result_that_cannot_be_written_leaves_the_old_ones(embedded, monkeypatch, capsys):
    Path("frames").mkdir()
    Path("out").mkdir()
    for name in "ab":
        Image.fromarray(small_scenes()[0]).save(f"frames/{name}.png")
        Path(f"out/{name}.edited.png").write_text("old")
    written = []

    def full(path, pixels, **options):
        if written:
            raise CannotWrite(f"cannot write {path}: No space left on device")
        written.append(path)
        save_png(path, pixels)

    monkeypatch.setattr(saving, "save_labelled", full)
    assert run("edit_photo", "frames", "--target", "happy face", "--steps", "0") == 2
    assert "No space left" in capsys.readouterr().err
    assert names() == ["a.edited.png", "b.edited.png"]
    assert {Path(f"out/{name}").read_text() for name in names()} == {"old"}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a peak of memory is read from /proc")
@pytest.mark.slow
def test_large_frames_take_bounded_memory_however_many_they_are(tmp_path):
    code = """
import numpy as np, os, sys
from ppstyleclip.align import faces_of_landmarks, FaceFinder
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pipelines import frames
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.cli.saving import save_frames
from ppstyleclip.video import mp4_writer, open_video

def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])  # kB

scene = draw_scene(4, faces=1, width=320, height=240, sides=(200, 210))
large = np.repeat(np.repeat(scene.pixels, 20, 0), 20, 1)  # 6400 x 4800
if sys.argv[1] == "write":
    with mp4_writer("in.mp4", fps=25) as write:
        for _ in range(12):
            write(large)
    os._exit(0)
del large
faces = faces_of_landmarks([20 * face.landmarks for face in scene.faces])
frames.find_faces_if_any = lambda finder, pixels, which: faces
editor, film = Editor.from_pretrained(), open_video("in.mp4", max_frames=12)
peaks = [peak()]
config = frames.FramesConfig(fitting=FittingConfig(steps=0), smooth=2)
*_, found = frames.find_frame_faces(editor, film, config, finder=FaceFinder(None, None))
records = frames.edit_frames(editor, film, Edit("face", "happy face"), config, faces=found.result)
def watched():
    while (record := next(records, None)) is not None:
        peaks.append(peak())
        yield record
        del record

paths, counts = save_frames("out", film, watched())
assert counts == [1] * 12, counts
print(*peaks, peak())
"""
    for word in ("write", "edit"):
        done = subprocess.run(
            [sys.executable, "-c", code, word],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=900,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == 0, done.stderr
    peaks = [int(number) for number in done.stdout.split()]  # kB; a frame takes 90,000
    loaded, half, end = peaks[0], peaks[len(peaks) // 2], peaks[-1]
    assert half - loaded < 18 * 90_000
    assert end - half < 90_000


@pytest.mark.parametrize("name, words", [("empty", "holds no pictures"), ("text.mp4", "no frames that can")])
def test_what_holds_no_frames_is_one_line(embedded, capsys, name, words):
    Path("empty").mkdir()
    Path("text.mp4").write_text("not a video")
    assert run("edit_photo", name, "--target", "happy face") == 2
    assert words in capsys.readouterr().err and not Path("out").exists()
