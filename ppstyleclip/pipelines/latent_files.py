# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latents out of files, for the generator of an editor: one face, or a bank of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_metadata
from ppstyleclip.formats import load_bank, load_latent, sniff
from ppstyleclip.methods.checks import check_count


def load_face(editor: Editor, path: Any, index: int = 0) -> np.ndarray:
    """Read a face of the editor's generator: w_plus `[1, L, D]`, number `index` of those in the file.

    Raises:
        UserError: the file holds no such latent, or one of another shape, or states another generator.
    """
    w_plus = load_latent(path, index=index)
    check_generator(editor, path)
    return editor.take_latents(w_plus)


def load_faces(editor: Editor, path: Any, count: int | None = None) -> np.ndarray:
    """Read a bank of faces of the editor's generator.

    Args:
        editor: Editor.
        path: w_plus or styles, as formats.load_bank reads them.
        count: how many, from the first on; None for all.
    Returns:
        w_plus `[N, L, D]` or flat styles `[N, S]`.
    Raises:
        UserError: they are not of this generator, or there are none of them.
    """
    if count is not None:
        check_count("number of faces", count, least=1)
    faces, size = load_bank(path), editor.bundle.layout.size
    check_generator(editor, path)
    if faces.shape[-1] == size:
        faces = faces.reshape(-1, size)  # a table of styles was read as the layers of one face
    return editor.take_latents(faces[:count])


def check_generator(editor: Editor, path: Any) -> None:
    """Refuse a file of latents that states another generator than the editor's."""
    stated = read_metadata(path).get("generator") if sniff(path) == "safetensors" else None
    own = editor.bundle.fingerprints.get("generator")
    if stated and own and stated != own:
        raise UserError(
            f"{path} holds latents of generator {stated}, but '{editor.bundle.name}' is {own}; "
            "use latents that were made for this generator"
        )
