# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Find the faces of photographs of people, as they are and changed; count what is found, and what is false.

    python benchmarks/find_faces.py --photos FOLDER
    python benchmarks/find_faces.py --photos FOLDER --only "as it is" --draw found/

FOLDER holds photographs and faces.json: for each photograph's name a list of boxes [left, top, width, height]
of all its faces that a frontal detector is asked to find. A face is found if a box overlaps it by MATCH or
more (intersection over union); all other boxes are false. "false by default" counts the photos of which the
face that is edited by default is none.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ppstyleclip.align import Face, FaceFinder, choose_faces, confident_places, read_photo
from ppstyleclip.align.dlib_models import import_dlib
from ppstyleclip.files import save_png

MATCH = 0.4
CANVAS = 1200, 6000  # height, width
LEAST = 36  # pixels; the side of the smallest boxes that the search promises

Scene = tuple[np.ndarray, np.ndarray]  # picture, boxes [N, 4]: left, top, right, bottom


def resized(scale: float) -> Callable[[Scene], Scene]:
    """A change of size."""

    def change(scene: Scene) -> Scene:
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(scene[0], None, fx=scale, fy=scale, interpolation=way)
        return picture, scene[1] * scale

    return change


def turned(degrees: float) -> Callable[[Scene], Scene]:
    """A turn, clockwise as seen, into a larger picture with black corners; boxes keep their size."""

    def change(scene: Scene) -> Scene:
        picture, boxes = scene
        height, width = picture.shape[:2]
        turn = np.radians(degrees)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        size = np.ceil(np.abs(rotation) @ [width, height]).astype(int)
        shift = size / 2 - rotation @ [width / 2, height / 2]
        moved = cv2.warpAffine(picture, np.column_stack([rotation, shift]), tuple(size.tolist()))
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2 @ rotation.T + shift
        halves = (boxes[:, 2:] - boxes[:, :2]) / 2
        return moved, np.hstack([middles - halves, middles + halves])

    return change


def on_canvas(scene: Scene) -> Scene:
    """Paste the photo into the middle of a wide grey picture."""
    picture, boxes = scene
    canvas = np.full((*CANVAS, 3), 128, np.uint8)
    top, left = ((outer - inner) // 2 for outer, inner in zip(CANVAS, picture.shape))
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas, boxes + [left, top, left, top]


CHANGES: dict[str, Callable[[Scene], Scene]] = {
    "as it is": lambda scene: scene,
    "half size": resized(0.5),
    "double size": resized(2),
    "turned by 20 degrees": turned(20),
    "turned by -20 degrees": turned(-20),
    "in 6000 x 1200": on_canvas,
}


@dataclass(frozen=True)
class Count:
    """What was found in one photo or in several.

    Attributes:
        photos: how many.
        faces, found: true faces, and those of them that were found.
        large, large_found: the same of faces of LEAST pixels and more.
        false: boxes on no face.
        misled: photos of which the face that is edited by default is none.
        seconds: of the search.
    """

    photos: int
    faces: int
    found: int
    large: int
    large_found: int
    false: int
    misled: int
    seconds: float

    def __add__(self, other: Count) -> Count:
        mine, others = vars(self).values(), vars(other).values()
        return Count(*(a + b for a, b in zip(mine, others)))


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    width, height = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    shared = max(width, 0) * max(height, 0)
    return float(shared / (sum(np.prod(box[2:] - box[:2]) for box in (first, second)) - shared))


def count_faces(true: np.ndarray, found: list[Face], seconds: float) -> Count:
    """Compare the faces that were found in a photo with the true ones, each once, the surest first."""
    open_faces, matched, right = set(range(len(true))), set(), []
    for face in sorted(found, key=lambda one: -(one.confidence or 0)):
        near = max(open_faces, key=lambda k: overlap(true[k], np.array(face.box)), default=None)
        if near is not None and overlap(true[near], np.array(face.box)) >= MATCH:
            open_faces.discard(near)
            matched.add(near)
            right.append(face)
    large = {k for k, box in enumerate(true) if box[2] - box[0] >= LEAST}
    best = choose_faces(found, "best")[0] if found else None
    return Count(
        1,
        len(true),
        len(matched),
        len(large),
        len(large & matched),
        len(found) - len(right),
        int(best is not None and all(best is not face for face in right)),
        seconds,
    )


def find(finder: FaceFinder, picture: np.ndarray) -> tuple[list[Face], float]:
    """Find faces without their landmarks; (faces, seconds)."""
    begin = time.perf_counter()
    places = confident_places(finder, picture)
    seconds = time.perf_counter() - begin
    return [Face(one.box, np.zeros((68, 2)), one.confidence) for one in places], seconds


def read_scenes(folder: Path) -> Iterator[tuple[str, Scene]]:
    """Read the photos that faces.json names, with their boxes."""
    for name, boxes in json.loads((folder / "faces.json").read_text()).items():
        sides = np.array(boxes, np.float64).reshape(-1, 4)
        yield name, (read_photo(folder / name), np.hstack([sides[:, :2], sides[:, :2] + sides[:, 2:]]))


def draw(path: Path, scene: Scene, found: list[Face]) -> None:
    """Write a photo with its true boxes in blue, and what was found with its confidence in green."""
    picture = np.ascontiguousarray(scene[0])
    for box in scene[1]:
        left, top, right, bottom = (round(float(value)) for value in box)
        cv2.rectangle(picture, (left, top), (right, bottom), (60, 60, 255), 1)
    for face in found:
        left, top, right, bottom = (round(value) for value in face.box)
        cv2.rectangle(picture, (left, top), (right, bottom), (0, 220, 0), 2)
        cv2.putText(picture, f"{face.confidence:.2f}", (left, top - 4), 0, 0.5, (0, 220, 0), 1)
    save_png(path, picture)


def line(name: str, count: Count) -> str:
    """A row of the table."""
    precision = count.found / max(1, count.found + count.false)
    return (
        f"| {name} | {count.found}/{count.faces} | {count.found / max(1, count.faces):.3f} "
        f"| {count.large_found}/{count.large} | {count.false} | {precision:.3f} "
        f"| {count.misled} | {count.seconds / count.photos:.2f} |"
    )


def main(argv: list[str] | None = None) -> None:
    """Find, count, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos and faces.json")
    parser.add_argument("--only", nargs="+", choices=list(CHANGES), default=list(CHANGES))
    parser.add_argument("--draw", type=Path, metavar="FOLDER", help="write the photos with their boxes there")
    args = parser.parse_args(argv)
    finder = FaceFinder(import_dlib().get_frontal_face_detector(), None)
    heads = "photos", "found", "recall", f"found from {LEAST} px", "false", "precision", "false by default"
    print(f"| {' | '.join(heads)} | seconds each |")
    print("|---|---|---|---|---|---|---|---|")
    for change in args.only:
        total = Count(0, 0, 0, 0, 0, 0, 0, 0.0)
        for name, scene in read_scenes(args.photos):
            changed = CHANGES[change](scene)
            found, seconds = find(finder, changed[0])
            total += count_faces(changed[1], found, seconds)
            if args.draw is not None:
                draw(args.draw / f"{change} {Path(name).stem}.png", changed, found)
        print(line(change, total), flush=True)


if __name__ == "__main__":
    main()
