# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From what a user calls a region to the masks of some faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ppstyleclip.align import Face, find_faces, load_face_finder
from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2
from ppstyleclip.models.canvas import Canvas
from ppstyleclip.pictures import to_pixels
from ppstyleclip.regions.auto import masks_of_text
from ppstyleclip.regions.landmarks import masks_of_landmarks
from ppstyleclip.regions.masks import AUTO, Region, RegionMask, check_mask_size, feathered, moved_masks
from ppstyleclip.regions.sampled import SampledFaces
from ppstyleclip.regions.world import has_world, masks_of_world

SEEN = 256  # pixels at which a drawn face is looked at for landmarks, at least


def region_masks(
    region: Region,
    bundle: Any,
    face: np.ndarray,
    sampled: SampledFaces,
    *,
    images: Callable[[], np.ndarray],
    text: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None,
    landmarks: Sequence[np.ndarray] | None = None,
    canvas: Canvas | None = None,
) -> np.ndarray:
    """Find where a region lies in each face.

    A name is looked up in the landmarks where they are given, as for photos; else in the world's own
    renderer, for a face that was sampled; else by landmarks that are found in the drawn face.

    Args:
        region: a name, names joined by "+", AUTO or a RegionMask.
        bundle: of the model.
        face: N faces, `[N, L, D]` or `[N, S]`.
        sampled: faces that the editor has drawn from z.
        images: draws the faces, `[N, 3, S, S]`.
        text: gives dt `[D]` and the images with the edit everywhere, for AUTO.
        landmarks: N arrays `[68, 2]` in the pixels of the drawn faces.
        canvas: where a sampled face lies; all else is looked up in the faces as they are drawn.
    Returns:
        `[N or 1, S, S]` float32, 0 to 1.
    Raises:
        UserError: a mask of another size, AUTO without a text, or a face in which nothing can be found.
        MissingExtra, MissingFile: what finds landmarks is not on this machine; names the cure.
    """
    size = bundle.generator.size
    if isinstance(region, RegionMask):
        check_mask_size(region, size, size, "the face")
        return feathered(region.values)[None]
    if region == AUTO:
        if text is None:
            raise UserError("the region 'auto' follows a text, and there is none; name a region or a mask")
        dt, after = text()
        return masks_of_text(bundle.clip, dt, images(), after)
    names = tuple(region.split("+"))
    if landmarks is None and has_world(bundle.name) and face.ndim == 3:
        found = [sampled.z_of(row) for row in face]
        z = [one for one in found if one is not None]
        if len(z) == len(face):
            masks = _union(masks_of_world(bundle.name, np.stack(z), names, size))
            return masks if canvas is None else moved_masks(masks, canvas)
    if landmarks is None:
        landmarks = _landmarks_of(bundle, to_pixels(images()), region)
    each = [masks_of_landmarks(points, size, names) for points in landmarks]
    return np.concatenate([_union({name: mask[None] for name, mask in masks.items()}) for masks in each])


def _union(masks: dict[str, np.ndarray]) -> np.ndarray:
    return np.max(list(masks.values()), axis=0)


def _landmarks_of(bundle: Any, pixels: np.ndarray, region: str) -> list[np.ndarray]:
    """Landmarks of drawn faces, in their pixels."""
    predictor, detector = bundle.face_models
    finder = load_face_finder(predictor, detector)
    return [_landmarks(finder, one, bundle.name, region) for one in pixels]


def _landmarks(finder: Any, pixels: np.ndarray, name: str, region: str) -> np.ndarray:
    side = len(pixels)
    factor = -(-SEEN // side)
    cv2 = import_cv2()
    seen = cv2.resize(pixels, (factor * side, factor * side), interpolation=cv2.INTER_CUBIC)
    faces: list[Face] = find_faces(finder, seen)
    if not faces:
        raise UserError(
            f"no face was found in what '{name}' draws of this latent, so nobody knows where '{region}' is; "
            "give a mask, or the region auto"
        )
    return (max(faces, key=lambda face: face.area).landmarks + 0.5) / factor - 0.5
