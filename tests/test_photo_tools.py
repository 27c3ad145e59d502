# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""edit_photo.py, pixel2style2pixel.py, styleganv2fitting.py: files, words, refusals.

The landmarks of drawn scenes are known, so all but the tests at the end run without dlib.
"""

import copy
import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import paddle
import pytest
from PIL import Image
from tiny_encoder import LEVELS, save_with_encoder
from tiny_world import STYLE_DIM, live_in, save_tiny_pack, tiny_generator
from tool_main import load_module

from ppstyleclip.align import align_face, crop_mask
from ppstyleclip.apps import frames as frames_module
from ppstyleclip.apps import photo as photo_module
from ppstyleclip.apps import quality
from ppstyleclip.apps import styleganv2fitting_predictor as fitting
from ppstyleclip.apps.photo import find_latents
from ppstyleclip.apps.pixel2style2pixel_predictor import Pixel2Style2PixelPredictor
from ppstyleclip.apps.styleganv2fitting_predictor import StyleGANv2FittingPredictor
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.errors import UserError
from ppstyleclip.models.lpips import VGG16
from ppstyleclip.toonface.scenes import draw_scene
from ppstyleclip.video import save_mp4
from ppstyleclip.zoo import load, load_bundle, load_pack, perceptual, save_generator

ROOT = Path(__file__).resolve().parents[1]
PACK = ROOT / "ppstyleclip" / "toonface" / "pack"
pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them
POOR = quality.POOR
SIZE = 16  # of the tiny generator
SCENE = draw_scene(11, faces=3, width=320, height=240, sides=(70, 90))
EDITED = ["edited.png", "faces.npy", "faces.png", "side_by_side.png"]
TARGET = ["--target", "happy face", "--landmarks", "marks.json", "--steps", "2"]


TOOLS = {name: load_module(name) for name in ("edit_photo", "pixel2style2pixel", "styleganv2fitting")}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    save_with_encoder(folder)
    return folder


@pytest.fixture(autouse=True)
def world(pack, monkeypatch, tmp_path):
    """The tiny world, which draws every face badly."""
    live_in(pack, monkeypatch, tmp_path)
    monkeypatch.setattr(quality, "POOR", 0.0)
    Image.fromarray(SCENE.pixels).save("scene.png")
    Path("marks.json").write_text(json.dumps([face.landmarks.tolist() for face in SCENE.faces]))


def run(name, *argv):
    return TOOLS[name].main([*argv, "--output_path", "out"])


def names(folder="out"):
    return sorted(path.name for path in Path(folder).iterdir())


def read(name):
    return cv2.imread(f"out/{name}")[:, :, ::-1]


def masks():
    return [crop_mask(align_face(SCENE.pixels, face.landmarks, SIZE)[1]) for face in SCENE.faces]


def crops():
    return np.stack([align_face(SCENE.pixels, face.landmarks, SIZE)[0] for face in SCENE.faces])


def decibels(said):
    """The PSNR of every stage, of every line that names one."""
    return [
        [float(v) for v in line.split("PSNR ")[1].split(" dB")[0].split(" -> ")]
        for line in said.splitlines()
        if "PSNR " in line
    ]


# ---- from photo to photo


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


@pytest.mark.parametrize("which", ["1", "3", "largest"])
def test_only_the_chosen_face_changes(which, capsys):
    assert run("edit_photo", "scene.png", *TARGET, "--face", which) == 0
    assert " on 1 face of scene.png" in capsys.readouterr().out
    areas = [np.prod(np.ptp(face.landmarks, axis=0)) for face in SCENE.faces]
    chosen = int(np.argmax(areas)) if which == "largest" else int(which) - 1
    changed = (read("edited.png") != SCENE.pixels).any(2)
    assert [bool(changed[mask > 0].any()) for mask in masks()] == [k == chosen for k in range(3)]
    assert np.load("out/faces.npy").shape == (1, LEVELS, STYLE_DIM)


def test_no_steps_is_the_encoder_alone_and_steps_come_nearer(pack, capsys):
    found = Editor(load_pack(pack)).invert(crops())
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
        assert run("edit_photo", "scene.png", *TARGET, "--paste", way) == 0
        seen.append(read("edited.png"))
    assert len({picture.tobytes() for picture in seen}) == 3
    for way in ("difference", "blend"):
        assert run("edit_photo", "scene.png", *TARGET, "--paste", way, "--direction_offset", "0") == 0
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
        bundle = load_bundle("toonface", weight_path=f"out/generator_{k + 1}.safetensors")
        assert bundle.fingerprints["generator"] != load_bundle(None).fingerprints["generator"]
        editor, top = Editor(bundle), 2 + k * (SIZE + 2)
        drawn = editor.render(editor.apply(latents[k : k + 1], Edit("face", "happy face")))[0]
        found = sheet[top : top + SIZE, 2 * (SIZE + 2) + 2 :][:, :SIZE]
        assert np.abs(found.astype(int) - drawn).max() <= 1
    assert run("edit_photo", ".", *TARGET, "--tune", "8") == 2
    assert "--tune is for one photo" in capsys.readouterr().err


# ---- what users bring


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


@pytest.mark.parametrize("save", [as_cmyk, as_animation, as_turned, as_sixteen_bits, with_alpha, in_grey])
def test_pictures_of_all_kinds_are_edited(save, capsys):
    save(Image.fromarray(SCENE.pixels))
    (path,) = Path().glob("photo.*")
    assert run("edit_photo", str(path), *TARGET) == 0
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
        (["folder.jpg"], "the folder folder.jpg holds 0 pictures"),
        (["scene.png", "--face", "9"], "there is no face 9: 3 faces were found"),
        (["scene.png", "--face", "left"], "face is a number, 'largest' or 'all', got 'left'"),
        (["scene.png", "--steps", "-1"], "--steps must not be negative, got -1"),
        (["scene.png", "--tune", "-1"], "--tune must not be negative, got -1"),
        (["scene.png", "--smooth", "-1"], "--smooth must not be negative, got -1"),
        (["scene.png", "--ir_se50_weights", "no.pth"], "there is no file no.pth"),
        (["scene.png", "--landmarks", "five.json"], "five.json holds no landmarks"),
        (["scene.png", "--landmarks", "far.json"], "is not in the photo of 320x240"),
        (["scene.png", "--landmarks", "no.json"], "there is no file no.json"),
        (["scene.png", "--target", ""], "a prompt must be a non-empty text"),
        (["scene.png", "--target", "face"], "neutral 'face' and target 'face' say the same"),
        (["scene.png", "--beta_threshold", "9"], "no style channel passes beta 9"),
        (["scene.png", "--output_path", "text.jpg"], "cannot write text.jpg"),
        (["scene.png", "--weight_path", "text.jpg"], "error: text.jpg is of no kind that is known"),
        (["scene.png", "--model_type", "ffhq"], "unknown model type 'ffhq'; known: toonface"),
    ],
)
def test_bad_input_is_one_line_and_two(argv, words, capsys):
    bring_files()
    assert TOOLS["edit_photo"].main([argv[0], *TARGET, "--output_path", "out", *argv[1:]]) == 2
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith("error: ") and words in line and said.out == ""
    assert not Path("out").exists() or not names()


def test_words_that_the_model_never_saw_are_named(capsys):
    assert run("edit_photo", "scene.png", *TARGET, "--target", "zorblax face") == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("warning: the CLIP of 'tiny' never saw 'zorblax'")


def test_without_landmarks_and_without_dlibs_model_the_cure_is_named(capsys):
    """The tiny pack has no face models, and nothing can be fetched."""
    assert run("edit_photo", "scene.png", "--target", "happy face") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "shape_predictor_68_face_landmarks.dat" in line


# ---- pixel2style2pixel


def model_arguments():
    """The arguments of PaddleGAN's documented commands that say which model, here for 16 px."""
    paddle.save(tiny_generator().state_dict(), "weights.pdparams")
    return [
        "--weight_path",
        "weights.pdparams",
        "--model_type",
        "toonface",
        "--size",
        "16",
        "--style_dim",
        "12",
        "--n_mlp",
        "2",
        "--cpu",
    ]


def test_a_photo_through_the_encoder(pack, capsys):
    assert (
        run(
            "pixel2style2pixel",
            "--input_image",
            "scene.png",
            "--landmarks",
            "marks.json",
            "--face",
            "2",
            "--seed",
            "233",
            "--size",
            "16",
            "--cpu",
        )
        == 0
    )
    assert names() == ["dst.npy", "dst.png", "src.png"]
    np.testing.assert_array_equal(read("src.png"), crops()[1])
    w_plus = np.load("out/dst.npy")
    assert w_plus.shape == (LEVELS, STYLE_DIM) and w_plus.dtype == np.float32
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("scene.png inverted by the encoder of tiny: PSNR ") and first.endswith(" s")
    src, dst, again = Pixel2Style2PixelPredictor("out").run("scene.png", face=2, landmarks="marks.json")
    np.testing.assert_allclose(again, w_plus, atol=1e-5)
    np.testing.assert_array_equal(src, read("src.png"))
    np.testing.assert_array_equal(dst, read("dst.png"))


def test_an_aligned_picture_is_taken_whole(capsys):
    face = Image.fromarray(crops()[0]).resize((64, 64), Image.NEAREST)
    face.save("face.png")
    assert run("pixel2style2pixel", "--input_image", "face.png", "--aligned") == 0
    np.testing.assert_array_equal(read("src.png"), crops()[0])
    assert run("pixel2style2pixel", "--input_image", "scene.png", "--aligned") == 2
    assert "scene.png is 320x240; an aligned face is a square" in capsys.readouterr().err


def test_a_model_without_an_encoder_is_told(tmp_path, capsys):
    save_tiny_pack(tmp_path / "plain")
    assert (
        run(
            "pixel2style2pixel",
            "--input_image",
            "scene.png",
            "--landmarks",
            "marks.json",
            "--bundle",
            "plain",
        )
        == 2
    )
    (line,) = capsys.readouterr().err.splitlines()
    assert "'tiny' has no encoder" in line and "styleganv2fitting.py" in line


# ---- styleganv2fitting


def test_fitting_with_every_argument_of_paddlegans_document(capsys):
    Image.fromarray(crops()[0]).save("face.png")
    np.save("start.npy", np.zeros([LEVELS, STYLE_DIM], np.float32))
    assert (
        run(
            "styleganv2fitting",
            "--input_image",
            "face.png",
            *model_arguments(),
            "--seed",
            "233",
            "--start_lr",
            "0.1",
            "--final_lr",
            "0.025",
            "--latent_level",
            "0",
            "1",
            "2",
            "--step",
            "40",
            "--mse_weight",
            "1",
            "--pre_latent",
            "start.npy",
        )
        == 0
    )
    assert names() == ["dst.fitting.npy", "dst.fitting.png", "src.fitting.png"]
    np.testing.assert_array_equal(read("src.fitting.png"), crops()[0])
    w_plus = np.load("out/dst.fitting.npy")
    assert w_plus.shape == (LEVELS, STYLE_DIM) and not w_plus[3:].any() and np.abs(w_plus[:3]).min() > 0
    said = capsys.readouterr().out.splitlines()[0]
    ((before, after),) = decibels(said)
    assert said.startswith("face.png fitted to weights in 40 steps by plain") and after > before + 0.5


def test_the_class_fits_as_the_command_does():
    Image.fromarray(crops()[0]).save("face.png")
    src, dst, w_plus = StyleGANv2FittingPredictor("out").run("face.png", step=5)
    np.testing.assert_array_equal(dst, read("dst.fitting.png"))
    np.testing.assert_array_equal(w_plus, np.load("out/dst.fitting.npy"))
    assert run("styleganv2fitting", "--input_image", "face.png", "--step", "5") == 0
    np.testing.assert_allclose(np.load("out/dst.fitting.npy"), w_plus, atol=1e-4)


def test_without_lpips_large_pictures_are_compared_plainly_and_it_is_said(monkeypatch, capsys):
    monkeypatch.setattr(fitting, "LARGE", 16)
    Image.fromarray(crops()[0]).save("face.png")
    assert run("styleganv2fitting", "--input_image", "face.png", "--step", "1") == 0
    said = capsys.readouterr()
    warned = [line for line in said.err.splitlines() if line.startswith("warning: ")]
    assert len(warned) == 1 and "no LPIPS, so pictures are compared by plain differences" in warned[0]
    assert " by plain and squared differences" in said.out


@pytest.mark.parametrize("kind", ["vgg", "plain"])
def test_image2stylegans_recipe(kind, monkeypatch, capsys):
    """From the mean, all layers, a rate that stays; VGG where it is to be had."""
    if kind == "vgg":
        paddle.seed(0)
        monkeypatch.setattr(fitting, "LARGE", SIZE)
        monkeypatch.setattr(perceptual, "load_vgg", lambda: VGG16((2, 2, 2, 2, 2)))
    Image.fromarray(crops()[0]).save("face.png")
    recipe = ["--recipe", "image2stylegan", "--step", "1"]
    assert run("styleganv2fitting", "--input_image", "face.png", *recipe) == 0
    assert f"fitted to tiny in 1 steps by {kind} and squared differences" in capsys.readouterr().out
    moved = np.load("out/dst.fitting.npy") - tiny_generator().mean_latent().numpy()
    np.testing.assert_allclose(np.abs(moved), 0.02, rtol=1e-2)  # Adam's first step


def test_the_recipe_of_image2stylegan_in_full():
    recipe = fitting.RECIPES["image2stylegan"]
    assert (recipe.step, recipe.start_lr, recipe.final_lr, recipe.moving) == (1500, 0.02, 0.02, None)
    assert recipe.compared == "vgg" and recipe.from_mean


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--step", "0"], "at least one step"),
        (["--start_lr", "-1"], "learning rates above 0"),
        (["--latent_level", "0", "6"], "there is no level 6 in w_plus: this generator has 0 to 5"),
        (["--pre_latent", "no.npy"], "there is no file no.npy"),
        (["--pre_latent", "wide.npy"], r"latent has shape [1, 18, 512]"),
    ],
)
def test_what_cannot_be_fitted_is_one_line_and_two(argv, words, capsys):
    Image.fromarray(crops()[0]).save("face.png")
    np.save("wide.npy", np.zeros([18, 512], np.float32))
    assert run("styleganv2fitting", "--input_image", "face.png", *argv) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and words in lines[0]


# ---- what they share


def test_a_given_start_is_the_first_that_is_found(pack):
    start = np.full([3, LEVELS, STYLE_DIM], 0.5, np.float32)
    found = list(find_latents(Editor(load_pack(pack)), crops(), steps=2, start=start))
    assert len(found) == 3
    np.testing.assert_array_equal(found[0], start)
    assert np.abs(found[1] - start).max() == pytest.approx(photo_module.START_RATE, rel=1e-3)  # Adam's first


# ---- with dlib


@pytest.fixture
def toonface(monkeypatch):
    """The embedded world itself, whose faces and face models are real."""
    pytest.importorskip("dlib", reason="dlib-bin, the extra 'align', is not installed")
    monkeypatch.setattr(load, "PACK", PACK)
    monkeypatch.setattr(quality, "POOR", POOR)


def test_three_faces_at_angles_are_found_edited_and_put_back(toonface, capsys):
    scene = draw_scene(4, faces=3, width=640, height=360, sides=(140, 180))
    Image.fromarray(scene.pixels).save("scene.png")
    assert run("edit_photo", "scene.png", "--target", "happy face", "--face", "all", "--steps", "5") == 0
    said = capsys.readouterr()
    assert " on 3 faces of scene.png" in said.out and said.err == ""
    changed = (read("edited.png") != scene.pixels).any(2)
    frames = np.max([crop_mask(align_face(scene.pixels, face.landmarks, 64)[1]) for face in scene.faces], 0)
    near = cv2.dilate(frames, np.ones((31, 31))) > 0  # dlib's landmarks are not the drawn ones to the pixel
    assert changed[frames > 0.9].mean() > 0.1 and not changed[~near].any()


def test_a_tuned_generator_of_the_embedded_world_is_edited_as_it_was(toonface, capsys):
    """Its strengths count in the embedded world's own unit, which needs all that was measured."""
    own = load_bundle(None)
    save_generator(
        "tuned.safetensors",
        tiny_change(own.generator),
        name="toonface",
        about={"tuned_from": own.fingerprints["generator"]},
    )
    tuned = load_bundle("toonface", weight_path="tuned.safetensors")
    edit = Edit("face", "happy face")
    np.testing.assert_array_equal(Editor(tuned).step(edit), Editor(own).step(edit))
    assert tuned.face_models == own.face_models
    save_generator("other.safetensors", tuned.generator, name="toonface")
    with pytest.raises(UserError, match="was made for generator"):
        load_bundle("toonface", weight_path="other.safetensors").stats  # noqa: B018


def tiny_change(generator):
    changed = copy.deepcopy(generator)
    first = next(weight for name, weight in changed.named_parameters() if name.startswith("convs"))
    first.set_value(first * 1.001)
    return changed


def test_a_photo_without_a_face_of_the_model_names_the_cure(toonface, capsys):
    Image.fromarray(draw_scene(3, faces=0).pixels).save("ground.png")
    assert run("edit_photo", "ground.png", "--target", "happy face") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no face of the kind that 'toonface' knows was found in ground.png" in line


def test_half_a_face_is_edited_with_a_warning_or_refused(toonface, capsys):
    scene = draw_scene(4, faces=3, width=640, height=360, sides=(140, 180))
    left = int(scene.faces[1].landmarks[:, 0].mean())
    Image.fromarray(scene.pixels[:, left : left + 110]).save("half.png")
    code = run("edit_photo", "half.png", "--target", "happy face", "--steps", "5")
    (line,) = capsys.readouterr().err.splitlines()
    assert (code, line[:6]) == (2, "error:") or (code == 0 and "the face is drawn badly" in line)


# ---- folders and videos


def small_scenes():
    return [
        draw_scene(4 + k, faces=count, width=320, height=240, sides=(120, 130)).pixels
        for k, count in enumerate((1, 0, 1))
    ]


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

    def smooth_faces(seen, radius):
        asked.append(([len(faces) for faces in seen], radius))
        return [[] for _ in seen]

    monkeypatch.setattr(frames_module, "smooth_faces", smooth_faces)
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
