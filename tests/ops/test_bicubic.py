# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The resize on tensors against Pillow itself and against Pillow's formula written as a loop."""

import numpy as np
import paddle
import pytest

from ppstyleclip.ops.bicubic import bicubic_kernel, resize_centre_crop, resize_matrix, triangle_kernel


def picture(height, width, seed=0):
    """Blobs, an edge and noise: `[H, W, 3]` uint8 pixels that ring and saturate under a bicubic resize."""
    rng = np.random.RandomState(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = [np.sin(9 * x * (c + 1) + 5 * y) + np.cos(11 * y - 3 * x * c) for c in range(3)]
    pixels = 127 + 70 * np.stack(waves, -1) + 40 * rng.randn(height, width, 3)
    pixels[height // 4 : height // 2, width // 3 :] = (255, 0, 255)
    return np.clip(pixels, 0, 255).astype(np.uint8)


FILTERS = [("bicubic", bicubic_kernel, 2), ("bilinear", triangle_kernel, 1)]


@pytest.mark.parametrize("filter, kernel, reach", FILTERS)
@pytest.mark.parametrize("size_in, size_out", [(256, 64), (100, 64), (64, 64), (40, 64), (1, 8), (7, 3)])
def test_resize_matrix_is_pillows_formula(size_in, size_out, filter, kernel, reach):
    scale = max(size_in / size_out, 1.0)
    expected = np.zeros((size_out, size_in))
    for i in range(size_out):  # the loop of Pillow's documentation of its filters, one pixel at a time
        centre = (i + 0.5) * size_in / size_out
        first, end = int(centre - reach * scale + 0.5), int(centre + reach * scale + 0.5)
        for j in range(max(first, 0), min(end, size_in)):
            expected[i, j] = kernel((j + 0.5 - centre) / scale)
    expected /= expected.sum(axis=1, keepdims=True)
    assert np.abs(resize_matrix(size_in, size_out, filter) - expected).max() < 1e-6


def test_kernel_interpolates():
    assert bicubic_kernel(np.arange(-3, 4)).tolist() == [0, 0, 0, 1, 0, 0, 0]


SIZES = [(256, 256), (64, 64), (128, 96), (97, 211), (33, 40), (500, 64), (64, 71)]


@pytest.mark.parametrize("height, width", SIZES)
def test_resize_and_crop_match_pillow(height, width):
    image_module = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    from paddle.vision.transforms import CenterCrop, Resize

    pixels = picture(height, width)
    expected = np.asarray(CenterCrop(64)(Resize(64, interpolation="bicubic")(image_module.fromarray(pixels))))
    images = paddle.to_tensor(pixels.astype(np.float32).transpose(2, 0, 1)[None] / 255)
    got = resize_centre_crop(images, 64).numpy()[0].transpose(1, 2, 0) * 255
    error = np.abs(got - expected)
    assert error.max() <= 1.3 and error.mean() < 0.3  # Pillow rounds to whole levels after each of two passes


def test_no_resize_at_clips_own_size():
    images = paddle.rand([2, 3, 64, 64])
    assert resize_centre_crop(images, 64) is images
