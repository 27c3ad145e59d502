# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""CLIP compiled gives the features of eager layers."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from engine_world import BOUND, relative, small_resnet_clip
from tiny_world import tiny_clip

from ppstyleclip import engine


@pytest.mark.parametrize("side", [32, 48])
def test_compiled_image_encoder_is_the_eager_one(folder, side):
    clip = tiny_clip()
    images = np.random.RandomState(1).uniform(-1.2, 1.2, [3, 3, side, side]).astype(np.float32)
    with paddle.no_grad():
        expected = clip.encode_image(paddle.to_tensor(images)).numpy()
    assert relative(engine.compile_image_encoder(clip, side, folder=folder)(images), expected) < BOUND / 10


@pytest.mark.slow
@pytest.mark.parametrize("make_clip", [tiny_clip, small_resnet_clip])
def test_image_encoder_in_bf16_is_near_fp32(folder, make_clip):
    if not paddle.base.core.supports_bfloat16():
        pytest.skip("this processor does not compute in bf16")
    clip = make_clip()
    images = np.random.RandomState(1).uniform(-1, 1, [3, 3, 48, 48]).astype(np.float32)
    with paddle.no_grad():
        expected = clip.encode_image(paddle.to_tensor(images)).numpy()
    got = engine.compile_image_encoder(clip, 48, precision="bf16", folder=folder)(images)
    assert 0 < relative(got, expected) < 0.05
