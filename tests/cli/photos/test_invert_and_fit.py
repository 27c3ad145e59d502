# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""pixel2style2pixel.py and styleganv2fitting.py, and their classes: files, words, refusals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import paddle
import pytest
from photo_world import SIZE, crops, decibels, model_arguments, names, read, run
from PIL import Image
from tiny_encoder import LEVELS, narrow_e4e
from tiny_world import STYLE_DIM, save_tiny_pack, tiny_generator

from ppstyleclip.apps.pixel2style2pixel_predictor import Pixel2Style2PixelPredictor
from ppstyleclip.apps.styleganv2fitting_predictor import StyleGANv2FittingPredictor
from ppstyleclip.editor import Editor
from ppstyleclip.methods.inversion import FittingConfig, FittingLoss, project
from ppstyleclip.models.lpips import VGG16
from ppstyleclip.pictures import to_images
from ppstyleclip.pipelines import fitting
from ppstyleclip.zoo import generator_fingerprint, save_encoder

pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them

# ---- pixel2style2pixel


def test_a_photo_through_the_encoder(encoder_pack, capsys):
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


def test_another_encoder_by_its_name(encoder_pack, capsys):
    other, mark = narrow_e4e(), generator_fingerprint(tiny_generator())
    save_encoder(encoder_pack / "encoder_e4e.safetensors", other, generator=mark)
    Image.fromarray(crops()[0]).save("face.png")
    picture = ("--input_image", "face.png")
    assert run("pixel2style2pixel", *picture, "--aligned") == 0
    own = np.load("out/dst.npy")
    assert run("pixel2style2pixel", *picture, "--aligned", "--encoder", "e4e") == 0
    found = np.load("out/dst.npy")
    np.testing.assert_allclose(found, Editor.from_pretrained(encoder="e4e").invert(crops()[:1])[0], atol=1e-5)
    assert np.abs(found - own).max() > 0.1
    capsys.readouterr()
    assert run("styleganv2fitting", *picture, "--step", "1", "--encoder", "psp") == 2
    line = capsys.readouterr().err.strip()
    assert "\n" not in line and "there is no encoder 'psp'; the model has e4e beside its own" in line


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
    assert "'tiny' has no encoder" in line and "ppstyleclip fit" in line


# ---- a bank out of a folder of photos


def test_a_folder_becomes_a_bank(encoder_pack, capsys):
    Path("photos").mkdir()
    for name, crop in zip("cab", crops()):
        Image.fromarray(crop).save(f"photos/{name}.png")
    Image.new("RGB", (20, 30)).save("photos/tall.png")
    assert run("pixel2style2pixel", "--input_image", "photos", "--aligned") == 0
    assert names() == ["faces.png", "latents.csv", "latents.npy"]
    w_plus = np.load("out/latents.npy")
    assert w_plus.shape == (3, LEVELS, STYLE_DIM) and w_plus.dtype == np.float32
    lines = Path("out/latents.csv").read_text().splitlines()
    assert lines == ["number,photo", "0,a.png", "1,b.png", "2,c.png"]
    said = capsys.readouterr()
    assert "3 faces in 3 of 4 photos, inverted by the encoder of tiny" in said.out
    assert "left out: " in said.err and "tall.png" in said.err
    _, _, one = Pixel2Style2PixelPredictor("one").run("photos/b.png", need_align=False)
    np.testing.assert_allclose(w_plus[1], one, atol=1e-5)
    height, width = read("faces.png").shape[:2]
    assert abs(width / height - 3 / 2) < 0.05  # the photos above, what is drawn below
    assert run("pixel2style2pixel", "--input_image", "photos", "--landmarks", "marks.json") == 2
    assert "--landmarks does nothing with a folder, only with one photo" in capsys.readouterr().err
    Path("nothing").mkdir()
    Image.new("RGB", (20, 30)).save("nothing/tall.png")
    assert run("pixel2style2pixel", "--input_image", "nothing", "--aligned") == 2
    assert "no face was found in 1 picture" in capsys.readouterr().err


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vgg", "plain"])
def test_image2stylegans_recipe(kind, monkeypatch, capsys):
    """From the mean, all layers, a rate that stays; VGG where it is to be had."""
    if kind == "vgg":
        paddle.seed(0)
        monkeypatch.setattr(fitting, "LARGE", SIZE)
        monkeypatch.setattr(fitting, "load_vgg", lambda: VGG16((2, 2, 2, 2, 2)))
    Image.fromarray(crops()[0]).save("face.png")
    recipe = ["--recipe", "image2stylegan", "--step", "1"]
    assert run("styleganv2fitting", "--input_image", "face.png", *recipe) == 0
    assert f"fitted to tiny in 1 step by {kind} and squared differences" in capsys.readouterr().out
    moved = np.load("out/dst.fitting.npy") - tiny_generator().mean_latent().numpy()
    np.testing.assert_allclose(np.abs(moved), 0.02, rtol=1e-2)  # Adam's first step


def test_the_recipe_of_image2stylegan_in_full():
    recipe = fitting.RECIPES["image2stylegan"]
    assert recipe.fitting == FittingConfig(1500, 0.02, 0.02, None, FittingLoss(0.25))
    assert recipe.first_levels is None and recipe.distance == "vgg" and recipe.from_mean


def test_the_projectors_recipe(capsys):
    """One w for all layers, as the method finds it."""
    Image.fromarray(crops()[0]).save("face.png")
    recipe = ["--recipe", "projector", "--step", "4", "--start_lr", "0.1", "--seed", "7"]
    assert run("styleganv2fitting", "--input_image", "face.png", *recipe) == 0
    assert "fitted to tiny in 4 steps by plain differences: " in capsys.readouterr().out
    found, generator = np.load("out/dst.fitting.npy"), Editor.from_pretrained().bundle.generator
    config = replace(fitting.RECIPES["projector"].fitting, steps=4, learning_rate=0.1, seed=7)
    *_, last = project(generator, to_images(crops()[:1]), config)
    np.testing.assert_allclose(found, last.value[0], atol=1e-5)
    assert (found == found[0]).all() and config.w_samples == 10_000 and config.noise_weight == 1e5


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--step", "0"], "--step: a whole number from 1"),
        (["--start_lr", "-1"], "--start_lr: a finite number from 0"),
        (["--start_lr", "0"], "learning rates above 0"),
        (["--latent_level", "0", "6"], "there is no level 6 in w_plus: this generator has 0 to 5"),
        (["--pre_latent", "no.npy"], "there is no file no.npy"),
        (["--recipe", "projector", "--final_lr", "1"], "projector has no last rate (--final_lr)"),
        (["--recipe", "projector", "--latent_level", "1", "--mse_weight", "1"], "(--mse_weight)"),
        (["--noise_weight", "1"], "paddlegan has no noise pictures (--noise_weight)"),
        (["--recipe", "projector", "--pre_latent", "start.npy"], "a projection begins at the mean latent"),
        (["--pre_latent", "wide.npy"], r"latent has shape [1, 18, 512]"),
    ],
)
def test_what_cannot_be_fitted_is_one_line_and_two(argv, words, capsys):
    Image.fromarray(crops()[0]).save("face.png")
    np.save("wide.npy", np.zeros([18, 512], np.float32))
    np.save("start.npy", np.zeros([6, 12], np.float32))
    assert run("styleganv2fitting", "--input_image", "face.png", *argv) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and words in lines[0]
