# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Put an edited crop back into its photo; outside the crop's square no pixel changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ppstyleclip.align.crop import Alignment, crop_to_photo
from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2

FEATHER = 0.12  # of the crop's side, over which the edited crop fades into the photo
WAYS = ("blend", "difference", "replace")
SMALL, LARGE = 12.0, 40.0  # changes of a pixel, in levels, that "blend" adds and that it replaces


def paste_back(
    photo: np.ndarray,
    alignment: Alignment,
    edited: np.ndarray,
    reconstructed: np.ndarray | None = None,
    *,
    way: str = "blend",
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
    Returns:
        a new photo; pixels where crop_mask is 0 are bit for bit those of `photo`.
    Raises:
        UserError: the shapes do not fit, or there is no reconstruction where one is needed.
    """
    _check_parts(photo, alignment, edited, reconstructed, way)
    box, mask = _mask_in_box(alignment)
    out = photo.copy()
    part = photo[box].astype(np.float32)
    edited = np.asarray(edited, np.float32)
    added = replaced = 0.0
    if way != "difference":
        replaced = _to_photo(edited, alignment, box) - part
    if way != "replace":
        added = _to_photo(edited - np.asarray(reconstructed, np.float32), alignment, box)
    share: Any = {"difference": 0.0, "replace": 1.0}.get(way)
    share = _share_replaced(added) if share is None else share
    change = added + share * (replaced - added)
    out[box] = np.clip(np.rint(part + mask[:, :, None] * change), 0, 255).astype(np.uint8)
    return out


def _share_replaced(added) -> np.ndarray:
    """`[H, W, 1]`, 0 where a change `[H, W, 3]` is at most SMALL, 1 from LARGE on, without hard borders."""
    cv2 = import_cv2()
    size = max(3, min(added.shape[:2]) // 24 | 1)
    change = cv2.dilate(np.abs(added).max(2), np.ones((size, size), np.float32))
    share = np.clip((change - SMALL) / (LARGE - SMALL), 0, 1)
    return cv2.GaussianBlur(share, (size, size), 0)[:, :, None]


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


def crop_mask(alignment: Alignment) -> np.ndarray:
    """How much of the edited crop each pixel of the photo takes.

    Args:
        alignment: of align_face.
    Returns:
        `[H, W]` float32: 1 inside the crop's square, falling to 0 over FEATHER of its side, 0 outside.
    """
    width, height = alignment.photo_size
    mask = np.zeros((height, width), np.float32)
    box, inside = _mask_in_box(alignment)
    mask[box] = inside
    return mask


def _mask_in_box(alignment):
    """(slices of the photo around the crop's square, mask there)."""
    forth, (width, height) = crop_to_photo(alignment, 1), alignment.photo_size
    corners = np.array([[-0.5, -0.5, 1], [-0.5, 0.5, 1], [0.5, 0.5, 1], [0.5, -0.5, 1]]) @ forth.T
    left, top = np.clip(np.floor(corners.min(0)), 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)) + 1, 0, [width, height]).astype(int)
    y, x = np.mgrid[top:bottom, left:right]
    places = np.linalg.inv(forth[:, :2]) @ (np.stack([x.ravel(), y.ravel()]) - forth[:, 2:])
    to_edge = np.clip((0.5 - np.abs(places).max(0)) / FEATHER, 0, 1)
    mask = to_edge**2 * (3 - 2 * to_edge)
    return np.s_[top:bottom, left:right], mask.reshape(x.shape).astype(np.float32)


def _to_photo(crop, alignment, box):
    """Resample a crop at the photo's pixels in `box`; a crop finer than the photo is averaged first."""
    cv2, side = import_cv2(), len(crop)
    frame = np.hypot(*(alignment.quad[3] - alignment.quad[0]))
    if frame < side:
        side = max(1, int(np.ceil(frame)))
        crop = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    forth = crop_to_photo(alignment, side)
    rows, columns = box
    forth[:, 2] -= [columns.start, rows.start]
    size = columns.stop - columns.start, rows.stop - rows.start
    return cv2.warpAffine(crop, forth, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
