# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Factors get dimensions of w of their own: w tells them, pictures stay, and only their rows are learnt."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ppstyleclip.worlds.portrait.factors import INDEX, factors_from_z, sample_z  # noqa: E402
from ppstyleclip.worlds.portrait.training import own_dimensions, start  # noqa: E402
from ppstyleclip.worlds.portrait.training.reader import Reader  # noqa: E402

CHANNELS = {4: 12, 8: 12, 16: 10, 32: 8, 64: 6}


@pytest.fixture
def generator():
    built = start.build(64, channels=CHANNELS).eval()
    with torch.no_grad():
        for _, layer in built.style_layers():
            layer.weight[[5, 9]] *= 0.001  # dimensions that next to nothing listens to
    return built


def opened(generator):
    z = sample_z(7, 500)
    wanted = own_dimensions.signals(factors_from_z(z), ["hair_curl"], ["beard"])
    given = []
    for signal in wanted.T:
        signal = torch.from_numpy(signal.copy())
        given.append(own_dimensions.open_dimension(generator, torch.from_numpy(z), signal, given))
    return given


def test_w_tells_the_factors_and_the_pictures_stay(generator):
    z = torch.from_numpy(sample_z(8, 300))
    with torch.no_grad():
        before = generator(z[:4])
        assert sorted(opened(generator)) == [5, 9]
        after, w = generator(z[:4]), generator.style(z).numpy()
    assert (after - before).abs().mean() < 0.01 * before.std()
    factors = factors_from_z(z.numpy())
    rising, falling = sorted(
        (5, 9), key=lambda place: -np.corrcoef(w[:, place], factors[:, INDEX["hair_curl"]])[0, 1]
    )
    assert np.corrcoef(w[:, rising], factors[:, INDEX["hair_curl"]])[0, 1] > 0.97
    lower = factors[:, INDEX["beard"]] < 0
    assert np.corrcoef(w[lower, falling], factors[lower, INDEX["beard"]])[0, 1] < -0.9
    assert w[:, [5, 9]].std(0) == pytest.approx(own_dimensions.DEVIATION, rel=0.15)


def test_only_the_rows_of_the_dimensions_are_learnt(generator):
    class SomeFaces:
        """Four faces, again and again."""

        def batch(self, size):
            rng = np.random.RandomState(0)
            pixels = rng.randint(0, 256, (size, 256, 256, 3)).astype(np.uint8)
            return sample_z(3, size), pixels, rng.randint(0, 10, (size, 64, 64))

    given = opened(generator)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    with torch.no_grad():
        people = torch.from_numpy(sample_z(own_dimensions.SEED, own_dimensions.PEOPLE))
        middle = generator.style(people).mean(0, keepdim=True)
        styles = [layer(middle) for _, layer in generator.style_layers()]
    torch.manual_seed(0)
    reader = Reader(width=4, side=64).eval().requires_grad_(False)
    plan = own_dimensions.Plan(steps=2, batch=4, size=64)
    assert [step for step, _ in own_dimensions.learn_rows(generator, given, SomeFaces(), reader, plan)] == [2]
    for name, value in generator.state_dict().items():
        if not name.endswith(("modulation.weight", "modulation.bias")):
            assert torch.equal(value, before[name]), name
        elif name.endswith("weight"):
            rows = (value != before[name]).any(1).nonzero()[:, 0].tolist()
            assert rows == sorted(given)
    for (_, layer), style in zip(generator.style_layers(), styles):  # of the mean w, what they were
        torch.testing.assert_close(layer(middle), style, atol=1e-4, rtol=1e-4)
