# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""When a text is reached, against the formula; change outside of a region; features kept on disk."""

import numpy as np
import pytest
from tiny_world import SIZE, tiny_clip, tiny_generator

from ppstyleclip.engine import Renderer
from ppstyleclip.methods.global_directions import reach
from ppstyleclip.methods.global_directions.reach import (
    HIGH,
    NEAR,
    QUIET,
    Meter,
    Population,
    Spread,
    change_outside,
)


@pytest.fixture(scope="module")
def clip():
    return tiny_clip()


def pictures(count, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, [count, 3, SIZE, SIZE]).astype(np.float32)


def features(clip, images):
    import paddle

    found = clip.encode_image(paddle.to_tensor(images)).numpy()
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def unit(seed=3, dim=16):
    dt = np.random.RandomState(seed).randn(dim).astype(np.float32)
    return dt / np.linalg.norm(dt)


@pytest.mark.parametrize("high", [-1.0, 0.0, 1.0])
def test_reach_is_the_share_of_the_way_to_the_text(clip, high):
    before, after, dt, spread = pictures(1), pictures(1, 1), unit(), Spread(high, 0.02)
    meter = Meter(clip, None, before, dt, spread)
    start, end = (float(features(clip, one)[0] @ dt) for one in (before, after))
    needed = max(high - start, NEAR * 0.02) if high > start else 0.02
    found, identity, _ = meter.measure(after)[0]
    assert identity is None and found == pytest.approx(1 + (end - high) / needed, abs=1e-3)
    if high - start > NEAR * 0.02:
        assert meter.measure(before)[0][0] == pytest.approx(0.0, abs=1e-4)
    assert meter.measure(before)[0][2] == 0.0
    both = meter.measure(np.concatenate([before, after]))
    assert len(both) == 2 and both[1][0] == pytest.approx(found, abs=1e-3)


def test_a_face_that_shows_what_the_text_says_is_there_already(clip):
    before, dt = pictures(1), unit()
    start = float(features(clip, before)[0] @ dt)
    assert Meter(clip, None, before, dt, Spread(start - 0.01, 0.02)).measure(before)[0][0] > 1
    near = Meter(clip, None, before, dt, Spread(start + 0.0001, 0.02)).measure(before)[0][0]
    assert 0.9 < near < 1, "nearly there is not far away"


def test_reach_and_identity_count_from_the_original_and_change_from_the_picture_before(clip):
    class Who:
        def identity_features(self, images):
            flat = images.reshape([len(images), -1])
            return flat / flat.norm(axis=1, keepdim=True)

    original, before, dt = pictures(1), pictures(1, 1), unit()
    meter = Meter(clip, Who(), before, dt, Spread(0.0, 0.1), original=original)
    found, identity, outside = meter.measure(original)[0]
    alone = Meter(clip, None, original, dt, Spread(0.0, 0.1)).measure(original)[0][0]
    assert found == pytest.approx(alone, abs=1e-5) and identity == pytest.approx(1.0, abs=1e-5)
    assert outside > 0.1


# ---- change outside


def test_change_outside_of_a_region_is_the_mean_of_what_is_outside():
    before, after = np.zeros([2, 3, 8, 8], np.float32)
    after = after.copy()
    after[:, :4] = 1.0  # half of the range, on the upper half
    region = np.zeros([8, 8], np.float32)
    region[:2] = 1.0
    assert change_outside(before, after, region) == pytest.approx(0.5 * 2 / 6)
    assert change_outside(before, after, np.ones([8, 8])) == 0.0
    assert change_outside(before, after, np.zeros([8, 8])) == pytest.approx(0.25)


def test_without_a_region_the_quieter_part_of_the_picture_counts():
    before, after = np.zeros([3, 32, 32], np.float32), np.zeros([3, 32, 32], np.float32)
    after[:, 8:16, 8:16] = 2.0  # a sixteenth of the picture, and nothing else
    assert change_outside(before, after) < 0.01
    assert change_outside(before, np.full_like(before, 0.2)) == pytest.approx(0.1)
    assert 0 < QUIET < 1


# ---- the population


def test_a_populations_features_are_drawn_once_and_kept(clip, tmp_path):
    generator = tiny_generator()
    s = np.random.RandomState(0).randn(6, generator.layout.size).astype(np.float32)
    drawn, renderer = [], Renderer(generator)

    def synthesize(part):
        drawn.append(len(part))
        return renderer.synthesize(generator.layout.unflatten(part))

    dt = unit()
    first = Population(generator, clip, s, synthesize, folder=tmp_path)
    spread = first.spread(dt)
    along = features(clip, renderer.synthesize(generator.layout.unflatten(s))) @ dt
    assert spread.high == pytest.approx(np.quantile(along, HIGH), abs=1e-5)
    assert spread.std == pytest.approx(along.std(), abs=1e-5)
    assert Population(generator, clip, s, synthesize, folder=tmp_path).spread(dt) is not None
    assert sum(drawn) == 6, "the second population took the first one's features"
    other = Population(generator, clip, s[:5], synthesize, folder=tmp_path)
    assert other.spread(dt) is not None and sum(drawn) == 11
    assert reach.AT_ONCE_PIXELS > 0
