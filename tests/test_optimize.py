# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation: the loss and Adam against their formulas, batches, presets, the command."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_parts
from tool_main import load_tool

from ppstyleclip.apps import optimize as app
from ppstyleclip.apps.presets import known_presets
from ppstyleclip.editor import Editor
from ppstyleclip.errors import CannotWrite, UserError
from ppstyleclip.files import load_pixels
from ppstyleclip.losses import clip_image_features
from ppstyleclip.methods import optimize
from ppstyleclip.methods.optimize import Settings, directed_features, optimise, places, styles_of
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.zoo import load, save_identity
from ppstyleclip.zoo.pack import IDENTITY


@pytest.fixture(scope="module")
def world():
    return tiny_parts()


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def home(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


def start_of(world, space, count=2):
    generator, layout = world[:2]
    z = np.random.RandomState(3).randn(count, generator.style_dim).astype(np.float32)
    with paddle.no_grad():
        w_plus = generator.get_latents(paddle.to_tensor(z))
        return {
            "z": z,
            "w": w_plus[:, 0].numpy(),
            "w_plus": w_plus.numpy(),
            "s": layout.flatten(generator.style_affine(w_plus)).numpy(),
        }[space]


def texts_of(world, count=1, number=1):
    return np.random.RandomState(4).randn(count, number, world[4].dim).astype(np.float32)


def loss_by_hand(world, latent, start, texts, weights, settings):
    """The formula, eager, each latent alone; `[N]` Tensor."""
    generator, layout, clip = world[0], world[1], world[4]
    styles = styles_of(generator, layout, latent, settings.space)
    images = generator.synthesis_from_styles(styles, noise="const")
    features = clip_image_features(clip, images, settings.view)
    texts = texts / np.linalg.norm(texts, axis=2, keepdims=True)
    cosines = (features.unsqueeze(1) * paddle.to_tensor(texts)).sum(axis=2)
    away = ((latent - paddle.to_tensor(start)) ** 2).reshape([len(start), -1])
    l2 = away.sum(axis=1) if settings.l2_over == "sum" else away.mean(axis=1)
    return ((1 - cosines) * paddle.to_tensor(np.float32(weights))).sum(axis=1) + settings.l2 * l2


@pytest.mark.parametrize("space", optimize.SPACES)
def test_first_steps_are_adam_on_the_formula(world, space):
    """Three steps against the loss written out and Adam written out."""
    settings = Settings(space=space, steps=3, rate=0.1, schedule="stepped", l2=0.01, view="official")
    start, texts, weights = start_of(world, space), texts_of(world, 2, 2), [1.0, 0.5]
    found = list(optimise(world[0], world[1], world[4], start, texts, settings, weights=weights))
    mask = np.zeros(world[1].size, np.float32)
    mask[world[1].editable_index] = 1
    value, mean, square = start.copy(), 0.0, 0.0
    for number in (1, 2, 3):
        latent = paddle.to_tensor(value, stop_gradient=False)
        loss = loss_by_hand(world, latent, start, texts, weights, settings)
        gradient = paddle.grad(loss.sum(), latent)[0].numpy() * (mask if space == "s" else 1)
        step = found[number - 1]
        total = step.terms["clip"] + settings.l2 * step.terms["l2"]
        np.testing.assert_allclose(total, loss.numpy(), rtol=1e-3)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        spread = np.sqrt(square / (1 - 0.999**number)) + 1e-8
        moved = value - 0.1 * mean / (1 - 0.9**number) / spread
        clear = np.abs(gradient) > 1e-3 * np.abs(gradient).max()  # where Adam's sign is not rounding
        np.testing.assert_allclose(step.value[clear], moved[clear], atol=0.02)
        value = step.value
    assert (found[-1].value[:, mask == 0] == start[:, mask == 0]).all() if space == "s" else True


def test_each_face_goes_as_if_alone(world):
    settings, start, texts = Settings(steps=4, rate=0.05), start_of(world, "w_plus"), texts_of(world, 2)
    *_, both = optimise(world[0], world[1], world[4], start, texts, settings)
    for k in range(2):
        *_, alone = optimise(world[0], world[1], world[4], start[k : k + 1], texts[k : k + 1], settings)
        np.testing.assert_allclose(both.value[k], alone.value[0], atol=2e-3)


def test_the_loss_falls(world):
    settings = Settings(steps=25, rate=0.05, l2=0.0, view="clip", views=3)
    steps = list(optimise(world[0], world[1], world[4], start_of(world, "w_plus"), texts_of(world), settings))
    assert (steps[-1].terms["clip"] < steps[0].terms["clip"] - 0.05).all()


def test_texts_of_other_places_are_refused(world):
    with pytest.raises(UserError, match="texts have shape .* for each of 3 places"):
        next(
            optimise(
                world[0],
                world[1],
                world[4],
                start_of(world, "z"),
                np.stack([texts_of(world, 2)] * 2),
                Settings(space="z", nearby=2),
            )
        )


def test_directed_features_keep_what_is_there(world):
    images = np.random.RandomState(0).uniform(-1, 1, [2, 3, 16, 16]).astype(np.float32)
    directions = np.eye(world[4].dim, dtype=np.float32)[:3]
    for views in (1, 3):
        settings = Settings(view="clip", views=views)
        own = directed_features(world[4], images, directions, settings)
        np.testing.assert_allclose(np.linalg.norm(own, axis=2), 1, rtol=1e-5)
        moved = directed_features(world[4], images, directions, replace(settings, toward=0.5))
        np.testing.assert_allclose(moved - own, np.broadcast_to(0.5 * directions, own.shape), atol=1e-6)


def test_a_move_of_no_length_is_where_the_face_is(world):
    """What CLIP should see and what it sees are prepared alike, cut out alike, averaged alike."""
    start = start_of(world, "w_plus")
    with paddle.no_grad():
        images = (
            world[0]
            .synthesis_from_styles(
                styles_of(world[0], world[1], paddle.to_tensor(start), "w_plus"), noise="const"
            )
            .numpy()
        )
    for view in ("official", "clip"):
        settings = Settings(steps=1, view=view, views=4, reach=0.2)
        texts = directed_features(world[4], images, np.eye(world[4].dim, dtype=np.float32)[:1], settings)
        step = next(optimise(world[0], world[1], world[4], start, texts, settings))
        np.testing.assert_allclose(step.terms["clip"], 0, atol=1e-5)


@pytest.mark.parametrize("space", optimize.SPACES)
def test_nearby_faces_take_turns(world, space):
    """Each step sees the face of its turn, moved as far as the latent has moved."""
    settings = Settings(space=space, steps=4, rate=0.05, schedule="stepped", l2=0.01, nearby=2, spread=0.5)
    start, texts = (
        start_of(world, space),
        np.stack([texts_of(world, 2)] * 3) * np.float32([1, -1, 1])[:, None, None, None],
    )
    offsets = places(world[0], world[1], settings)
    assert len(offsets) == 3 and not offsets[0].any() and (offsets[1] != offsets[2]).any()
    value = start
    for step, place in zip(optimise(world[0], world[1], world[4], start, texts, settings), (0, 1, 2, 0)):
        away = offsets[place]
        latent = paddle.to_tensor(value + away)
        loss = loss_by_hand(world, latent, start + away, texts[place], [1.0], settings)
        np.testing.assert_allclose(step.terms["clip"] + 0.01 * step.terms["l2"], loss.numpy(), rtol=1e-3)
        value = step.value


@pytest.mark.parametrize("space", optimize.SPACES)
def test_nearby_faces_are_as_far_as_faces_are(world, space):
    settings = Settings(space=space, nearby=200, spread=2.0)
    _, *offsets = places(world[0], world[1], settings)
    faces = start_of(world, space, 200)
    assert offsets[0].shape[1:] in (faces.shape[1:], (1, *faces.shape[2:]))  # w_plus: all layers alike
    spread = np.sqrt(np.mean(np.square(np.concatenate(offsets))))
    assert spread == pytest.approx(2 * np.sqrt(np.mean(np.square(faces - faces.mean(0)))), rel=0.15)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"nearby": -1}, "nearby is a count"),
        ({"spread": -0.5}, "spread must be a number"),
        ({"space": "x"}, "unknown space 'x', known: z, w, w_plus, s"),
        ({"steps": 0}, "at least 1 step"),
        ({"views": 6}, "1 to 5 views"),
        ({"rate": float("nan")}, "rate must be a number"),
        ({"l2": -1.0}, "l2 must be a number"),
        ({"identity": 0.1}, "there is no identity network"),
    ],
)
def test_bad_settings(world, change, words):
    with pytest.raises(UserError, match=words):
        next(
            optimise(
                world[0], world[1], world[4], start_of(world, "w_plus"), texts_of(world), Settings(**change)
            )
        )


@pytest.mark.parametrize("preset", known_presets("optimize"))
def test_presets(preset):
    settings = app.read_settings(preset)
    assert len(settings.rates()) == settings.steps
    assert app.read_settings(preset, steps=7, rate=None).steps == 7


@pytest.mark.parametrize("words", ["rate: fast", "nearby: few", "steps: [1]", "- rate"])
def test_a_file_of_other_words_is_one_line(words, capsys):
    Path("mine.yaml").write_text(words)
    assert load_tool("optimize")(["--description", "happy face", "--preset", "mine.yaml"]) == 2
    line = capsys.readouterr().err.strip()
    assert line.startswith("error: mine.yaml holds no settings") and "\n" not in line


def test_presets_are_the_seeds_numbers():
    official, first, last = (app.read_settings(name) for name in ("official", "seed001", "seed004"))
    assert (official.steps, official.rate, official.l2, official.l2_over) == (300, 0.1, 0.008, "sum")
    rates = official.rates()
    assert rates[0] == 0 and rates[15] == pytest.approx(0.1) and rates[225] == pytest.approx(0.1)
    assert rates[262] == pytest.approx(0.1 * (0.5 - 0.5 * np.cos(np.pi * (1 - 262 / 300) / 0.25)))
    assert (first.steps, first.l2, first.down, first.view) == (150, 0.005, 0.5, "seed001")
    assert last.adam.amsgrad and last.rates()[49] == 0.1 and last.rates()[50] == 0.05


def test_the_command(capsys):
    main = load_tool("optimize")
    assert (
        main(
            [
                "--description",
                "happy face",
                "sad face",
                "--weights",
                "1",
                "0.5",
                "--step",
                "3",
                "--seed",
                "1",
                "2",
                "--preset",
                "official",
                "--save_every",
                "2",
                "--animation",
                "gif",
                "--output_path",
                "out",
            ]
        )
        == 0
    )
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == ["00002.png", "final_result.png", "latent.npy", "losses.csv", "losses.png", "way.gif"]
    assert np.load("out/latent.npy").shape[0] == 2
    lines = Path("out/losses.csv").read_text().splitlines()
    assert lines[0] == "step,clip_0,clip_1,l2_0,l2_1" and len(lines) == 4
    assert "3 steps in w_plus" in capsys.readouterr().out


@pytest.mark.parametrize("space", optimize.SPACES)
def test_the_command_in_every_space(space):
    assert (
        load_tool("optimize")(
            [
                "--description",
                "happy face",
                "--step",
                "2",
                "--space",
                space,
                "--nearby",
                "2",
                "--preset",
                "toonface",
                "--save_every",
                "1",
                "--output_path",
                "out",
            ]
        )
        == 0
    )
    side = load_pixels("out/00001.png").shape[0]
    first = load_pixels("out/final_result.png")[2 : side + 2, 2 : side + 2].astype(int)
    for name in ("00001", "00002"):  # the face itself, which the first step's rate of 0 has not moved
        assert np.abs(load_pixels(f"out/{name}.png") - first).max() <= 1
    shape = app.starts(Editor.from_pretrained(), [0], "s" if space == "s" else "w_plus").shape
    assert np.load("out/latent.npy").shape in (shape, shape[1:])  # what other commands read
    assert Path("out/final_result.png").is_file()


def test_a_found_face_is_where_the_next_run_begins():
    """z and w are written as w_plus, which draws the same face."""
    command = ["--description", "happy face", "--output_path", "out", "--step"]
    assert load_tool("optimize")([*command, "3", "--preset", "toonface", "--seed", "1"]) == 0
    found = load_pixels("out/final_result.png")
    assert (
        load_tool("optimize")(
            [*command, "1", "--preset", "toonface_latent", "--lr", "0", "--latent", "out/latent.npy"]
        )
        == 0
    )
    again = load_pixels("out/final_result.png")
    side = (found.shape[1] - 6) // 2  # two pictures and gaps of 2 pixels
    after, before = found[2:-2, side + 4 : 2 * side + 4], again[2:-2, 2 : side + 2]
    assert np.abs(after.astype(int) - before).max() <= 1


def test_presets_by_model_and_by_face():
    world, other = SimpleNamespace(name="toonface"), SimpleNamespace(name="ffhq-config-f")
    assert app.default_preset(world, sampled=True) == "toonface"
    assert app.default_preset(world, sampled=False) == "toonface_latent"
    assert app.default_preset(other, sampled=True) == "official"
    assert {app.read_settings(name).space for name in ("toonface_latent", "official")} == {"w_plus"}


def test_free_generation_begins_at_the_mean():
    arguments = ["--description", "happy face", "--mode", "free_generation", "--step", "1", "--lr", "0"]
    assert load_tool("optimize")([*arguments, "--preset", "official", "--output_path", "out"]) == 0
    latent = np.load("out/latent.npy")
    assert (latent == latent[0, 0]).all()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--weights", "1", "2"], "--weights are 2, --description are 1"),
        (["--preset", "best"], "unknown preset"),
        (["--step", "0"], "at least 1 step"),
        (["--space", "q"], "unknown space"),
        (["--id_lambda", "0.1"], "no identity network"),
        (["--latent", "no.npy"], "no.npy"),
    ],
)
def test_bad_input_is_one_line(capsys, arguments, words):
    assert load_tool("optimize")(["--description", "happy face", *arguments, "--output_path", "out"]) == 2
    line = capsys.readouterr().err.strip()
    assert words in line and "\n" not in line and not Path("out").exists()


def command(*arguments):
    """The command on the tiny world's face of seed 1."""
    return load_tool("optimize")(
        [
            "--description",
            "happy face",
            "--seed",
            "1",
            "--preset",
            "official",
            "--output_path",
            "out",
            *arguments,
        ]
    )


def value_after(pack_editor, count):
    """Latents after so many of the official preset's six steps."""
    settings = app.read_settings("official", steps=6, rate=0.05)
    start = app.starts(pack_editor, [1], "w_plus")
    bundle = pack_editor.bundle
    features = app.wanted_features(pack_editor, start, "face", ["happy face"], settings)
    steps = optimise(bundle.generator, bundle.layout, bundle.clip, start, features, settings)
    return [step.value for _, step in zip(range(count), steps)][-1]  # zip stops: early stop is the caller's


def test_a_rate_that_explodes_is_said_and_leaves_the_last_good_face(capsys):
    assert command("--step", "30", "--lr", "1e30", "--save_every", "1") == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("error: step ") and "is not finite" in line and "smaller learning rate" in line
    latent = np.load("out/latent.npy")
    assert np.isfinite(latent).all() and np.abs(latent).max() < 1e6  # not where the last update led
    steps = len(Path("out/losses.csv").read_text().splitlines()) - 1
    pictures = sorted(path.name for path in Path("out").glob("0*.png"))
    assert len(pictures) == steps >= 1 and Path("out/losses.png").is_file()


def test_a_network_of_nan_is_said_and_nothing_is_written(world, monkeypatch, capsys):
    monkeypatch.setattr(app, "wanted_features", lambda *_: np.full([1, 1, world[4].dim], np.nan, np.float32))
    assert command("--step", "3") == 2
    assert "step 1: the clip loss is not finite" in capsys.readouterr().err
    assert not list(Path().glob("out/*"))


def test_ctrl_c_writes_what_is_reached(monkeypatch, capsys):
    def interrupted(*args, **options):
        for step in optimise(*args, **options):
            yield step
            if step.number == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(app, "optimise", interrupted)
    assert command("--step", "6", "--lr", "0.05", "--animation", "gif") == 130
    assert capsys.readouterr().err.strip().splitlines()[-1] == "interrupted"
    assert {path.name for path in Path("out").iterdir()} == {
        "final_result.png",
        "latent.npy",
        "losses.csv",
        "losses.png",
        "way.gif",
    }
    assert len(Path("out/losses.csv").read_text().splitlines()) == 1 + 3
    expected = value_after(Editor.from_pretrained(), 3)
    np.testing.assert_allclose(
        np.load("out/latent.npy"), expected.reshape(np.load("out/latent.npy").shape), atol=1e-5
    )


def test_ctrl_c_before_the_first_step_writes_nothing(monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(app, "optimise", interrupted)
    assert command("--step", "6") == 130
    assert not list(Path().glob("out/*"))


def test_a_place_that_cannot_be_written_is_said_before_the_first_step(monkeypatch, capsys):
    Path("out").write_text("a file")
    monkeypatch.setattr(app, "optimise", lambda *_: pytest.fail("the folder is looked at first"))
    assert command("--step", "6") == 2
    line = capsys.readouterr().err.strip()
    assert "out" in line and "\n" not in line and Path("out").read_text() == "a file"


def test_a_full_disk_ends_the_run_in_one_line_and_keeps_the_pictures_before(monkeypatch, capsys):
    save_png, seen = app.save_png, []

    def fills_up(path, pixels):
        if seen:
            raise CannotWrite(f"cannot write {path}: No space left on device")
        seen.append(path)
        save_png(path, pixels)

    monkeypatch.setattr(app, "save_png", fills_up)
    assert command("--step", "6", "--save_every", "2") == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].endswith("out/00004.png: No space left on device")
    assert [path.name for path in Path("out").iterdir()] == ["00002.png"]


def test_the_warm_up_of_the_official_code_works():
    """run_optimization.py reads --lr_rampup and passes it to nothing; here it counts."""

    def rates(up):
        return app.read_settings("official", steps=20, up=up).rates()

    assert rates(0.05)[:2] == [0.0, pytest.approx(0.1)]
    assert rates(0.5)[:11] == pytest.approx([0.01 * k for k in range(11)])
    assert rates(0.0)[0] == 0.1
    assert command("--step", "1", "--lr_rampup", "0") == 0
    moved = np.load("out/latent.npy")
    assert command("--step", "1") == 0
    assert np.abs(moved - np.load("out/latent.npy")).max() == pytest.approx(0.1, rel=0.01)


def test_the_models_own_identity_network_counts_where_it_has_one(pack, tmp_path, monkeypatch):
    assert command("--step", "2", "--preset", "seed004") == 0  # it asks for identity; the tiny world has none
    assert "identity" not in Path("out/losses.csv").read_text()
    rich = tmp_path / "rich"
    shutil.copytree(pack, rich)
    paddle.seed(0)
    save_identity(rich / IDENTITY, IRSE50((2, 4, 6, 8), (1, 1, 1, 1), face_size=16, dim=6))
    monkeypatch.setattr(load, "PACK", rich)
    assert command("--step", "2", "--id_lambda", "0.5") == 0
    lines = [line.split(",") for line in Path("out/losses.csv").read_text().splitlines()]
    assert lines[0][-1] == "identity_0" and abs(float(lines[1][-1])) < 1e-4
    assert command("--step", "2", "--preset", "seed004") == 0
    assert "identity_0" in Path("out/losses.csv").read_text()
    assert command("--step", "2") == 0  # the official preset has no identity loss
    assert "identity" not in Path("out/losses.csv").read_text()
