# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3 through the parts that know no family: programs, gradients, statistics, relevance, edits."""

from __future__ import annotations

import paddle
import pytest
from family_checks import ALPHA, check_compiled_gradients, check_compiled_synthesis, measure
from tiny_world import tiny_clip

from ppstyleclip.editor import Edit, Editor
from ppstyleclip.engine import CompiledNetworks
from ppstyleclip.methods.global_directions import (
    StatisticsConfig,
    collect_statistics,
)
from ppstyleclip.models.stylegan3 import StyleGAN3Generator
from ppstyleclip.progress import last
from ppstyleclip.zoo import EditDefaults, load_pack, save_pack

pytestmark = pytest.mark.slow  # each program takes seconds to compile


def tiny(configuration):
    paddle.seed(4)
    generator = StyleGAN3Generator(16, 8, configuration, channels=[4] * 14 + [3])
    generator.eval()
    return generator


@pytest.fixture(scope="module", params=["T", "R"])
def generator(request):
    return tiny(request.param)


def measured_styles(generator):
    config = StatisticsConfig(num_samples=24, batch_size=12, keep=2, truncation=0.7, cutoff=4)
    return last(collect_statistics(generator, config))


def test_compiled_synthesis_is_the_eager_one(generator, programs):
    check_compiled_synthesis(generator, programs)


def test_compiled_gradients_are_the_eager_ones(generator, programs):
    check_compiled_gradients(generator, programs)


def test_compiled_relevance_is_the_eager_one_and_edits(programs):
    generator, clip = tiny("R"), tiny_clip()
    measured = measured_styles(generator)
    eager = measure(generator, clip, measured)
    assert len(eager.rows) == generator.layout.num_editable == 56
    found = measure(generator, clip, measured, CompiledNetworks(generator, clip))
    assert (found.rows * eager.rows).sum(axis=1).min() > 0.999
    save_pack(
        programs / "pack",
        generator=generator,
        clip=clip,
        stats=measured.stats,
        relevance=found,
        s_base=measured.s,
        defaults=EditDefaults(alpha=ALPHA, beta=0.01, unit="style", templates="plain"),
        name="waves",
    )
    editor = Editor(load_pack(programs / "pack"))
    step = editor.step(Edit("face", "happy face"))
    layout = generator.layout
    assert step.any() and not step[:4].any() and not step[layout.offsets[15] :].any()
    before, after = editor.edit(editor.sample(3), Edit("face", "happy face"))
    assert before.shape == after.shape == (16, 16, 3) and (before != after).any()
