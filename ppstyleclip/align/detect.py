# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Where a picture shows faces: searched at every size, then looked at again to tell how sure each place is.

dlib's detectors compare a window of gradients with learnt ones and give a score. Near their threshold a badge
or a bag scores as some real faces do. So the search itself is generous; each place that it names is looked at
again in turned, mirrored and resized copies. A face scores well in several of them; what resembles one by
accident does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppstyleclip.files import import_cv2

SMALLEST = 40  # pixels of the photo that a detector's window covers in the finest search
TILE = 2400  # longer side of what is searched at once, in pixels; bounds the memory
CANDIDATE = -0.5  # the detector's score from which a place is looked at again
MAX_CANDIDATES = 400  # of one picture, the best ones; bounds the time
WINDOWS = 1.3  # side of a face in the copies, in the detector's windows
SURROUNDINGS = 0.6  # around a face in the copies, of its side
FIRST_LOOK = ((-15, 1.0), (15, 1.0))  # (degrees, size) of copies that a place has to pass
LOOKS = ((-24, 1.0), (0, 0.9), (0, 1.1), (24, 1.0))  # of further copies
PROMISING = 0.0  # best score in the first look from which the others are taken
LOWEST = -1.5  # score of a copy in which nothing is seen
BEST = 3  # copies whose mean score is the confidence
SAME = 0.3  # intersection over union from which two boxes are of one face
WITHIN = 0.65  # of the smaller box, that lies in the larger one of the same face


@dataclass(frozen=True)
class Detection:
    """A place that looks like a face.

    Attributes:
        box: (left, top, right, bottom) in pixels; a face at the rim reaches beyond the picture.
        confidence: mean score of the best copies: around 0 for what is none, 0.7 to 4 for faces.
        score: the detector's own, in the search.
    """

    box: tuple[float, ...]
    confidence: float
    score: float


def detect_faces(detector: Any, picture: np.ndarray, *, smallest: float = SMALLEST) -> list[Detection]:
    """Find what looks like faces, whatever the size and shape of the picture.

    Time goes with the number of pixels, about a third of a second for each megapixel; memory is bounded.

    Args:
        detector: dlib's fhog_object_detector.
        picture: `[H, W, 3]` uint8.
        smallest: side of the smallest faces, in pixels.
    Returns:
        places from the surest on, each face once; what is no face has a low confidence.
    """
    candidates = sorted(_candidates(detector, picture, smallest), key=lambda one: -one[0])
    places = _once(candidates, same=0.5, within=2)[:MAX_CANDIDATES]
    found = [
        Detection(tuple(map(float, box)), _confidence(detector, picture, box), float(score))
        for score, box in places
    ]
    found.sort(key=lambda one: -one.confidence)
    return [one for one, _ in _once([(one, one.box) for one in found], same=SAME, within=WITHIN)]


def _candidates(detector, picture, smallest) -> Iterator[tuple[float, np.ndarray]]:
    """Yield (score, box in pixels of the picture) of each place, the finest search first."""
    window = detector.detection_window_height
    scale, reach = window / smallest, 4 * window  # the largest face that surely lies in one part
    while True:
        parts = _parts(picture.shape[:2], scale, reach)
        for top, bottom, left, right in parts:
            part = _resized(picture[top:bottom, left:right], scale)
            for score, box in _run(detector, part, CANDIDATE):
                box = box / scale + [left, top, left, top]
                is_whole = len(parts) == 1 or box[2] - box[0] <= reach / scale
                if is_whole and _is_inside(box, picture):
                    yield score, box
        if len(parts) == 1:
            return
        scale *= window / reach * 1.25


def _is_inside(box, picture) -> bool:
    """Tell whether the middle of a box lies in the picture; the detector looks beyond the rim."""
    across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return 0 <= across < picture.shape[1] and 0 <= down < picture.shape[0]


def _parts(shape, scale, overlap) -> list[tuple[int, int, int, int]]:
    """Parts (top, bottom, left, right) of at most TILE pixels at this scale, which overlap."""
    spans = []
    for side in shape:
        count = 1
        if side * scale > TILE:
            count = int(np.ceil((side * scale - overlap) / (TILE - overlap)))
        length = side if count == 1 else int(np.ceil((side + (count - 1) * overlap / scale) / count))
        starts = np.linspace(0, side - length, count).astype(int)
        spans.append([(start, start + length) for start in starts])
    return [(*down, *across) for down in spans[0] for across in spans[1]]


def _run(detector, picture, threshold) -> Iterator[tuple[float, np.ndarray]]:
    boxes, scores, _ = detector.run(np.ascontiguousarray(picture), 0, threshold)
    for box, score in zip(boxes, scores):
        yield score, np.array([box.left(), box.top(), box.right() + 1, box.bottom() + 1], np.float64)


def _resized(picture, scale):
    if scale == 1:
        return picture
    cv2 = import_cv2()
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    width, height = (max(1, round(side * scale)) for side in picture.shape[1::-1])
    return cv2.resize(picture, (width, height), interpolation=smooth)


def _once(found, *, same, within) -> list:
    """Keep, of pairs (anything, box) from the best on, those whose box is not that of a better one."""
    kept: list = []
    for one in found:
        if not any(_is_same(one[1], other[1], same, within) for other in kept):
            kept.append(one)
    return kept


def _is_same(first, second, same, within) -> bool:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return False
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    shared = width * height
    return shared > same * (sum(areas) - shared) or shared > within * min(areas)


def _confidence(detector, picture, box) -> float:
    """How sure the place is; where already the first look shows that it is no face, the others are spared."""
    patch, middle, side = _patch(picture, box, detector.detection_window_height * WINDOWS)
    scores: list[float] = []
    for looks in (FIRST_LOOK, LOOKS):
        for degrees, size in looks:
            for mirrored in (False, True):
                scores.append(_score(detector, patch, middle, side, degrees, size, mirrored))
        if max(scores) < PROMISING:
            break
    return float(np.mean(sorted(scores)[-BEST:]))


def _patch(picture, box, side):
    """(surroundings of the box, resized so that it has `side` pixels, its middle there, its side there)."""
    size = max(box[2] - box[0], box[3] - box[1])
    reach, middle = size * (0.5 + 2 * SURROUNDINGS), np.array([box[0] + box[2], box[1] + box[3]]) / 2
    corner = np.maximum(np.floor(middle - reach), 0).astype(int)
    end = np.ceil(middle + reach).astype(int)
    part, scale = picture[corner[1] : end[1], corner[0] : end[0]], side / size
    return _resized(part, scale), (middle - corner) * scale, side


def _score(detector, patch, middle, side, degrees, size, mirrored) -> float:
    """The detector's score of the face at `middle`, in a copy that is turned clockwise by `degrees`."""
    cv2, turn = import_cv2(), np.radians(degrees)
    to_copy = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if mirrored:
        to_copy = np.diag([-1, 1]) @ to_copy
    half = side * size * (0.5 + SURROUNDINGS)
    shift = half - to_copy @ middle
    copy = cv2.warpAffine(patch, np.column_stack([to_copy, shift]), (round(2 * half), round(2 * half)))
    near, far = half - side * size / 2, half + side * size / 2
    place = (near, near, far, far)
    scores = [score for score, box in _run(detector, copy, LOWEST) if _is_same(box, place, 0.4, 2)]
    return max(scores, default=LOWEST)
