# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""One photo edited and written: faces inverted, if wanted with a generator tuned to each, and put back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.apps.faces import save_latent
from ppstyleclip.apps.photo import aligned_faces, edited_photo, find_latents, tuned_editor
from ppstyleclip.apps.quality import in_words, load_measures, measure, warn_if_poor
from ppstyleclip.files import save_png
from ppstyleclip.pictures import grid
from ppstyleclip.zoo import save_generator
from ppstyleclip.zoo.bundle import TUNED_FROM

FILES = ("edited.png", "side_by_side.png", "faces.png", "faces.npy")


@dataclass(frozen=True, eq=False)
class Found:
    """Latents of N faces and what draws them.

    Attributes:
        w_plus: `[N, L, D]`.
        editors: N Editors; one and the same where no generator was tuned.
        stages: quality.Quality of the first guess, behind fitting, behind tuning.
        seconds: that all of it took.
    """

    w_plus: np.ndarray
    editors: list
    stages: list
    seconds: float


def find_faces_latents(editor, crops, measures, *, steps, tune=0) -> Found:
    """Invert crops `[N, S, S, 3]` uint8: encoder, `steps` of fitting, `tune` on a generator for each."""
    begin = time.time()
    way = list(find_latents(editor, crops, steps=steps))
    w_plus = way[-1]
    editors = [editor] * len(crops)
    if tune:
        editors = [tuned_editor(editor, crop, latent, steps=tune) for crop, latent in zip(crops, w_plus)]
    seconds = time.time() - begin
    ends = [way[0], w_plus] if steps else [w_plus]
    stages = [measure(measures, crops, editor.render(latents)) for latents in ends]
    if tune:
        drawn = [one.render(latent[None])[0] for one, latent in zip(editors, w_plus)]
        stages.append(measure(measures, crops, np.stack(drawn)))
    return Found(w_plus, editors, stages, seconds)


def photo_to_files(
    editor,
    path,
    edit,
    folder,
    *,
    which="largest",
    landmarks=None,
    landmark_path=None,
    steps,
    tune=0,
    way="blend",
    identity_path=None,
) -> tuple:
    """Edit the faces of one photo and write FILES, and each tuned generator.

    Args:
        editor: Editor.
        path: the photo.
        edit: Edit.
        folder: of the results.
        which, landmarks, landmark_path: as in photo.aligned_faces.
        steps: of fitting behind the encoder.
        tune: steps that tune a generator to each face; 0 for none.
        way: as in align.paste_back.
        identity_path: as in quality.load_measures.
    Returns:
        (number of faces, lines that say how well each was inverted, paths written).
    Raises:
        UserError: as photo.aligned_faces.
    """
    folder, measures = Path(folder), load_measures(editor.bundle, identity_path)
    photo, faces = aligned_faces(
        editor.bundle, path, which=which, landmarks=landmarks, landmark_path=landmark_path
    )
    crops = np.stack([face.crop for face in faces])
    found = find_faces_latents(editor, crops, measures, steps=steps, tune=tune)
    edited, rows = photo, []
    for face, latent, own in zip(faces, found.w_plus, found.editors):
        edited, before, after = edited_photo(own, edited, [face], latent[None], edit, way=way)
        rows += [face.crop, before[0], after[0]]
    save_png(folder / FILES[0], edited)
    save_png(folder / FILES[1], grid([photo, edited], 2, gap=4, background=255))
    save_png(folder / FILES[2], grid(rows, 3))
    save_latent(folder / FILES[3], found.w_plus)
    written = [folder / name for name in FILES]
    if tune:
        written += [_save_tuned(folder, number, own, editor) for number, own in enumerate(found.editors, 1)]
    warn_if_poor(editor.bundle.name, found.stages[-1].psnr)
    after = measure(measures, crops, np.stack(rows[2::3]))
    return len(faces), _lines(measures, found, after), written


def _save_tuned(folder, number, tuned, untuned) -> Path:
    place, marks = folder / f"generator_{number}.safetensors", untuned.bundle.fingerprints
    save_generator(
        place,
        tuned.bundle.generator,
        name=untuned.bundle.name,
        about={TUNED_FROM: marks.get(TUNED_FROM, marks["generator"])},
    )
    return place


def _lines(measures, found: Found, after: Any) -> list:
    lines = in_words(measures, *found.stages)
    if after.identity is not None:
        lines = [f"{line} ({kept:.3f} after the edit)" for line, kept in zip(lines, after.identity)]
    share = found.seconds / len(lines)
    return [f"face {number}: {line}, {share:.1f} s" for number, line in enumerate(lines, 1)]
