# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A generator of one's own through both stages and an edit in one folder; folders whose parts do not fit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_generator
from tool_main import load_tool

from ppstyleclip.files import read_metadata, read_safetensors
from ppstyleclip.zoo import load_bundle, save_generator

PARTS = ["generator.safetensors", "relevance.safetensors", "statistics.safetensors", "styles.safetensors"]


getf, extract, edit = map(load_tool, ("styleclip_getf", "styleclip_extract", "styleganv2clip"))


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def embedded(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


def make_bundle(folder, seed=5):
    """Both stages for a generator that is in no pack, measured with the embedded CLIP."""
    save_generator(f"{folder}.safetensors", tiny_generator(seed=seed), name=folder)
    assert getf(["--weight_path", f"{folder}.safetensors", "--bundle", folder, "--num_samples", "60"]) == 0
    assert extract(["--bundle", folder, "--clip", "portrait", "--num_images", "2"]) == 0


def refused(capsys, *arguments):
    """The one line with which an edit of a bundle is refused."""
    assert edit([*arguments, "--target", "happy face", "--beta_threshold", "0", "--output_path", "out"]) == 2
    assert not Path("out").exists()
    line = capsys.readouterr().err.strip()
    assert "\n" not in line
    return line


def test_three_commands_make_and_use_a_bundle(capsys):
    make_bundle("mine")
    assert sorted(path.name for path in Path("mine").iterdir()) == PARTS
    assert edit(["--bundle", "mine", "--target", "happy face", "--beta_threshold", "0.01"]) == 0
    assert "of mine: strength 4 (sigma units)" in capsys.readouterr().out
    assert (Path("output_dir") / "dst.editing.png").is_file()


def test_a_bundle_is_measured_as_its_generator_is_elsewhere():
    make_bundle("mine")
    assert getf(["--weight_path", "mine.safetensors", "--output_path", "loose", "--num_samples", "60"]) == 0
    assert (
        extract(
            [
                "--weight_path",
                "mine.safetensors",
                "--output_path",
                "loose",
                "--clip",
                "portrait",
                "--num_images",
                "2",
            ]
        )
        == 0
    )
    for name, loose in (
        ("statistics", "stylegan2-mine-styleclip-stats"),
        ("styles", "S-mine"),
        ("relevance", "stylegan2-mine-styleclip-global-directions"),
    ):
        own, other = (
            read_safetensors(path)[0] for path in (f"mine/{name}.safetensors", f"loose/{loose}.safetensors")
        )
        assert all((own[key] == other[key]).all() for key in own)


def test_stages_in_the_wrong_order_name_the_right_one(capsys):
    save_generator("mine/generator.safetensors", tiny_generator(seed=5), name="mine")
    line = refused(capsys, "--bundle", "mine")
    assert "has no relevance.safetensors yet" in line and "ppstyleclip relevance --bundle mine" in line
    assert "--clip portrait" in line
    assert extract(["--bundle", "mine", "--clip", "portrait"]) == 2
    assert "ppstyleclip statistics --bundle mine" in capsys.readouterr().err


@pytest.mark.parametrize("part", PARTS[:2])
def test_a_part_of_another_bundle_is_refused_by_both_names(capsys, part):
    make_bundle("mine")
    make_bundle("other", seed=6)
    marks = [read_metadata(f"{folder}/generator.safetensors")["fingerprint"] for folder in ("mine", "other")]
    shutil.copy(f"other/{part}", "mine")
    capsys.readouterr()
    line = refused(capsys, "--bundle", "mine")
    assert all(mark in line for mark in marks) and "ppstyleclip relevance" in line


def test_statistics_of_another_bundle_are_refused(capsys):
    make_bundle("mine")
    make_bundle("other", seed=6)
    shutil.copy("other/statistics.safetensors", "mine")
    capsys.readouterr()
    assert "statistics.safetensors was made for generator" in refused(capsys, "--bundle", "mine")


def test_another_clip_of_the_same_name_is_refused(capsys, monkeypatch, tmp_path):
    from tiny_world import tiny_clip

    from ppstyleclip.zoo import registry, save_clip

    make_bundle("mine")
    shutil.copytree(registry.PACK, "pack")
    mark = save_clip("pack/clip.safetensors", tiny_clip(seed=9))
    monkeypatch.setattr(registry, "PACK", Path("pack").absolute())
    capsys.readouterr()
    line = refused(capsys, "--bundle", "mine")
    assert "was made for clip" in line and mark in line


def test_a_folder_keeps_its_generator(capsys):
    make_bundle("mine")
    save_generator("other.safetensors", tiny_generator(seed=6), name="other")
    assert getf(["--weight_path", "other.safetensors", "--bundle", "mine", "--num_samples", "60"]) == 2
    assert "holds generator 'mine'" in capsys.readouterr().err
    assert load_bundle(bundle="mine").name == "mine"


@pytest.mark.parametrize("option", [["--model_type", "portrait"], ["--weight_path", "mine.safetensors"]])
def test_a_bundle_takes_no_other_generator(capsys, option):
    make_bundle("mine")
    capsys.readouterr()
    assert "has a generator of its own" in refused(capsys, "--bundle", "mine", *option)


def test_what_the_stages_leave_is_in_the_bundle():
    make_bundle("mine")
    bundle = load_bundle(bundle="mine")
    assert bundle.s_base.shape == (60, bundle.layout.size)
    assert np.isfinite(bundle.stats.std).all() and bundle.stats.count == 60
