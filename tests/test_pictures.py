# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Rounding to 8 bits, rows and grids of pictures."""

import numpy as np
import paddle
import pytest

from ppstyleclip.pictures import STRIP_SIDE, enlarged, grid, offset_labels, reduced, strip, to_pixels


def test_to_pixels_rounds_to_the_nearest_level_and_cuts_off():
    levels = np.arange(256)
    images = np.tile((levels / 127.5 - 1).astype(np.float32).reshape(1, 1, 16, 16), [1, 3, 1, 1])
    pixels = to_pixels(images)
    assert pixels.dtype == np.uint8 and pixels.shape == (1, 16, 16, 3)
    np.testing.assert_array_equal(pixels[0, :, :, 1].ravel(), levels)
    edges = np.array([-9, -1.003, 1.003, 9, 0.49 / 127.5 - 1, 0.51 / 127.5 - 1, 0, 1], np.float32)
    got = to_pixels(paddle.to_tensor(edges.reshape(1, 1, 1, 8)))[0, 0, :, 0]
    np.testing.assert_array_equal(got, [0, 0, 255, 255, 0, 1, 128, 255])


def test_to_pixels_keeps_the_order_of_colours_and_axes():
    images = np.full([1, 3, 2, 4], -1, np.float32)
    images[0, 0, 1, 3] = 1
    np.testing.assert_array_equal(to_pixels(images)[0, 1, 3], [255, 0, 0])


def test_grid_reads_like_text():
    pictures = [np.full([2, 3, 3], k, np.uint8) for k in range(1, 6)]
    sheet = grid(pictures, 3, gap=1)
    assert sheet.shape == (7, 13, 3)
    np.testing.assert_array_equal(sheet[1, 1::4, 0], [1, 2, 3])
    np.testing.assert_array_equal(sheet[4, 1::4, 0], [4, 5, 0])
    assert sheet[0].max() == sheet[3].max() == sheet[:, 0].max() == 0


@pytest.mark.parametrize("size", [16, 64, 256])
def test_strip_has_every_picture_under_ink(size):
    pictures = np.full([3, size, size, 3], 128, np.uint8)
    sheet = strip(pictures, offset_labels([-1, 0, 2.5]))
    side = max(size, STRIP_SIDE)  # small pictures are enlarged
    band = sheet.shape[0] - side
    assert 18 <= band <= side // 4 + 24
    assert (sheet[band - 8 :] == 128).sum() >= 9 * side * side
    for part in np.array_split(sheet[: band - 4], 3, axis=1):
        assert part.min() < 128  # a label


def test_pictures_are_enlarged_and_reduced_by_whole_factors_or_left_alone():
    pictures = np.random.RandomState(0).randint(0, 256, [2, 60, 40, 3]).astype(np.uint8)
    assert enlarged(pictures).shape == (2, 240, 160, 3)
    assert reduced(pictures, 60) is pictures and enlarged(np.tile(pictures, [1, 4, 4, 1])).shape[1] == 240
    half = reduced(pictures, 59)
    blocks = pictures.reshape(2, 30, 2, 20, 2, 3).mean(axis=(2, 4))
    assert half.shape == (2, 30, 20, 3) and np.abs(half - blocks).max() <= 0.5


def test_strip_wants_a_label_for_each_picture():
    with pytest.raises(ValueError, match="2 pictures and 1 labels"):
        strip(np.zeros([2, 4, 4, 3], np.uint8), ["a"])


def test_labels():
    assert offset_labels([-1, 0, 1, 2.5, -0.0, 1e-3, 12]) == ["-1", "0", "+1", "+2.5", "0", "+0.001", "+12"]
