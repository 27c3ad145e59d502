# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Put an edited crop back into its photo; outside the crop's square no pixel changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ppstyleclip.align.crop import Alignment, crop_to_photo
from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2

FEATHER = 0.12  # of the crop's side, over which the edited crop fades into the photo
BAND_PIXELS = 2**20  # of the photo that are pasted at once; each takes some 120 bytes
BLUR = 32  # pixels over which the borders of what "blend" replaces are blurred, at least, on a coarser grid
WAYS = ("blend", "difference", "replace")
SMALL, LARGE = 12.0, 40.0  # changes of a pixel, in levels, that "blend" adds and that it replaces


def paste_back(
    photo: np.ndarray,
    alignment: Alignment,
    edited: np.ndarray,
    reconstructed: np.ndarray | None = None,
    *,
    way: str = "blend",
    region: np.ndarray | None = None,
) -> np.ndarray:
    """Put an edited crop back into the photo it was cut from.

    Args:
        photo: `[H, W, 3]` uint8, the one given to align_face or one of its size in which other faces were
            edited.
        alignment: of align_face.
        edited: `[S, S, 3]`, 0 to 255: the crop after the edit; S may differ from alignment.size.
        reconstructed: `[S, S, 3]`, 0 to 255: what the generator makes of the crop without the edit; for
            "blend" and "difference".
        way: "difference" adds edited - reconstructed to the photo, so that neither the inversion's own error
            nor the generator's resolution shows; but what the photo has sharper than the crop shines through.
            "replace" lays the edited crop over the photo. "blend" adds where the edit changes little, and
            replaces where it changes much.
        region: `[S, S]` float32, 0 to 1: where of the crop anything returns; None: everywhere.
    Returns:
        a new photo; pixels where crop_mask is 0 are bit for bit those of `photo`.
    Raises:
        UserError: the shapes do not fit, or there is no reconstruction where one is needed.
    """
    _check_parts(photo, alignment, edited, reconstructed, way)
    out, box, edited = photo.copy(), _box(alignment), np.asarray(edited, np.float32)
    added = None if way == "replace" else edited - np.asarray(reconstructed, np.float32)
    share = _Share(alignment, box, added) if way == "blend" else None
    for rows in _bands(box):
        band = rows, box[1]
        part, change = photo[band].astype(np.float32), np.float32(0)
        if way != "replace":
            change = _to_photo(added, alignment, band)
        if way != "difference":
            replaced = _to_photo(edited, alignment, band) - part
            change = replaced if share is None else change + share.of_rows(rows) * (replaced - change)
        mask = _mask(alignment, band, region)[:, :, None]
        pasted = np.clip(np.rint(part + mask * change), 0, 255)
        np.copyto(out[band], pasted, where=mask > 0, casting="unsafe")
    return out


def _bands(box: tuple[slice, slice]) -> Iterator[slice]:
    """Rows of the crop's box that are pasted at once, so that a large face takes no more memory."""
    height = max(1, BAND_PIXELS // max(1, box[1].stop - box[1].start))
    for top in range(box[0].start, box[0].stop, height):
        yield slice(top, min(box[0].stop, top + height))


class _Share:
    """By how much "blend" replaces: 0 where a change is at most SMALL, 1 from LARGE on, with soft borders.

    The borders are soft over a 24th of the box. In a box so large that this is twice BLUR pixels or more, the
    share is found on a coarser grid.
    """

    def __init__(self, alignment: Alignment, box: tuple[slice, slice], added: Any):
        cv2 = import_cv2()
        blur = max(3, min(side.stop - side.start for side in box) // 24 | 1)
        self._box, self._step = box, max(1, blur // BLUR)
        size = max(3, blur // self._step | 1)
        change = np.abs(_to_photo(added, alignment, box, self._step)).max(2)
        change = cv2.dilate(change, np.ones((size, size), np.float32))
        share = np.clip((change - SMALL) / (LARGE - SMALL), 0, 1)
        self._share = cv2.GaussianBlur(share, (size, size), 0)

    def of_rows(self, rows: slice) -> np.ndarray:
        """`[H, W, 1]` of some of the box's rows."""
        top, columns, step = rows.start - self._box[0].start, self._box[1], self._step
        if step == 1:
            return self._share[top : top + rows.stop - rows.start, :, None]
        cv2, middle = import_cv2(), (step - 1) / 2
        forth = np.array([[step, 0, middle], [0, step, middle - top]], np.float64)
        size = columns.stop - columns.start, rows.stop - rows.start
        way = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
        return cv2.warpAffine(self._share, forth, size, **way)[:, :, None]


def _check_parts(photo, alignment, edited, reconstructed, way):
    if way not in WAYS:
        raise UserError(f"faces are pasted back by {', '.join(WAYS)}, got '{way}'")
    if photo.shape[1::-1] != tuple(alignment.photo_size):
        width, height = alignment.photo_size
        raise UserError(
            f"the crop was cut from a photo of {width}x{height} pixels, this one has "
            f"{photo.shape[1]}x{photo.shape[0]}"
        )
    if np.ndim(edited) != 3 or edited.shape[0] != edited.shape[1] or edited.shape[2] != 3:
        raise UserError(f"an edited crop is [S, S, 3], got {list(np.shape(edited))}")
    if way != "replace" and (reconstructed is None or np.shape(reconstructed) != np.shape(edited)):
        raise UserError(
            f"'{way}' needs the reconstructed crop, of the edited one's shape; or paste by 'replace'"
        )


def crop_mask(alignment: Alignment, region: np.ndarray | None = None) -> np.ndarray:
    """How much of the edited crop each pixel of the photo takes.

    Args:
        alignment: of align_face.
        region: `[S, S]` float32, as in paste_back; the mask is multiplied by it.
    Returns:
        `[H, W]` float32: 1 inside the crop's square, falling to 0 over FEATHER of its side, 0 outside.
    """
    width, height = alignment.photo_size
    mask, box = np.zeros((height, width), np.float32), _box(alignment)
    for rows in _bands(box):
        mask[rows, box[1]] = _mask(alignment, (rows, box[1]), region)
    return mask


def _box(alignment) -> tuple[slice, slice]:
    """Rows and columns of the photo around the crop's square."""
    forth, (width, height) = crop_to_photo(alignment, 1), alignment.photo_size
    corners = np.array([[-0.5, -0.5, 1], [-0.5, 0.5, 1], [0.5, 0.5, 1], [0.5, -0.5, 1]]) @ forth.T
    left, top = np.clip(np.floor(corners.min(0)), 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)) + 1, 0, [width, height]).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _mask(alignment, part, region=None) -> np.ndarray:
    """The mask in some rows and columns of the photo."""
    forth = crop_to_photo(alignment, 1)
    y, x = np.mgrid[part]
    places = np.linalg.inv(forth[:, :2]) @ (np.stack([x.ravel(), y.ravel()]) - forth[:, 2:])
    to_edge = np.clip((0.5 - np.abs(places).max(0)) / FEATHER, 0, 1)
    mask = (to_edge**2 * (3 - 2 * to_edge)).reshape(x.shape).astype(np.float32)
    if region is None:
        return mask
    where = _to_photo(np.asarray(region, np.float32), alignment, part, linear=True)
    return mask * np.clip(where, 0, 1)


def _to_photo(crop, alignment, box, step=1, linear=False):
    """Resample a crop at the photo's pixels in `box`, or at the middles of squares of `step` pixels.

    A crop finer than those is averaged first.
    """
    cv2, side = import_cv2(), len(crop)
    frame = np.hypot(*(alignment.quad[3] - alignment.quad[0])) / step
    if frame < side:
        side = max(1, int(np.ceil(frame)))
        crop = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    forth = crop_to_photo(alignment, side)
    rows, columns = box
    forth[:, 2] -= [columns.start, rows.start]
    forth /= step
    forth[:, 2] += 0.5 / step - 0.5
    size = tuple(-(-(side.stop - side.start) // step) for side in (columns, rows))
    smooth = cv2.INTER_LINEAR if linear else cv2.INTER_CUBIC  # which has values beyond those of the crop
    return cv2.warpAffine(crop, forth, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE)
