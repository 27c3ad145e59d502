# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The recipe of the world's StyleGAN3: twin and compiled form are what they stand for, fits go on."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ppstyleclip.worlds.portrait.training import export, filtered, fit, generator, shards  # noqa: E402
from ppstyleclip.worlds.portrait.training.stylegan3 import MARGIN, StyleGAN3  # noqa: E402

TINY = (*[16] * 14, 3)


def tiny(size=64):
    torch.manual_seed(1)
    network = StyleGAN3(size, style_dim=16, channels=TINY)
    with torch.no_grad():  # biases start at 0, which would hide faults
        for layer in network.layers:
            layer.bias.add_(0.3 * torch.randn_like(layer.bias))
    network.measure(torch.randn(4, 16))
    return network.eval()


def latents(count, dim=16):
    return np.random.RandomState(0).randn(count, dim).astype(np.float32)


@pytest.mark.parametrize("size", (32, 64))
def test_the_exported_twin_draws_the_same_in_paddle(tmp_path, size):
    paddle = pytest.importorskip("paddle")
    from ppstyleclip.zoo.generators import generator_fingerprint, load_generator

    twin, z = tiny(size), latents(2)
    mark = export.save_generator(tmp_path / "g.safetensors", twin, half=False)
    loaded, metadata = load_generator(tmp_path / "g.safetensors")
    assert mark == metadata["fingerprint"] == generator_fingerprint(loaded)
    assert metadata["name"] == "portrait-sg3"
    styles = loaded.style_affine(loaded.get_latent(paddle.to_tensor(z)))
    theirs = loaded.synthesis_from_styles(styles).numpy()
    with torch.no_grad():
        ours = twin(torch.from_numpy(z)).numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())


@pytest.mark.skipif(filtered.library() is None, reason="there is no C++ compiler")
@pytest.mark.parametrize("k", (0, 4, 13))  # up by 2, by 4, and cropped
@pytest.mark.parametrize("dtype, most", ((torch.bfloat16, 0.01), (torch.float32, 1e-5)))
def test_the_compiled_form_is_the_plain_one_and_so_are_its_gradients(k, dtype, most):
    plan, rng = tiny().layers[k].activate, torch.Generator().manual_seed(2)
    x = torch.randn(2, 32, plan.side, plan.side, generator=rng).to(dtype)
    scale, bias = 0.5 + torch.rand(2, 32, generator=rng), torch.randn(32, generator=rng)
    found = []
    for form, values in ((plan.plain, (x.float(), scale, bias)), (plan, (x, scale, bias))):
        values = [value.clone().requires_grad_() for value in values]
        out = form(*values)
        slope = torch.linspace(-1, 1, out.numel()).reshape(out.shape).to(out.dtype)
        found.append([out, *torch.autograd.grad(out, values, slope)])
    for plain, compiled in zip(*found):
        assert compiled.shape == plain.shape
        assert (compiled.float() - plain).abs().max() < most * plain.abs().max()


@pytest.mark.skipif(filtered.library() is None, reason="there is no C++ compiler")
def test_the_compiled_style_is_the_plain_one():
    rng = torch.Generator().manual_seed(3)
    x, style = torch.randn(2, 32, 6, 6, generator=rng).bfloat16(), torch.randn(2, 32, generator=rng)
    found = []
    for form, values in ((filtered.plain_modulate, (x.float(), style)), (filtered.modulate, (x, style))):
        values = [value.clone().requires_grad_() for value in values]
        out, square = form(*values, 1)
        slope = torch.linspace(-1, 1, out.numel()).reshape(out.shape).to(out.dtype)
        found.append([out, square, *torch.autograd.grad(out, values, slope)])
    assert found[0][0].shape == (2, 32, 8, 8) and found[0][0][:, :, 0].abs().max() == 0
    for plain, compiled in zip(*found):
        assert (compiled.float() - plain).abs().max() < 0.01 * plain.abs().max()


def test_the_early_picture_lies_where_the_whole_one_does():
    """A bright dot in the features of half the resolution comes out at the same place of both pictures."""
    network = tiny()
    after, row, column = network.early.after, 9, 22
    x = torch.zeros(1, 16, MARGIN * 2 + 32, MARGIN * 2 + 32)
    x[:, :, MARGIN + row, MARGIN + column] = 1.0
    with torch.no_grad():
        network.early.weight.fill_(1.0)
        early = network.early(x)[0, 0]
        for layer in network.layers[after:]:  # each lets its channels through, and filters
            layer.weight.zero_()
            layer.bias.zero_()
            half = layer.shape.kernel // 2
            layer.weight[:, :, half, half] = 1.0
            x = layer(x, torch.ones(1, layer.shape.in_channels))
    assert divmod(int(early.argmax()), 32) == (row, column)
    whole = x[0, 0].clamp(min=0)
    places = torch.arange(64) + 0.5
    middle = [(whole.sum(1) * places).sum() / whole.sum(), (whole.sum(0) * places).sum() / whole.sum()]
    np.testing.assert_allclose(middle, [2 * (row + 0.5), 2 * (column + 0.5)], atol=0.1)


def test_a_fit_goes_on_where_it_stopped_and_half_its_layers_learn_first(folder, tmp_path):
    plan = fit.Plan(batch=2, middle=2, upper=2, refine=4)
    batches, runs = [shards.Faces(folder, 0).batch(2) for _ in range(2)], {}
    for name in ("a", "b"):
        run = fit.Fit(tmp_path / name, plan, family="stylegan3", channels=TINY)
        assert run.side == 32
        before = run.generator.layers[-2].weight.clone()
        run.learn(*batches[0])
        assert run.generator.layers[-2].weight.equal(before) and run.side == 64
        if name == "b":
            run.save()
            run = fit.Fit(tmp_path / name, plan, family="stylegan3", channels=TINY)
            assert (run.pictures, run.side) == (2, 64)
        for batch in batches[1:]:
            run.learn(*batch)
        runs[name] = run.average.state_dict()
    for key, value in runs["a"].items():
        torch.testing.assert_close(value, runs["b"][key], rtol=1e-3, atol=1e-3)


def test_magnitudes_are_what_the_layers_are_given():
    network, z, given = tiny(), torch.from_numpy(latents(4)), []
    network.measure(z)
    for layer in network.layers[1:]:
        layer.register_forward_pre_hook(lambda _, values: given.append(values[0].square().mean().item()))
    with torch.no_grad():
        network.eval()(z)
    stated = [layer.magnitude_ema.item() for layer in network.layers[1:]]
    np.testing.assert_allclose(stated, given, rtol=1e-4)


@pytest.mark.slow
def test_the_recipe_learns_for_a_minute(folder, tmp_path):
    (tmp_path / "data").symlink_to(folder / "data")
    options = ["--family", "stylegan3", "--folder", str(tmp_path), "--limit", "800", "--threads", "1"]
    plan = ["--set", "middle=400", "upper=400", "refine=100000", "first_cycle=800"]
    generator.main([*options, "--minutes", "10", "--report-every", "5", *plan])
    lines = [json.loads(line) for line in (tmp_path / generator.HISTORY).read_text().splitlines()]
    assert lines[-1]["pictures"] >= 800 and lines[-1]["psnr64"] > 13  # a grey picture has about 9
    assert list((tmp_path / "sheets").iterdir())
    export.main(["--folder", str(tmp_path), "--output", str(tmp_path / "out"), "--which", "last"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["generator-64.safetensors"]
