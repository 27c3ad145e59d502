# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Train what finds drawn faces in a photo: a detector and a predictor of 68 landmarks, both dlib's.

    python -m ppstyleclip.toonface.train_landmarks              (both into the pack, minutes on one core)
    python -m ppstyleclip.toonface.train_landmarks --measure    (only measure what the pack holds)

Needs the extra `align`. The same versions of dlib and OpenCV give the same models: every seed is fixed.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppstyleclip.toonface.scenes import draw_scene

PACK = Path(__file__).parent / "pack"
DETECTOR, LANDMARKS = "face_detector.svm", "landmarks.dat"
DETECTOR_SEED, LANDMARK_SEED, HELD_OUT_SEED = 100_000, 300_000, 900_000
DETECTOR_PIXELS = 48
BOX_PIXELS = 128  # a face's box in the pictures that the predictor learns from
BOX_SHIFT, BOX_SCALE = 0.055, 0.065  # standard deviations of found boxes about the true ones, of their side
OVERLAP = 0.5  # intersection over union from which on a found box is the true one
CASCADES, TREES, DEPTH = 40, 16, 3  # of the predictor; many small steps say most per byte


def train_detector(count):
    """Train a HOG detector on `count` scenes of three faces.

    Returns:
        dlib.simple_object_detector; it finds boxes of DETECTOR_PIXELS and more.
    """
    import dlib

    scenes = [draw_scene(DETECTOR_SEED + i, faces=3, sides=(92, 200)) for i in range(count)]
    options = dlib.simple_object_detector_training_options()
    options.C, options.detection_window_size, options.num_threads = 5, DETECTOR_PIXELS**2, 1
    options.upsample_limit = 0
    boxes = [[_rectangle(face.box) for face in scene.faces] for scene in scenes]
    return dlib.train_simple_object_detector([scene.pixels for scene in scenes], boxes, options)


def _rectangle(box):
    import dlib

    return dlib.rectangle(*(int(round(v)) for v in box))


def train_predictor(count):
    """Train a landmark predictor on the faces of `count` scenes of four.

    Returns:
        dlib.shape_predictor.
    """
    import dlib

    rng = np.random.RandomState(LANDMARK_SEED)
    scenes = (draw_scene(LANDMARK_SEED + i, faces=4) for i in range(count))
    pictures, shapes = zip(*(_example(scene.pixels, face, rng) for scene in scenes for face in scene.faces))
    options = dlib.shape_predictor_training_options()
    options.cascade_depth, options.num_trees_per_cascade_level, options.tree_depth = CASCADES, TREES, DEPTH
    options.nu, options.oversampling_amount = 0.7, 10
    options.random_seed, options.num_threads = str(LANDMARK_SEED), 1
    return dlib.train_shape_predictor(list(pictures), [[shape] for shape in shapes], options)


def _example(pixels, face, rng):
    """(picture around a face, its landmarks there) with a box that is off as a detector's boxes are."""
    import cv2
    import dlib

    left, top, right, bottom = face.box
    side = right - left
    middle = np.array([left + right, top + bottom]) / 2 + rng.normal(0, BOX_SHIFT * side, 2)
    half = side / 2 * (1 + rng.normal(0, BOX_SCALE))
    start = np.maximum(np.floor(middle - 2 * half), 0).astype(int)
    end = np.ceil(middle + 2 * half).astype(int)
    scale = BOX_PIXELS / (2 * half)
    picture = cv2.resize(pixels[start[1]:end[1], start[0]:end[0]], None, fx=scale, fy=scale,
                         interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)  # fmt: skip
    points = np.round((face.landmarks + 0.5 - start) * scale - 0.5).astype(int)
    box = _rectangle([*(middle - half - start) * scale, *(middle + half - start) * scale - 1])
    return picture, dlib.full_object_detection(box, [dlib.point(int(x), int(y)) for x, y in points])


@dataclass(frozen=True)
class Report:
    """How well faces of held-out scenes are found.

    Attributes:
        faces, found, false: true faces, those of them that were found, boxes on none.
        landmark_error: mean over the found, of the distance of the eyes' landmarks.
        landmark_error_95: 95th percentile of the faces' means.
        corner_error: mean distance of the crop's corners from the true ones, of the crop's side.
        corner_error_95: 95th percentile of the faces' means.
    """

    faces: int
    found: int
    false: int
    landmark_error: float
    landmark_error_95: float
    corner_error: float
    corner_error_95: float

    def __str__(self):
        return (f"precision {self.found / max(1, self.found + self.false):.4f} "
                f"recall {self.found / self.faces:.4f} of {self.faces} faces; "
                f"landmarks off by {self.landmark_error:.4f} of the eyes' distance (95%: "
                f"{self.landmark_error_95:.4f}); corners of the crop by {self.corner_error:.4f} of its side "
                f"(95%: {self.corner_error_95:.4f})")  # fmt: skip


def measure(finder, count):
    """Find the faces of `count` held-out scenes; returns a Report."""
    from ppstyleclip.align import find_faces, frame_of_landmarks

    pairs, faces, false = [], 0, 0
    for seed in range(HELD_OUT_SEED, HELD_OUT_SEED + count):
        scene = draw_scene(seed)
        found = find_faces(finder, scene.pixels)
        matches = [(one, true) for true in scene.faces for one in found
                   if _overlap(one.box, true.box) > OVERLAP]  # fmt: skip
        pairs += matches
        faces += len(scene.faces)
        false += len(found) - len(matches)
    off = [(_mean_distance(one.landmarks, true.landmarks) / (true.side / 4),  # between the eyes
            _mean_distance(frame_of_landmarks(one.landmarks), frame_of_landmarks(true.landmarks)) / true.side)
           for one, true in pairs]  # fmt: skip
    landmarks, corners = np.transpose(off)
    return Report(faces, len(pairs), false, landmarks.mean(), np.percentile(landmarks, 95),
                  corners.mean(), np.percentile(corners, 95))  # fmt: skip


def _mean_distance(a, b):
    return np.hypot(*(a - b).T).mean()


def _overlap(a, b):
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = max(width, 0) * max(height, 0)
    return shared / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - shared)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detector-scenes", type=int, default=100, help="of three faces")
    parser.add_argument("--landmark-scenes", type=int, default=600, help="of four faces")
    parser.add_argument("--measured-scenes", type=int, default=200, help="held out, of one to four faces")
    parser.add_argument("--measure", action="store_true", help="train nothing")
    parser.add_argument("--output", default=str(PACK), help="the pack's folder")
    args = parser.parse_args(argv)
    from ppstyleclip.align import load_face_finder
    from ppstyleclip.align.faces import import_dlib

    import_dlib()
    folder = Path(args.output)
    detector, landmarks = folder / DETECTOR, folder / LANDMARKS
    if not args.measure:
        folder.mkdir(parents=True, exist_ok=True)
        train_detector(args.detector_scenes).save(str(detector))
        print(f"wrote {detector}, {detector.stat().st_size} bytes", flush=True)
        train_predictor(args.landmark_scenes).save(str(landmarks))
        print(f"wrote {landmarks}, {landmarks.stat().st_size} bytes", flush=True)
    print(measure(load_face_finder(landmarks, detector), args.measured_scenes))


if __name__ == "__main__":
    main()
