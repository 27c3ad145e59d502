# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The crop of a face on which FFHQ's generators were trained (Karras et al. 2019, appendix A), or another.

Coordinates in a photo are (x, y) in pixels; the middle of the upper left pixel is (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2, import_pillow
from ppstyleclip.inputs import as_picture

LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
MOUTH_CORNERS = [48, 54]
OVERSAMPLING = 4  # the turned square is sampled so many times finer than the crop, then averaged
MIN_FRAME = 24  # side of the smallest frame in a photo, in pixels


@dataclass(frozen=True, eq=False)
class CropWeights:
    """A crop of a world's own: how its square follows from all 68 landmarks, wherever the face lies.

    Points are complex numbers x + iy. A turn and a scale multiply them, so whatever is linear in their
    distances from their mean moves with the face.

    Attributes:
        middle: `[68]` complex; with the landmarks' distances from their mean it gives the square's middle,
            counted from that mean.
        half: `[68]` complex; likewise the way from the middle to the middle of the right edge.
    """

    middle: np.ndarray
    half: np.ndarray


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a crop lies in its photo.

    Attributes:
        quad: `[4, 2]` corners of the crop in the photo: upper left, lower left, lower right, upper right.
        size: side of the crop, in pixels.
        photo_size: (width, height) of the photo.
        shrink: whole number by which the photo was made smaller before the crop was taken.
    """

    quad: np.ndarray
    size: int
    photo_size: tuple[int, int]
    shrink: int


def frame_of_landmarks(landmarks: ArrayLike, weights: CropWeights | None = None) -> np.ndarray:
    """The square in the photo that becomes the crop.

    FFHQ's stands upright along the mean of the eyes' line and the line across eyes to mouth; its side is 4
    times the distance of the eyes or 3.6 times that from eyes to mouth, whichever is more; its middle lies
    between the eyes, a tenth of the way to the mouth.

    Args:
        landmarks: `[68, 2]` in the order of dlib's predictors.
        weights: of a crop of a world's own; None takes FFHQ's.
    Returns:
        `[4, 2]` float64: upper left, lower left, lower right, upper right corner.
    Raises:
        UserError: not 68 finite points, or eyes and mouth in one place.
    """
    points = _check_landmarks(landmarks)
    middle, half = _ffhq_square(points) if weights is None else _own_square(points, weights)
    below = _quarter_turn(half)
    return middle + np.stack([-half - below, -half + below, half + below, half - below])


def _ffhq_square(points):
    """(middle of the square, way from there to its right edge)."""
    left, right = points[LEFT_EYE].mean(0), points[RIGHT_EYE].mean(0)
    eyes = (left + right) / 2
    across, down = right - left, points[MOUTH_CORNERS].mean(0) - eyes
    direction = across - _quarter_turn(down)
    half = max(2 * np.hypot(*across), 1.8 * np.hypot(*down)) * direction / _length_of(direction)
    return eyes + 0.1 * down, half


def _own_square(points, weights):
    whole = points[:, 0] + 1j * points[:, 1]
    mean = whole.mean()
    middle, half = mean + (whole - mean) @ weights.middle, (whole - mean) @ weights.half
    _length_of([half.real, half.imag])
    return np.array([middle.real, middle.imag]), np.array([half.real, half.imag])


def _length_of(vector):
    length = np.hypot(*vector)
    if length < 1e-6:
        raise UserError("the landmarks' eyes and mouth lie in one place; give the 68 points of a face")
    return length


def _quarter_turn(vector):
    """Right becomes down."""
    return np.array([-vector[1], vector[0]])


def _check_landmarks(landmarks):
    try:
        points = np.asarray(landmarks, np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise UserError(f"landmarks are 68 points (x, y), got {_in_words(points)}")
    return points


def _in_words(points):
    return f"shape {list(points.shape)}" if points.shape != (68, 2) else "points that are no numbers"


def align_face(
    photo: np.ndarray, landmarks: ArrayLike, size: int, weights: CropWeights | None = None
) -> tuple[np.ndarray, Alignment]:
    """Cut one face out of a photo as the FFHQ data set was cut, or as a world has it.

    Args:
        photo: `[H, W, 3]` uint8.
        landmarks: `[68, 2]`.
        size: side of the crop, in pixels.
        weights: as in frame_of_landmarks.
    Returns:
        (crop `[size, size, 3]` uint8, Alignment).
    Raises:
        UserError: landmarks as in frame_of_landmarks; the face is tiny, or is not in this photo.
    """
    return cut_frame(photo, frame_of_landmarks(landmarks, weights), size)


def cut_frame(photo: np.ndarray, quad: np.ndarray, size: int) -> tuple[np.ndarray, Alignment]:
    """Cut the square of a face out of a photo.

    Args:
        photo: `[H, W, 3]` uint8.
        quad: `[4, 2]` corners, as frame_of_landmarks gives them.
        size: side of the crop, in pixels.
    Returns, raises:
        as align_face.
    """
    photo = as_picture(photo)
    height, width = photo.shape[:2]
    _check_frame(quad, width, height)
    alignment = Alignment(quad, size, (width, height), max(1, int(_side(quad) / size / 2)))
    picture, square = _shrunk(photo, quad, alignment.shrink)
    picture, square = _surroundings(picture, square)
    picture, square = _padded(picture, square)
    return _sampled(picture, square, size), alignment


def landmarks_on_crop(alignment: Alignment, landmarks: ArrayLike, side: int) -> np.ndarray:
    """Where the landmarks `[68, 2]` of a photo lie in the pixels of a crop of `side` pixels."""
    forth = crop_to_photo(alignment, side)
    return (np.asarray(landmarks, np.float64) - forth[:, 2]) @ np.linalg.inv(forth[:, :2]).T


def cut_square(photo: np.ndarray, size: int) -> tuple[np.ndarray, Alignment]:
    """Cut the largest square out of the middle of a picture, where there is no face to align.

    Args:
        photo: `[H, W, 3]` uint8.
        size: side of the crop, in pixels.
    Returns:
        (crop `[size, size, 3]` uint8, Alignment).
    Raises:
        UserError: the picture is tiny.
    """
    photo = as_picture(photo)
    height, width = photo.shape[:2]
    side = min(width, height)
    if side < MIN_FRAME:
        raise UserError(f"the picture is tiny: {width}x{height} pixels, at least {MIN_FRAME} are needed")
    left, top = (width - side) // 2, (height - side) // 2
    image_module = import_pillow()
    image = image_module.fromarray(np.ascontiguousarray(photo[top : top + side, left : left + side]))
    corners = np.array([[0, 0], [0, side], [side, side], [side, 0]], np.float64)
    alignment = Alignment(corners + [left - 0.5, top - 0.5], size, (width, height), 1)
    return np.asarray(image.resize((size, size), image_module.LANCZOS)), alignment


def _side(quad):
    return np.hypot(*(quad[3] - quad[0]))


def _check_frame(quad, width, height):
    middle, side = quad.mean(0), _side(quad)
    if side < MIN_FRAME:
        raise UserError(
            f"the face is tiny: its frame is {side:.0f} pixels wide, at least {MIN_FRAME} are "
            "needed; use a photo taken from nearer"
        )
    if not (0 <= middle[0] < width and 0 <= middle[1] < height) or side > 4 * max(width, height):
        raise UserError(
            f"the landmarks' face, {side:.0f} pixels wide around ({middle[0]:.0f}, "
            f"{middle[1]:.0f}), is not in the photo of {width}x{height}; give the landmarks of "
            "this very photo, turned upright"
        )


def _small_size(photo_size, shrink):
    return tuple(max(1, int(np.rint(side / shrink))) for side in photo_size)


def _shrunk(photo, quad, shrink):
    if shrink == 1:
        return photo, quad
    image_module = import_pillow()
    small = _small_size(photo.shape[1::-1], shrink)
    return np.asarray(image_module.fromarray(photo).resize(small, image_module.LANCZOS)), quad / shrink


def _bounds(quad):
    """(left, top, right, bottom) in whole pixels around a quad."""
    return np.concatenate([np.floor(quad.min(0)), np.ceil(quad.max(0))]).astype(int)


def _border(quad):
    return max(int(np.rint(_side(quad) * 0.1)), 3)


def _surroundings(picture, quad):
    """The part of the picture around the quad."""
    height, width = picture.shape[:2]
    left, top, right, bottom = _bounds(quad) + np.array([-1, -1, 1, 1]) * _border(quad)
    left, top = max(left, 0), max(top, 0)
    return picture[top : min(bottom, height), left : min(right, width)], quad - [left, top]


def _padded(picture, quad):
    """Where the quad leaves the picture, mirror it outwards, ever more blurred and finally of one colour."""
    height, width = picture.shape[:2]
    border, side = _border(quad), _side(quad)
    missing = _bounds(quad) * [-1, -1, 1, 1] - [0, 0, width, height] + border
    missing = np.maximum(missing, 0)
    if missing.max() <= border - 4:
        return picture, quad
    left, top, right, bottom = np.maximum(missing, max(1, int(np.rint(side * 0.3))))
    wide = np.pad(picture.astype(np.float32), ((top, bottom), (left, right), (0, 0)), "reflect")
    outwards = _outwards(wide.shape[:2], left, top, right, bottom)
    wide += (_blurred(wide, side * 0.02) - wide) * np.clip(outwards * 3 + 1, 0, 1)
    wide += (np.median(wide, axis=(0, 1)) - wide) * np.clip(outwards, 0, 1)
    return np.clip(np.rint(wide), 0, 255).astype(np.uint8), quad + [left, top]


def _outwards(shape, left, top, right, bottom):
    """`[H, W, 1]`: 1 at the rim of a padded picture, 0 where the picture proper begins, less within."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    across = np.minimum(x / np.float32(left), (shape[1] - 1 - x) / np.float32(right))
    down = np.minimum(y / np.float32(top), (shape[0] - 1 - y) / np.float32(bottom))
    return (1 - np.minimum(across, down))[:, :, None].astype(np.float32)


def _blurred(picture, sigma):
    cv2, reach = import_cv2(), 2 * int(4 * sigma + 0.5) + 1
    return cv2.GaussianBlur(picture, (reach, reach), max(sigma, 1e-3), borderType=cv2.BORDER_REFLECT)


def _sampled(picture, quad, size):
    image_module, fine = import_pillow(), OVERSAMPLING * size
    image = image_module.fromarray(np.ascontiguousarray(picture))
    corners = tuple((quad + 0.5).ravel())  # Pillow counts from a pixel's corner
    image = image.transform((fine, fine), image_module.QUAD, corners, image_module.BILINEAR)
    return np.asarray(image.resize((size, size), image_module.LANCZOS))


def crop_to_photo(alignment: Alignment, side: int) -> np.ndarray:
    """The way from pixels of a crop to pixels of the photo, exactly as align_face sampled it.

    Shrinking rounds the photo's size to whole pixels and keeps the middle of the first pixel in place; both
    move the crop by a fraction of one of its pixels, and what comes back has to move with it.

    Args:
        alignment: of align_face.
        side: of the crop that is to go back, which may be another than alignment.size.
    Returns:
        `[2, 3]` float64: (x, y, 1) of the crop to (x, y) of the photo.
    """
    photo_size = np.array(alignment.photo_size, np.float64)
    stretch = photo_size / _small_size(alignment.photo_size, alignment.shrink)
    corners = (alignment.quad / alignment.shrink + 0.5) * stretch - 0.5
    right, down = (corners[3] - corners[0]) / side, (corners[1] - corners[0]) / side
    return np.stack([right, down, corners[0] + (right + down) / 2], 1)
