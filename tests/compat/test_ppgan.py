# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Code that was written for PaddleGAN runs with one import before it, or with nothing changed.

The calls are those of public programs and tutorials, typed anew: an application that makes faces older, a
window with a slider, PaddleHub's modules, PaddleGAN's own tools and notebook. The published files lie in the
cache under their names; they are of the tiny world.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from tiny_encoder import tiny_encoder
from tiny_world import CLIP, SIZE, STYLE_DIM, live_in, save_tiny_pack, tiny_clip, tiny_generator

import ppstyleclip.compat.ppgan  # noqa: F401  what the programs below add
from ppstyleclip.apps import pixel2style2pixel_predictor
from ppstyleclip.pipelines import quality
from ppstyleclip.zoo import load, load_pack

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"size": SIZE, "style_dim": STYLE_DIM, "n_mlp": 2, "channel_multiplier": None}
FFHQ = "stylegan2-ffhq-config-f"


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def world(pack, monkeypatch, tmp_path):
    """The models ffhq-config-f and ffhq-inversion, tiny; photos are a crop each."""
    live_in(pack, monkeypatch, tmp_path)
    cache, bundle, random = tmp_path / "cache", load_pack(pack), np.random.RandomState(4)
    cache.mkdir()
    layout = bundle.layout

    def layers(values):
        return [paddle.to_tensor(part) for part in layout.unflatten(values)]

    names = ("age", "gender", "smile")
    for name, value in {
        f"{FFHQ}.pdparams": tiny_generator().state_dict(),
        f"{FFHQ}-directions.pdparams": {n: paddle.to_tensor(random.randn(6, STYLE_DIM)) for n in names},
        f"{FFHQ}-styleclip-global-directions.pdparams": paddle.to_tensor(bundle.relevance.rows),
        f"{FFHQ}-styleclip-stats.pdparams": {
            "mean": layers(bundle.stats.mean),
            "std": layers(bundle.stats.std),
        },
    }.items():
        paddle.save(value, str(cache / name))
    monkeypatch.setattr(load, "_published_clip", lambda name: tiny_clip())
    monkeypatch.setattr(load, "_encoder_with_generator", lambda *_: (tiny_encoder(), tiny_generator()))
    (cache / "pSp-ffhq-inversion.pdparams").write_bytes((cache / f"{FFHQ}.pdparams").read_bytes())
    crop = random.randint(0, 255, [SIZE, SIZE, 3]).astype(np.uint8)
    monkeypatch.setattr(pixel2style2pixel_predictor, "read_face", lambda *_, **__: SimpleNamespace(crop=crop))
    monkeypatch.setattr(quality, "POOR", 0.0)
    assert CLIP["embed_dim"] == bundle.relevance.shape[1]
    return tmp_path


def save_face(path, seed=0):
    np.save(path, np.random.RandomState(seed).randn(6, STYLE_DIM).astype(np.float32))
    return path


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# ---- programs


def test_an_application_that_makes_faces_older():
    """0x00A0's predict.py: sizes that are wrong, and of another kind, which PaddleGAN never looks at."""
    from ppgan.apps import Pixel2Style2PixelPredictor, StyleGANv2EditingPredictor

    inverter = Pixel2Style2PixelPredictor(
        output_path="out", weight_path=None, model_type="ffhq-inversion", seed=223, **SIZES
    )
    with pytest.warns(UserWarning, match="of no effect") as caught:
        editor = StyleGANv2EditingPredictor(
            output_path="out",
            weight_path=None,
            model_type="ffhq-config-f",
            seed=None,
            size=SIZE,
            style_dim=STYLE_DIM,
            n_mlp=7,
            channel_multiplier="age",
            direction_path=None,
        )
    told = sorted(str(one.message) for one in caught)
    assert len(told) == 2 and told[0].startswith("channel_multiplier='age' is of no effect: 'ffhq-config-f'")
    assert told[1] == "n_mlp=7 is of no effect: 'ffhq-config-f' has its own, 2"
    inverter.run("me.jpg")
    editor.run(os.path.join("out", "dst.npy"), "age", 4.0)
    moved = np.load("out/dst.editing.npy") - np.load("out/dst.npy")
    np.testing.assert_allclose(moved, 4 * editor.directions["age"].numpy(), atol=1e-4)


def test_a_window_that_steps_through_ages():
    """A desktop program: one predictor, many runs, its files renamed and removed between them."""
    from ppgan.apps import StyleGANv2EditingPredictor

    paddle.set_device("cpu")
    save_face("dst.npy")
    predictor = StyleGANv2EditingPredictor(
        output_path=".", weight_path=None, model_type="ffhq-config-f", seed=None, direction_path=None
    )
    for strength in (2, 3, 9):
        predictor.run("dst.npy", "age", strength)
        os.remove("dst.editing.npy")
        os.remove("src.editing.png")
        os.rename("dst.editing.png", f"{strength}.png")
    assert {"2.png", "3.png", "9.png"} <= set(names(".")) and "src.editing.png" not in names(".")
    assert Path("2.png").read_bytes() != Path("9.png").read_bytes()


def test_a_chat_robot_that_asks_for_gender_age_or_smile():
    """Inversion, its latent renamed, then an edit whose files are taken one by one."""
    from ppgan.apps import Pixel2Style2PixelPredictor, StyleGANv2EditingPredictor

    Pixel2Style2PixelPredictor(output_path="step", model_type="ffhq-inversion", seed=233).run("result.png")
    os.remove("step/dst.png")
    os.remove("step/src.png")
    os.rename("step/dst.npy", "step/result.npy")
    for name in ("gender", "age", "smile"):
        predictor = StyleGANv2EditingPredictor(output_path="output", model_type="ffhq-config-f", seed=233)
        predictor.run("step/result.npy", name, 5)
        assert names("output") == ["dst.editing.npy", "dst.editing.png", "src.editing.png"]


def test_a_loop_of_inversion_editing_and_mixing():
    from ppgan.apps import (
        Pixel2Style2PixelPredictor,
        StyleGANv2EditingPredictor,
        StyleGANv2MixingPredictor,
    )

    _, _, latent = Pixel2Style2PixelPredictor(output_path="a", model_type="ffhq-inversion").run("face.jpg")
    assert latent.shape == (6, STYLE_DIM)
    StyleGANv2EditingPredictor(output_path="b", model_type="ffhq-config-f").run("a/dst.npy", "smile", 2.0)
    mixer = StyleGANv2MixingPredictor(output_path="c", model_type="ffhq-config-f")
    mixer.run("a/dst.npy", "b/dst.editing.npy", weights=[0.5] * 6)  # 18 at 1024 px
    both = np.stack([np.load("a/dst.npy"), np.load("b/dst.editing.npy")])
    np.testing.assert_allclose(np.load("c/dst.mixing.npy"), both.mean(axis=0), atol=1e-5)


def test_a_handler_with_a_namespace():
    """Arguments that are kept in a Namespace and handed on, as PaddleGAN's tools do."""
    from ppgan.apps import StyleGANv2Predictor

    args = Namespace(output_path="out", weight_path=None, model_type="ffhq-config-f", seed=102, **SIZES)
    args.n_row, args.n_col = 1, 2
    predictor = StyleGANv2Predictor(
        output_path=args.output_path,
        weight_path=args.weight_path,
        model_type=args.model_type,
        seed=args.seed,
        size=args.size,
        style_dim=args.style_dim,
        n_mlp=args.n_mlp,
        channel_multiplier=args.channel_multiplier,
    )
    predictor.run(args.n_row, args.n_col)
    assert {"sample.png", "sample_mixing_0.png", "sample_mixing_1.png"} <= set(names("out"))


def test_modules_with_files_of_their_own(world):
    """PaddleHub's: the editing module names its directions' file, the mixing module its weights' file."""
    from ppgan.apps import StyleGANv2EditingPredictor, StyleGANv2MixingPredictor

    cache = world / "cache"
    editor = StyleGANv2EditingPredictor(
        direction_path=str(cache / f"{FFHQ}-directions.pdparams"), model_type="ffhq-config-f"
    )
    editor.run(save_face("a.npy"), "gender", -1.5)
    mixer = StyleGANv2MixingPredictor(weight_path=str(cache / f"{FFHQ}.pdparams"), model_type="ffhq-config-f")
    first, second, mixed = mixer.run("a.npy", save_face("b.npy", 1), [0.5] * 6)
    assert first.shape == mixed.shape == (SIZE, SIZE, 3) and (first != second).any()


def test_the_notebook_of_the_tutorials_author():
    """A row of strengths for several latents at once, the class called with the model's name alone."""
    from ppgan.apps import Pixel2Style2PixelPredictor, StyleGANv2ClipPredictor

    model = StyleGANv2ClipPredictor("ffhq-config-f")
    predictor = Pixel2Style2PixelPredictor(output_path="./tmp", model_type="ffhq-inversion", seed=1234)
    results = [predictor.run("docs/imgs/pSp-input.jpg")]
    sources, latents = np.stack([one[0] for one in results]), np.stack([one[2] for one in results])
    assert sources.dtype == np.uint8
    latent = paddle.to_tensor(latents).astype("float32")
    delta_s = model.get_delta_s("face", "happy face", 0.1, relative=False, soft_threshold=0)
    strengths = [-1, 0, 1, 2, 3, 4, 5]
    all_images, styles = model.gengrate(latent, delta_s, strengths)
    levels = [
        (images.transpose((0, 2, 3, 1)) * 127.5 + 128).clip(0, 255).astype(paddle.uint8).numpy()
        for images in all_images
    ]
    assert len(levels) == len(styles) == 7 and levels[0].shape == (1, SIZE, SIZE, 3)


def test_the_tutorials_statistics_script():
    """PaddleGAN's styleclip_getf.py with fewer samples: what it does to the generator, then what it saves."""
    from ppgan.apps import StyleGANv2Predictor

    network = StyleGANv2Predictor(model_type="ffhq-config-f").generator
    z = paddle.to_tensor(np.random.RandomState(1234).randn(2, 3, network.style_dim).astype("float32"))
    with paddle.no_grad():
        latents = [network.get_latents(z[i], truncation=0.7, truncation_cutoff=8) for i in range(2)]
        styles = [network.style_affine(latent) for latent in latents]
    assert len(styles[0]) == len(network.w_idx_lst) == len(network.channels_lst)
    joined = [paddle.concat([one[k] for one in styles]) for k in range(len(network.w_idx_lst))]
    paddle.save(joined, "S-mine.pdparams")
    means = [part.mean(axis=0) for part in joined]
    paddle.save({"mean": means, "std": [part.std(axis=0) for part in joined]}, "stats.pdparams")
    again = StyleGANv2Predictor(weight_path="cache/" + f"{FFHQ}.pdparams").editor
    found = load.read_stats("stats.pdparams", again.bundle.layout, name="mine")
    np.testing.assert_allclose(found.mean, np.concatenate([m.numpy() for m in means]), atol=1e-6)


def test_the_loop_of_paddlegans_extraction():
    """One channel of some faces up and down, drawn in slices, as extract_global_direction does."""
    import copy

    from ppgan.apps.styleganv2clip_predictor import Manipulator, StyleGANv2ClipPredictor

    predictor = StyleGANv2ClipPredictor(model_type="ffhq-config-f", seed=None, direction_path=None)
    network = predictor.generator
    styles = network.get_latent_S(paddle.randn([4, network.style_dim]))
    before = [style.numpy() for style in styles]
    manipulator = Manipulator(network, model_type="ffhq-config-f")
    layer, channel = network.style_layers[2], 3
    moved = manipulator.manipulate_one_channel(copy.deepcopy(styles), layer, channel, [-5, 5], 4)
    mean, std = (float(part[layer][channel]) for part in (manipulator.S_mean, manipulator.S_std))
    for one, alpha in zip(moved, (-5, 5)):
        np.testing.assert_allclose(one[layer][:, channel].numpy(), mean + alpha * std, rtol=1e-5)
        for k, style in enumerate(before):
            rest = np.arange(style.shape[1]) != (channel if k == layer else -1)
            np.testing.assert_array_equal(one[k].numpy()[:, rest], style[:, rest])
    images = manipulator.synthesis_from_styles(moved, [1, 3])
    assert [list(one.shape) for one in images] == [[2, 3, SIZE, SIZE]] * 2
    whole = network.synthesis(moved[1], randomize_noise=False)
    np.testing.assert_allclose(images[1].numpy(), whole[1:3].numpy(), atol=1e-5)
    assert list(predictor.fs3.shape) == [sum(network.channels_lst[i] for i in network.style_layers), 16]
    assert predictor.clip_model.dim == 16 and predictor.manipulator.generator is network
    with pytest.raises(ValueError, match="no channel 99 in layer 2"):
        manipulator.manipulate_one_channel(styles, 2, 99)


def test_directions_by_paddlegans_functions():
    from ppgan.apps.styleganv2clip_predictor import (
        StyleGANv2ClipPredictor,
        get_delta_t,
        get_ds_from_dt,
    )

    predictor = StyleGANv2ClipPredictor("ffhq-config-f")
    delta_t = get_delta_t("face", "happy face", predictor.clip_model)
    delta_s, count = get_ds_from_dt(predictor.fs3, delta_t, predictor.generator, 0.5, relative=True)
    own = predictor.get_delta_s("face", "happy face", 0.5, relative=True)
    assert 0 < count == sum(int((part != 0).sum()) for part in delta_s)
    for one, other in zip(delta_s, own):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)
    styles = predictor.generator.style_affine(paddle.randn([1, 6, STYLE_DIM]))
    for alpha, moved in zip((0, 2), predictor.manipulator.manipulate(styles, delta_s, [0, 2])):
        for style, step, result in zip(styles, delta_s, moved):
            np.testing.assert_allclose(result.numpy(), (style + alpha * step).numpy(), atol=1e-6)


def test_the_generator_by_its_own_name():
    from ppgan.models.generators import StyleGANv2Generator

    network = StyleGANv2Generator(8, 4, 1)
    assert network.w_idx_lst == [0, 1, 1, 2, 3] and network.style_layers == [0, 2, 3]
    assert [list(one.shape) for one in network.make_noise()] == [[1, 1, r, r] for r in (4, 8, 8)]
    assert list(network.get_mean_style(2, 3).shape) == [1, 4]
    with pytest.raises(ImportError, match="cannot import name 'Pixel2Style2Pixel'"):
        from ppgan.models.generators import Pixel2Style2Pixel  # noqa: F401
    with pytest.raises(ImportError, match="AnimeGANPredictor"):
        from ppgan.apps import AnimeGANPredictor  # noqa: F401


# ---- beside PaddleGAN, whole or not: packages that stand for it, each in a process of its own

CLASS = "class {0}:\n    home = 'PaddleGAN'\n"


def in_process(folder, code, *, script=None):
    words = ["-c", code] if script is None else ["-m", "ppstyleclip.compat.ppgan", str(script), "one", "two"]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=300, cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PPSTYLECLIP_OFFLINE": "1"},
    )  # fmt: skip
    return done


def save_package(folder, *, broken):
    """A package ppgan with four predictors, of which two may need what nobody has."""
    home = folder / "ppgan" / "apps"
    home.mkdir(parents=True)
    (home.parent / "__init__.py").write_text("")
    lines = ["from .anime_predictor import AnimePredictor", "from .old_predictor import OldPredictor"]
    lines += [
        f"from .styleganv2{kind.lower()}_predictor import StyleGANv2{kind}Predictor"
        for kind in ("", "Editing")
    ]
    (home / "__init__.py").write_text("\n".join(lines))
    needs = "import a_package_that_nobody_has\n" if broken else ""
    for name, code in {
        "anime": CLASS.format("AnimePredictor"),
        "old": needs + CLASS.format("OldPredictor"),
        "styleganv2editing": needs + CLASS.format("StyleGANv2EditingPredictor"),
        "styleganv2": CLASS.format("StyleGANv2Predictor"),
    }.items():
        (home / f"{name}_predictor.py").write_text(code)


PRINT = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import ppstyleclip.compat.ppgan
from ppgan.apps import AnimePredictor, StyleGANv2Predictor, StyleGANv2ClipPredictor
from ppgan.apps.anime_predictor import AnimePredictor as Again
print(Again is AnimePredictor, StyleGANv2Predictor.__module__, StyleGANv2ClipPredictor.__module__)
from ppgan.apps.styleganv2editing_predictor import StyleGANv2EditingPredictor
print(StyleGANv2EditingPredictor.__module__)
print(*[str(one.message) for one in caught if "PaddleGAN" in str(one.message)])
try:
    from ppgan.apps import OldPredictor
    print(OldPredictor.home)
except ImportError as error:
    print(error.__class__.__name__, error)
ppstyleclip.compat.ppgan.register(replace=True)
from ppgan.apps import StyleGANv2Predictor
print(StyleGANv2Predictor.__module__)
"""


@pytest.mark.slow
@pytest.mark.parametrize("broken", [False, True])
def test_beside_paddlegan(tmp_path, broken):
    save_package(tmp_path, broken=broken)
    done = in_process(tmp_path, PRINT)
    assert done.returncode == 0, done.stderr
    homes, editing, told, old, replaced = done.stdout.splitlines()
    here = "ppstyleclip.apps."
    assert homes == f"True ppgan.apps.styleganv2_predictor {here}styleganv2clip_predictor"
    assert replaced == f"{here}styleganv2_predictor"
    assert editing == ("ppstyleclip" if broken else "ppgan") + ".apps.styleganv2editing_predictor"
    if broken:
        assert "ModuleNotFoundError: No module named 'a_package_that_nobody_has'" in told
        assert "StyleGANv2ClipPredictor come from ppstyleclip" in told and "StyleGANv2Predictor," not in told
        assert old.startswith("ImportError cannot import name 'OldPredictor'")
    else:
        assert told == "" and old == "PaddleGAN"


@pytest.mark.slow
def test_a_script_as_it_is(tmp_path):
    script = tmp_path / "mine" / "script.py"
    script.parent.mkdir()
    (script.parent / "beside.py").write_text("WORD = 'beside'")
    script.write_text(
        "import sys\nfrom beside import WORD\nfrom ppgan.apps import StyleGANv2EditingPredictor\n"
        "print(__name__, sys.argv[1:], WORD, StyleGANv2EditingPredictor.__module__)\n"
    )
    done = in_process(tmp_path, "", script=script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "__main__", "['one',", "'two']", "beside", "ppstyleclip.apps.styleganv2editing_predictor",
    ]  # fmt: skip
    missing = in_process(tmp_path, "", script=tmp_path / "none.py")
    assert missing.returncode == 2 and "none.py" in missing.stderr
