# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A bank of latents out of a folder of photos: the faces that are found, cut out and inverted, one by one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppstyleclip.align import read_photo
from ppstyleclip.cli.curve_files import write_csv
from ppstyleclip.cli.saving import save_labelled, save_latent
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError, one_line
from ppstyleclip.files import all_or_nothing
from ppstyleclip.pictures import enlarged, grid
from ppstyleclip.pipelines.faces import cut_faces, find_chosen_faces, load_finder, whole_face
from ppstyleclip.wording import counted

SHEET_FACES = 24  # that faces.png shows
_COLUMNS = 8  # of its rows: photo, drawn


@dataclass(frozen=True, eq=False)
class PhotoRecord:
    """The faces of photo `done` of `total`.

    Attributes:
        path: the photo.
        crops: `[K, S, S, 3]` uint8, its chosen faces; none where it was left out.
        w_plus: `[K, L, D]`.
        reason: why it was left out, or "".
    """

    done: int
    total: int
    path: Path
    crops: np.ndarray
    w_plus: np.ndarray
    reason: str = ""


def invert_photos(
    editor: Editor,
    paths: Sequence[Path],
    *,
    which: str | int = "best",
    aligned: bool = False,
    landmark_path: str | Path | None = None,
) -> Iterator[PhotoRecord]:
    """Find the latents of the faces in some photos with the model's encoder.

    Args:
        editor: Editor.
        paths: of the photos.
        which: faces of each, as in align.choose_faces; "all" for all.
        aligned: each is a crop of a face already.
        landmark_path: as in load_finder.
    Returns:
        iterator of a PhotoRecord for each photo; one without a face is left out with its reason.
    Raises:
        UserError: the model has no encoder; at once.
        MissingFile, MissingExtra: what finds faces is not on this machine.
    """
    if editor.bundle.encoder is None:
        raise UserError(f"'{editor.bundle.name}' has no encoder; `ppstyleclip fit` finds latents without one")
    finder = None if aligned else load_finder(editor.bundle, landmark_path)
    return _inverted(editor, paths, which, finder)


def _inverted(editor, paths, which, finder) -> Iterator[PhotoRecord]:
    generator = editor.bundle.generator
    size, total = generator.size, len(paths)
    nothing = np.zeros([0, size, size, 3], np.uint8), np.zeros([0, generator.n_latent, generator.style_dim])
    for done, path in enumerate(paths, 1):
        try:
            photo = read_photo(path)
            if finder is None:
                faces = [whole_face(photo, size, name=str(path))]
            else:
                faces = cut_faces(
                    photo, find_chosen_faces(finder, photo, which, name=str(path)), size, editor.bundle.crop
                )
        except UserError as error:
            yield PhotoRecord(done, total, path, *nothing, one_line(error))
            continue
        crops = np.stack([face.crop for face in faces])
        yield PhotoRecord(done, total, path, crops, editor.invert(crops))


def collect_photos(records: Iterator[PhotoRecord]) -> list[PhotoRecord]:
    """Keep the records that have faces, and warn of the photos that were left out.

    Raises:
        UserError: no photo has a face.
    """
    found, total = [], 0
    for record in records:
        total = record.total
        if record.reason:
            warnings.warn(f"left out: {record.reason}", stacklevel=2)
        else:
            found.append(record)
    if not found:
        raise UserError(f"no face was found in {counted(total, 'picture')}")
    return found


@all_or_nothing()
def save_photo_bank(folder: Path, editor: Editor, found: Sequence[PhotoRecord]) -> list[Path]:
    """Write latents.npy `[N, L, D]`, latents.csv (which photo each is of) and faces.png (photo, drawn)."""
    w_plus = np.concatenate([record.w_plus for record in found])
    crops = np.concatenate([record.crops for record in found])[:SHEET_FACES]
    names = [record.path.name for record in found for _ in record.crops]
    drawn, cells = editor.render(w_plus[:SHEET_FACES]), []
    for first in range(0, len(crops), _COLUMNS):
        for row in (crops[first : first + _COLUMNS], drawn[first : first + _COLUMNS]):
            blank = np.full(
                [(_COLUMNS if len(crops) > _COLUMNS else len(row)) - len(row), *row.shape[1:]], 255
            )
            cells.append(np.concatenate([row, blank.astype(np.uint8)]))
    written = [folder / name for name in ("latents.npy", "latents.csv", "faces.png")]
    save_latent(written[0], w_plus)
    write_csv(written[1], [("number", "photo"), *((str(k), name) for k, name in enumerate(names))])
    save_labelled(written[2], grid(enlarged(np.concatenate(cells)), len(cells[0]), background=255))
    return written
