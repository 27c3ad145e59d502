# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pictures drawn by any thread, on a cold cache and on a warm one, are the eager ones."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import paddle
import pytest
from engine_world import BOUND, draw_styles, eager, in_threads, relative
from tiny_world import tiny_clip, tiny_generator

from ppstyleclip import engine
from ppstyleclip.models.stylegan2 import StyleGANv2Generator

CALLS = 30


@pytest.fixture(scope="module")
def larger():
    """64 px, as the embedded world."""
    paddle.seed(0)
    generator = StyleGANv2Generator(64, 16, 2, channels={side: 8 for side in (4, 8, 16, 32, 64)})
    generator.eval()
    return generator


@pytest.fixture(scope="module")
def expected(larger):
    styles = draw_styles(larger, CALLS)
    return styles, eager(larger, styles)


@pytest.mark.parametrize("is_warm", [False, True])
def test_new_threads_one_after_another_draw_the_same_pictures(larger, expected, folder, tmp_path, is_warm):
    """The first of them compiles, or finds a program on the disk."""
    styles, images = expected
    if is_warm:
        engine.compile_synthesis(larger, folder=folder).compile()
    draw = engine.compile_synthesis(larger, folder=folder if is_warm else tmp_path)
    for k in range(CALLS):
        [drawn] = in_threads(1, lambda _, k=k: draw([style[k : k + 1] for style in styles]))
        assert relative(drawn, images[k : k + 1]) < BOUND / 10


def test_new_threads_at_once_draw_the_same_pictures(larger, expected, folder):
    styles, images = expected
    draw = engine.compile_synthesis(larger, folder=folder)
    drawn = in_threads(CALLS, lambda k: draw([style[k : k + 1] for style in styles]))
    assert relative(np.concatenate(drawn), images) < BOUND / 10


def test_threads_that_compile_at_once_on_a_cold_cache(tmp_path):
    generators, clip = [tiny_generator(seed) for seed in range(3)], tiny_clip()
    images = np.random.RandomState(0).uniform(-1, 1, [1, 3, 16, 16]).astype(np.float32)
    styles = draw_styles(generators[0], 1)
    barrier = threading.Barrier(4)

    def use(k):
        draw = None if k == 3 else engine.compile_synthesis(generators[k], folder=tmp_path)
        encode = engine.compile_image_encoder(clip, 16, folder=tmp_path) if k == 3 else None
        barrier.wait(60)
        return draw(styles) if draw else encode(images)

    *drawn, features = in_threads(4, use)
    for generator, picture in zip(generators, drawn):
        assert relative(picture, eager(generator, styles)) < BOUND / 10
    with paddle.no_grad():
        assert relative(features, clip.encode_image(paddle.to_tensor(images)).numpy()) < BOUND / 10
    assert len(list(tmp_path.iterdir())) == 4


def test_asyncio_tasks_draw_the_same_pictures(larger, expected, folder):
    styles, images = expected
    draw = engine.compile_synthesis(larger, folder=folder)

    async def main():
        calls = [engine.submit(draw, [style[k : k + 1] for style in styles]) for k in range(CALLS)]
        return await asyncio.gather(*map(asyncio.wrap_future, calls))

    assert relative(np.concatenate(asyncio.run(asyncio.wait_for(main(), 60))), images) < BOUND / 10


def test_eager_work_on_the_worker_beside_compiled_runs(larger, expected, folder):
    styles, images = expected
    draw = engine.compile_synthesis(larger, folder=folder)
    eager_on_worker = engine.on_worker(eager)

    def use(k):
        part = [style[k : k + 1] for style in styles]
        return draw(part) if k % 2 else eager_on_worker(larger, part)

    assert relative(np.concatenate(in_threads(CALLS, use)), images) < BOUND / 10


@pytest.mark.slow
def test_programs_that_are_dropped_in_one_thread_while_another_draws(larger, expected, folder):
    styles, images = expected
    draw = engine.compile_synthesis(larger, folder=folder)
    part = [style[:1] for style in styles]

    def use(k):
        if k == 0:
            return np.concatenate([draw(part) for _ in range(20)])
        for _ in range(3):
            other = engine.compile_synthesis(larger, folder=folder)
            other(part)
            del other
        return None

    drawn = in_threads(3, use)[0]
    assert relative(drawn, np.repeat(images[:1], 20, axis=0)) < BOUND / 10
