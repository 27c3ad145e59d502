# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The generator: PaddleGAN's numbers, the paper's formula, and each promise of its methods."""

import json
from pathlib import Path

import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from oracles.seeded_weights import sample, seeded_state, seeded_z

from ppstyleclip.models.stylegan2 import StyleGANv2Generator, build_generator, load_generator_state
from ppstyleclip.models.stylegan2.layers import ModulatedConv2D
from ppstyleclip.ops import setup_filter, upfirdn2d_reference

ORACLES = Path(__file__).parents[2] / "oracles"
CHANNELS = {4: 6, 8: 5, 16: 4, 32: 3, 64: 3, 128: 2, 256: 2, 512: 2, 1024: 2}
# All keys of a state dict of PaddleGAN's class with the usual 8 mapping layers.
KEYS = {8: 44, 64: 95, 256: 129, 512: 146, 1024: 163}


def shapes_of(generator):
    return {key: list(value.shape) for key, value in generator.state_dict().items()}


def small(size=32, seed=0, **kwargs):
    """A generator of a few channels whose every parameter matters."""
    generator = StyleGANv2Generator(size, 8, 2, **{"channels": CHANNELS, **kwargs})
    load_generator_state(generator, seeded_state(shapes_of(generator), seed))
    generator.eval()
    return generator


@pytest.fixture(scope="module")
def tiny():
    return small()


def assert_close(given, expected, peak, what):
    worst = np.abs(given - expected).max() / peak
    assert worst < 1e-4, f"{what}: {worst:.2e} of the largest value"


# ---- against PaddleGAN (commit 094a2eb, Paddle 3.3.1; numbers written by oracles/make_stylegan2.py) ----


@pytest.mark.slow
@pytest.mark.parametrize("size, batch", [(64, 2), (1024, 1)])
def test_paddlegan_weights_give_paddlegan_styles_and_images(size, batch):
    with np.load(ORACLES / "stylegan2.npz") as archive:
        stored = {key.split("/")[1]: archive[key] for key in archive.files if key.startswith(f"{size}/")}
    shapes = json.loads(stored["shapes"].tobytes().decode())
    generator = StyleGANv2Generator(size, 512, 8)
    assert shapes_of(generator) == shapes  # what PaddleGAN's class writes: nothing missing, nothing left over
    load_generator_state(generator, seeded_state(shapes))

    z = paddle.to_tensor(seeded_z(batch, 512))
    with paddle.no_grad():
        styles = generator.style_affine(generator.get_latents(z))
        images = generator.synthesis_from_styles(styles, noise="const").numpy()
    assert_close(generator.get_latent(z)[:, ::16].numpy(), stored["w"], np.abs(stored["w"]).max(), "w")
    for index, (style, peak) in enumerate(zip(styles, stored["style_peak"])):
        assert float(style.abs().max()) == pytest.approx(float(peak), rel=1e-4)
        start = sum(other.shape[1] for other in styles[:index]) // 8
        part = stored["styles"][:, start : start + style.shape[1] // 8]
        assert_close(style[:, ::8].numpy(), part, peak, f"style {index}")

    peak = stored["image_peak"]
    assert np.abs(images).max() == pytest.approx(float(peak), rel=1e-4)
    for name, given in zip(("means", "squares", "pixels"), sample(images)):
        assert_close(given, stored[name], peak, name)


@pytest.mark.parametrize("size", KEYS)
def test_keys_are_those_of_paddlegan(size):
    generator = StyleGANv2Generator(size, 4, 8, channels=CHANNELS)
    shapes = shapes_of(generator)
    assert len(shapes) == KEYS[size]
    assert shapes["style.8.weight"] == [4, 4]
    assert shapes["convs.0.conv.modulation.weight"] == [4, CHANNELS[4]]  # [in, out]
    assert shapes["convs.0.conv.weight"] == [1, CHANNELS[8], CHANNELS[4], 3, 3]
    last = len(generator.convs) - 1
    assert shapes[f"to_rgbs.{last // 2}.upsample.kernel"] == [4, 4]
    assert shapes[f"noises.noise_{last + 1}"] == [1, 1, size, size]


def test_channel_table_is_paddlegans():
    table = {4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}
    generator = StyleGANv2Generator(8, 4, 1, channels={4: 2})
    assert generator.channels == {**table, 4: 2}
    half = StyleGANv2Generator(8, 4, 1, channel_multiplier=1, channels={4: 2, 8: 2}).channels
    assert [half[side] for side in (64, 128, 256, 512, 1024)] == [256, 128, 64, 32, 16]


def test_forward_draws_the_noise_that_paddlegan_draws(tiny):
    # Same order, same shapes: from one state of Paddle's random numbers, the noise of PaddleGAN's class.
    w = tiny.get_latent(paddle.to_tensor(seeded_z(2, 8)))
    paddle.seed(3)
    images, _ = tiny([w], input_is_latent=True)
    paddle.seed(3)
    noise = [paddle.randn([2, 1, 2**power, 2**power]) for power in (2, 3, 3, 4, 4, 5, 5)]
    again, _ = tiny([w], input_is_latent=True, noise=noise)
    np.testing.assert_array_equal(images.numpy(), again.numpy())


# ---- against the formula ----


@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("taps", [(1, 3, 3, 1), (1, 2, 1)])
def test_modulated_convolution_is_a_kernel_of_its_own_for_each_sample(upsample, taps):
    rng = np.random.RandomState(0)
    conv = ModulatedConv2D(3, 4, 3, 5, upsample=upsample, blur=taps)
    x = paddle.to_tensor(rng.standard_normal((2, 3, 6, 6)).astype("float32"))
    style = paddle.to_tensor(rng.standard_normal((2, 3)).astype("float32"))
    rows = []
    for n in range(2):
        weight = conv.weight[0] * style[n].reshape([1, 3, 1, 1]) / np.sqrt(27)
        weight = weight / paddle.sqrt((weight**2).sum(axis=[1, 2, 3], keepdim=True) + 1e-8)  # equation 3
        if upsample:
            stuffed = paddle.zeros([1, 3, 13, 13])
            stuffed[:, :, 1:12:2, 1:12:2] = x[n : n + 1]
            row = F.conv2d(stuffed, weight.flip([2, 3]), padding=1)[:, :, :13, :13]
            pad = (1, 1) if len(taps) == 4 else (1, 0)
            row = upfirdn2d_reference(row, setup_filter(taps), pad=pad, gain=4)
        else:
            row = F.conv2d(x[n : n + 1], weight, padding=1)
        rows.append(row.numpy())
    expected = np.concatenate(rows)
    out = conv(x, style, gain=1.0).numpy()
    assert out.shape == ((2, 4, 12, 12) if upsample else (2, 4, 6, 6))
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


def test_mapping_is_its_formula():
    generator = small(size=8)
    z = seeded_z(3, 8)
    x = z / np.sqrt((z**2).mean(axis=1, keepdims=True) + 1e-8)
    for layer in (1, 2):
        weight = generator.state_dict()[f"style.{layer}.weight"].numpy()
        x = x @ weight * (0.01 / np.sqrt(8)) + generator.state_dict()[f"style.{layer}.bias"].numpy() * 0.01
        x = np.where(x > 0, x, 0.2 * x) * np.sqrt(2)
    np.testing.assert_allclose(generator.get_latent(paddle.to_tensor(z)).numpy(), x, rtol=1e-4, atol=1e-6)


# ---- latents and styles ----


def test_truncation_counts_layers_not_features(tiny):
    z = paddle.to_tensor(seeded_z(2, 8))
    w = tiny.get_latent(z).numpy()
    mean = tiny.mean_latent(64)
    plain = tiny.get_latents(z)
    assert plain.shape == [2, tiny.n_latent, 8] and tiny.n_latent == 8
    np.testing.assert_array_equal(plain.numpy(), np.repeat(w[:, None], 8, axis=1))
    pulled = mean.numpy() + 0.7 * (w - mean.numpy())
    for form in (mean, mean[0], paddle.tile(mean.unsqueeze(1), [1, 8, 1])):
        some = tiny.get_latents(z, 0.7, 3, form).numpy()
        np.testing.assert_allclose(some[:, :3], np.repeat(pulled[:, None], 3, axis=1), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(some[:, 3:], plain.numpy()[:, 3:], rtol=1e-5, atol=1e-6)
    full = tiny.get_latents(z, 0.7, truncation_latent=mean).numpy()
    np.testing.assert_allclose(full, np.repeat(pulled[:, None], 8, axis=1), rtol=1e-5, atol=1e-6)
    at_mean = tiny.get_latents(z, 0.0).numpy()
    np.testing.assert_allclose(at_mean[0], np.repeat(tiny.mean_latent().numpy(), 8, axis=0), atol=1e-5)


def test_mean_latent_is_the_same_each_time(tiny):
    paddle.seed(1)
    first = tiny.mean_latent(100).numpy()
    paddle.seed(2)
    np.testing.assert_array_equal(first, tiny.mean_latent(100).numpy())
    assert first.shape == (1, 8)
    assert np.abs(first - tiny.mean_latent(100, seed=1).numpy()).max() > 0


def test_styles_of_w_and_of_w_plus(tiny):
    z = paddle.to_tensor(seeded_z(2, 8))
    from_w = tiny.style_affine(tiny.get_latent(z))
    from_w_plus = tiny.style_affine(tiny.get_latents(z))
    widths = [6, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3]  # conv1, to_rgb1, then enlarging, plain and ToRGB
    assert [style.shape for style in from_w] == [[2, width] for width in widths]
    for one, other in zip(from_w, from_w_plus):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


def test_each_layer_of_w_plus_reaches_its_styles(tiny):
    w_plus = tiny.get_latents(paddle.to_tensor(seeded_z(1, 8)))
    base = tiny.style_affine(w_plus)
    reached = []
    for layer in range(tiny.n_latent):
        moved = w_plus.clone()
        moved[:, layer] = moved[:, layer] + 1.0
        styles = tiny.style_affine(moved)
        reached.append([k for k, (a, b) in enumerate(zip(base, styles)) if float((a - b).abs().max()) > 0])
    assert reached == [[0], [1, 2], [3], [4, 5], [6], [7, 8], [9], [10]]


@pytest.mark.parametrize("noise", ["const", "none"])
def test_forward_is_the_steps_after_each_other(tiny, noise):
    z = paddle.to_tensor(seeded_z(2, 8))
    w_plus = tiny.get_latents(z)
    expected = tiny.synthesis_from_styles(tiny.style_affine(w_plus), noise=noise)
    list_of = None if noise == "const" else [None] * tiny.num_layers
    for given, is_latent in ((z, False), (tiny.get_latent(z), True), (w_plus, True)):
        images, latent = tiny(
            [given], return_latents=True, input_is_latent=is_latent, noise=list_of, randomize_noise=False
        )
        np.testing.assert_allclose(images.numpy(), expected.numpy(), rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(latent.numpy(), w_plus.numpy())
    assert tiny([z], randomize_noise=False)[1] is None


def test_forward_truncates_layers_and_mixes_styles(tiny):
    one, two = paddle.to_tensor(seeded_z(1, 8)), paddle.to_tensor(seeded_z(1, 8, seed=2))
    mean = tiny.mean_latent(64)
    _, latent = tiny([one], True, truncation=0.5, truncation_cutoff=2, truncation_latent=mean)
    np.testing.assert_array_equal(latent.numpy(), tiny.get_latents(one, 0.5, 2, mean).numpy())
    _, mixed = tiny([one, two], True, inject_index=3)
    np.testing.assert_array_equal(mixed[:, :3].numpy(), tiny.get_latents(one)[:, :3].numpy())
    np.testing.assert_array_equal(mixed[:, 3:].numpy(), tiny.get_latents(two)[:, 3:].numpy())
    assert tiny([one, two])[0].shape == [1, 3, 32, 32]


# ---- noise, batch, gradients, sizes ----


def test_noise_words(tiny):
    styles = tiny.style_affine(tiny.get_latent(paddle.to_tensor(seeded_z(2, 8))))

    def draw(**kwargs):
        return tiny.synthesis_from_styles(styles, **kwargs).numpy()

    np.testing.assert_array_equal(draw(), draw(noise="const"))
    np.testing.assert_array_equal(draw(noise="random", seed=5), draw(noise="random", seed=5))
    pictures = [draw(), draw(noise="none"), draw(noise="random", seed=5), draw(noise="random", seed=6)]
    pictures += [draw(noise="random"), draw(noise="random")]
    for i, one in enumerate(pictures):
        assert all(np.abs(one - other).max() > 1e-3 for other in pictures[:i])
    with pytest.raises(ValueError, match="const, random, none; got 'fixed'"):
        draw(noise="fixed")


def test_random_noise_without_a_seed_differs_within_a_batch(tiny):
    styles = tiny.style_affine(tiny.get_latent(paddle.to_tensor(seeded_z(1, 8)).tile([2, 1])))
    free = tiny.synthesis_from_styles(styles, noise="random").numpy()
    seeded = tiny.synthesis_from_styles(styles, noise="random", seed=0).numpy()
    assert np.abs(free[0] - free[1]).max() > 1e-3
    assert np.abs(seeded[0] - seeded[1]).max() < 1e-3


@pytest.mark.parametrize("noise, seed", [("const", None), ("random", 7), ("none", None)])
def test_same_pixels_at_any_batch_size(noise, seed):
    generator = small(size=64)
    styles = generator.style_affine(generator.get_latent(paddle.to_tensor(seeded_z(5, 8))))
    together = generator.synthesis_from_styles(styles, noise=noise, seed=seed).numpy()
    peak = np.abs(together).max()  # seeded weights know no range
    for n in range(5):
        alone = generator.synthesis_from_styles([s[n : n + 1] for s in styles], noise=noise, seed=seed)
        levels = [np.rint((images / peak + 1) * 127.5) for images in (alone[0].numpy(), together[n])]
        assert np.abs(levels[0] - levels[1]).max() <= 1


def test_gradients_reach_every_style_and_w_plus(tiny):
    w_plus = tiny.get_latents(paddle.to_tensor(seeded_z(1, 8))).detach()
    w_plus.stop_gradient = False
    styles = tiny.style_affine(w_plus)
    target = paddle.to_tensor(np.random.RandomState(0).standard_normal((1, 3, 32, 32)).astype("float32"))
    loss = (tiny.synthesis_from_styles(styles) * target).mean()
    gradients = paddle.grad([loss], [w_plus] + styles)
    assert all(float(gradient.abs().max()) > 0 for gradient in gradients)
    assert (gradients[0].abs().sum(axis=-1).numpy() > 0).all()  # each layer

    # One style after another, against the difference quotient along the gradient.
    with paddle.no_grad():
        for k in (0, 1, 2, 3, 4, 10):
            direction = gradients[k + 1] / gradients[k + 1].norm()
            step, losses = 0.02, []
            for sign in (1, -1):
                moved = [s + direction * (sign * step) if j == k else s for j, s in enumerate(styles)]
                losses.append(float((tiny.synthesis_from_styles(moved) * target).mean()))
            slope = (losses[0] - losses[1]) / (2 * step)
            assert slope == pytest.approx(float(gradients[k + 1].norm()), rel=0.05)


def test_gradients_reach_every_parameter():
    generator = small(size=16)
    images, _ = generator([paddle.to_tensor(seeded_z(2, 8))], randomize_noise=False)
    (images**2).mean().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().max()) > 0, name
    assert "noises.noise_0" not in dict(generator.named_parameters())


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128, 256, 512, 1024])
def test_any_size(size):
    generator = small(size=size)
    power = int(np.log2(size))
    assert (generator.n_latent, generator.num_layers) == (2 * power - 2, 2 * power - 3)
    styles = generator.style_affine(generator.get_latent(paddle.to_tensor(seeded_z(1, 8))))
    assert len(styles) == 2 + 3 * (power - 2)
    with paddle.no_grad():
        images = generator.synthesis_from_styles(styles)
    assert images.shape == [1, 3, size, size] and bool(paddle.isfinite(images).all())


def test_config_rebuilds_the_generator(tiny):
    config = json.loads(json.dumps(tiny.config()))
    twin = build_generator(config)
    assert shapes_of(twin) == shapes_of(tiny) and twin.config() == tiny.config()
    load_generator_state(twin, tiny.state_dict())
    z = paddle.to_tensor(seeded_z(1, 8))
    np.testing.assert_array_equal(
        twin([z], randomize_noise=False)[0].numpy(), tiny([z], randomize_noise=False)[0].numpy()
    )
    other = build_generator({**config, "blur_kernel": [1, 2, 1]})
    load_generator_state(other, tiny.state_dict())
    assert other([z], randomize_noise=False)[0].shape == [1, 3, 32, 32]


# ---- loading ----


def test_older_files_and_other_floats_load(tiny):
    state = {key: value.numpy() for key, value in tiny.state_dict().items()}
    blur = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 16
    older = {**state, "convs.0.conv.blur.kernel": blur, "convs.2.conv.blur.kernel": blur}
    older["input.input"] = state["input.input"].astype("float64")
    older["noises.noise_1"] = state["noises.noise_1"].astype("float16")
    twin = build_generator(tiny.config())
    load_generator_state(twin, older)
    np.testing.assert_array_equal(twin.state_dict()["input.input"].numpy(), state["input.input"])
    assert twin.state_dict()["noises.noise_1"].dtype == paddle.float32


def changed(state, **changes):
    """Return a copy with entries replaced, or dropped where the new value is None."""
    state = {**state, **{key.replace("__", "."): value for key, value in changes.items()}}
    return {key: value for key, value in state.items() if value is not None}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"input__input": None}, "input.input is missing"),
        ({"input__extra": np.zeros(3)}, "input.extra is unknown"),
        ({"encoder__conv__blur__kernel": np.zeros([4, 4])}, "encoder.conv.blur.kernel is unknown"),
        ({"style__1__bias": np.zeros(9)}, r"style.1.bias is \[9\] instead of \[8\]"),
        ({"style__1__bias": np.zeros(8, "uint16")}, "style.1.bias holds uint16 instead of floats"),
        ({"to_rgbs__0__upsample__kernel": np.ones([4, 4])}, "kernel is another filter"),
        ({"convs__0__conv__blur__kernel": np.ones([4, 4])}, "kernel is another filter"),
        ({f"x{i}": np.zeros(1) for i in range(5)}, "x0 is unknown; x1 is unknown; x2 is unknown; and 2 more"),
    ],
)
def test_a_state_that_does_not_fit_is_an_error_and_changes_nothing(tiny, changes, message):
    before = {key: value.numpy().copy() for key, value in tiny.state_dict().items()}
    other = seeded_state(shapes_of(tiny), seed=9)
    with pytest.raises(ValueError, match=message) as error:
        load_generator_state(tiny, changed(other, **changes))
    assert "32 px generator" in str(error.value) and "\n" not in str(error.value)
    for key, value in tiny.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[key])


def test_weights_of_another_size_are_refused(tiny):
    with pytest.raises(ValueError, match="do not fit this 16 px generator.*of the same network"):
        load_generator_state(small(size=16), tiny.state_dict())


# ---- wrong arguments ----


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"size": 100}, "size must be one of 8, 16, 32, 64, 128, 256, 512, 1024; got 100"),
        ({"size": 4}, "got 4"),
        ({"size": 2048}, "got 2048"),
        ({"is_concat": True}, "is_concat"),
        ({"style_dim": 0}, "style_dim"),
        ({"n_mlp": -1}, "n_mlp"),
        ({"lr_mlp": 0}, "lr_mlp"),
        ({"channels": {5: 3}}, "channels must map"),
        ({"channels": {8: 0}}, "channels must map"),
    ],
)
def test_a_generator_that_cannot_be_built(kwargs, message):
    arguments = {"size": 8, "style_dim": 4, "n_mlp": 1, **kwargs}
    with pytest.raises(ValueError, match=message) as error:
        StyleGANv2Generator(**arguments)
    assert "\n" not in str(error.value)


def test_wrong_latents_and_styles_are_named(tiny):
    styles = tiny.style_affine(paddle.zeros([2, 8]))
    wrong = {
        r"z must be \[N, 8\], got \[2, 7\]": lambda: tiny.get_latent(paddle.zeros([2, 7])),
        r"is \[N, 8\] or \[N, 8, 8\]; got \[2, 9, 8\]": lambda: tiny.style_affine(paddle.zeros([2, 9, 8])),
        r"got \[8\]": lambda: tiny.style_affine(paddle.zeros([8])),
        r"got \[1, 7, 8\]": lambda: tiny([paddle.zeros([1, 7, 8])], input_is_latent=True),
        r"got \[1, 7\]": lambda: tiny.get_latents(paddle.zeros([2, 8]), 0.5, None, paddle.zeros([1, 7])),
        "takes 11 styles, got 10": lambda: tiny.synthesis_from_styles(styles[:-1]),
        r"style 3 must be \[2, 5\], got \[2, 4\]": lambda: tiny.synthesis_from_styles(
            styles[:3] + [styles[3][:, :4]] + styles[4:]
        ),
        r"style 1 must be \[2, 6\], got \[1, 6\]": lambda: tiny.synthesis_from_styles(
            [styles[0], styles[1][:1]] + styles[2:]
        ),
        "must not be negative": lambda: tiny.get_latents(paddle.zeros([2, 8]), -0.1),
        "cutoff must not be negative": lambda: tiny.get_latents(paddle.zeros([2, 8]), 0.5, -1),
        "list of one or two": lambda: tiny(paddle.zeros([2, 8])),
        "noise must list 7 pictures, got 2": lambda: tiny([paddle.zeros([2, 8])], noise=[None, None]),
    }
    for message, call in wrong.items():
        with pytest.raises(ValueError, match=message):
            call()
