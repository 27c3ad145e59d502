# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""GIF and MP4, read back: every picture, in order, in its colours, for its time."""

import cv2
import numpy as np
import pytest
from PIL import Image

from ppstyleclip import video
from ppstyleclip.errors import CannotWrite, MissingExtra, UserError
from ppstyleclip.video import save_gif, save_mp4

COLOURS = np.uint8([[250, 10, 10], [10, 250, 10], [10, 10, 250], [250, 250, 10], [128, 128, 128]])
PICTURES = np.broadcast_to(COLOURS[:, None, None], (5, 48, 64, 3)).copy()
SAVERS = {"x.gif": save_gif, "x.mp4": save_mp4}


def read_gif(path):
    with Image.open(path) as picture:
        frames = []
        for k in range(picture.n_frames):
            picture.seek(k)
            frames.append((np.array(picture.convert("RGB")), picture.info["duration"], picture.info["loop"]))
    return frames


def read_mp4(path):
    film, pictures = cv2.VideoCapture(str(path)), []
    while True:
        there, picture = film.read()
        if not there:
            return pictures, film.get(cv2.CAP_PROP_FPS)
        pictures.append(picture[:, :, ::-1])


def test_gif(tmp_path):
    save_gif(tmp_path / "below" / "x.gif", list(PICTURES), fps=12.5)
    frames = read_gif(tmp_path / "below" / "x.gif")
    assert [frame[1:] for frame in frames] == [(80, 0)] * 5  # milliseconds; for ever
    np.testing.assert_array_equal([frame[0] for frame in frames], PICTURES)


def test_mp4(tmp_path):
    save_mp4(tmp_path / "below" / "x.mp4", list(PICTURES), fps=12.5)
    pictures, fps = read_mp4(tmp_path / "below" / "x.mp4")
    assert len(pictures) == 5 and fps == pytest.approx(12.5)
    assert np.abs(np.array(pictures).astype(int) - PICTURES).max() <= 12
    assert [path.name for path in (tmp_path / "below").iterdir()] == ["x.mp4"]


def test_mp4_of_odd_sides_doubles_the_last_row_and_column(tmp_path):
    save_mp4(tmp_path / "x.mp4", PICTURES[:, :47, :63], fps=50)
    pictures, _ = read_mp4(tmp_path / "x.mp4")
    assert np.array(pictures).shape == PICTURES.shape
    assert np.abs(np.array(pictures).astype(int) - PICTURES).max() <= 12


@pytest.mark.parametrize("name", SAVERS)
@pytest.mark.parametrize(
    "words, pictures, fps",
    [
        ("fps must be 1 to 50 pictures a second, got 0.5", PICTURES, 0.5),
        ("got 60", PICTURES, 60),
        ("got nan", PICTURES, float("nan")),
        (r"\[48, 64, 3\] uint8", PICTURES[0], 10),
        ("float64", PICTURES / 255, 10),
        (r"got \[0, 48, 64, 3\]", PICTURES[:0], 10),
    ],
)
def test_what_is_no_video_is_refused_and_not_written(tmp_path, name, words, pictures, fps):
    with pytest.raises(UserError, match=words):
        SAVERS[name](tmp_path / name, pictures, fps=fps)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", SAVERS)
def test_a_place_that_cannot_be_written(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot write"):
        SAVERS[name](tmp_path / "file" / name, PICTURES, fps=10)


def test_an_mp4_that_comes_out_broken_leaves_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "x.mp4").write_text("old")
    monkeypatch.setattr(video, "_encode", lambda path, pictures, fps: path.write_bytes(b"half"))
    with pytest.raises(CannotWrite, match="did not come out whole"):
        save_mp4(tmp_path / "x.mp4", PICTURES, fps=10)
    assert (tmp_path / "x.mp4").read_text() == "old"


def test_an_opencv_without_the_codec_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "VideoWriter", lambda *args: cv2.VideoCapture("nowhere.mp4"))  # not opened
    with pytest.raises(MissingExtra, match="cannot write MP4"):
        save_mp4(tmp_path / "x.mp4", PICTURES, fps=10)


def test_too_large_for_the_codec(tmp_path):
    with pytest.raises(UserError, match="at most 8190 x 8190 pixels, got 8192 x 2"):
        save_mp4(tmp_path / "x.mp4", np.zeros([1, 2, 8192, 3], np.uint8), fps=10)
