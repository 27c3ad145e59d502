# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3 computes what NVIDIA's code computed with the same weights, and moves as its paper says."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from edges import slow
from oracles.seeded_weights import sample, seeded_z
from stylegan3_files import DIM, nvidia_stylegan3, stored

from ppstyleclip.convert import convert
from ppstyleclip.errors import UserError
from ppstyleclip.models.families import build_generator
from ppstyleclip.models.forms import prefix_drawing_of
from ppstyleclip.models.stylegan3 import StyleGAN3Generator, canvas_transform, load_generator_state
from ppstyleclip.models.stylegan3.geometry import geometry, usual_channels

CONFIGURATIONS = ("T", "R")


def loaded(configuration):
    converted = convert(nvidia_stylegan3(configuration))
    generator = build_generator(converted.config)
    load_generator_state(generator, converted.state)
    generator.eval()
    return generator


@pytest.fixture(scope="module")
def generators():
    return {configuration: loaded(configuration) for configuration in CONFIGURATIONS}


def w_plus_of(generator):
    """The latents of make_stylegan3.py: another w in each layer."""
    with paddle.no_grad():
        w_plus = generator.get_latents(paddle.to_tensor(seeded_z(2, DIM)))
    return w_plus + 0.3 * paddle.to_tensor(seeded_z(2 * 16, DIM, 2)).reshape(w_plus.shape)


def small(configuration="R", size=16, width=6):
    paddle.seed(3)
    channels = [width] * 14 + [3]
    generator = StyleGAN3Generator(size, 8, configuration, channels=channels)
    generator.eval()
    return generator


def styles_of(generator, count=1):
    with paddle.no_grad():
        return generator.style_affine(generator.get_latent(paddle.to_tensor(seeded_z(count, 8))))


# -- parity


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_latents_and_styles_are_the_peers(generators, configuration):
    generator, wanted = generators[configuration], stored(f"{configuration}64")
    with paddle.no_grad():
        w = generator.get_latent(paddle.to_tensor(seeded_z(2, DIM)))
        styles = generator.layout.flatten(generator.style_affine(w_plus_of(generator)))
    np.testing.assert_allclose(w.numpy(), wanted["w"], atol=1e-5)
    np.testing.assert_allclose(styles.numpy(), wanted["styles"], atol=1e-5)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_pictures_are_the_peers(generators, configuration):
    generator, wanted = generators[configuration], stored(f"{configuration}64")
    with paddle.no_grad():
        styles = generator.style_affine(w_plus_of(generator))
        images = generator.synthesis_from_styles(styles)
        turned = generator.synthesis_from_styles(styles, transform=paddle.to_tensor(wanted["transform"]))
    for case, drawn in (("images", images), ("turned", turned)):
        for name, value in zip(("means", "squares", "pixels"), sample(drawn.numpy())):
            atol = 1e-4 * wanted[f"{case}/peak"]
            np.testing.assert_allclose(value, wanted[f"{case}/{name}"], atol=atol, err_msg=f"{case} {name}")


@pytest.mark.parametrize("configuration", ["T", slow("R")])
def test_gradients_are_the_peers(generators, configuration):
    generator, wanted = generators[configuration], stored(f"{configuration}64")["gradient"]
    w_plus = w_plus_of(generator)
    w_plus.stop_gradient = False
    images = generator.synthesis_from_styles(generator.style_affine(w_plus))
    weights = np.random.RandomState(4).standard_normal(images.shape).astype("float32")
    [gradient] = paddle.grad([(images * paddle.to_tensor(weights)).sum()], [w_plus])
    np.testing.assert_allclose(gradient.numpy(), wanted, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("case, base", [("T1024", None), ("R1024", None), ("T64", 1024), ("R64", 1024)])
def test_layers_are_the_peers(case, base):
    wanted, size = stored(case), int(case[1:])
    channels = [min(width, 24 if base else 1024) for width in usual_channels(size, case[0], base)]
    shapes = geometry(size, case[0], channels)[1]
    assert [shape.name for shape in shapes] == wanted["names"]
    table = [(s.in_size, s.out_size, s.up, s.down, *s.padding, s.kernel) for s in shapes]
    np.testing.assert_array_equal(table, wanted["table"])
    filters = [taps for s in shapes for taps in (s.up_filter, s.down_filter) if taps is not None]
    np.testing.assert_allclose(np.concatenate([f.ravel() for f in filters]), wanted["filters"], atol=1e-7)


@pytest.mark.parametrize("configuration, size", [("T", 4950), ("R", 9894)])
def test_style_space_of_the_published_networks(configuration, size):
    shapes = geometry(1024, configuration, usual_channels(1024, configuration))[1]
    assert 4 + sum(shape.in_channels for shape in shapes) == size


# -- what the paper promises


def test_a_quarter_turn_turns_the_picture_exactly():
    generator, quarter = small("R", 32), paddle.to_tensor(canvas_transform(rotate=90))
    with paddle.no_grad():
        styles = styles_of(generator)
        upright = generator.synthesis_from_styles(styles).numpy()
        turned = generator.synthesis_from_styles(styles, transform=quarter).numpy()
    difference = np.abs(np.rot90(upright, axes=(2, 3)) - turned).max()
    assert difference < 1e-4 * np.abs(upright).max()


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_shift_moves_the_picture(configuration):
    generator = small(configuration, 64)
    shift = paddle.to_tensor(canvas_transform(translate=(0.25, -0.125)))
    with paddle.no_grad():
        styles = styles_of(generator)
        still = generator.synthesis_from_styles(styles).numpy()[0]
        moved = generator.synthesis_from_styles(styles, transform=shift).numpy()[0]
    # 16 pixels to the right, 8 up; what comes in from beyond the canvas is left out
    error = moved[:, 4:44, 24:56] - still[:, 12:52, 8:40]
    assert np.square(error).mean() < 1e-4 * np.square(still).mean()


def test_one_transform_for_each_picture():
    generator = small()
    two = np.stack([canvas_transform(), canvas_transform((0.1, 0.2), 30)])
    with paddle.no_grad():
        styles = styles_of(generator, 2)
        both = generator.synthesis_from_styles(styles, transform=paddle.to_tensor(two)).numpy()
        plain = generator.synthesis_from_styles(styles).numpy()
        second = generator.synthesis_from_styles([s[1:] for s in styles], transform=paddle.to_tensor(two[1]))
    np.testing.assert_allclose(both[0], plain[0], atol=1e-5)
    np.testing.assert_allclose(both[1], second.numpy()[0], atol=1e-5)
    assert np.abs(both[1] - plain[1]).max() > 0.01


def test_a_picture_does_not_depend_on_its_neighbours():
    generator = small("T")
    with paddle.no_grad():
        styles = styles_of(generator, 2)
        styles[3] = styles[3] * paddle.to_tensor([[1.0], [1000.0]])
        both = generator.synthesis_from_styles(styles).numpy()
        alone = generator.synthesis_from_styles([style[:1] for style in styles]).numpy()
    np.testing.assert_allclose(both[:1], alone, atol=1e-5 * np.abs(alone).max())


# -- the interface


def test_it_is_built_again_from_its_config():
    generator = small("R", 32)
    again = build_generator(generator.config())
    load_generator_state(again, generator.state_dict())
    again.eval()
    with paddle.no_grad():
        left, right = (one.synthesis_from_styles(styles_of(one)).numpy() for one in (generator, again))
    np.testing.assert_array_equal(left, right)
    assert again.layout == generator.layout and again.layout.editable == (False, *[True] * 14, False)
    assert again.layout.names[:2] == ("input", "L0_36_6") and again.layout.names[-1] == "L14_32_3"


def test_truncation_pulls_the_first_layers_to_the_mean():
    generator, z = small(), paddle.to_tensor(seeded_z(2, 8))
    with paddle.no_grad():
        w, mean = generator.get_latent(z).numpy(), generator.mean_latent().numpy()
        w_plus = generator.get_latents(z, 0.5, 3).numpy()
    np.testing.assert_allclose(w_plus[:, 2], mean + 0.5 * (w - mean), atol=1e-6)
    np.testing.assert_allclose(w_plus[:, 3], w, atol=1e-6)


def test_the_prefix_draws_the_same():
    generator = small()
    drawing = prefix_drawing_of(generator)
    with paddle.no_grad():
        styles = styles_of(generator, 2)
        state = drawing.initial_state(2)
        for k in range(16):
            assert drawing.state_bytes(k) == sum(4 * x[0].size for x in state.tensors.values())
            rest = drawing.run_remaining(state, styles[k:]).numpy()
            np.testing.assert_array_equal(rest, generator.synthesis_from_styles(styles).numpy())
            state = drawing.run_layer(state, styles[k])
    assert drawing.stops == {16: 16} and drawing.work(0) > drawing.work(8) > drawing.work(8, 9) > 0


@pytest.mark.parametrize(
    "change, words",
    [
        ({"size": 48}, "size must be one of 16, 32"),
        ({"size": 8}, "from 16 to 1024"),
        ({"configuration": "S"}, "out of T, R"),
        ({"channels": [6] * 14}, "15"),
        ({"channels": [6] * 15}, "the last of them 3"),
        ({"n_mlp": -1}, "n_mlp"),
        ({"lr_mlp": 0.0}, "lr_mlp"),
        ({"widths": 3}, "widths"),
    ],
)
def test_what_cannot_be_built_is_one_line(change, words):
    with pytest.raises(UserError, match=words) as error:
        build_generator({**small().config(), **change})
    assert "\n" not in str(error.value)


def test_what_cannot_be_drawn_is_said():
    generator = small()
    styles = styles_of(generator, 2)
    with pytest.raises(ValueError, match="takes 16 styles, got 15"):
        generator.synthesis_from_styles(styles[1:])
    with pytest.raises(ValueError, match=r"style 2 must be \[2, 6\], got \[1, 6\]"):
        generator.synthesis_from_styles([*styles[:2], styles[2][:1], *styles[3:]])
    with pytest.raises(ValueError, match="transform must be"):
        generator.synthesis_from_styles(styles, transform=paddle.eye(2))
    with pytest.raises(ValueError, match="noise must be one of"):
        generator.synthesis_from_styles(styles, noise="much")
    with pytest.raises(ValueError, match=r"\[N, 8\] or \[N, 16, 8\]"):
        generator.style_affine(paddle.ones([1, 7]))
    state = {key: value.numpy() for key, value in generator.state_dict().items()}
    with pytest.raises(UserError, match="layers.4.magnitude_ema is not above 0"):
        load_generator_state(generator, {**state, "layers.4.magnitude_ema": np.zeros(1, "float32")})
