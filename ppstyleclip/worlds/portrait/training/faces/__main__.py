# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Fit what finds the portrait world's faces: detector, landmarks, crop; then measure it.

    python -m ppstyleclip.worlds.portrait.training.faces --folder run
    python -m ppstyleclip.worlds.portrait.training.faces --measure      (only what the world's pack holds)

Files that are in the folder stay, so that a run goes on behind the last of them; half an hour of one core.
The same versions of dlib and OpenCV give the same files.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from ppstyleclip.cli.parser import documented_parser
from ppstyleclip.files import check_writable, write_atomic
from ppstyleclip.worlds.portrait.training.plans import changed_plan

REPORT = "report.json"
PACK = Path(__file__).parents[2] / "pack"


def fit_all(folder, plan):
    """Make the files that are missing; yields a line for each."""
    from ppstyleclip.align import load_face_finder
    from ppstyleclip.worlds.portrait.training.faces import fit
    from ppstyleclip.worlds.portrait.training.faces.compact import compact
    from ppstyleclip.zoo import save_crop
    from ppstyleclip.zoo.pack import CROP, DETECTOR, LANDMARKS

    detector, landmarks, crop = (folder / name for name in (DETECTOR, LANDMARKS, CROP))
    steps = (
        (detector, lambda: write_atomic(detector, _bytes_of(fit.train_detector(plan)))),
        (landmarks, lambda: write_atomic(landmarks, compact(_bytes_of(fit.train_predictor(plan))))),
        (crop, lambda: save_crop(crop, fit.train_crop(load_face_finder(landmarks, detector), plan))),
    )
    for path, make in steps:
        start = time.time()
        if path.exists():
            yield f"{path.name} is there"
            continue
        make()
        yield f"{path}: {path.stat().st_size} bytes, {time.time() - start:.0f} s"


def _bytes_of(model):
    """What dlib writes into a file."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "model"
        model.save(str(path))
        return path.read_bytes()


def main(argv=None):
    parser = documented_parser(__doc__)
    parser.add_argument("--folder", help="the run's folder; files go into its faces/")
    parser.add_argument("--measure", action="store_true", help="fit nothing, measure the pack")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="change the plan")
    args = parser.parse_args(argv)
    if not args.folder and not args.measure:
        parser.error("give --folder, or --measure")
    import cv2

    from ppstyleclip.align import load_face_finder
    from ppstyleclip.worlds.portrait.training.faces.evaluation import held_out_scene, measure
    from ppstyleclip.worlds.portrait.training.faces.fit import Plan
    from ppstyleclip.zoo import load_crop
    from ppstyleclip.zoo.pack import CROP, DETECTOR, LANDMARKS

    cv2.setNumThreads(1)
    plan = changed_plan(Plan, args.set)
    folder = PACK if args.measure else Path(args.folder) / "faces"
    if not args.measure:
        check_writable(folder).mkdir(parents=True, exist_ok=True)
        for line in fit_all(folder, plan):
            print(line, flush=True)
    finder = load_face_finder(folder / LANDMARKS, folder / DETECTOR)
    report = measure(finder, load_crop(folder / CROP), map(held_out_scene, range(plan.measured_scenes)))
    print(report, flush=True)
    if not args.measure:
        write_atomic(folder / REPORT, json.dumps(asdict(report), indent=1).encode())


if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main))
