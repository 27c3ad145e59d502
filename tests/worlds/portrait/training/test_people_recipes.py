# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The recipes of identity network and encoder: twins compute what Paddle computes, fits go on."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch_twins import small_generator, stirred  # noqa: E402

from ppstyleclip.worlds.portrait.factors import Z_DIM, factors_from_z, sample_z  # noqa: E402
from ppstyleclip.worlds.portrait.training import irse, people, shards  # noqa: E402
from ppstyleclip.worlds.portrait.training.encoder import fit as encoder_fit  # noqa: E402
from ppstyleclip.worlds.portrait.training.encoder import readout, rounds  # noqa: E402
from ppstyleclip.worlds.portrait.training.export import save_generator  # noqa: E402
from ppstyleclip.worlds.portrait.training.identity import fit as identity_fit  # noqa: E402
from ppstyleclip.worlds.portrait.training.stylegan3 import StyleGAN3  # noqa: E402

IDENTITY = {"widths": (8, 8, 16, 16), "depths": (1, 1, 2, 1), "face_size": 48, "dim": 128}
ENCODER = {"widths": (4, 8, 8, 16), "depths": (1, 2, 1, 1), "input_size": 64}


def images(count, side):
    return np.random.RandomState(1).uniform(-1, 1, (count, 3, side, side)).astype(np.float32)


@pytest.fixture(scope="module")
def generator():
    return small_generator()


@pytest.fixture(scope="module")
def stylegan3():
    torch.manual_seed(0)
    network = StyleGAN3(64, style_dim=Z_DIM, channels=(*[16] * 14, 3))
    network.measure(torch.from_numpy(sample_z(0, 4)))
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("side", (64, 128))
def test_the_identity_twin_gives_paddles_features(tmp_path, side):
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.zoo import load_identity

    twin, pictures = stirred(irse.Identity(**IDENTITY)), images(2, side)
    identity_fit.save(tmp_path / "i.safetensors", twin, half=False)
    theirs = load_identity(tmp_path / "i.safetensors").identity_features(paddle.to_tensor(pictures)).numpy()
    with torch.no_grad():
        ours = twin(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-5)
    again = encoder_fit.load_identity(tmp_path / "i.safetensors")
    with torch.no_grad():
        np.testing.assert_allclose(again(torch.from_numpy(pictures)).numpy(), ours, atol=1e-6)


@pytest.mark.parametrize("channels", (3, 6))
def test_the_encoder_twin_gives_paddles_latents(tmp_path, channels):
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.zoo import load_encoder

    twin = stirred(irse.Encoder(**ENCODER, num_styles=12, style_dim=24, input_channels=channels))
    pictures = np.concatenate([images(2, 64)] * (channels // 3), axis=1)
    encoder_fit.save(tmp_path / "e.safetensors", twin, np.arange(24.0), generator="0" * 16, half=False)
    loaded, _ = load_encoder(tmp_path / "e.safetensors", name="portrait", generator="0" * 16)
    theirs = loaded.network(paddle.to_tensor(pictures)).numpy()
    with torch.no_grad():
        ours = twin(torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())
    np.testing.assert_array_equal(loaded.latent_avg, np.arange(24.0, dtype=np.float32)[None])


def test_styles_of_w_plus_draw_what_z_draws(tmp_path, generator):
    """The same w in all layers gives the generator's own styles, and the layers are where Paddle has them."""
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.zoo.generators import load_generator

    target = encoder_fit.Target(generator)
    z = torch.from_numpy(sample_z(0, 2))
    w = generator.style(z)
    same = target.styles(w[:, None].expand(-1, target.num_styles, -1))
    for ours, theirs in zip(same, generator.styles(z)):
        torch.testing.assert_close(ours, theirs)
    save_generator(tmp_path / "g.safetensors", generator, half=False)
    loaded = load_generator(tmp_path / "g.safetensors")[0]
    assert target.num_styles == loaded.n_latent
    w_plus = np.random.RandomState(0).randn(2, loaded.n_latent, Z_DIM).astype(np.float32)
    theirs = loaded.style_affine(paddle.to_tensor(w_plus))
    for ours, one in zip(target.styles(torch.from_numpy(w_plus)), theirs):
        np.testing.assert_allclose(ours.numpy(), one.numpy(), atol=1e-4)


@pytest.mark.parametrize("half", (False, True))
def test_an_exported_generator_is_opened_as_the_fits_have_it(tmp_path, generator, stylegan3, half):
    z = torch.from_numpy(sample_z(0, 2))
    for network in (generator, stylegan3):
        mark = save_generator(tmp_path / "g.safetensors", network, half=half)
        opened, stated = people.load_generator(tmp_path / "g.safetensors")
        assert stated == mark and not any(p.requires_grad for p in opened.parameters())
        with torch.no_grad():
            torch.testing.assert_close(opened(z), network(z), atol=0.1 if half else 1e-6, rtol=0)
        for ours, (place, to_style) in zip(network.styles(z), network.style_layers()):
            assert place < encoder_fit.Target(network).num_styles
            torch.testing.assert_close(to_style(network.style(z)), ours)


def test_a_fit_begins_with_the_trunk_of_another_encoder_as_far_as_it_fits(tmp_path, stylegan3):
    other = stirred(irse.Encoder(**ENCODER, num_styles=12, style_dim=Z_DIM))
    encoder_fit.save(tmp_path / "e.safetensors", other, np.zeros(Z_DIM), generator="0" * 16, half=False)
    config = {**ENCODER, "widths": (*ENCODER["widths"][:3], 24)}
    plan = encoder_fit.Plan(rounds=3, config=json.dumps(config))
    target = encoder_fit.Target(stylegan3)
    begun = encoder_fit.build_encoder(target, plan, tmp_path / "e.safetensors").eval()
    pictures, anything = torch.from_numpy(images(2, 64)), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        for first, inputs in ((other, pictures), (begun, torch.cat([pictures, anything], 1))):
            first.found = first.body[:-1](first.input_layer(inputs))
    torch.testing.assert_close(begun.found, other.found)
    assert begun.body[-1].res_layer[1].weight.shape != other.body[-1].res_layer[1].weight.shape


def test_rounds_are_what_the_product_does(tmp_path, stylegan3):
    """An encoder of 6 channels, stored and loaded, finds in n rounds what a fit shows in its n + 1st."""
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.methods.inversion import invert
    from ppstyleclip.zoo import load_encoder
    from ppstyleclip.zoo.generators import load_generator

    target, pictures = encoder_fit.Target(stylegan3), images(3, 64)
    plan = encoder_fit.Plan(rounds=3, config=json.dumps(ENCODER))
    twin = stirred(encoder_fit.build_encoder(target, plan))
    with torch.no_grad():  # steps of about one deviation
        twin.linear.bias.zero_()
        first = twin(torch.from_numpy(np.concatenate([pictures] * 2, axis=1)))
        twin.linear.weight.mul_(target.latent_std.mean() / first.std())
    target.draw = lambda w: stylegan3.pictures(target.styles(w))[64].detach()  # not in half precision
    shown = rounds.show(twin, torch.from_numpy(pictures), target, rounds=3, again=2)
    assert shown.rows.tolist() == [0, 1, 2, 0, 1, 0, 1]
    torch.testing.assert_close(shown.before[:3], target.mean.expand(3, 16, -1))
    torch.testing.assert_close(shown.inputs[:, :3], torch.from_numpy(pictures)[shown.rows])
    save_generator(tmp_path / "g.safetensors", stylegan3, half=False)
    encoder_fit.save(tmp_path / "e.safetensors", twin, target.mean.numpy(), generator="0" * 16, half=False)
    loaded, drawing = (
        load_encoder(tmp_path / "e.safetensors")[0],
        load_generator(tmp_path / "g.safetensors")[0],
    )

    def draw(w_plus):
        return drawing.synthesis_from_styles(drawing.style_affine(w_plus))

    for n, first in ((1, 3), (2, 5)):
        found = invert(
            loaded.network,
            paddle.to_tensor(pictures[:2]),
            latent_avg=loaded.latent_avg,
            draw=draw,
            n_iters=n,
        )
        wanted = shown.before[first : first + 2].numpy()
        np.testing.assert_allclose(found.numpy(), wanted, atol=1e-3 * np.abs(wanted).max())


@pytest.fixture(scope="module")
def run(tmp_path_factory, generator):
    """A folder with a shard and a generator."""
    folder = tmp_path_factory.mktemp("run")
    shards.write_shard(folder, 0, count=8)
    mark = save_generator(folder / "generator.safetensors", generator, half=False)
    both = people.gather(folder, generator, mark, shards=1, count=6, keep=folder)
    return folder, both


def test_pictures_of_both_kinds_keep_their_latents(run, generator):
    _, (rendered, drawn) = run
    assert rendered.pixels.shape == (8, 128, 128, 3) and drawn.pixels.shape == (6, 128, 128, 3)
    seen, clean, z = people.mixed((rendered, drawn), np.random.RandomState(0), 5)
    assert seen.shape == clean.shape and factors_from_z(z).shape[0] == 5
    assert (seen[:2] != clean[:2]).any() and (seen[2:] == clean[2:]).all()
    with torch.no_grad():
        again = generator(torch.from_numpy(z[4:]), 128)
    assert np.abs(clean[4:] - people.to_pixels(again).astype(float)).max() <= 1  # another size of batch


def test_solved_layers_give_the_latents_that_they_were_solved_for():
    """The pooling, of which they stand behind, is undone exactly."""
    encoder, pictures = stirred(irse.Encoder(**ENCODER, num_styles=5, style_dim=6)), images(3, 64)
    weights = torch.randn(16 * 4 * 4 + 1, 6, dtype=torch.float64)
    with torch.no_grad():
        maps = encoder.output_layer_2[0](encoder.body(encoder.input_layer(torch.from_numpy(pictures))))
        wanted = maps.flatten(1).double() @ weights[:-1] + weights[-1]
        found = readout.with_weights(encoder, weights)(torch.from_numpy(pictures))
    for layer in range(5):
        torch.testing.assert_close(found[:, layer].double(), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_solved_layers_are_better_than_none(run, generator):
    _, both = run
    target = encoder_fit.Target(generator)
    encoder = stirred(irse.Encoder(**ENCODER, num_styles=12, style_dim=Z_DIM))
    _, error = readout.refit(encoder, target, both, count=400, size=64)
    assert error < 0.9  # of the variance, which the mean would leave


def losses(fitting):
    return [np.ravel(record[1]) for record in fitting]


@pytest.mark.slow
def test_the_fits_go_on_where_they_stopped(run, tmp_path, generator):
    """Two runs of three steps end where one of six does."""
    _, both = run
    target = encoder_fit.Target(generator)
    identity = irse.Identity(**IDENTITY).eval().requires_grad_(False)
    kinds = {
        "identity": lambda folder, steps: identity_fit.fit(
            folder, both, identity_fit.Plan(steps=steps, batch=4, config=json.dumps(IDENTITY))
        ),
        "encoder": lambda folder, steps: encoder_fit.fit(
            folder, both, target, identity,
            encoder_fit.Plan(steps=steps, batch=4, draw_from=0.0, draw_batch=2, config=json.dumps(ENCODER)),
        ),
    }  # fmt: skip
    for name, fitting in kinds.items():
        (tmp_path / name).mkdir()
        list(fitting(tmp_path / name, 3))
        (second,) = list(fitting(tmp_path / name, 5))
        assert second[0] == 5
        assert np.isfinite(second[1]).all() and np.all(second[1] > 0)
        assert not list(fitting(tmp_path / name, 5))


@pytest.mark.slow
def test_a_restyle_fit_learns_and_goes_on(run, tmp_path, stylegan3):
    folder, _ = run
    mark = save_generator(tmp_path / "g.safetensors", stylegan3, half=False)
    both = people.gather(folder, stylegan3, mark, shards=1, count=6, keep=tmp_path)
    assert both[1].pixels.shape == (6, 128, 128, 3)  # enlarged from 64
    target = encoder_fit.Target(stylegan3)
    plan = {"batch": 4, "again": 2, "rounds": 3, "draw_batch": 2, "config": json.dumps(ENCODER)}
    first = losses(
        encoder_fit.fit(tmp_path, both, target, None, encoder_fit.Plan(steps=100, draw_from=2.0, **plan))
    )
    *_, last = losses(
        encoder_fit.fit(tmp_path, both, target, None, encoder_fit.Plan(steps=104, draw_from=0.0, **plan))
    )
    assert last[0] < first[0][0] and last[1] > 0


@pytest.mark.slow
def test_the_identity_network_learns(run, tmp_path):
    """A few pictures are soon known by heart."""
    _, both = run
    plan = identity_fit.Plan(steps=200, batch=6, rate=3e-3, config=json.dumps(IDENTITY))
    first, last = losses(identity_fit.fit(tmp_path, both, plan))
    assert last < 0.9 * first
