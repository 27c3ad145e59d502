# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The command `ppstyleclip optimize`: its files, every space, ways in which a run can end, bad input."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_parts
from tool_main import load_tool

from ppstyleclip.cli.editing import optimization_folder
from ppstyleclip.editor import Editor
from ppstyleclip.errors import CannotWrite
from ppstyleclip.files import load_pixels
from ppstyleclip.methods.global_directions.regression import fit_regression
from ppstyleclip.methods.optimization import SPACES, optimize
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.pipelines import optimization as pipeline
from ppstyleclip.pipelines.presets import read_optimization_preset
from ppstyleclip.zoo import registry, save_identity
from ppstyleclip.zoo.pack import IDENTITY

TEXTS = ["happy face", "sad face"]


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def home(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES)
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
                "portrait",
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
    shape = pipeline.sample_start(Editor.from_pretrained(), [0], "s" if space == "s" else "w_plus").shape
    assert np.load("out/latent.npy").shape in (shape, shape[1:])  # what other commands read
    assert Path("out/final_result.png").is_file()


@pytest.mark.slow
def test_a_found_face_is_where_the_next_run_begins():
    """z and w are written as w_plus, which draws the same face."""
    command = ["--description", "happy face", "--output_path", "out", "--step"]
    assert load_tool("optimize")([*command, "3", "--preset", "portrait", "--seed", "1"]) == 0
    found = load_pixels("out/final_result.png")
    assert (
        load_tool("optimize")(
            [*command, "1", "--preset", "portrait_latent", "--lr", "0", "--latent", "out/latent.npy"]
        )
        == 0
    )
    again = load_pixels("out/final_result.png")
    side = (found.shape[1] - 6) // 2  # two pictures and gaps of 2 pixels
    after, before = found[2:-2, side + 4 : 2 * side + 4], again[2:-2, 2 : side + 2]
    assert np.abs(after.astype(int) - before).max() <= 1


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
        (["--step", "0"], "--step: a whole number from 1"),
        (["--step", "-1"], "--step: a whole number from 1"),
        (["--seed", "-1"], "--seed: a whole number from 0 to 4294967295 is needed, got '-1'"),
        (["--seed", "4294967296"], "--seed: a whole number from 0"),
        (["--save_every", "-1"], "--save_intermediate_image_every: a whole number from 0"),
        (["--lr", "-1"], "--lr: a finite number from 0"),
        (["--views", "6"], "--views: a whole number from 1 to 5"),
        (["--nearby", "-1"], "--nearby: a whole number from 0"),
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


def value_after(editor, count):
    """Latents after so many of the official preset's six steps."""
    config = read_optimization_preset("official", steps=6, learning_rate=0.05)
    start, bundle = pipeline.sample_start(editor, [1], "w_plus"), editor.bundle
    features = pipeline.target_features(editor, start, "face", ["happy face"], config)
    steps = optimize(bundle.generator, bundle.clip, start, features, config)
    return [step.value for _, step in zip(range(count), steps)][-1]  # zip stops: early stop is the caller's


def test_of_a_direction_a_face_is_moved_along_what_pictures_differ_in():
    editor, rng = Editor.from_pretrained(), np.random.RandomState(0)
    start, config = (
        pipeline.sample_start(editor, [1, 2], "z"),
        read_optimization_preset("portrait", neighbours=1),
    )
    unmoved = replace(config, objective=replace(config.objective, directional_strength=1e-9))
    dim, styles = editor.bundle.clip.dim, rng.randn(64, editor.bundle.layout.size)
    known = fit_regression(styles, rng.randn(64, 3) @ rng.randn(3, dim))
    relevance = replace(editor.bundle.relevance, regression=known)

    def move(editor):  # [1 + neighbours, N, T, E]
        ends = [pipeline.target_features(editor, start, "face", TEXTS, one) for one in (config, unmoved)]
        return (ends[0] - ends[1]) / config.objective.directional_strength

    texts, seen = move(editor), move(Editor(editor.bundle.with_parts(relevance=relevance)))
    assert seen.shape == (2, 2, 2, dim)
    for t in range(2):
        np.testing.assert_allclose(
            seen[:, :, t], np.tile(known.seen(texts[0, 0, t]), [2, 2, 1]), rtol=1e-3, atol=1e-5
        )


def test_a_rate_that_explodes_is_said_and_leaves_the_last_good_face(capsys):
    (preset,) = Path(pipeline.__file__).parents[1].glob("presets/optimi*/official.yaml")
    wild = [line for line in preset.read_text().splitlines() if not line.startswith("learning_rate")]
    Path("wild.yaml").write_text("\n".join([*wild, "learning_rate: 1.0e+30"]))
    assert command("--step", "30", "--preset", "wild.yaml", "--save_every", "1") == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("error: step ") and "is not finite" in line and "smaller learning rate" in line
    latent = np.load("out/latent.npy")
    assert np.isfinite(latent).all() and np.abs(latent).max() < 1e6  # not where the last update led
    steps = len(Path("out/losses.csv").read_text().splitlines()) - 1
    pictures = sorted(path.name for path in Path("out").glob("0*.png"))
    assert len(pictures) == steps >= 1 and Path("out/losses.png").is_file()


def test_a_network_of_nan_is_said_and_nothing_is_written(monkeypatch, capsys):
    features = np.full([1, 1, tiny_parts()[4].dim], np.nan, np.float32)
    monkeypatch.setattr(pipeline, "target_features", lambda *_: features)
    assert command("--step", "3") == 2
    assert "step 1: the clip loss is not finite" in capsys.readouterr().err
    assert not list(Path().glob("out/*"))


def test_ctrl_c_writes_what_is_reached(monkeypatch, capsys):
    def interrupted(*args, **options):
        for step in optimize(*args, **options):
            yield step
            if step.done == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "optimize", interrupted)
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

    monkeypatch.setattr(pipeline, "optimize", interrupted)
    assert command("--step", "6") == 130
    assert not list(Path().glob("out/*"))


def test_a_place_that_cannot_be_written_is_said_before_the_first_step(monkeypatch, capsys):
    Path("out").write_text("a file")
    monkeypatch.setattr(pipeline, "optimize", lambda *_: pytest.fail("the folder is looked at first"))
    assert command("--step", "6") == 2
    line = capsys.readouterr().err.strip()
    assert "out" in line and "\n" not in line and Path("out").read_text() == "a file"


def test_a_full_disk_ends_the_run_in_one_line_and_keeps_the_pictures_before(monkeypatch, capsys):
    save_labelled, seen = optimization_folder.save_labelled, []

    def fills_up(path, pixels):
        if seen:
            raise CannotWrite(f"cannot write {path}: No space left on device")
        seen.append(path)
        save_labelled(path, pixels)

    monkeypatch.setattr(optimization_folder, "save_labelled", fills_up)
    assert command("--step", "6", "--save_every", "2") == 2
    assert capsys.readouterr().err.strip().splitlines()[-1].endswith("out/00004.png: No space left on device")
    assert [path.name for path in Path("out").iterdir()] == ["00002.png"]


def test_the_rampup_of_the_option_counts():
    assert command("--step", "1", "--lr_rampup", "0") == 0
    moved = np.load("out/latent.npy")
    assert command("--step", "1") == 0
    assert np.abs(moved - np.load("out/latent.npy")).max() == pytest.approx(0.1, rel=0.01)


@pytest.mark.slow
def test_the_models_own_identity_network_counts_where_it_has_one(pack, tmp_path, monkeypatch):
    assert command("--step", "2", "--preset", "seed004") == 0  # it asks for identity; the tiny world has none
    assert "identity" not in Path("out/losses.csv").read_text()
    rich = tmp_path / "rich"
    shutil.copytree(pack, rich)
    paddle.seed(0)
    save_identity(rich / IDENTITY, IRSE50((2, 4, 6, 8), (1, 1, 1, 1), face_size=16, dim=6))
    monkeypatch.setattr(registry, "PACK", rich)
    assert command("--step", "2", "--id_lambda", "0.5") == 0
    lines = [line.split(",") for line in Path("out/losses.csv").read_text().splitlines()]
    assert lines[0][-1] == "identity_0" and abs(float(lines[1][-1])) < 1e-4
    assert command("--step", "2", "--preset", "seed004") == 0
    assert "identity_0" in Path("out/losses.csv").read_text()
    assert command("--step", "2") == 0  # the official preset has no identity loss
    assert "identity" not in Path("out/losses.csv").read_text()
