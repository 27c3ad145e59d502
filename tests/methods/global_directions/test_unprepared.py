# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A generator that nobody prepared: channels permuted and rescaled, its weights and a CLIP all there is."""

import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import live_in, save_tiny_pack, tiny_clip, tiny_generator

from ppstyleclip.cli.main import main
from ppstyleclip.errors import MissingFile
from ppstyleclip.methods.global_directions import InstantConfig, InstantRelevance
from ppstyleclip.stylespace import StyleStats
from ppstyleclip.zoo import EditDefaults, load_bundle, load_pack, save_generator
from ppstyleclip.zoo.bundle import OWN_DEFAULTS

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
from unprepared import scrambled

CONFIG = InstantConfig(faces=4, probes=6, faces_per_probe=4)
pytestmark = pytest.mark.filterwarnings("always::UserWarning")  # run_cli prints them


@pytest.fixture(autouse=True)
def embedded(monkeypatch, tmp_path):
    live_in(save_tiny_pack(tmp_path / "pack"), monkeypatch, tmp_path)


def styles(generator, z):
    with paddle.no_grad():
        return generator.layout.flatten(generator.style_affine(generator.get_latent(z)))


def draw(generator, s):
    with paddle.no_grad():
        return generator.synthesis_from_styles(generator.layout.unflatten(s), noise="const").numpy()


def test_a_scrambled_generator_draws_the_same_from_other_styles():
    own, z = (
        tiny_generator(),
        paddle.to_tensor(np.random.RandomState(1).standard_normal([3, 12]).astype("float32")),
    )
    other, places, scales = scrambled(own, 2, share=0.8)
    s, t = styles(own, z), styles(other, z)
    np.testing.assert_allclose(t.numpy(), s.numpy()[:, places] * scales, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(draw(other, t), draw(own, s), atol=2e-4)
    assert np.abs(t.numpy() - s.numpy()).max() > 0.5
    changed = scrambled(own, 2, changed=0.5)[0]
    assert np.abs(draw(changed, styles(changed, z)) - draw(own, s)).max() > 0.01


@pytest.mark.slow
def test_instant_directions_find_its_channels_again():
    own, clip = tiny_generator(), tiny_clip()
    z = paddle.to_tensor(np.random.RandomState(1).standard_normal([4, 12]).astype("float32"))
    other, places, scales = scrambled(own, 2, share=0.8)
    dt = np.eye(clip.dim, dtype=np.float32)[3]
    std = np.linspace(0.5, 1.5, own.layout.size).astype(np.float32)
    both = []
    for generator, deviations in ((own, std), (other, std[places] * scales)):
        s = styles(generator, z).numpy()
        stats = StyleStats(s.mean(0), deviations.astype(np.float32), 100)
        found = np.zeros(generator.layout.size)
        found[generator.layout.editable_index] = (
            InstantRelevance(generator, clip, stats, s, CONFIG).match(dt).r
        )
        both.append(found)
    np.testing.assert_allclose(both[1], both[0][places], atol=1e-3 * np.abs(both[0]).max())


def test_the_weights_and_a_clip_are_enough_for_an_edit(capsys):
    save_generator("own.safetensors", scrambled(tiny_generator(), 2)[0], name="own")
    edit = [
        "edit",
        "3",
        "--weight_path",
        "own.safetensors",
        "--target",
        "happy face",
        "--beta_threshold",
        "0",
    ]
    assert main([*edit, "--clip", "portrait", "--card"]) == 0
    said = capsys.readouterr()
    assert "instant directions are used, because there is no relevance file for generator 'own'" in said.err
    assert Path("edited.png").is_file()
    assert main(["replay", "edited.card.json", "--weight_path", "own.safetensors", "--clip", "portrait"]) == 0
    assert "the same, bit for bit" in capsys.readouterr().out
    assert main(edit) == 2  # the published CLIP cannot be had here
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "name one with --clip, such as --clip portrait" in error


def test_what_it_is_edited_with_suits_the_clip():
    save_generator("own.safetensors", tiny_generator(), name="own")
    assert load_bundle(weight_path="own.safetensors").defaults == OWN_DEFAULTS
    by_clip = load_bundle(weight_path="own.safetensors", clip="portrait").defaults
    embedded = load_bundle().defaults
    assert (by_clip.alpha, by_clip.beta, by_clip.unit) == (embedded.alpha, embedded.beta, embedded.unit)
    assert by_clip.truncation == OWN_DEFAULTS.truncation
    relevance = Path("pack") / "relevance.safetensors"
    with_matrix = load_bundle(weight_path="own.safetensors", direction_path=relevance)
    assert with_matrix.defaults == EditDefaults()  # PaddleGAN's command, to the letter
    relevance.unlink()
    assert load_pack("pack").defaults == OWN_DEFAULTS
    with pytest.raises(MissingFile):
        load_pack("pack").relevance  # noqa: B018  it is loaded when it is asked for
