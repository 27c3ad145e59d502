# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Photographs as portraits in their likeness, and what is read off rendered portraits whose truth is known.

    python benchmarks/likeness.py --photos FOLDER --row rows.png
    python benchmarks/likeness.py --rendered 300

The first writes, for the best face of each photograph (or with --all for each face), the photo, the portrait
and three edits of it: a smile, glasses, red hair. The edits move factors of the world, and the generator
draws them, so no text has a part in it. The second renders portraits of people drawn at random, looks for
their faces and landmarks with dlib, and compares them with the truth: share found, error of the landmarks in
distances of the eyes, and the correlation of each factor that is read with the true one. Drawn faces have
other middles than people's (larger eyes, a shorter chin), so there the norms are those of the drawn ones.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from ppstyleclip.align import FaceFinder, align_face, choose_faces, find_faces, read_photo
from ppstyleclip.errors import UserError
from ppstyleclip.files import save_png
from ppstyleclip.pictures import SUFFIXES, grid
from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX, factors_from_z, sample_z, z_from_factors
from ppstyleclip.worlds.portrait.landmarks import landmarks
from ppstyleclip.worlds.portrait.likeness import likeness
from ppstyleclip.worlds.portrait.likeness.light import skin_samples, typical_skin, yellowness
from ppstyleclip.worlds.portrait.likeness.measurements import lengths
from ppstyleclip.worlds.portrait.likeness.patch import cut_patch
from ppstyleclip.worlds.portrait.likeness.read import within_population
from ppstyleclip.worlds.portrait.likeness.shape import PEOPLE
from ppstyleclip.worlds.portrait.render import render

GENERATOR = Path(__file__).resolve().parents[1] / "ppstyleclip/worlds/portrait/pack/generator.safetensors"
EDITS = (
    {"smile": 1.4, "mouth_open": 0.3},
    {"glasses": 1.3, "shades": -1.3},
    {"hair_redness": 1.6, "hair_grey": -1.0},
)
SIDE = 256  # of portraits, and of what is cut out of photographs


def edited(factors: np.ndarray) -> list[np.ndarray]:
    """Factors as they are, and after each of EDITS; a smile that is there already goes."""
    rows = [factors]
    for edit in EDITS:
        row = factors.copy()
        for name, value in edit.items():
            row[INDEX[name]] = value
        if "smile" in edit and factors[INDEX["smile"]] > 0.9:
            row[INDEX["smile"]], row[INDEX["mouth_open"]] = -1.2, -0.8
        if "glasses" in edit and factors[INDEX["glasses"]] > 0.2:
            row[INDEX["glasses"]] = -0.8
        if "hair_redness" in edit:
            row[INDEX["hair_lightness"]] = max(row[INDEX["hair_lightness"]], -0.2)
        rows.append(within_population(row))
    return rows


def draw(factors: np.ndarray) -> np.ndarray:
    """Portraits `[N, S, S, 3]` uint8 that the world's generator draws of factors `[N, F]`."""
    import paddle

    from ppstyleclip import load_generator
    from ppstyleclip.pictures import to_pixels

    generator = load_generator(str(GENERATOR))
    found = []
    with paddle.no_grad():
        for z in z_from_factors(factors):
            w_plus = generator.get_latents(paddle.to_tensor(z[None]))
            images = generator.synthesis_from_styles(generator.style_affine(w_plus), noise="const")
            found.append(to_pixels(images.numpy())[0])
    return np.stack(found)


def show_photos(folder: Path, finder: FaceFinder, path: Path, every: bool) -> None:
    """Write the rows of the photographs in a folder."""
    crops, factors, photos = [], [], sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    for photo_path in photos:
        photo = read_photo(photo_path)
        faces = find_faces(finder, photo)
        chosen = choose_faces(faces, "all" if every else "best") if faces else []
        for face in chosen:
            begin = time.process_time()
            found = likeness(photo, face.landmarks)
            seconds = time.process_time() - begin
            try:
                crops.append(align_face(photo, face.landmarks, SIDE)[0])
            except UserError as error:
                print(f"{photo_path.name}: {error}")
                continue
            factors.append(found.factors)
            values = " ".join(f"{name} {found.factors[INDEX[name]]:.1f}" for name in found.read)
            print(f"{photo_path.name}: {len(faces)} faces; {seconds:.2f} s; {values}", flush=True)
    drawn = draw(np.stack([row for one in factors for row in edited(one)]))
    drawn = drawn.reshape(len(crops), len(EDITS) + 1, *drawn.shape[1:])
    cells = [picture for crop, row in zip(crops, drawn) for picture in (crop, *row)]
    save_png(path, grid(cells, 2 * (len(EDITS) + 2), gap=2, background=255))
    print(f"{len(crops)} faces in {len(photos)} photographs; wrote {path}")


Rendered = tuple[np.ndarray, np.ndarray, np.ndarray]  # factors [F], true landmarks, dlib's


def find_rendered(count: int, finder: FaceFinder, seed: int) -> list[Rendered]:
    """Those of `count` rendered portraits whose faces dlib finds."""
    found = []
    for factors in factors_from_z(sample_z(seed, count)):
        picture = render(factors, SIDE)
        faces = find_faces(finder, picture)
        if faces:
            points = max(faces, key=lambda face: face.weight).landmarks
            found.append((factors, np.float64(landmarks(factors, SIDE)), points))
    return found


def norms_of(found: list[Rendered]) -> dict[str, tuple[float, float]]:
    """Middle and deviation of each measurement of these faces, as shape.PEOPLE has them of people."""
    rows: dict[str, list[float]] = {name: [] for name in PEOPLE}
    for factors, _, points in found:
        patch = cut_patch(render(factors, SIDE), points)
        values = lengths(patch.points)
        values["yellowness"] = yellowness(typical_skin(skin_samples(patch)))
        for name, row in rows.items():
            row.append(values[name])
    return {name: (float(np.median(row)), float(np.std(row))) for name, row in rows.items()}


def print_rendered(found: list[Rendered], count: int) -> None:
    """Print how near dlib's landmarks are, and how the factors that are read go with the true ones."""
    print(f"{len(found)} of {count} rendered portraits found ({len(found) / count:.1%})")
    errors = []
    for _, true, points in found:
        eyes = np.hypot(*(true[36:42].mean(0) - true[42:48].mean(0)))
        errors.append(np.hypot(*(points - true).T) / eyes)
    parts = {"all": slice(0, 68), "jaw": slice(0, 17), "brows": slice(17, 27), "nose": slice(27, 36)}
    parts.update(eyes=slice(36, 48), mouth=slice(48, 68))
    for name, part in parts.items():
        print(f"{name:6s} mean error {np.mean(np.stack(errors)[:, part]):.3f} eye distances")
    norms = norms_of(found)
    readings = [likeness(render(factors, SIDE), points, norms) for factors, _, points in found]
    read, truth = np.stack([one.factors for one in readings]), np.stack([factors for factors, *_ in found])
    names = set().union(*(one.read for one in readings))
    for k in sorted(range(len(FACTORS)), key=lambda k: -correlation(read[:, k], truth[:, k])):
        how = "read" if FACTORS[k] in names else "not read"
        print(f"{FACTORS[k]:18s} {correlation(read[:, k], truth[:, k]):5.2f} {how}")


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two rows; 0 where one of them is constant."""
    return float(np.corrcoef(a, b)[0, 1]) if np.std(a) > 1e-6 and np.std(b) > 1e-6 else 0.0


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, help="folder of photographs")
    parser.add_argument("--row", type=Path, default=Path("likeness.png"), help="picture to write")
    parser.add_argument("--all", action="store_true", help="every face, not only the best of each photograph")
    parser.add_argument("--rendered", type=int, default=0, metavar="N", help="portraits to render and read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--landmark_path", help="dlib's 68-point model (default: as the commands find it)")
    args = parser.parse_args(argv)
    from ppstyleclip.pipelines.faces import load_people_finder

    finder = load_people_finder(args.landmark_path)
    if args.photos is not None:
        show_photos(args.photos, finder, args.row, args.all)
    if args.rendered:
        print_rendered(find_rendered(args.rendered, finder, args.seed), args.rendered)


if __name__ == "__main__":
    main()
