# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Work and memory that are foretold, against what the networks really do."""

import re

import pytest
from tiny_world import tiny_clip, tiny_generator

from ppstyleclip.errors import UserError
from ppstyleclip.jobs.relevance_config import parse_memory
from ppstyleclip.methods.global_directions.memory import clip_work, plan_memory
from ppstyleclip.models.forms import prefix_drawing_of


def test_work_counts_the_convolutions():
    generator = tiny_generator()
    # channels 6, 6, 4 at 4, 8, 16 px; an enlarging convolution runs at the size of its input
    convs = [36 * 9 * 16, 6 * 3 * 16]
    convs += [36 * 9 * 16, 36 * 9 * 64, 6 * 3 * 64]
    convs += [24 * 9 * 64, 16 * 9 * 256, 4 * 3 * 256]
    assert [prefix_drawing_of(generator).work(k) for k in range(8)] == [sum(convs[k:]) for k in range(8)]


def test_clip_work_counts_its_convolutions_and_linear_layers():
    # 64-wide, 1 block, 16 px in patches of 8: 4 tokens and a class token. Of the last block, here the only
    # one, keys and values of all 5; query, projection and an MLP of 4 x 64 of the class token.
    assert clip_work(tiny_clip()) == 64 * 3 * 64 * 4 + 5 * (2 * 64 * 64) + 2 * 64 * 64 + 2 * 4 * 64 * 64


def test_memory_is_shared_between_batch_and_cache():
    generator, clip = tiny_generator(), tiny_clip()
    with pytest.raises(UserError, match="need (\\d+)M for one pair of pictures") as refusal:
        plan_memory(generator, clip, 100, 2**20)
    least = int(re.search(r"need (\d+)M", str(refusal.value)).group(1))
    with pytest.raises(UserError):
        plan_memory(generator, clip, 100, (least - 1) * 2**20)
    batch, cache = plan_memory(generator, clip, 100, least * 2**20)
    assert batch >= 2 and cache < 2**20
    big = plan_memory(generator, clip, 100, 2**33)
    cached_bytes = prefix_drawing_of(generator).cached_bytes
    assert big[0] == 50 and big[1] == 100 * max(cached_bytes(k) for k in (0, 2, 3, 5, 6))
    assert plan_memory(generator, clip, 100, 2**33, batch_size=6)[0] == 6
    sizes = [parse_memory(text) for text in ("800M", "1.5g", "2GiB", "7")]
    assert sizes == [800 * 2**20, 3 * 2**29, 2**31, 7]
