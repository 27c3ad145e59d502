# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Blocks of channels: a row is the same whichever others are measured, and whole pictures or smaller ones."""

import numpy as np
import paddle
import pytest
from tiny_world import tiny_clip, tiny_generator

from ppstyleclip.methods.global_directions import (
    RelevanceConfig,
    StatisticsConfig,
    collect_statistics,
    compute_relevance,
    relevance,
)
from ppstyleclip.methods.global_directions.blocks import split_blocks
from ppstyleclip.models.forms import count_tensors, prefix_drawing_of
from ppstyleclip.progress import last


@pytest.mark.parametrize("compat", [None, "official"])
def test_a_row_does_not_depend_on_the_other_channels(compat, monkeypatch):
    """Its bytes are the same because its batches are; small networks round alike in every batch."""
    generator, clip, drawn, real = tiny_generator(), tiny_clip(), [], relevance._features
    record = last(collect_statistics(generator, StatisticsConfig(num_samples=30, keep=3)))

    def features(task, prefix, k, images, columns):
        drawn.append((k, images.tolist(), columns.tolist()))
        return real(task, prefix, k, images, columns)

    def rows(channels=None):
        drawn.clear()
        config = RelevanceConfig(batch_size=8, block_size=3, channels=channels, compat=compat)
        records = compute_relevance(generator, clip, record.stats, config, s_base=record.s)
        return last(records).relevance, list(drawn)

    monkeypatch.setattr(relevance, "_features", features)
    whole, batches = rows()
    for some, count in (([1, 9, 20], 5), ([27], 1), ([4, 5], 3)):
        part, of_part = rows(some)
        assert np.array_equal(part.rows[some], whole.rows[some])
        assert np.array_equal(part.effect_norm[some], whole.effect_norm[some])
        assert [batch for batch in batches if batch in of_part] == of_part and len(of_part) == count


def test_blocks_start_at_each_layer_and_shards_are_equal_in_work():
    generator = tiny_generator()
    layout = generator.layout  # editable: 6, 6, 6, 6, 4 channels
    blocks = split_blocks(layout, 4)
    assert [len(block.columns) for block in blocks] == [4, 2, 4, 2, 4, 2, 4, 2, 4]
    assert np.concatenate([block.channels for block in blocks]).tolist() == list(range(28))
    part = split_blocks(layout, 4, [5, 27])
    assert [(block.number, block.channels.tolist()) for block in part] == [(1, [5]), (8, [27])]
    blocks = split_blocks(layout, 1)
    work = {block.number: prefix_drawing_of(generator).work(block.k) for block in blocks}
    shares = [sum(work[block.number] for block in blocks[i::3]) for i in range(3)]
    assert max(shares) - min(shares) <= max(work.values())


def test_stopping_early_shows_clip_the_smaller_picture():
    generator, clip = tiny_generator(), tiny_clip()
    layout = generator.layout
    record = last(collect_statistics(generator, StatisticsConfig(num_samples=30, keep=1)))
    s, stats = record.s[0], record.stats

    def picture(values, side):
        styles = layout.unflatten(paddle.to_tensor(values[None]))
        x = generator.conv1(generator.input.input, styles[0], generator.noises.noise_0)
        rgb = generator.to_rgb1(x, styles[1])
        for k in range({8: 1, 16: 2}[side]):
            noises = [getattr(generator.noises, f"noise_{2 * k + place}") for place in (1, 2)]
            x = generator.convs[2 * k](x, styles[3 * k + 2], noises[0])
            x = generator.convs[2 * k + 1](x, styles[3 * k + 3], noises[1])
            rgb = generator.to_rgbs[k](x, styles[3 * k + 4], rgb)
        assert rgb.shape[2] == side
        return rgb

    def row(e, side):
        position, features = layout.editable_index[e], []
        for sign in (1, -1):
            moved = s.copy()
            moved[position] = stats.mean[position] + sign * 5 * stats.std[position]
            f = clip.encode_image(picture(moved, side)).numpy()[0]
            features.append(f / np.linalg.norm(f))
        return features[0] - features[1]

    config = RelevanceConfig(batch_size=8, stop_at=8)
    found = last(compute_relevance(generator, clip, stats, config, s_base=record.s)).relevance
    with paddle.no_grad():
        for e, side in [(0, 8), (17, 8), (18, 16), (27, 16)]:
            difference = row(e, side)
            np.testing.assert_allclose(found.effect_norm[e], np.linalg.norm(difference), atol=1e-5)
            assert found.rows[e] @ difference >= 0.999 * np.linalg.norm(difference)
        assert np.linalg.norm(row(0, 8) - row(0, 16)) > 1e-4  # it does make a difference
    drawing = prefix_drawing_of(generator)
    assert count_tensors(drawing, 8) == 5 and count_tensors(drawing) == 8
    assert drawing.work(0, 5) == drawing.work(0) - drawing.work(5)
