# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""GIF and MP4, read back: every picture, in order, in its colours, for its time."""

import os

import cv2
import numpy as np
import pytest
from PIL import Image

from ppstyleclip import video
from ppstyleclip.errors import CannotWrite, MissingExtra, UserError
from ppstyleclip.video import mp4_writer, open_video, save_gif, save_mp4

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


@pytest.fixture(params=[video.CODEC, video.H264])
def codec(request, monkeypatch):
    """Each of the two codecs, as if it were the one that is to be had."""
    if request.param == video.H264:
        pytest.importorskip("av", reason="PyAV, which writes H.264, is not installed")
        assert video.mp4_codec() == video.H264
    monkeypatch.setattr(video, "mp4_codec", lambda: request.param)
    return request.param


def test_without_pyav_opencvs_codec_is_taken(monkeypatch):
    def absent(name):
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(video.importlib, "import_module", absent)
    assert video.mp4_codec() == video.CODEC


def test_the_codec_is_in_the_file(tmp_path, codec):
    save_mp4(tmp_path / "x.mp4", PICTURES, fps=10)
    assert {video.CODEC: b"mp4v", video.H264: b"avc1"}[codec] in (tmp_path / "x.mp4").read_bytes()


def test_mp4(tmp_path, codec):
    save_mp4(tmp_path / "below" / "x.mp4", list(PICTURES), fps=12.5)
    pictures, fps = read_mp4(tmp_path / "below" / "x.mp4")
    assert len(pictures) == 5 and fps == pytest.approx(12.5)
    assert np.abs(np.array(pictures).astype(int) - PICTURES).max() <= 12
    assert [path.name for path in (tmp_path / "below").iterdir()] == ["x.mp4"]


def test_mp4_of_odd_sides_doubles_the_last_row_and_column(tmp_path, codec):
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


class Half:
    """An encoder that writes half of a file and says nothing, as OpenCV does on a full disk."""

    def __init__(self, path, fps):
        self.path = path

    def write(self, picture):
        self.path.write_bytes(b"half")

    def close(self):
        pass


def test_an_mp4_that_comes_out_broken_leaves_the_old_one(tmp_path, monkeypatch, codec):
    (tmp_path / "x.mp4").write_text("old")
    for name in ("_OpenCV", "_H264"):
        monkeypatch.setattr(video, name, Half)
    with pytest.raises(CannotWrite, match="did not come out whole"):
        save_mp4(tmp_path / "x.mp4", PICTURES, fps=10)
    assert (tmp_path / "x.mp4").read_text() == "old" and os.listdir(tmp_path) == ["x.mp4"]


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_a_disk_that_fills_halfway_leaves_the_old_video(tmp_path, codec):
    import resource
    import signal

    (tmp_path / "x.mp4").write_text("old")
    noise = np.random.RandomState(0).randint(0, 256, (30, 96, 96, 3), np.uint8)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
    try:
        with pytest.raises(CannotWrite, match="cannot write"):
            save_mp4(tmp_path / "x.mp4", noise, fps=10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "x.mp4").read_text() == "old" and os.listdir(tmp_path) == ["x.mp4"]


def test_errors_of_pyav_are_one_line(tmp_path):
    av = pytest.importorskip("av")
    for error in (av.error.InvalidDataError(1, "bad data"), av.error.ExternalError(2, "bad codec")):
        with pytest.raises(CannotWrite, match="cannot write x.mp4: .*bad"), video.encoder_refusal("x.mp4"):
            raise error
    with pytest.raises(KeyError), video.encoder_refusal("x.mp4"):
        raise KeyError("a bug")


def test_frames_come_one_by_one_and_again(tmp_path, codec):
    save_mp4(tmp_path / "x.mp4", PICTURES, fps=5)
    film = open_video(tmp_path / "x.mp4", max_frames=5)
    assert (film.width, film.height, film.rate) == (64, 48, pytest.approx(5))
    for _ in range(2):
        frames = list(film)
        assert np.abs(np.array(frames).astype(int) - PICTURES).max() <= 12
    kept = next(iter(film))
    assert (kept == frames[0]).all()  # frames do not share memory


@pytest.mark.parametrize(
    "data, words",
    [
        (b"not a video", "no frames that can be read; use MP4"),
        (b"#EXTM3U\n#EXTINF:1,\nx.mp4\n", "use MP4"),  # a list that names other files
        (b"ffconcat version 1.0\nfile x.mp4\n", "use MP4"),
        (b"\0\0\0\x18ftypisom" + bytes(100), "no frames that can be read"),
        (b"", "no frames"),
    ],
)
def test_what_is_no_video_is_not_opened(tmp_path, data, words):
    (tmp_path / "film%02d.mp4").write_bytes(data)
    with pytest.raises(UserError, match=words):
        list(open_video(tmp_path / "film%02d.mp4", max_frames=9))


def test_too_many_or_too_large_frames(tmp_path, monkeypatch):
    save_mp4(tmp_path / "x.mp4", PICTURES, fps=5)
    with pytest.raises(UserError, match="more than 4 frames; cut it"):
        list(open_video(tmp_path / "x.mp4", max_frames=4))
    monkeypatch.setattr(video, "MAX_VIDEO_BYTES", 64 * 48)
    with pytest.raises(UserError, match="frames of 64x48 pixels, needs 300 MB of memory"):
        open_video(tmp_path / "x.mp4", max_frames=9)


def test_frames_of_two_sizes_are_refused(tmp_path, codec):
    with (
        pytest.raises(UserError, match="of one size, 64 x 48; got 32 x 48"),
        mp4_writer(tmp_path / "x.mp4", fps=5) as write,
    ):
        write(PICTURES[0])
        write(PICTURES[0][:, :32])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("fps", [0.05, 241, float("nan")])
def test_rates_of_an_mp4(tmp_path, fps):
    with pytest.raises(UserError, match="0.1 to 240"), mp4_writer(tmp_path / "x.mp4", fps=fps):
        pass


def test_an_opencv_without_the_codec_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "mp4_codec", lambda: video.CODEC)
    monkeypatch.setattr(cv2, "VideoWriter", lambda *args: cv2.VideoCapture("nowhere.mp4"))  # not opened
    with pytest.raises(MissingExtra, match=r"cannot write MP4; run: pip install .ppstyleclip\[video\]."):
        save_mp4(tmp_path / "x.mp4", PICTURES, fps=10)


def test_too_large_for_the_codec(tmp_path):
    with pytest.raises(UserError, match="at most 8190 x 8190 pixels, got 8192 x 2"):
        save_mp4(tmp_path / "x.mp4", np.zeros([1, 2, 8192, 3], np.uint8), fps=10)
