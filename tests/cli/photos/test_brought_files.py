# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Photos of all kinds through edit_photo.py, and one line for each that cannot be edited."""

import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from edges import slow
from photo_world import ENCODED, SCENE, TARGET, TOOLS, names, read, run
from PIL import Image

pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them


def as_cmyk(image):
    image.convert("CMYK").save("photo.jpg", quality=98)


def as_animation(image):
    image.quantize(200).save("photo.gif", save_all=True, append_images=[Image.new("P", image.size)])


def as_turned(image):
    exif = Image.Exif()
    exif[0x112] = 6
    image.rotate(90, expand=True).save("photo.png", exif=exif)


def as_sixteen_bits(image):
    cv2.imwrite("photo.png", np.asarray(image)[:, :, ::-1].astype(np.uint16) * 257)


def with_alpha(image):
    image.putalpha(255)
    image.save("photo.png")


def in_grey(image):
    image.convert("L").save("photo.png")


@pytest.mark.parametrize(
    "save", [as_cmyk, as_animation, as_turned, *map(slow, (as_sixteen_bits, with_alpha, in_grey))]
)
def test_pictures_of_all_kinds_are_edited(save, capsys):
    save(Image.fromarray(SCENE.pixels))
    (path,) = Path().glob("photo.*")
    assert run("edit_photo", str(path), *ENCODED) == 0
    assert read("edited.png").shape == SCENE.pixels.shape


def png(width, height, rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def bring_files():
    """The files that the refusals below name."""
    Path("text.jpg").write_text("this is a text")
    Path("empty.jpg").write_bytes(b"")
    Path("huge.png").write_bytes(png(10_000, 10_000, b""))
    Path("one.png").write_bytes(png(1, 1, b"\0abc"))
    whole = Path("scene.png").read_bytes()
    Path("cut.png").write_bytes(whole[: len(whole) // 3])
    Path("odd.png").write_bytes(whole[: len(whole) // 2] + b"\x00\xff\x55" + whole[len(whole) // 2 + 3 :])
    Path("folder.jpg").mkdir()
    Path("five.json").write_text(json.dumps([[1, 2]] * 5))
    far = [(10 * face.landmarks).tolist() for face in SCENE.faces]
    Path("far.json").write_text(json.dumps(far))


@pytest.mark.parametrize(
    "argv, words",
    [
        (["text.jpg"], "text.jpg is not a picture that can be read"),
        (["empty.jpg"], "empty.jpg is empty"),
        (["huge.png"], "huge.png has 10000x10000 pixels, more than 80 megapixels"),
        (["one.png"], "one.png has only 1x1 pixels"),
        (["cut.png"], "cut.png is a damaged picture"),
        (["odd.png"], "odd.png is a damaged picture"),
        (["absent.jpg"], "there is no file absent.jpg"),
        (["folder.jpg"], "--landmarks does nothing with a folder or a video, only with one photo"),
        (["scene.png", "--face", "9"], "there is no face 9: 3 faces were found"),
        (["scene.png", "--face", "left"], "best, largest, all, or a number from 1 is needed, got 'left'"),
        (["scene.png", "--steps", "-1"], "--steps: a whole number from 0 to 100000 is needed, got '-1'"),
        (["scene.png", "--tune", "-1"], "--tune: a whole number from 0 to 100000 is needed, got '-1'"),
        (["scene.png", "--smooth", "-1"], "--smooth: a whole number from 0 to 100 is needed, got '-1'"),
        (["scene.png", "--ir_se50_weights", "no.pth"], "there is no file no.pth"),
        (["scene.png", "--landmarks", "five.json"], "five.json holds no landmarks"),
        (["scene.png", "--landmarks", "far.json"], "is not in the photo of 320x240"),
        (["scene.png", "--landmarks", "no.json"], "there is no file no.json"),
        (["scene.png", "--target", ""], "a text is needed"),
        (["scene.png", "--target", "face"], "neutral 'face' and target 'face' say the same"),
        (["scene.png", "--beta_threshold", "9"], "no style channel passes beta 9"),
        (["scene.png", "--output_path", "text.jpg"], "cannot write text.jpg"),
        (["scene.png", "--weight_path", "text.jpg"], "error: text.jpg is of no kind that is known"),
        (["scene.png", "--model_type", "ffhq"], "unknown model type 'ffhq'; known: portrait"),
    ],
)
def test_bad_input_is_one_line_and_two(argv, words, capsys):
    bring_files()
    assert TOOLS["edit_photo"]([argv[0], *TARGET, "--output_path", "out", *argv[1:]]) == 2
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith("error: ") and words in line and said.out == ""
    assert not Path("out").exists() or not names()


def test_words_that_the_model_never_saw_are_named(capsys):
    assert run("edit_photo", "scene.png", *ENCODED, "--target", "zorblax face") == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("warning: the CLIP of 'portrait' never saw 'zorblax'")


def test_without_landmarks_and_without_dlibs_model_the_cure_is_named(capsys):
    """The tiny pack has no face models, and nothing can be fetched."""
    assert run("edit_photo", "scene.png", "--target", "happy face") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "shape_predictor_68_face_landmarks.dat" in line
