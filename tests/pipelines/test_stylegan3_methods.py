# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Every method on a StyleGAN3: optimisation by seed 004's presets."""

import numpy as np
import pytest
from stylegan3_world import LAYERS, STYLE_DIM, save_tiny_stylegan3
from tiny_world import live_in
from tool_main import load_tool


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_stylegan3(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def world(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "preset, space", [("seed004", "w_plus"), ("seed004_w", "w_plus"), ("seed004_z", "z")]
)
def test_optimisation_by_the_presets_of_seed_004(preset, space, capsys):
    argv = ["--description", "happy face", "--preset", preset, "--step", "2", "--seed", "5"]
    assert load_tool("optimize")([*argv, "--output_path", "out"]) == 0
    assert f"2 steps in {space}" in capsys.readouterr().out
    moved = np.load("out/latent.npy")
    assert moved.shape == (1, LAYERS, STYLE_DIM)
    assert (np.ptp(moved[0], axis=0).max() > 0) is (space == "w_plus")  # a z has one w for all layers
