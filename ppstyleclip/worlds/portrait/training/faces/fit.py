# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The fits of detector, landmarks and crop to drawn scenes; every seed is fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np

from ppstyleclip.align import CropWeights, FaceFinder, find_faces
from ppstyleclip.align.dlib_models import import_dlib
from ppstyleclip.schema import Between, Positive
from ppstyleclip.worlds.portrait.scenes import draw_scene
from ppstyleclip.worlds.portrait.training.plans import Rate, Weight

DETECTOR_SEED, LANDMARK_SEED, CROP_SEED = 100_000, 300_000, 500_000
BOX_PIXELS = 128  # a face's box in the pictures that the predictor learns from
SURROUNDINGS = 2.0  # half of such a picture's side, in halves of the box
SIDES = (84, 420)  # of the frames in scenes, in pixels
OVERLAP = 0.5  # intersection over union from which on a found box is the true one


@dataclass(frozen=True)
class Plan:
    """How the faces' models are fitted."""

    detector_scenes: Positive = 120  # of three faces
    window: Annotated[int, Between(16, 256)] = 56  # the detector's side, in pixels
    strictness: Rate = 5.0  # of the detector, dlib's C
    landmark_scenes: Positive = 550  # of four faces
    cascades: Positive = 40  # of the predictor; many small steps say most per byte
    trees: Positive = 16  # a cascade
    depth: Annotated[int, Between(1, 16)] = 3
    rate: Annotated[float, Between(1e-12, 1)] = 0.15  # of the predictor's learning, dlib's nu
    views: Positive = 10  # of a face, dlib's oversampling
    shift: Weight = 0.055  # standard deviation of found boxes about the true ones, of their side
    scale: Weight = 0.065  # and of their size
    crop_scenes: Positive = 220  # of three faces
    ridge: Weight = 1e-4  # of the crop's weights
    threads: Annotated[int, Between(0, 1024)] = 0  # of dlib, beside the one that calls it
    measured_scenes: Positive = 200  # held out, of one to four faces


def scene(seed, faces):
    """A scene to learn from: small and large frames alike."""
    return draw_scene(seed, faces=faces, width=960, height=720, sides=SIDES)


def train_detector(plan):
    """dlib's detector of gradients; it finds boxes of its window's size and larger ones."""
    dlib = import_dlib()
    options = dlib.simple_object_detector_training_options()
    options.C, options.detection_window_size = plan.strictness, plan.window**2
    options.num_threads, options.upsample_limit = plan.threads, 0
    pictures, boxes = [], []
    for number in range(plan.detector_scenes):
        one = draw_scene(DETECTOR_SEED + number, faces=3, sides=(plan.window * 2 + 8, 220))
        pictures.append(one.pixels)
        boxes.append([rectangle(face.box) for face in one.faces])
        if number % 3 == 0:  # a face that stands on its head is none: its hair would be a beard
            pictures.append(np.ascontiguousarray(np.rot90(one.pixels, 2)))
            boxes.append([])
    return dlib.train_simple_object_detector(pictures, boxes, options)


def rectangle(box):
    return import_dlib().rectangle(*(int(round(v)) for v in box))


def train_predictor(plan):
    """dlib's predictor of 68 landmarks."""
    dlib = import_dlib()
    rng = np.random.RandomState(LANDMARK_SEED)
    pictures, shapes = [], []
    for number in range(plan.landmark_scenes):
        one = scene(LANDMARK_SEED + number, 4)
        for face in one.faces:
            picture, shape = example(one.pixels, face, rng, plan)
            pictures.append(picture)
            shapes.append([shape])
    options = dlib.shape_predictor_training_options()
    options.cascade_depth, options.num_trees_per_cascade_level = plan.cascades, plan.trees
    options.tree_depth, options.nu, options.oversampling_amount = plan.depth, plan.rate, plan.views
    options.random_seed, options.num_threads = str(LANDMARK_SEED), plan.threads
    return dlib.train_shape_predictor(pictures, shapes, options)


def example(pixels, face, rng, plan):
    """(picture around a face, its landmarks there) with a box that is off as a detector's boxes are."""
    dlib = import_dlib()
    side = face.box[2] - face.box[0]
    middle = np.add(face.box[:2], face.box[2:]) / 2 + rng.normal(0, plan.shift * side, 2)
    half = side / 2 * (1 + rng.normal(0, plan.scale))
    start = np.maximum(np.floor(middle - SURROUNDINGS * half), 0).astype(int)
    end = np.ceil(middle + SURROUNDINGS * half).astype(int)
    scale = BOX_PIXELS / (2 * half)
    smooth = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    part = pixels[start[1] : end[1], start[0] : end[0]]
    picture = cv2.resize(part, None, fx=scale, fy=scale, interpolation=smooth)
    points = np.round((face.landmarks + 0.5 - start) * scale - 0.5).astype(int)
    box = rectangle([*(middle - half - start) * scale, *(middle + half - start) * scale - 1])
    return picture, dlib.full_object_detection(box, [dlib.point(int(x), int(y)) for x, y in points])


def overlap(a, b):
    """Intersection over union of two boxes."""
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = max(width, 0) * max(height, 0)
    return shared / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - shared)


def matches(found, true):
    """Pairs (Face, SceneFace) of found and true faces that are the same."""
    return [(a, b) for b in true for a in found if overlap(a.box, b.box) > OVERLAP]


def train_crop(finder: FaceFinder, plan) -> CropWeights:
    """How the frame follows from landmarks that were found, faults and all: least squares, a small ridge."""
    points, frames = [], []
    for number in range(plan.crop_scenes):
        one = scene(CROP_SEED + number, 3)
        for found, true in matches(find_faces(finder, one.pixels), one.faces):
            points.append(found.landmarks)
            frames.append(true.frame)
    return crop_weights(np.array(points), np.array(frames), plan.ridge)


def crop_weights(points, frames, ridge):
    """CropWeights of landmarks `[N, 68, 2]` and frames `[N, 4, 2]`, each face counted in its frame's unit."""
    points, frames = (part[..., 0] + 1j * part[..., 1] for part in (points, frames))
    middle, half = frames.mean(1), (frames[:, 3] - frames[:, 0]) / 2
    mean = points.mean(1)
    inputs = (points - mean[:, None]) / half[:, None]  # turned upright, so that all faces count the same
    wanted = np.stack([(middle - mean) / half, np.ones(len(half))], 1)
    square = inputs.conj().T @ inputs / len(inputs) + ridge * np.eye(inputs.shape[1])
    weights = np.linalg.solve(square, inputs.conj().T @ wanted / len(inputs))
    return CropWeights(weights[:, 0], weights[:, 1])
