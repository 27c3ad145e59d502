# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""edit_photo.py over a video: stopped and taken up, its sound, its latents smoothed."""

import re
from pathlib import Path

import numpy as np
import pytest
from photo_world import names, run
from test_video_join import onset, write_film

from ppstyleclip.cli.editing import photo_frames, video_folder
from ppstyleclip.pipelines import frame_passes, frames
from ppstyleclip.video import open_video, save_mp4
from ppstyleclip.video_join import sound_codec
from ppstyleclip.worlds.portrait.scenes import draw_scene

pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them
SCENE = draw_scene(4, faces=1, width=320, height=240, sides=(120, 130))
EDIT = ("--target", "happy face", "--steps", "0")
FILM = [np.roll(SCENE.pixels, (k, 2 * k), (0, 1)) for k in range(10)]


@pytest.fixture
def av():
    return pytest.importorskip("av", reason="PyAV, which writes H.264 and keeps sound, is not installed")


@pytest.fixture
def short_blocks(monkeypatch):
    for module in (photo_frames, video_folder):
        monkeypatch.setattr(module, "BLOCK", 4)


def pixels(path):
    return np.stack(list(open_video(path, max_frames=99)))


class Stopped(BaseException):
    pass


def stop_after(monkeypatch, module, name, calls):
    """Have a function of a module raise Stopped when it is called for the (calls + 1)th time."""
    original, done = getattr(module, name), []

    def stopping(*args, **options):
        if len(done) == calls:
            raise Stopped
        done.append(name)
        return original(*args, **options)

    monkeypatch.setattr(module, name, stopping)
    return done


@pytest.mark.slow
def test_a_video_that_is_stopped_goes_on_where_it_was(embedded, short_blocks, av, monkeypatch, capsys):
    save_mp4("in.mp4", FILM, fps=10)
    assert run("edit_photo", "in.mp4", *EDIT) == 0
    whole = pixels("out/edited.mp4")
    assert "on 10 faces in 10 of 10 pictures" in capsys.readouterr().out and names() == ["edited.mp4"]
    Path("out/edited.mp4").unlink()
    stages = ((frames, "find_faces_if_any", 6, 4), (frame_passes, "paste_edit", 7, 4))
    for module, name, calls, _ in stages:
        with monkeypatch.context() as patched, pytest.raises(Stopped):
            stop_after(patched, module, name, calls)
            run("edit_photo", "in.mp4", *EDIT)
    counts = [stop_after(monkeypatch, module, name, 99) for module, name, _, _ in stages]
    latents = stop_after(monkeypatch, frame_passes, "latent_finder", 99)
    assert run("edit_photo", "in.mp4", *EDIT) == 0
    assert [len(done) for done in counts] == [0, 6] and not latents  # pictures: those of the part at work
    assert names() == ["edited.mp4"]
    apart = np.abs(pixels("out/edited.mp4").astype(int) - whole)
    assert apart.mean((1, 2, 3)).max() < 0.5  # a level of rounding, and what the codec makes of it


@pytest.mark.slow
def test_another_text_keeps_the_latents_another_encoder_the_faces_and_another_video_nothing(
    embedded, short_blocks, av, monkeypatch, capsys
):
    save_mp4("in.mp4", FILM[:5], fps=10)
    with monkeypatch.context() as patched, pytest.raises(Stopped):
        stop_after(patched, frame_passes, "paste_edit", 4)
        run("edit_photo", "in.mp4", *EDIT)
    assert names() == ["edited.parts"]
    assert names("out/edited.parts/pictures") == [
        "block-00000.safetensors",
        "manifest.json",
        "part-00000.mp4",
    ]
    counts = [
        stop_after(monkeypatch, module, name, 99)
        for module, name in ((frame_passes, "latent_finder"), (frame_passes, "paste_edit"))
    ]
    assert run("edit_photo", "in.mp4", "--target", "angry face", "--steps", "0") == 0
    assert [len(done) for done in counts] == [0, 5]
    with monkeypatch.context() as patched, pytest.raises(Stopped):
        stop_after(patched, frame_passes, "paste_edit", 1)
        run("edit_photo", "in.mp4", *EDIT)
    for done in counts:
        done.clear()
    assert run("edit_photo", "in.mp4", *EDIT, "--encoder", "e4e") == 0
    assert [len(done) for done in counts] == [1, 5]
    with monkeypatch.context() as patched, pytest.raises(Stopped):
        stop_after(patched, frame_passes, "paste_edit", 1)
        run("edit_photo", "in.mp4", *EDIT)
    save_mp4("in.mp4", FILM[5:], fps=10)
    for done in counts:
        done.clear()
    assert run("edit_photo", "in.mp4", *EDIT) == 0
    assert [len(done) for done in counts] == [1, 5]


def test_damaged_parts_are_made_again(embedded, short_blocks, av, monkeypatch, tmp_path):
    words = {stage: {"word": 1} for stage in video_folder.STAGES}
    folder = video_folder.VideoFolder(tmp_path / "parts", words)
    picture = np.zeros([16, 16, 3], np.uint8)
    source = iter([(picture, 1)] * 10)
    assert [folder.add_part(number, source, 10.0) for number in range(3)] == [4, 4, 2]
    paths, counts = video_folder.VideoFolder(tmp_path / "parts", words).parts()
    assert len(paths) == 3 and counts == [1] * 10
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    assert folder.parts() == (paths[:1], [1] * 4)
    (tmp_path / "parts/pictures/manifest.json").write_text("{")
    assert video_folder.VideoFolder(tmp_path / "parts", words).parts() == ([], [])
    folder.remove()
    assert not (tmp_path / "parts").exists()


@pytest.mark.slow
def test_the_sound_is_kept_and_progress_has_an_end_from_the_first_frame_on(embedded, av, capsys):
    write_film(av, "in.mkv", "pcm_s16le", pixels=FILM[:1] * 6)
    assert run("edit_photo", "in.mkv", *EDIT) == 0
    said = capsys.readouterr()
    assert "its sound is that of its source, pcm_s16le, as AAC" in said.out
    assert sound_codec("out/edited.mp4") == "aac"
    assert onset(av, "out/edited.mp4")[0] == pytest.approx(1.0, abs=0.06)
    for title in photo_frames.TITLES:
        assert re.search(re.escape(title) + r".*\| 6(\.0)?/6 \[", said.err), said.err


def test_without_pyav_the_command_names_it_before_it_begins(embedded, monkeypatch, capsys):
    save_mp4("in.mp4", FILM[:2], fps=10)
    monkeypatch.setattr(photo_frames, "mp4_codec", lambda: "mp4v")
    monkeypatch.setattr("ppstyleclip.video.mp4_codec", lambda: "mp4v")
    assert run("edit_photo", "in.mp4", *EDIT) == 0
    said = capsys.readouterr().err
    warning = said.index(
        'without sound, and browsers do not show its codec, MPEG-4 part 2; run: pip install "ppst'
    )
    assert warning < said.index("faces (1 of 3)")
    assert names() == ["edited.mp4"] and len(pixels("out/edited.mp4")) == 2
