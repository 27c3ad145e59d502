# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The judges' recipe: a judge reads in Paddle what it read in PyTorch, and training goes on."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ppstyleclip.errors import UserError  # noqa: E402
from ppstyleclip.files import write_safetensors  # noqa: E402
from ppstyleclip.worlds.portrait.factors import NUM_FACTORS  # noqa: E402
from ppstyleclip.worlds.portrait.training import regressor  # noqa: E402
from ppstyleclip.worlds.portrait.training.reader import Reader  # noqa: E402

SMALL = {"width": 4, "side": 32}


def small_reader():
    torch.manual_seed(3)
    reader = Reader(**SMALL)
    with torch.no_grad():  # statistics of batch norm that are not those it starts with
        for _ in range(5):
            reader(torch.rand(8, 3, 32, 32) * 2 - 1)
    return reader.eval()


def test_a_judge_reads_the_same_in_paddle(tmp_path):
    pytest.importorskip("paddle")
    from ppstyleclip.worlds.portrait.judge import load_judge, read_factors

    reader, images = (
        small_reader(),
        np.random.RandomState(0).uniform(-1, 1, (3, 3, 32, 32)).astype(np.float32),
    )
    regressor.save_judge(tmp_path / "judge.safetensors", reader, 1)
    judge = load_judge(tmp_path / "judge.safetensors")
    with torch.no_grad():
        expected = reader.half().float()(torch.from_numpy(images)).numpy()
    found = read_factors(judge, images)
    assert found.shape == (3, NUM_FACTORS)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    write_safetensors(tmp_path / "other.safetensors", {"x": images}, {"kind": "ppstyleclip mapper"})
    with pytest.raises(UserError, match="holds no judge but 'ppstyleclip mapper'"):
        load_judge(tmp_path / "other.safetensors")


def test_training_goes_on_where_it_stopped(tmp_path):
    rng = np.random.RandomState(0)
    pixels = rng.randint(0, 256, (24, 32, 32, 3), np.uint8)
    factors = rng.randn(24, NUM_FACTORS).astype(np.float32)

    def run_to(path, steps):
        torch.manual_seed(0)
        reader = Reader(**SMALL)
        plan = {"steps": steps, "batch": 4, "rate": 1e-3, "seed": 1}
        seen = list(regressor.train(reader, pixels, factors, path, **plan))
        return [step for step, _ in seen], {
            key: value.numpy().copy() for key, value in reader.state_dict().items()
        }

    said, first = run_to(tmp_path / "a.pt", 3)
    assert said == [3] and run_to(tmp_path / "a.pt", 3)[0] == []  # there is nothing left to do
    said, again = run_to(tmp_path / "a.pt", 5)
    assert said == [5] and any(not np.allclose(first[key], again[key]) for key in first)
    assert int(again["blocks.0.1.num_batches_tracked"]) == 5
