# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The filtered leaky ReLU: the fast form is the reference, and both are the formula."""

import numpy as np
import paddle
import pytest

from ppstyleclip.ops import filtered_lrelu, filtered_lrelu_reference
from ppstyleclip.ops.upfirdn2d import _MATRIX_LIMIT

UP, DOWN = np.hanning(14)[1:-1] / np.hanning(14).sum(), np.hamming(12) / np.hamming(12).sum()
RADIAL = np.outer(DOWN, DOWN) + 0.01 * np.eye(12)[::-1]  # no outer product


def drawn(side, batch=2):
    rng = np.random.RandomState(0)
    return paddle.to_tensor(rng.standard_normal((batch, 3, side, side)).astype("float32"))


@pytest.mark.parametrize("side", [16, _MATRIX_LIMIT // 2])
@pytest.mark.parametrize("down_filter", [DOWN, RADIAL])
@pytest.mark.parametrize("up, pad", [(2, (9, 8)), (4, (-6, -9))])
def test_the_fast_form_is_the_reference(side, down_filter, up, pad):
    x, bias = drawn(side, 1), paddle.to_tensor([0.1, -0.2, 0.3])
    options = {"up": up, "down": 2, "pad": pad, "clamp": 1.5}
    taps = np.repeat(UP, up // 2) / (up // 2)
    fast = filtered_lrelu(x, bias, taps, down_filter, **options)
    slow = filtered_lrelu_reference(x, bias, taps, down_filter, **options)
    assert fast.shape == slow.shape
    np.testing.assert_allclose(fast.numpy(), slow.numpy(), atol=2e-5)


def test_it_is_the_formula():
    x = drawn(8).numpy().astype("float64")
    stuffed = np.zeros((2, 3, 16 + 17, 16 + 17))
    stuffed[:, :, 9:25:2, 9:25:2] = x + 0.5  # pads 9 and 8, a zero behind each pixel
    fine = np.zeros((2, 3, 22, 22))
    for i, a in enumerate(UP):
        for j, b in enumerate(UP):
            fine += 4 * a * b * stuffed[:, :, i : i + 22, j : j + 22]
    fine = np.clip(np.where(fine < 0, 0.2, 1) * fine * 2**0.5, -1, 1)
    wanted = np.zeros((2, 3, 6, 6))
    for i, a in enumerate(DOWN):
        for j, b in enumerate(DOWN):
            wanted += a * b * fine[:, :, i : i + 11 : 2, j : j + 11 : 2]
    options = {"up": 2, "down": 2, "pad": (9, 8), "clamp": 1.0}
    got = filtered_lrelu(drawn(8), paddle.full([3], 0.5), UP, DOWN, **options)
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-5)


def test_without_filters_it_is_a_leaky_relu():
    x = drawn(5)
    got = filtered_lrelu(x, None, None, None, slope=0.5, gain=1.0, clamp=1.0).numpy()
    np.testing.assert_allclose(got, np.clip(np.where(x.numpy() < 0, 0.5, 1) * x.numpy(), -1, 1), atol=1e-7)
