# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Seed 004 on a StyleGAN3: optimisation by its presets, and its pickled mappers."""

import numpy as np
import paddle
import pytest
from stylegan3_world import LAYERS, STYLE_DIM, save_tiny_stylegan3
from tiny_world import live_in
from tool_main import load_tool
from torch_files import Layer, save_torch_zip, whole

from ppstyleclip.models.stylegan3 import StyleGAN3Generator
from ppstyleclip.zoo import save_generator


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
    assert bool(np.ptp(moved[0], axis=0).max() > 0) is (space == "w_plus")  # a z has one w for all layers


def pickled_mapper(path, width=512):
    """A LatentMapper as seed 004 pickles it; its numbers are drawn."""
    random, prefix = np.random.RandomState(8), "src.mapper."

    def layer():
        parts = {"weight": random.standard_normal((width, width)), "bias": np.zeros(width)}
        parts = {name: value.astype(np.float32) / 0.01 for name, value in parts.items()}
        return Layer(f"{prefix}layer.MapperLayer", parameters=parts)

    def group():
        stack = {"0": Layer(f"{prefix}layers_group.PixelNorm"), **{str(k): layer() for k in (1, 2, 3, 4)}}
        inner = Layer("torch.nn.modules.container.Sequential", children=stack)
        return Layer(f"{prefix}layers_group.LayersGroup", children={"mapper": inner})

    groups = {f"{word}_mapper": group() for word in ("coarse", "medium", "fine")}
    save_torch_zip(path, whole(Layer(f"{prefix}mapper.LatentMapper", children=groups)))


def test_a_pickled_mapper_moves_each_level_by_itself(capsys):
    """The whole step is added; levels are normalised over their own 5, 3 and 8 layers (PixelNorm)."""
    paddle.seed(6)
    save_generator("wide.safetensors", StyleGAN3Generator(16, 512, "R", channels=[4] * 14 + [3]), name="wide")
    pickled_mapper("beard.pt")
    w_plus = np.random.RandomState(9).standard_normal((1, LAYERS, 512)).astype(np.float32)
    other = w_plus.copy()
    other[:, 8:] += 1  # fine layers alone
    moves = []
    for name, face in (("one", w_plus), ("other", other)):
        np.save(f"{name}.npy", face)
        argv = ["--modules", "beard.pt", "--latent", f"{name}.npy", "--weight_path", "wide.safetensors"]
        assert load_tool("mapper_inference")([*argv, "--output_path", name]) == 0
        moves.append(np.load(f"{name}/latent.npy").reshape(face.shape) - face)
    assert "beard" in capsys.readouterr().out
    np.testing.assert_allclose(moves[0][:, :8], moves[1][:, :8], atol=1e-5)
    assert np.abs(moves[0][:, 8:] - moves[1][:, 8:]).max() > 0.1
    assert 0.05 < np.abs(moves[0]).mean() < 5
