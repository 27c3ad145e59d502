# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Find the faces of a photo and their 68 landmarks with dlib, or read the landmarks from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Union

import numpy as np
from numpy.typing import ArrayLike

from ppstyleclip.align.detect import SMALLEST, Detection, detect_faces
from ppstyleclip.align.dlib_models import import_dlib, load_detector, load_predictor
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import import_cv2, read_json
from ppstyleclip.inputs import as_picture
from ppstyleclip.schema import Between, Size

CONFIDENT = 0.5  # confidence from which a place is a face: on photographs 0.53 to 4 for faces, else below 0.3
SURE_SCORE = 0.0  # score in the search that is enough for a detector which was trained on a world of its own
PATCH = 512  # a face's side when landmarks are looked for: dlib returns whole pixels
MARGIN = 0.5  # around a face's box, of its side, that the predictor sees
_Point = Annotated[tuple[Annotated[float, Between(-1e6, 1e6)], ...], Size(2, 2)]
_Points = Annotated[tuple[_Point, ...], Size(68, 68)]
LANDMARKS = Union[_Points, Annotated[tuple[_Points, ...], Size(1, 1000)]]  # of one face, or of several
SHIFT = 0.03  # of the box's side, by which the box is moved about for nine opinions


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a photo.

    Attributes:
        box: (left, top, right, bottom) in pixels.
        landmarks: `[68, 2]` (x, y) in pixels; the middle of the upper left pixel is (0, 0).
        confidence: how sure the detector is, about CONFIDENT to 4; None for landmarks that were given.
    """

    box: tuple[float, ...]
    landmarks: np.ndarray
    confidence: float | None = None

    @property
    def area(self) -> float:
        """Area of the box, in pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    @property
    def weight(self) -> float:
        """Area times confidence: by it the best face of a photo is chosen."""
        return self.area * (1.0 if self.confidence is None else max(self.confidence, 0.0))


@dataclass(frozen=True)
class FaceFinder:
    """What finds faces and their landmarks.

    Attributes:
        detector: dlib's; `detector.run(pixels, 0, threshold)` gives boxes and scores.
        predictor: dlib's; `predictor(pixels, box)` gives 68 landmarks.
        kind: name of the model whose drawn faces are the only ones it finds; None for photographs of people.
        confident: least confidence of a face.
        sure_score: score in the search that is enough without it; None if none is.
    """

    detector: Any
    predictor: Any
    kind: str | None = None
    confident: float = CONFIDENT
    sure_score: float | None = None


def load_face_finder(landmark_path: Any, detector_path: Any = None) -> FaceFinder:
    """Load what finds faces.

    Args:
        landmark_path: a 68-point shape predictor, as dlib stores it (.dat).
        detector_path: a detector that dlib trained (.svm); None for dlib's own, of real faces from the front.
    Raises:
        MissingDlib: there is no dlib that works.
        MissingFile: there is no such file.
        UserError: it is not what it should be.
    """
    dlib, predictor = import_dlib(), load_predictor(landmark_path)
    if detector_path is None:
        return FaceFinder(dlib.get_frontal_face_detector(), predictor)
    return FaceFinder(load_detector(detector_path), predictor, sure_score=SURE_SCORE)


def find_faces(finder: FaceFinder, photo: np.ndarray) -> list[Face]:
    """Find faces of detect.SMALLEST pixels and more, and their landmarks.

    Landmarks are looked for on each face at PATCH pixels.

    Args:
        finder: of load_face_finder.
        photo: `[H, W, 3]` uint8.
    Returns:
        the faces that are sure, from left to right; none if there are none.
    """
    photo = as_picture(photo)
    sure = confident_places(finder, photo)
    faces = [Face(one.box, _landmarks(finder.predictor, photo, one.box), one.confidence) for one in sure]
    return sorted(faces, key=_from_left)


def confident_places(finder: FaceFinder, photo: np.ndarray, smallest: float = SMALLEST) -> list[Detection]:
    """Find where faces are, the surest first, without landmarks; arguments as find_faces and detect_faces."""
    places = detect_faces(finder.detector, photo, smallest=smallest)
    least = np.inf if finder.sure_score is None else finder.sure_score
    return [one for one in places if one.confidence >= finder.confident or one.score >= least]


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
    box = np.array(box)
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
    try:
        return faces_of_landmarks(np.array(read_json(LANDMARKS, path), np.float64))
    except MissingFile:
        raise
    except UserError as error:
        why = str(error).replace(f"{path}: ", "", 1)
        raise UserError(
            f"{path} holds no landmarks; it should be JSON: the 68 points [[x, y], ...] of a "
            f"face, or a list of such faces ({why})"
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
