# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Both stages of the preparation as commands, on a pack of random weights."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import CLIP, live_in, save_tiny_pack, tiny_clip, tiny_generator
from tool_main import load_tool

from ppstyleclip.cli.main import run_command
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.methods.global_directions import (
    RelevanceConfig,
    StatisticsConfig,
    collect_statistics,
    compute_relevance,
)
from ppstyleclip.progress import last
from ppstyleclip.zoo import load_pack, read_relevance, read_stats, save_generator, save_relevance

STATS, STYLES = "stylegan2-tiny-styleclip-stats.safetensors", "S-tiny.safetensors"
DIRECTIONS = "stylegan2-tiny-styleclip-global-directions.safetensors"


getf, extract = load_tool("styleclip_getf"), load_tool("styleclip_extract")
prepare = functools.partial(run_command, "prepare")


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def embedded(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def world():
    generator = tiny_generator()
    return generator, generator.layout, tiny_clip()


def run_getf(*more):
    assert getf(["--num_samples", "60", *more]) == 0


def names():
    return sorted(path.name for path in Path.cwd().iterdir())


# ---- what they do


def test_the_first_stage_writes_what_collect_statistics_measures(world, capsys):
    generator, layout, _ = world
    run_getf("--batch_size", "13")
    assert names() == [STYLES, STATS]
    record = last(collect_statistics(generator, StatisticsConfig(num_samples=60)))
    stats = read_stats(STATS, layout, name="tiny")
    np.testing.assert_allclose(stats.mean, record.stats.mean, atol=1e-5)
    np.testing.assert_allclose(stats.std, record.stats.std, atol=1e-5)
    assert stats.count == 60
    arrays, metadata = read_safetensors(STYLES)
    np.testing.assert_allclose(arrays["s"], record.s, atol=1e-5)
    assert json.loads(metadata["made_with"])["truncation_mode"] == "layers"
    assert json.loads(metadata["layout"]) == layout.to_config()
    assert f"wrote {STATS}" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["none", "features"])
def test_the_first_stage_hands_its_options_on(world, mode):
    generator, layout, _ = world
    run_getf("--truncation_mode", mode, "--truncation", "0.5", "--seed", "9")
    options = {"num_samples": 60, "truncation_mode": mode, "truncation": 0.5, "seed": 9}
    record = last(collect_statistics(generator, StatisticsConfig(**options)))
    np.testing.assert_allclose(read_stats(STATS, layout, name="tiny").mean, record.stats.mean, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"base": "own", "alpha": 3.0}, {"compat": "official"}])
def test_the_second_stage_writes_what_compute_relevance_measures(world, options, capsys):
    generator, layout, clip = world
    run_getf()
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    assert extract(["--num_images", "3", *words]) == 0
    stats, s = read_stats(STATS, layout, name="tiny"), read_safetensors(STYLES)[0]["s"][:3]
    records = compute_relevance(generator, clip, stats, RelevanceConfig(**options), s_base=s)
    expected = last(records).relevance
    found = read_relevance(DIRECTIONS, layout, name="tiny")
    np.testing.assert_allclose(found.rows, expected.rows, atol=1e-3)
    np.testing.assert_allclose(found.effect_norm, expected.effect_norm, atol=1e-5)
    per_five = 5.0 / options.get("alpha", 5.0)  # over ten deviations it does not depend on alpha
    np.testing.assert_allclose(found.effect_norm_over(10.0), expected.effect_norm * per_five, atol=1e-5)
    assert (found.name, found.clip_name, found.layout) == ("tiny", clip.name, layout)
    assert found.measured.all() and set(found.fingerprints) == {"generator", "clip"}
    assert expected.made_with.items() <= found.made_with.items()
    made = json.loads(read_safetensors(DIRECTIONS)[1]["made_with"])
    assert {**{"alpha": 5.0, "base": "mean", "compat": None}, **options}.items() <= made.items()
    assert made["num_images"] == 3 and made["channels"] == layout.num_editable
    said = capsys.readouterr().out
    assert f"statistics from {STATS}; 3 base pictures from {STYLES}; CLIP {CLIP['name']}" in said


def test_the_second_stage_alone_uses_what_the_model_has(world, capsys):
    _, layout, _ = world
    assert extract(["--num_images", "2"]) == 0
    assert names() == [DIRECTIONS]
    assert "statistics from the model tiny; 2 base pictures from new samples" in capsys.readouterr().out


def test_the_base_pictures_are_the_samples_that_the_first_stage_starts_with():
    assert extract(["--num_images", "2"]) == 0
    alone = read_safetensors(DIRECTIONS)[0]["relevance"]
    run_getf()
    Path(STATS).unlink()  # the statistics are the model's both times
    assert extract(["--num_images", "2"]) == 0
    np.testing.assert_allclose(read_safetensors(DIRECTIONS)[0]["relevance"], alone, atol=1e-3)


def test_a_trial_says_so_and_takes_another_name(world, capsys):
    _, layout, _ = world
    assert extract(["--num_images", "2", "--limit-channels", "5"]) == 0
    assert names() == [DIRECTIONS.replace("directions", "directions-trial5")]
    relevance = read_safetensors(names()[0])[0]["relevance"]
    measured = relevance.any(axis=1).nonzero()[0]
    assert set(measured) <= {0, 7, 14, 20, 27} and len(measured) > 2
    assert f"a trial: 5 of {layout.num_editable} channels, evenly spaced" in capsys.readouterr().out


def test_what_is_read_is_written_again_without_loss(world):
    _, layout, _ = world
    assert extract(["--num_images", "2", "--alpha", "3"]) == 0
    found = read_relevance(DIRECTIONS, layout, name="tiny")
    save_relevance("again.safetensors", found, version=metadata_of(DIRECTIONS)["version"])
    assert Path("again.safetensors").read_bytes() == Path(DIRECTIONS).read_bytes()
    with pytest.raises(UserError, match="give save_relevance generator= and clip="):
        save_relevance("again.safetensors", found.rows)


def metadata_of(path):
    return read_safetensors(path)[1]


def test_one_command_runs_both_stages():
    assert prepare(["--num_samples", "60", "--num_images", "2", "--output_path", "both"]) == 0
    assert sorted(path.name for path in Path("both").iterdir()) == [STYLES, DIRECTIONS, STATS]
    run_getf()
    assert extract(["--num_images", "2"]) == 0
    for name in (STYLES, DIRECTIONS, STATS):
        assert Path(name).read_bytes() == Path("both", name).read_bytes()


def test_one_command_makes_a_bundle_of_a_generator_of_ones_own():
    save_generator("mine.safetensors", tiny_generator(seed=5), name="mine")
    words = ["--num_samples", "60", "--num_images", "2", "--clip", "portrait"]
    assert prepare(["--bundle", "mine", "--weight_path", "mine.safetensors", *words]) == 0
    bundle = load_pack("mine")
    assert bundle.relevance.clip_name == "portrait" and bundle.stats.count == 60
    assert bundle.relevance.fingerprints["generator"] == bundle.fingerprints["generator"]


def test_what_was_made_is_what_the_edit_takes():
    from ppstyleclip.editor import Edit, Editor

    run_getf()
    assert extract(["--num_images", "2"]) == 0
    editor = Editor.from_pretrained(None, stat_path=STATS, direction_path=DIRECTIONS)
    assert editor.direction(Edit("face", "happy face", beta=0.0)).num_channels > 10


def test_paddlegans_list_of_styles_is_read(world):
    _, layout, _ = world
    run_getf()
    s = read_safetensors(STYLES)[0]["s"]
    paddle.save([paddle.to_tensor(part) for part in layout.unflatten(s)], "S.pdparams")
    assert extract(["--num_images", "2"]) == 0
    expected = Path(DIRECTIONS).read_bytes()
    assert extract(["--num_images", "2", "--s_path", "S.pdparams"]) == 0
    assert Path(DIRECTIONS).read_bytes() == expected


# ---- bad input


def fails(main, argv, message, capsys):
    before = names()
    assert main(argv) == 2
    said = capsys.readouterr().err
    line = said.splitlines()[-1]
    assert line.startswith("error: ") and message in line, said
    assert names() == before


@pytest.mark.parametrize(
    "argv, message",
    [
        (["--model_type", "cats"], "unknown model type 'cats'; known: portrait"),
        (["--weight_path", "nothing.pdparams"], "nothing.pdparams"),
        (["--truncation_mode", "half"], "known: layers, features, all, none"),
        (["--num_samples", "1"], "num_samples >= 2"),
        (["--size", "64"], "size 64 was given"),
    ],
)
def test_bad_input_of_the_first_stage(argv, message, capsys):
    fails(getf, argv, message, capsys)


@pytest.mark.parametrize(
    "argv, message",
    [
        (["--base", "median"], "known: mean, own"),
        (["--compat", "paddlegan"], "known: official"),
        (["--limit_channels", "0"], "--limit-channels: a whole number from 1"),
        (["--num_images", "0"], "--num_images: a whole number from 1"),
        (["--alpha", "-1"], "--alpha: a finite number from 0.001"),
        (["--s_path", "nothing"], "there is no file nothing"),
        (["--stat_path", "nothing"], "there is no file nothing"),
        (["--clip", "GPT"], "there is no CLIP 'GPT'"),
    ],
)
def test_bad_input_of_the_second_stage(argv, message, capsys):
    fails(extract, ["--num_images", "2", *argv], message, capsys)


def test_files_of_another_generator_are_refused(capsys):
    run_getf()
    for path in (STATS, STYLES):
        arrays, metadata = read_safetensors(path)
        write_safetensors(path, arrays, {**metadata, "generator": "0" * 16})
        fails(extract, ["--num_images", "2"], "was made for generator 0000000000000000", capsys)
        write_safetensors(path, arrays, metadata)


def test_too_few_or_no_styles_are_refused(capsys):
    run_getf()
    fails(extract, ["--num_images", "61"], "holds 60 styles, --num_images asks for 61", capsys)
    np.save("s.npy", np.zeros((4, 3), np.float32))
    fails(extract, ["--num_images", "2", "--s_path", "s.npy"], "holds no styles of generator 'tiny'", capsys)


def test_an_output_folder_that_cannot_be_is_refused_at_once(capsys):
    Path("file").write_text("")
    for main in (getf, extract):
        fails(main, ["--output_path", "file/folder"], "cannot write", capsys)


# ---- back to PaddleGAN


def test_both_stages_as_paddlegans_code_loads_them(world):
    _, layout, clip = world
    assert getf(["--num_samples", "60", "--pdparams"]) == 0
    assert extract(["--num_images", "3", "--pdparams", "--features", "--block_size", "5"]) == 0
    theirs = [STATS, STYLES, DIRECTIONS]
    assert names() == sorted(
        ["fs-tiny.npy", *theirs, *(one.replace(".safetensors", ".pdparams") for one in theirs)]
    )
    stats = read_stats(STATS, layout, name="tiny")
    loaded = paddle.load("stylegan2-tiny-styleclip-stats.pdparams")
    s = paddle.load("S-tiny.pdparams")
    for word in ("mean", "std"):
        assert [list(part.shape) for part in loaded[word]] == [[width] for width in layout.channels]
        np.testing.assert_array_equal(np.concatenate([p.numpy() for p in loaded[word]]), getattr(stats, word))
    assert [list(part.shape) for part in s] == [[60, width] for width in layout.channels]
    relevance = read_relevance(DIRECTIONS, layout, name="tiny")
    rows = paddle.load("stylegan2-tiny-styleclip-global-directions.pdparams").numpy()
    np.testing.assert_array_equal(rows, relevance.rows)

    features = np.load("fs-tiny.npy")  # as PaddleGAN goes on from it
    assert features.shape == (layout.num_editable, 3, 2, clip.dim)
    difference = features[:, :, 1] - features[:, :, 0]
    unit = difference / np.maximum(np.linalg.norm(difference, axis=-1, keepdims=True), 1e-30)
    mean = unit.mean(axis=1)
    alive = relevance.rows.any(axis=1)
    np.testing.assert_allclose(
        (mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-30))[alive],
        relevance.rows[alive],
        atol=1e-3,
    )


def test_features_outlive_a_kill_and_are_no_shards(capsys):
    run_getf()
    more = ["--num_images", "2", "--features", "--block_size", "5", "--keep_job"]
    assert extract(more) == 0
    whole = np.load("fs-tiny.npy")
    Path("fs-tiny.npy").unlink()
    (job,) = Path.cwd().glob("*-job")
    (job / sorted(path.name for path in job.glob("block-*"))[1]).unlink()
    assert extract(more) == 0
    np.testing.assert_array_equal(np.load("fs-tiny.npy"), whole)
    capsys.readouterr()
    assert (
        extract([word for word in more if word != "--features"]) == 2
    )  # without the features it is another job
    assert "keep_features" in capsys.readouterr().err
    assert extract([*more, "--shard", "0/2"]) == 2
    assert "leave out --shard" in capsys.readouterr().err


def test_the_first_stage_where_the_tutorial_calls_it(tmp_path):
    script = Path(__file__).resolve().parents[2] / "styleclip_getf.py"
    done = subprocess.run(
        [sys.executable, str(script), "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(script.parent)},
    )
    assert done.returncode == 0 and "--num_samples" in done.stdout, done.stderr
