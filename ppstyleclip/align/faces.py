# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Find the faces of a photo and their 68 landmarks with dlib, or read the landmarks from a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.files import check_file, import_cv2, read_file

SEARCH_SIDE = 1280  # the longer side of the photo when faces are looked for, in pixels, at most
PATCH = 512  # a face's side when landmarks are looked for: dlib returns whole pixels
MARGIN = 0.5  # around a face's box, of its side, that the predictor sees
SHIFT = 0.03  # of the box's side, by which the box is moved about for nine opinions


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a photo.

    Attributes:
        box: (left, top, right, bottom) in pixels.
        landmarks: `[68, 2]` (x, y) in pixels; the middle of the upper left pixel is (0, 0).
    """

    box: tuple[float, ...]
    landmarks: np.ndarray

    @property
    def area(self) -> float:
        """Area of the box, in pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


@dataclass(frozen=True)
class FaceFinder:
    """What finds faces and their landmarks.

    Attributes:
        detector: dlib's; `detector(pixels, 0)` gives boxes.
        predictor: dlib's; `predictor(pixels, box)` gives 68 landmarks.
        kind: name of the model whose drawn faces are the only ones it finds; None for photographs of people.
    """

    detector: Any
    predictor: Any
    kind: str | None = None


def import_dlib() -> Any:
    """Import dlib when it is first needed.

    Raises:
        MissingExtra: it is not installed, or another package took its name.
    """
    cure = "run: pip install dlib-bin"
    try:
        import dlib
    except ImportError as error:
        raise MissingExtra(
            f"dlib, which finds faces, cannot be imported ({error}); {cure}, or give the landmarks as JSON"
        ) from None
    if not hasattr(dlib, "shape_predictor"):
        raise MissingExtra(f"the installed 'dlib' is another package; {cure}")
    return dlib


def load_face_finder(landmark_path: Any, detector_path: Any = None) -> FaceFinder:
    """Load what finds faces.

    Args:
        landmark_path: a 68-point shape predictor, as dlib stores it (.dat).
        detector_path: a detector that dlib trained (.svm); None for dlib's own, of real faces from the front.
    Raises:
        MissingExtra: there is no dlib.
        MissingFile: there is no such file.
        UserError: it is not what it should be.
    """
    dlib = import_dlib()
    predictor = _loaded(dlib.shape_predictor, landmark_path, "a landmark model of dlib; unpack a .bz2 first")
    points = predictor(np.zeros((8, 8, 3), np.uint8), dlib.rectangle(0, 0, 7, 7)).num_parts
    if points != 68:
        raise UserError(f"{landmark_path} finds {points} landmarks, 68 are needed; use a 68-point model")
    if detector_path is None:
        return FaceFinder(dlib.get_frontal_face_detector(), predictor)
    return FaceFinder(_loaded(dlib.simple_object_detector, detector_path, "a detector of dlib"), predictor)


def _loaded(kind, path, words):
    try:
        return kind(str(check_file(path)))
    except RuntimeError:
        raise UserError(f"{path} is not {words}") from None


def find_faces(finder: FaceFinder, photo: np.ndarray) -> list[Face]:
    """Find faces and their landmarks.

    Photos larger than SEARCH_SIDE are searched at that size, so that the time is bounded; a smaller one where
    nothing is found is searched again, enlarged to that size but at most doubled. (Enlarged at once, it would
    show more false faces.) Landmarks are then looked for on each face at PATCH pixels.

    Args:
        finder: of load_face_finder.
        photo: `[H, W, 3]` uint8.
    Returns:
        faces from left to right; none if there are none.
    """
    largest = min(SEARCH_SIDE / max(photo.shape[:2]), 2)
    boxes = _boxes(finder.detector, photo, min(largest, 1))
    if not boxes and largest > 1:
        boxes = _boxes(finder.detector, photo, largest)
    faces = [Face(tuple(map(float, box)), _landmarks(finder.predictor, photo, box)) for box in boxes]
    return sorted(faces, key=_from_left)


def _boxes(detector, photo, scale):
    """Boxes, in pixels of the photo, found in the photo at `scale` times its size."""
    if scale != 1:
        photo = _resized(photo, *(max(1, round(side * scale)) for side in photo.shape[1::-1]))
    return [
        np.array([r.left(), r.top(), r.right() + 1, r.bottom() + 1]) / scale
        for r in detector(np.ascontiguousarray(photo), 0)
    ]


def _resized(picture, width, height):
    cv2 = import_cv2()
    smooth = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=smooth)


def _from_left(face):
    return face.box[0] + face.box[2]


def _landmarks(predictor, photo, box):
    """Landmarks `[68, 2]` of the face in `box`, which counts from the photo's corner.

    Detectors place boxes coarsely and predictors heed the place: the median over the box and its eight
    neighbours nearly halves the error.
    """
    (height, width), reach = photo.shape[:2], MARGIN * (box[2] - box[0])
    left, top = np.maximum(np.floor(box[:2] - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(box[2:] + reach), [width, height]).astype(int)
    scale = PATCH / (box[2] - box[0])
    size = np.maximum(np.round([(right - left) * scale, (bottom - top) * scale]), 1).astype(int)
    patch = np.ascontiguousarray(_resized(photo[top:bottom, left:right], *size.tolist()))
    scale = size / [right - left, bottom - top]
    near, far = (box[:2] - [left, top]) * scale, (box[2:] - [left, top]) * scale - 1
    shifts = [PATCH * SHIFT * np.array([x, y]) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    points = np.median([_points(predictor, patch, near + shift, far + shift) for shift in shifts], 0)
    return (points + 0.5) / scale + [left, top] - 0.5


def _points(predictor, picture, near, far):
    box = import_dlib().rectangle(*(int(round(v)) for v in (*near, *far)))
    return np.array([[part.x, part.y] for part in predictor(picture, box).parts()], np.float64)


def read_landmarks(path: Any) -> list[Face]:
    """Read landmarks that were found elsewhere or set by hand.

    Args:
        path: JSON: the 68 points `[[x, y], ...]` of one face, or a list of such faces; pixels of the photo
            turned upright.
    Returns:
        faces from left to right.
    Raises:
        MissingFile: there is no such file.
        UserError: it holds something else.
    """
    text = read_file(path, most=2**24)
    try:
        points = np.array(json.loads(text), np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):
        points = np.empty(0)
    try:
        return faces_of_landmarks(points)
    except UserError:
        raise UserError(
            f"{path} holds no landmarks; it should be JSON: the 68 points [[x, y], ...] of a "
            "face, or a list of such faces"
        ) from None


def faces_of_landmarks(landmarks: ArrayLike) -> list[Face]:
    """Make Faces of landmarks that are known, `[68, 2]` or `[N, 68, 2]`; from left to right.

    Raises:
        UserError: they have another shape, or are not finite.
    """
    points = np.asarray(landmarks, np.float64)
    points = points[None] if points.ndim == 2 else points
    if points.ndim != 3 or points.shape[1:] != (68, 2) or not len(points) or not np.isfinite(points).all():
        raise UserError(f"landmarks are finite numbers [68, 2] or [N, 68, 2], got {list(points.shape)}")
    boxes = [(*map(float, face.min(0)), *map(float, face.max(0))) for face in points]
    return sorted((Face(box, face) for box, face in zip(boxes, points)), key=_from_left)


def choose_faces(faces: Sequence[Face], which: str | int = "largest") -> list[Face]:
    """Choose among the faces of a photo.

    Args:
        faces: of find_faces or read_landmarks.
        which: a number, from 1 for the leftmost; "largest"; or "all".
    Returns:
        the chosen faces, from left to right.
    Raises:
        UserError: there are no faces, or none of that number.
    """
    if not faces:
        raise UserError(
            "no face was found; use a photo with a face seen from the front, at least a tenth as "
            "high as the photo, or give the landmarks as JSON"
        )
    if which == "all":
        return list(faces)
    if which == "largest":
        return [max(faces, key=lambda face: face.area)]
    try:
        number = int(which)
    except (TypeError, ValueError):
        raise UserError(f"face is a number, 'largest' or 'all', got '{which}'") from None
    if not 1 <= number <= len(faces):
        count = "only one face was" if len(faces) == 1 else f"{len(faces)} faces were"
        raise UserError(f"there is no face {number}: {count} found, numbered from 1 at the left")
    return [faces[number - 1]]
