# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""stylegan3-editing's delta_i_c, s_stats, S and InterFaceGAN directions, read for a StyleGAN3."""

import pickle

import numpy as np
import pytest
from tiny_world import live_in, save_tiny_pack
from tool_main import load_tool

from ppstyleclip.errors import UserError
from ppstyleclip.formats import load_directions
from ppstyleclip.models.stylegan2 import StyleGANv2Generator
from ppstyleclip.models.stylegan3 import StyleGAN3Generator
from ppstyleclip.models.stylegan3.geometry import LAYERS, geometry, usual_channels
from ppstyleclip.zoo import read_relevance, read_stats, read_styles, save_generator

RANDOM = np.random.RandomState


def tiny():
    return StyleGAN3Generator(16, 8, "R", channels=[4] * 14 + [3])


def unit_rows(count, columns=5):
    rows = RANDOM(1).standard_normal((count, columns)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def by_layer(layout, make):
    return {name: make(width).astype(np.float32) for name, width in zip(layout.names, layout.channels)}


def write(path, content):
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize("configuration, count", [("R", 9894), ("T", 4950)])
def test_the_published_networks_have_so_many_rows(configuration, count):
    first, shapes = geometry(1024, configuration, usual_channels(1024, configuration))
    assert 4 + sum(shape.in_channels for shape in shapes) == count and len(shapes) == LAYERS


@pytest.mark.parametrize("generator", [tiny(), StyleGANv2Generator(16, 8, 1, channels={4: 6, 8: 5, 16: 4})])
def test_relevance_of_all_style_channels_is_cut_to_the_editable_ones(generator, tmp_path):
    layout, rows = generator.layout, unit_rows(generator.layout.size)
    np.save(tmp_path / "delta_i_c.npy", rows)
    found = read_relevance(tmp_path / "delta_i_c.npy", layout, name="mine")
    np.testing.assert_array_equal(found.rows, rows[layout.editable_index])
    assert found.measured.all() and len(found.rows) == layout.num_editable < layout.size


@pytest.mark.parametrize("less", [1, 2])
def test_relevance_of_another_network_is_one_line(less, tmp_path):
    layout = tiny().layout
    np.save(tmp_path / "delta_i_c.npy", unit_rows(layout.size - less))
    with pytest.raises(UserError, match="relevance has .. rows, generator 'mine' has 56 editable") as error:
        read_relevance(tmp_path / "delta_i_c.npy", layout, name="mine")
    assert "\n" not in str(error.value)


def test_s_stats_and_s(tmp_path):
    layout = tiny().layout
    mean = by_layer(layout, RANDOM(2).standard_normal)
    std = by_layer(layout, lambda width: RANDOM(3).uniform(0.5, 2, width))
    transform = {"theta": np.float32(0.1), "x": np.float32(0), "y": np.float32(0)}
    stats = read_stats(write(tmp_path / "s_stats", [transform, mean, std]), layout, name="mine")
    gain = np.ones(layout.size, np.float32)
    gain[-layout.channels[-1] :] = 2.0  # the root of the 4 channels that ToRGB takes
    np.testing.assert_allclose(stats.mean, gain * np.concatenate([*mean.values()]), rtol=1e-6)
    np.testing.assert_allclose(stats.std, gain * np.concatenate([*std.values()]), rtol=1e-6)
    s = by_layer(layout, lambda width: RANDOM(4).standard_normal((7, width)))
    found = read_styles(write(tmp_path / "S", s), layout, name="mine")
    np.testing.assert_allclose(found, gain * np.concatenate([*s.values()], axis=1), rtol=1e-6)


def test_statistics_of_another_network_are_one_line(tmp_path):
    names = dict.fromkeys(["input", "L0_36_4", "L1_16_3"], np.ones(4, np.float32))
    path = write(tmp_path / "s_stats", [{"theta": 0.0}, names, names])
    with pytest.raises(UserError, match="12 channels in 3 layers, generator 'mine' has 64 in 16"):
        read_stats(path, tiny().layout, name="mine")
    path = write(tmp_path / "s_stats", [{"theta": 0.0}, names, {**names, "L1_16_3": "x"}])
    with pytest.raises(UserError, match="s_stats holds no statistics"):
        read_stats(path, tiny().layout, name="mine")


def test_an_interfacegan_direction_moves_all_16_layers(tmp_path, monkeypatch, capsys):
    live_in(save_tiny_pack(tmp_path / "pack"), monkeypatch, tmp_path)
    save_generator(tmp_path / "waves.safetensors", tiny(), name="waves")
    direction = unit_rows(1, 8)
    np.save("age_boundary.npy", direction)
    w_plus = RANDOM(5).standard_normal((16, 8)).astype(np.float32)
    np.save("face.npy", w_plus)
    argv = ["--weight_path", "waves.safetensors", "--latent", "face.npy", "--direction_path"]
    argv += ["age_boundary.npy", "--direction_offset", "-3", "3", "--output_path", "out"]
    assert load_tool("styleganv2editing")(argv) == 0
    assert "age by 3, on face.npy" in capsys.readouterr().out
    np.testing.assert_allclose(np.load("out/dst.editing.npy"), w_plus + 3 * direction, atol=1e-6)
    assert list(load_directions("age_boundary.npy")) == ["age"]
