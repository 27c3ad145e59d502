# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Parts of a video joined, and sounds of several codecs laid under it."""

from fractions import Fraction

import numpy as np
import pytest

from ppstyleclip import video_join
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.video import mp4_writer, open_video, save_mp4
from ppstyleclip.video_join import join_videos, sound_codec

FRAMES = np.stack([np.full([48, 64, 3], 8 * k, np.uint8) for k in range(24)])
SECONDS, RATE = 2, 48000


@pytest.fixture
def av():
    return pytest.importorskip("av", reason="PyAV, which joins videos, is not installed")


def write_film(av, path, codec, *, pixels=FRAMES, beep=1.0):
    """A film of two seconds, 12 frames each, with a tone that begins `beep` seconds in."""
    with av.open(str(path), "w") as film:
        pictures, sound = film.add_stream("libx264", rate=12), film.add_stream(codec, rate=RATE)
        (pictures.height, pictures.width), pictures.pix_fmt = pixels[0].shape[:2], "yuv420p"
        sound.layout = "mono"
        for picture in pixels:
            film.mux(pictures.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(pictures.encode(None))
        time = np.arange(SECONDS * RATE) / RATE
        wave = np.where(time >= beep, 0.5 * np.sin(2 * np.pi * 440 * time), 0).astype(np.float32)
        kind = sound.codec_context.format.name
        samples = wave if kind.startswith("flt") else (32767 * wave).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format=kind, layout="mono")
        frame.rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
        fifo = av.AudioFifo()
        fifo.write(frame)
        while (part := fifo.read(1024, partial=True)) is not None:
            film.mux(sound.encode(part))
        film.mux(sound.encode(None))


def onset(av, path):
    """When the tone begins, in seconds, and how long the sound is."""
    with av.open(str(path)) as film:
        frames = [
            (float(frame.pts * frame.time_base), np.abs(frame.to_ndarray().astype(float)).max())
            for frame in film.decode(audio=0)
        ]
    loudest = max(loud for _, loud in frames)
    return next(time for time, loud in frames if loud > loudest / 2), frames[-1][0]


@pytest.mark.parametrize(
    "name, codec, kept", [("x.mp4", "aac", "aac"), ("x.mov", "pcm_s16le", "aac"), ("x.mkv", "flac", "flac")]
)
def test_parts_are_joined_and_the_sound_stays_where_it_was(tmp_path, av, name, codec, kept):
    write_film(av, tmp_path / name, codec)
    assert sound_codec(tmp_path / name) == codec
    parts = [tmp_path / f"part-{k}.mp4" for k in range(3)]
    for part, pictures in zip(parts, np.split(FRAMES, [7, 13])):
        save_mp4(part, pictures, fps=12)
    join_videos(tmp_path / "whole.mp4", parts, sound_of=tmp_path / name)
    joined, whole = open_video(tmp_path / "whole.mp4", max_frames=99), np.stack
    seen = whole(list(joined))
    assert joined.rate == pytest.approx(12) and joined.expected == len(FRAMES) == len(seen)
    np.testing.assert_allclose(seen.mean((1, 2)), FRAMES.mean((1, 2)), atol=3)  # all, in order
    assert sound_codec(tmp_path / "whole.mp4") == kept
    begin, end = onset(av, tmp_path / "whole.mp4")
    assert begin == pytest.approx(1.0, abs=0.06) and end == pytest.approx(2.0, abs=0.1)
    with av.open(str(tmp_path / "whole.mp4")) as film:  # every picture is shown when it should be
        times = [float(frame.pts * frame.time_base) for frame in film.decode(video=0)]
    np.testing.assert_allclose(times, np.arange(len(FRAMES)) / 12, atol=1e-3)


def test_a_video_without_sound_is_joined_without(tmp_path, av):
    save_mp4(tmp_path / "x.mp4", FRAMES, fps=12)
    assert sound_codec(tmp_path / "x.mp4") is None
    join_videos(tmp_path / "whole.mp4", [tmp_path / "x.mp4"], sound_of=tmp_path / "x.mp4")
    assert sound_codec(tmp_path / "whole.mp4") is None
    assert len(list(open_video(tmp_path / "whole.mp4", max_frames=99))) == 24


def test_a_sound_that_cannot_be_read_leaves_the_old_file(tmp_path, av):
    save_mp4(tmp_path / "x.mp4", FRAMES, fps=12)
    (tmp_path / "noise.mp4").write_bytes(bytes(100))
    (tmp_path / "whole.mp4").write_text("old")
    with pytest.raises(UserError, match="the sound of .*noise.mp4 cannot be read"):
        join_videos(tmp_path / "whole.mp4", [tmp_path / "x.mp4"], sound_of=tmp_path / "noise.mp4")
    with pytest.raises(UserError, match="the sound of .*noise.mp4 cannot be read"):
        sound_codec(tmp_path / "noise.mp4")
    assert (tmp_path / "whole.mp4").read_text() == "old" and len(list(tmp_path.iterdir())) == 3


def test_without_pyav_the_command_is_named(monkeypatch):
    def absent(name):
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(video_join.importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match=r'run: pip install "ppstyleclip\[video\]"'):
        sound_codec("x.mp4")


def test_parts_of_one_frame(tmp_path, av):
    parts = [tmp_path / f"part-{k}.mp4" for k in range(3)]
    for part, picture in zip(parts, FRAMES):
        with mp4_writer(part, fps=29.97) as write:
            write(picture)
    join_videos(tmp_path / "whole.mp4", parts)
    assert len(list(open_video(tmp_path / "whole.mp4", max_frames=9))) == 3
