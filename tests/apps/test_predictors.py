# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The predictors: PaddleGAN's arguments in, PaddleGAN's files out, on a tiny pack."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import paddle
import pytest
from tiny_world import save_tiny_pack, tiny_generator

from ppstyleclip import apps
from ppstyleclip.apps import (
    StyleGANv2ClipPredictor,
    StyleGANv2EditingPredictor,
    StyleGANv2MixingPredictor,
    StyleGANv2Predictor,
    styleganv2clip_predictor,
)
from ppstyleclip.errors import UserError
from ppstyleclip.pipelines.sampling import mixing_cells
from ppstyleclip.threads import count_cores, import_paddle, use_all_cores
from ppstyleclip.zoo import registry, stored_directions


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def embedded(pack, monkeypatch):
    monkeypatch.setattr(registry, "PACK", pack)


@pytest.fixture
def clip_predictor(tmp_path):
    return StyleGANv2ClipPredictor(output_path=tmp_path / "out")


def read(path):
    return cv2.imread(str(path))[:, :, ::-1]


# ---- StyleGANv2Predictor


def test_sampling_writes_paddlegans_three_sheets_and_the_latents(tmp_path):
    predictor = StyleGANv2Predictor(output_path=str(tmp_path), seed=3)
    predictor.run(n_row=2, n_col=3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "sample.npy",
        "sample.png",
        "sample_mixing_0.png",
        "sample_mixing_1.png",
    ]
    faces = np.load(tmp_path / "sample.npy")
    assert faces.shape == (6, 6, 12) and faces.dtype == np.float32
    last = predictor.editor.render(faces[5:])[0].astype(int)
    assert np.abs(read(tmp_path / "sample.png")[20:36, 38:54] - last).max() <= 1
    assert read(tmp_path / "sample.png").shape == (2 * 18 + 2, 3 * 18 + 2, 3)
    assert read(tmp_path / "sample_mixing_0.png").shape == (3 * 18 + 2, 4 * 18 + 2, 3)
    assert (read(tmp_path / "sample_mixing_0.png") != read(tmp_path / "sample_mixing_1.png")).any()


def test_sampling_repeats_with_a_seed_only(tmp_path):
    def sheet(name, seed):
        StyleGANv2Predictor(output_path=tmp_path / name, seed=seed).run(1, 2)
        return [read(tmp_path / name / f"{kind}.png") for kind in ("sample", "sample_mixing_1")]

    first, again, other, loose = sheet("a", 3), sheet("b", 3), sheet("c", 4), sheet("d", None)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).any() and (first[0] != loose[0]).any()


def test_mixing_takes_coarse_layers_from_the_row_and_fine_ones_from_the_column(tmp_path):
    predictor = StyleGANv2Predictor(output_path=tmp_path, seed=3)
    cells = mixing_cells(predictor.editor, np.random.RandomState(0), 2, 3)
    random = np.random.RandomState(0)
    sources = predictor.editor.sample(random.randint(2**31, size=3)).numpy()
    targets = predictor.editor.sample(random.randint(2**31, size=2)).numpy()
    cuts = [random.randint(1, 6) for _ in range(2)]
    assert len(cells) == 12 and not cells[0].any()
    expected = np.concatenate([targets[1, : cuts[1]], sources[2, cuts[1] :]])[None]
    assert np.abs(cells[11].astype(int) - predictor.editor.render(expected)[0]).max() <= 1
    assert np.abs(cells[8].astype(int) - predictor.editor.render(targets[1:])[0]).max() <= 1


def test_weights_of_ones_own_and_flags_that_agree_or_not(tmp_path):
    paddle.save(tiny_generator(5).state_dict(), str(tmp_path / "own.pdparams"))
    predictor = StyleGANv2Predictor(weight_path=tmp_path / "own.pdparams", size=16, style_dim=12, n_mlp=2)
    assert predictor.generator.size == 16
    with pytest.raises(UserError, match="size 64 was given.*have size 16"):
        StyleGANv2Predictor(weight_path=tmp_path / "own.pdparams", size=64)
    with pytest.raises(UserError, match="unknown model type 'cats'; known: portrait, portrait-sg3"):
        StyleGANv2Predictor(model_type="cats")


def test_sheets_that_cannot_be_drawn(tmp_path):
    for words, seed, shape in (
        ("rows must be at least 1", 0, (0, 2)),
        ("columns must be at least 1", 0, (2, 0)),
        ("seed must be 0 to", -1, (1, 1)),
    ):
        with pytest.raises(UserError, match=words):
            StyleGANv2Predictor(output_path=tmp_path, seed=seed).run(*shape)
    assert not list(tmp_path.iterdir())


# ---- StyleGANv2MixingPredictor, StyleGANv2EditingPredictor


def two_faces(folder):
    faces = np.random.RandomState(5).randn(2, 6, 12).astype(np.float32)
    np.save(folder / "a.npy", faces[0])
    np.save(folder / "b.npy", faces[1:])
    return faces


def test_mixing_writes_paddlegans_files_and_the_latent(tmp_path):
    first, second = two_faces(tmp_path)
    weights = np.float32([1, 0.8, 0.5, 0, 0.2, 0.5])[:, None]
    predictor = StyleGANv2MixingPredictor(output_path=tmp_path / "out", seed=None, size=16)
    pictures = predictor.run(str(tmp_path / "a.npy"), str(tmp_path / "b.npy"), list(weights[:, 0]))
    mixture = weights * first + (1 - weights) * second
    names = ["src1.mixing.png", "src2.mixing.png", "dst.mixing.png"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted([*names, "dst.mixing.npy"])
    np.testing.assert_allclose(np.load(tmp_path / "out" / "dst.mixing.npy"), mixture, atol=1e-6)
    expected = predictor.editor.render(np.stack([first, second, mixture]))
    for name, picture, face in zip(names, pictures, expected):
        np.testing.assert_array_equal(read(tmp_path / "out" / name), picture)
        assert np.abs(picture.astype(int) - face).max() <= 1
    predictor.run(tmp_path / "a.npy", tmp_path / "b.npy")
    np.testing.assert_allclose(np.load(tmp_path / "out" / "dst.mixing.npy"), (first + second) / 2, atol=1e-6)


def test_editing_writes_paddlegans_three_files(tmp_path):
    first, _ = two_faces(tmp_path)
    smile = np.random.RandomState(6).randn(6, 12)  # float64, as PaddleGAN's file may have it
    paddle.save({"smile": paddle.to_tensor(smile), "age": paddle.ones([12])}, str(tmp_path / "d.pdparams"))
    predictor = StyleGANv2EditingPredictor(None, tmp_path / "d.pdparams", output_path=tmp_path / "out")
    assert sorted(predictor.directions) == ["age", "smile"]
    src, dst, latent = predictor.run(str(tmp_path / "a.npy"), "smile", -1.5)
    names = ["dst.editing.npy", "dst.editing.png", "src.editing.png"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == names
    np.testing.assert_allclose(latent, first - 1.5 * smile, atol=1e-5)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / names[0]), latent)
    np.testing.assert_array_equal(read(tmp_path / "out" / names[1]), dst)
    np.testing.assert_array_equal(read(tmp_path / "out" / names[2]), src)
    expected = predictor.editor.render(np.stack([first, latent]))
    assert np.abs(np.stack([src, dst]).astype(int) - expected).max() <= 1
    np.testing.assert_allclose(predictor.run(tmp_path / "a.npy", "age", 2)[2], first + 2, atol=1e-6)


def test_directions_come_from_the_published_file_of_the_model(tmp_path, monkeypatch):
    asked = []
    paddle.save({"age": paddle.ones([6, 12])}, str(tmp_path / "published"))
    monkeypatch.setattr(
        stored_directions, "fetch_published", lambda name: asked.append(name) or tmp_path / "published"
    )
    monkeypatch.setattr(registry, "PACK", tmp_path)  # an embedded model without any
    assert list(stored_directions.open_directions("ffhq-config-f")) == ["age"]
    assert asked == ["stylegan2-ffhq-config-f-directions.pdparams"]
    for name, words in (
        (None, "no stored directions for this model"),
        ("portrait", "for 'portrait'"),
        ("animeface-512", "--direction_path"),
        ("cats", "unknown model type 'cats'"),
    ):
        with pytest.raises(UserError, match=words):
            StyleGANv2EditingPredictor(name)


# ---- StyleGANv2ClipPredictor


def test_run_writes_paddlegans_three_files(clip_predictor, tmp_path):
    latent = clip_predictor.editor.sample(9).numpy()[0]
    np.save(tmp_path / "dst.npy", latent)
    src, dst, styles = clip_predictor.run(str(tmp_path / "dst.npy"), "face", "happy face", 4.0, 0.05)
    out = tmp_path / "out"
    assert sorted(p.name for p in out.iterdir()) == ["dst.editing.pd", "dst.editing.png", "src.editing.png"]
    np.testing.assert_array_equal(read(out / "src.editing.png"), src)
    np.testing.assert_array_equal(read(out / "dst.editing.png"), dst)
    np.testing.assert_array_equal(src, clip_predictor.editor.render(latent[None])[0])
    loaded = paddle.load(str(out / "dst.editing.pd"))
    layout = clip_predictor.editor.bundle.layout
    assert [list(style.shape) for style in loaded] == [[1, width] for width in layout.channels]
    np.testing.assert_array_equal(clip_predictor.editor.render(layout.flatten(loaded))[0], dst)
    for style, stored in zip(styles, loaded):
        np.testing.assert_array_equal(style.numpy(), stored.numpy())


def test_run_without_a_latent_edits_the_face_of_the_seed(tmp_path):
    first = StyleGANv2ClipPredictor(output_path=tmp_path / "a", seed=4)
    again = StyleGANv2ClipPredictor("portrait", output_path=tmp_path / "b", seed=4)
    src, dst, _ = first.run(neutral="face", target="sad face")
    np.testing.assert_array_equal(dst, again.run(neutral="face", target="sad face")[1])
    np.testing.assert_array_equal(src, first.editor.render(first.editor.sample(4))[0])


def test_delta_s_and_generate_are_paddlegans(clip_predictor):
    editor, latent = clip_predictor.editor, clip_predictor.editor.sample([1, 2])
    delta_s = clip_predictor.get_delta_s("face", "happy face", 0.05)
    assert [list(d.shape) for d in delta_s] == [[width] for width in editor.bundle.layout.channels]
    assert max(float(d.abs().max()) for d in delta_s) == pytest.approx(1.0)
    rgb = [d for d, editable in zip(delta_s, editor.bundle.layout.editable) if not editable]
    assert all(float(d.abs().max()) == 0 for d in rgb)
    images, styles = clip_predictor.gengrate(latent, delta_s, [0, 2])
    plain = clip_predictor.generator.style_affine(latent)
    for k in range(len(plain)):
        np.testing.assert_allclose(styles[0][k].numpy(), plain[k].numpy(), atol=1e-6)
        np.testing.assert_allclose(styles[1][k].numpy(), (plain[k] + 2 * delta_s[k]).numpy(), atol=1e-5)
    expected = clip_predictor.generator.synthesis_from_styles(styles[1], noise="const")
    np.testing.assert_array_equal(images[1].numpy(), expected.numpy())


def test_a_relative_threshold_is_a_share_of_the_largest(clip_predictor):
    only = clip_predictor.get_delta_s("face", "happy face", 0.999999, relative=True)
    assert sum(int((d != 0).sum()) for d in only) == 1
    soft = clip_predictor.get_delta_s("face", "happy face", 0.999999, relative=True, soft_threshold=0.5)
    assert sum(int((d != 0).sum()) for d in soft) > 10


def test_what_fails_writes_nothing(clip_predictor, tmp_path):
    for target, beta in (("", None), (None, None), ("face", None), ("happy face", 5.0)):
        with pytest.raises(UserError):
            clip_predictor.run(None, "face", target, 1.0, beta)
    assert not (tmp_path / "out").exists()


# ---- the predictor as a script, and how Paddle is started


def test_generate_as_the_tutorial_calls_it(tmp_path, capsys):
    argv = [
        "generate",
        "--neutral",
        "face",
        "--target",
        "happy face",
        "--output_path",
        str(tmp_path / "o"),
        "--direction_offset",
        "-2",
        "--beta_threshold",
        "0.05",
    ]
    assert styleganv2clip_predictor.main(argv) == 0
    assert (tmp_path / "o" / "dst.editing.pd").exists() and "wrote" in capsys.readouterr().out
    assert styleganv2clip_predictor.main([*argv[:-1], "7"]) == 2
    assert capsys.readouterr().err.startswith("error: no style channel passes beta 7")


def test_extract_as_the_tutorial_calls_it(tmp_path, capsys):
    argv = ["extract", "--output_path", str(tmp_path), "--num_images", "2", "--limit_channels", "3"]
    assert styleganv2clip_predictor.main(argv) == 0
    assert [p.suffix for p in tmp_path.iterdir()] == [".safetensors"]
    assert "measured 3 channels" in capsys.readouterr().out


@pytest.mark.slow
def test_the_script_runs_as_a_file_and_paddle_says_nothing(tmp_path):
    script = Path(styleganv2clip_predictor.__file__)
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run(
        [sys.executable, str(script), "extract", "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "") and "--num_images" in done.stdout


def test_apps_has_no_other_names():
    with pytest.raises(AttributeError, match="no attribute 'Pixel'"):
        apps.Pixel  # noqa: B018


def test_importing_the_package_and_its_errors_is_light():
    code = (
        "import sys, ppstyleclip, ppstyleclip.apps, ppstyleclip.cli.run, ppstyleclip.threads; "
        "print([m for m in ('paddle', 'cv2', 'clip') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_users_number_of_threads_stays(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("MKL_DEBUG_CPU_TYPE", "4")
    use_all_cores()
    assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_DEBUG_CPU_TYPE"]) == ("3", "4")
    monkeypatch.delenv("OMP_NUM_THREADS")
    use_all_cores()
    assert os.environ["OMP_NUM_THREADS"] == str(count_cores())
    assert import_paddle() is paddle
