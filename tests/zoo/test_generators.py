# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Generators from files: the architecture is read off the weights; flags that contradict them are refused."""

import zlib  # noqa: F401  before Paddle: Paddle 2.6 exports zlib symbols that crash Python's own

import numpy as np
import paddle
import pytest
from tiny_files import CHANNELS, write_weights

from ppstyleclip.convert import infer_generator_config
from ppstyleclip.errors import UserError
from ppstyleclip.files import write_safetensors
from ppstyleclip.models.stylegan2 import StyleGANv2Generator, channel_table, layout_from_channels
from ppstyleclip.zoo import generator_fingerprint, load_generator, save_generator
from ppstyleclip.zoo.generators import check_flags, generator_state


def shapes(size, channels, style_dim=512, n_mlp=8):
    """Shapes of a generator's weights, as arrays that take no memory (facts of PaddleGAN's class)."""
    found = {f"style.{k}.weight": (style_dim, style_dim) for k in range(1, n_mlp + 1)}
    found["conv1.conv.weight"] = (1, channels[4], channels[4], 3, 3)
    found["conv1.conv.modulation.weight"] = (style_dim, channels[4])
    sides = [side for side in sorted(channels) if side <= size]
    for k, (before, here) in enumerate(zip(sides, sides[1:])):
        found[f"convs.{2 * k}.conv.weight"] = (1, channels[here], channels[before], 3, 3)
        found[f"convs.{2 * k + 1}.conv.weight"] = (1, channels[here], channels[here], 3, 3)
    return {key: np.broadcast_to(np.float32(0), shape) for key, shape in found.items()}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mine.pdparams"
    write_weights(path)
    return path


@pytest.mark.parametrize("size", [8, 64, 256, 512, 1024])
@pytest.mark.parametrize("multiplier", [2, 1, 0.5])
def test_the_architecture_is_read_off_the_shapes(size, multiplier):
    config = infer_generator_config(shapes(size, channel_table(multiplier)))
    assert (config["size"], config["style_dim"], config["n_mlp"]) == (size, 512, 8)
    assert config["channels"] == {side: n for side, n in channel_table(multiplier).items() if side <= size}
    assert config["channel_multiplier"] == (2 if size < 64 else multiplier)  # below 64 px all tables agree


def test_ffhq_has_the_layout_of_the_published_directions():
    config = infer_generator_config(shapes(1024, channel_table(2)))
    layout = layout_from_channels(config["size"], config["channels"])
    assert (layout.size, layout.num_editable, len(layout.channels)) == (9088, 6048, 26)


def test_what_is_read_off_rebuilds_the_generator():
    generator = StyleGANv2Generator(64, 12, 3, channels=CHANNELS)
    config = infer_generator_config(generator_state(generator))
    assert (config["size"], config["style_dim"], config["n_mlp"]) == (64, 12, 3)
    assert config["channels"] == CHANNELS


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda s: s.pop("conv1.conv.weight"), "conv1.conv.weight is missing"),
        (lambda s: s.pop("conv1.conv.modulation.weight"), "modulation.weight is missing"),
        (lambda s: s.pop("convs.3.conv.weight"), "got 7"),
        (lambda s: s.pop("style.3.weight"), "style.3.weight is missing"),
        (lambda s: s.update({"convs.2.conv.weight": np.zeros((1, 6, 5, 3, 3))}), "other weights call for"),
        (lambda s: s.update({"style.1.weight": np.zeros((5, 5))}), r"style.1.weight is \[5, 5\]"),
        (lambda s: s.update({"conv1.conv.weight": np.zeros((6, 6, 3, 3))}), "5 dimensions"),
        (lambda s: s.clear(), "not the weights of a StyleGAN2 generator"),
    ],
)
def test_weights_of_something_else(change, words):
    state = shapes(64, CHANNELS, style_dim=12)
    change(state)
    with pytest.raises(UserError, match=words):
        infer_generator_config(state)


def test_load_generator(weights):
    generator, metadata = load_generator(weights, {"size": 64, "style_dim": 12, "n_mlp": 8})
    assert metadata == {} and not generator.training
    saved = paddle.load(str(weights))
    assert all((value.numpy() == saved[key].numpy()).all() for key, value in generator.state_dict().items())


@pytest.mark.parametrize(
    "flag, given, truth",
    [
        ("size", 1024, "size 64"),
        ("style_dim", 512, "style_dim 12"),
        ("n_mlp", 4, "n_mlp 8"),
        ("channel_multiplier", 2, r"a channel table of their own \(6 to 4\)"),
    ],
)
def test_flags_that_contradict_the_weights(weights, flag, given, truth):
    with pytest.raises(UserError, match=f"{flag} {given} was given.*{truth}") as error:
        load_generator(weights, {flag: given})
    assert "mine.pdparams" in str(error.value)


def test_the_multiplier_flag_is_compared_by_its_table():
    state = shapes(64, channel_table(1))
    check_flags(infer_generator_config(state), {"channel_multiplier": 1}, "x")
    with pytest.raises(UserError, match="channel_multiplier 2 was given.*channel_multiplier 1"):
        check_flags(infer_generator_config(state), {"channel_multiplier": 2}, "x")
    check_flags(infer_generator_config(shapes(32, channel_table(2))), {"channel_multiplier": 1}, "x")


def test_damaged_generators_name_the_file(weights, tmp_path):
    saved = {key: value.numpy() for key, value in paddle.load(str(weights)).items()}
    saved.pop("to_rgb1.bias")
    write_safetensors(tmp_path / "less.safetensors", saved)
    with pytest.raises(UserError, match="less.safetensors.*to_rgb1.bias"):
        load_generator(tmp_path / "less.safetensors")
    (tmp_path / "cut.pdparams").write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(UserError, match="cut.pdparams"):
        load_generator(tmp_path / "cut.pdparams")
    with pytest.raises(FileNotFoundError):
        load_generator(tmp_path / "absent.pdparams")


@pytest.mark.parametrize("half", [False, True])
def test_generators_go_round_with_what_leaves_no_shape(tmp_path, half):
    generator = StyleGANv2Generator(16, 12, 2, lr_mlp=1.0, channels=CHANNELS)
    mark = save_generator(tmp_path / "g.safetensors", generator, name="mine", half=half)
    again, metadata = load_generator(tmp_path / "g.safetensors")
    assert again.config() == generator.config() and again.lr_mlp == 1.0
    assert metadata["name"] == "mine" and metadata["fingerprint"] == mark == generator_fingerprint(again)
    assert (mark == generator_fingerprint(generator)) is not half
    for key, value in generator_state(again).items():
        np.testing.assert_allclose(value, generator_state(generator)[key], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("lr_mlp", [0.01, 1.0])
def test_the_multiplier_of_the_mapping_network_follows_from_its_weights(lr_mlp, tmp_path):
    paddle.seed(0)
    network, path = StyleGANv2Generator(16, 12, 2, lr_mlp=lr_mlp, channels=CHANNELS), tmp_path / "a.pdparams"
    paddle.save(generator_state(network), str(path))
    again, _ = load_generator(path)
    assert again.lr_mlp == lr_mlp
    z = paddle.randn([4, 12])
    np.testing.assert_allclose(again.get_latent(z).numpy(), network.get_latent(z).numpy(), rtol=1e-5)
