# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The files of faces that went through a chain of mappers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.cli.saving import file_words, save_labelled, save_latent
from ppstyleclip.editor import Editor
from ppstyleclip.files import all_or_nothing, check_writable, sweep_drafts
from ppstyleclip.pictures import enlarged, grid
from ppstyleclip.pipelines.mapper_edit import MappedRecord
from ppstyleclip.pipelines.regions import draw_in_masks, find_masks

COLUMNS = 8  # of a grid of results, as torchvision lays them out


@all_or_nothing()
def write_face(
    editor: Editor,
    face: np.ndarray,
    way: Sequence[np.ndarray],
    output_path: Any,
    *,
    name: str,
    every: bool = False,
    region: Any = None,
) -> list[Path]:
    """Write one face, then what became of it, in one picture.

    Args:
        editor: Editor.
        face: `[1, L, D]` or `[1, S]`.
        way: the face after each mapper.
        output_path: folder.
        name: of the picture, results_<name>.png; see results_name.
        every: show what each mapper made, not only the last.
        region: where the picture may change, as in map_faces.
    Returns:
        paths written: the picture, and latent.npy, the last face (and with `every` those before it).
    """
    folder, shown = check_writable(output_path), way if every else way[-1:]
    masks = find_masks(editor, face, region)
    pictures = [editor.render(face), *(draw_in_masks(editor, face, one, masks) for one in shown)]
    drawn = enlarged(np.concatenate(pictures))
    written = [folder / f"results_{name}.png", folder / "latent.npy"]
    save_labelled(written[0], grid(drawn, min(COLUMNS, len(drawn)), gap=0))
    save_latent(written[1], np.atleast_2d(way[-1][0]))  # styles as [1, S], which load_faces reads
    for number, one in enumerate(way[:-1] if every else (), 1):
        written.append(folder / f"latent_{number}.npy")
        save_latent(written[-1], np.atleast_2d(one[0]))
    return written


def results_name(words: Sequence[str]) -> str:
    """What the picture of some texts or mappers is called: "sad face" and "curly" are sad_face_curly."""
    return file_words(" ".join(words))


def listed_name(words: Sequence[str]) -> str:
    """What seed 000's commands call it: its Python list.

    Parity: ['sad face', 'curly'], because programs that call those commands look for files of such names.
    """
    return "".join("_" if sign in '/\\:*?"<>|\0' else sign for sign in str(list(words)))[:150]


@all_or_nothing()
def write_bank(
    editor: Editor, records: Iterable[MappedRecord], output_path: Any, *, couple: bool = False
) -> list[Path]:
    """Write the faces of a bank as they come; the files take their names together at the end.

    Args:
        editor: Editor.
        records: of pipelines.mapper_edit.map_faces.
        output_path: folder.
        couple: show the face itself to the left of what became of it.
    Returns:
        paths written: inference_results/00000.png and latent_00000.npy, and so on.
    """
    folder, written = check_writable(output_path) / "inference_results", []
    sweep_drafts(folder)  # of a run that was killed
    for record in records:
        befores = editor.render(record.faces) if couple else record.pictures
        rows = zip(befores, record.pictures, record.mapped)
        for number, (before, picture, latent) in enumerate(rows, record.first):
            written += [folder / f"{number:05d}.png", folder / f"latent_{number:05d}.npy"]
            save_labelled(written[-2], grid([before, picture], 2) if couple else picture)
            save_latent(written[-1], np.atleast_2d(latent))
    return written
