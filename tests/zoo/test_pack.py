# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The embedded pack is what its own networks give, is small, and its edits do what the words say."""

from pathlib import Path

import numpy as np
import paddle
import pytest

from ppstyleclip import Edit, Editor
from ppstyleclip.files import read_safetensors
from ppstyleclip.methods.global_directions import (
    RelevanceConfig,
    StatisticsConfig,
    collect_statistics,
    compute_relevance,
)
from ppstyleclip.pictures import to_images
from ppstyleclip.progress import last
from ppstyleclip.worlds.portrait.factors import INDEX, sample_z
from ppstyleclip.worlds.portrait.judge import load_judge, read_factors
from ppstyleclip.zoo import load_bundle
from ppstyleclip.zoo.registry import PACK

JUDGE = Path(__file__).parents[2] / "benchmarks" / "judges" / "judge-1.safetensors"


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(None)


def test_pack_is_small_and_says_what_it_is():
    assert sum(f.stat().st_size for f in PACK.iterdir()) < 25e6
    for file in sorted(PACK.glob("*.safetensors")):
        assert read_safetensors(file)[1]["kind"], file


@pytest.mark.slow
def test_statistics_are_those_of_the_generator(bundle):
    config = StatisticsConfig(num_samples=100_000, truncation=1.0, keep=len(bundle.s_base))
    record = last(collect_statistics(bundle.generator, config))
    assert np.allclose(record.stats.mean, bundle.stats.mean, atol=1e-3)
    assert np.allclose(record.stats.std, bundle.stats.std, atol=1e-3)
    assert np.allclose(record.s, bundle.s_base, atol=1e-3)


@pytest.mark.slow
def test_relevance_is_that_of_generator_and_clip(bundle):
    wanted = np.linspace(0, bundle.layout.num_editable - 1, 4).astype(int)
    config = RelevanceConfig(channels=tuple(wanted), stop_at=bundle.relevance.made_with["stop_at"])
    base = bundle.s_base[: bundle.relevance.made_with["num_images"]]
    records = compute_relevance(bundle.generator, bundle.clip, bundle.stats, config, s_base=base)
    again = last(records).relevance.rows[wanted]
    shipped = bundle.relevance.rows[wanted]
    alive = shipped.any(1)
    assert np.array_equal(alive, again.any(1))
    assert (again * shipped).sum(1)[alive].min() >= 0.999


def test_a_smile_moves_the_judge_and_little_else(bundle):
    editor, judge = Editor(bundle), load_judge(JUDGE)
    with paddle.no_grad():
        w = bundle.generator.get_latents(paddle.to_tensor(sample_z(31, 16)))
    edit = Edit("face", "happy face")
    before, after = (read_factors(judge, to_images(editor.render(s))) for s in (w, editor.apply(w, edit)))
    move = (after - before).mean(0)
    assert move[INDEX["smile"]] > 0.8
    assert np.delete(np.abs(move), INDEX["smile"]).mean() < 0.35
