# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""upfirdn2d against its definition in NumPy and against its plain form, forward and gradient; bias_act."""

import importlib
import itertools

import numpy as np
import paddle
import pytest
from edges import edges

from ppstyleclip.ops import bias_act, downsample2d, setup_filter, upfirdn2d, upfirdn2d_reference, upsample2d

module = importlib.import_module("ppstyleclip.ops.upfirdn2d")  # the package has a function of that name

KERNELS = {
    "stylegan2": [1, 3, 3, 1],
    "one tap": [2.0],
    "asymmetric": [1, -2, 3, 4, 5],
    "product": np.outer([1, 2, 3], [4, 1, 0, -1]),
    "no product": [[1, 2, 0], [0, 1, -1], [3, 0, 5], [1, 1, 1]],
    "row": [[1, 2, 3]],
}
SIZES = [(5, 7), (1, 6)]
PADS = [(0, 0), (2, 1), (4, 5), (-1, 2), (-1, -1), (3, -2, 0, 6)]
UPS = [1, 2, 3, (2, 1)]
DOWNS = [1, 2, (1, 3)]


def numpy_upfirdn2d(x, kernel, up, down, pad, gain, flip):
    """The definition: stuff zeros, pad or crop, convolve, decimate."""
    kernel = np.asarray(kernel, dtype="float64")
    kernel = np.outer(kernel, kernel) if kernel.ndim == 1 else kernel
    up_x, up_y = (up, up) if np.ndim(up) == 0 else up
    down_x, down_y = (down, down) if np.ndim(down) == 0 else down
    x0, x1, y0, y1 = tuple(pad) * (4 // len(pad))
    n, c, h, w = x.shape
    stuffed = np.zeros((n, c, h * up_y, w * up_x))
    stuffed[:, :, ::up_y, ::up_x] = x
    stuffed = np.pad(stuffed, [(0, 0), (0, 0), (max(y0, 0), max(y1, 0)), (max(x0, 0), max(x1, 0))])
    stuffed = stuffed[:, :, max(-y0, 0) : stuffed.shape[2] - max(-y1, 0)]
    stuffed = stuffed[..., max(-x0, 0) : stuffed.shape[3] - max(-x1, 0)]
    kernel = kernel if flip else kernel[::-1, ::-1]
    height, width = stuffed.shape[2] - kernel.shape[0] + 1, stuffed.shape[3] - kernel.shape[1] + 1
    if height < 1 or width < 1:
        return None
    out = np.zeros((n, c, height, width))
    for i, j in np.ndindex(*kernel.shape):
        out += kernel[i, j] * stuffed[:, :, i : i + height, j : j + width]
    return gain * out[:, :, ::down_y, ::down_x]


def output_and_gradient(function, x, upstream, *args, **kwargs):
    """Return the output of an op and the gradient of sum(output * upstream) with respect to x."""
    x = paddle.to_tensor(x, stop_gradient=False)
    out = function(x, *args, **kwargs)
    (gradient,) = paddle.grad([(out * paddle.to_tensor(upstream)).sum()], [x])
    return out.numpy(), gradient.numpy()


@pytest.mark.parametrize("limit", [160, 0], ids=["matrices", "convolutions"])
@pytest.mark.parametrize("name", KERNELS)
def test_fast_form_is_the_definition(name, limit, monkeypatch):
    monkeypatch.setattr(module, "_MATRIX_LIMIT", limit)
    rng = np.random.RandomState(0)
    compared = 0
    for count, (size, pad, up, down) in enumerate(itertools.product(SIZES, PADS, UPS, DOWNS)):
        x = rng.standard_normal((2, 3) + size).astype("float32")
        flip, gain = bool(count % 2), 1.5
        expected = numpy_upfirdn2d(x, KERNELS[name], up, down, pad, gain, flip)
        args = {"up": up, "down": down, "pad": pad, "gain": gain, "flip": flip}
        if expected is None:
            with pytest.raises(ValueError, match="does not fit"):
                upfirdn2d(paddle.to_tensor(x), KERNELS[name], **args)
            continue
        out = upfirdn2d(paddle.to_tensor(x), KERNELS[name], **args).numpy()
        assert out.shape == expected.shape, args
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-4 * max(1, np.abs(expected).max()))
        compared += 1
    assert compared > 90


@pytest.mark.parametrize("limit", [160, 0], ids=["matrices", "convolutions"])
@pytest.mark.parametrize("name", edges(KERNELS))
def test_fast_form_agrees_with_the_reference_forward_and_gradient(name, limit, monkeypatch):
    monkeypatch.setattr(module, "_MATRIX_LIMIT", limit)
    rng = np.random.RandomState(1)
    for count, (pad, up, down) in enumerate(itertools.product(PADS, UPS, DOWNS)):
        x = rng.standard_normal((2, 3, 6, 7)).astype("float32")
        expected = numpy_upfirdn2d(x, KERNELS[name], up, down, pad, 1.0, False)
        if expected is None:
            continue
        args = {"up": up, "down": down, "pad": pad, "flip": bool(count % 2)}
        upstream = rng.standard_normal(expected.shape).astype("float32")
        fast = output_and_gradient(upfirdn2d, x, upstream, KERNELS[name], **args)
        plain = output_and_gradient(upfirdn2d_reference, x, upstream, KERNELS[name], **args)
        for mine, other in zip(fast, plain):
            np.testing.assert_allclose(mine, other, rtol=0, atol=2e-5 * max(1, np.abs(other).max()))


def test_large_images_take_the_convolution_and_agree():
    x = paddle.randn([1, 2, 170, 33])
    np.testing.assert_allclose(
        upfirdn2d(x, [1, 3, 3, 1], pad=(1, 1)).numpy(),
        upfirdn2d_reference(x, [1, 3, 3, 1], pad=(1, 1)).numpy(),
        rtol=0,
        atol=1e-3,
    )
    x = paddle.randn([1, 2, 85, 9])
    np.testing.assert_allclose(
        upsample2d(x, [1, 3, 3, 1]).numpy(),
        upfirdn2d_reference(x, setup_filter([1, 3, 3, 1]), up=2, pad=(2, 1), gain=4).numpy(),
        rtol=0,
        atol=1e-5,
    )


def test_kernel_may_be_a_tensor_and_pad_a_list():
    x = paddle.randn([1, 1, 4, 4])
    kernel = paddle.to_tensor([1.0, 2.0, 1.0])
    out = upfirdn2d(x, kernel, pad=[1, 1])
    np.testing.assert_array_equal(out.numpy(), upfirdn2d(x, [1, 2, 1], pad=(1, 1)).numpy())


def test_gradient_of_the_gradient():
    x = paddle.randn([1, 2, 5, 5])
    x.stop_gradient = False
    (first,) = paddle.grad([(upfirdn2d(x, [1, 2], up=2, pad=(1, 0)) ** 2).sum()], [x], create_graph=True)
    (second,) = paddle.grad([(first**2).sum()], [x])
    assert second.shape == x.shape and float(second.abs().sum()) > 0


@pytest.mark.parametrize(
    "taps, factor",
    [([1, 3, 3, 1], 2), ([1, 2, 1], 2), ([1, 1], 2), ([1, 4, 6, 4, 1], 2), ([1, 3, 3, 1], 3), ([1, 2, 1], 3)],
)
def test_upsample_and_downsample_sizes_and_brightness(taps, factor):
    flat = paddle.ones([1, 2, 12, 18])
    large = upsample2d(flat, taps, factor)
    small = downsample2d(flat, taps, factor)
    assert large.shape == [1, 2, 12 * factor, 18 * factor]
    assert small.shape == [1, 2, 12 // factor, 18 // factor]
    assert float(small[0, 0, 2, 2]) == pytest.approx(1.0, abs=1e-5)
    inner = large[0, 0, 4 * factor : -4 * factor, 4 * factor : -4 * factor].numpy()
    assert inner.mean() == pytest.approx(1.0, abs=1e-5)
    if factor == 2 and len(taps) % 2 == 0:  # both phases get the same weight
        np.testing.assert_allclose(inner, 1.0, atol=1e-5)


def test_upsample_is_aligned_as_in_stylegan2():
    # One axis of [1, 3, 3, 1] with factor 2: each new pixel is 3/4 of its nearest old one, 1/4 of the next.
    x = np.array([1.0, 5.0, 9.0], dtype="float32")
    row = upsample2d(paddle.to_tensor(np.tile(x, (1, 1, 3, 1))), [1, 3, 3, 1])[0, 0, 2].numpy()
    np.testing.assert_allclose(row, [0.75, 2.0, 4.0, 6.0, 8.0, 6.75], rtol=1e-6)


def test_setup_filter():
    np.testing.assert_allclose(setup_filter([1, 3, 3, 1])[0], np.array([1, 3, 3, 1]) / 64, rtol=1e-6)
    assert setup_filter([[1, 2, 3]]).shape == (1, 3)
    assert setup_filter([1, 2]).dtype == np.float32
    for wrong in ([], [1, -1], np.ones([1, 1, 1]), 3.0):
        with pytest.raises(ValueError):
            setup_filter(wrong)


@pytest.mark.parametrize(
    "args, message",
    [
        ({"up": 0}, "up must be"),
        ({"down": 1.5}, "down must be"),
        ({"up": (1, 2, 3)}, "up must be"),
        ({"pad": (1, 2, 3)}, "pad must be"),
        ({"pad": (0.5, 1)}, "pad must be"),
        ({"pad": (-2, -2)}, r"\[3, 3\] kernel does not fit into a padded image of \[0, 0\]"),
    ],
)
def test_wrong_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        upfirdn2d(paddle.zeros([1, 1, 4, 4]), [1, 2, 1], **args)
    with pytest.raises(ValueError, match=message):
        upfirdn2d_reference(paddle.zeros([1, 1, 4, 4]), [1, 2, 1], **args)


def test_images_must_have_four_axes():
    with pytest.raises(ValueError, match=r"\[N, C, H, W\]"):
        upfirdn2d(paddle.zeros([4, 4]), [1, 2, 1])


@pytest.mark.parametrize("shape, axis", [((2, 3), 1), ((2, 3, 4, 5), 1), ((2, 3, 4, 5), -1), ((3, 2), 0)])
def test_bias_act_is_its_formula(shape, axis):
    rng = np.random.RandomState(0)
    x = rng.standard_normal(shape).astype("float32")
    bias = rng.standard_normal(shape[axis]).astype("float32")
    total = np.moveaxis(np.moveaxis(x, axis, -1) + bias, -1, axis)
    expected = np.where(total > 0, total, 0.2 * total) * np.sqrt(2)
    out = bias_act(paddle.to_tensor(x), paddle.to_tensor(bias), axis=axis)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_bias_act_without_bias_and_with_a_wrong_one():
    x = paddle.to_tensor([[-2.0, 3.0]])
    np.testing.assert_allclose(bias_act(x, slope=0.5, gain=1.0).numpy(), [[-1.0, 3.0]])
    for bias, axis in ((paddle.zeros([3]), 1), (paddle.zeros([2]), 2), (paddle.zeros([1, 2]), 1)):
        with pytest.raises(ValueError, match="does not fit axis"):
            bias_act(x, bias, axis=axis)
