# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A bank of latents split into one file for each text, by CLIP."""

from __future__ import annotations

import re

import numpy as np
from tqdm import tqdm

from ppstyleclip.apps.faces import save_latent
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_writable, write_atomic
from ppstyleclip.methods.split import groups_of, text_shares


def split_to_files(
    editor: Editor, faces, texts, output_path, *, stem="latents", least=0.0, templates="plain", batch_size=8
) -> tuple:
    """Sort faces by texts and write each group.

    Args:
        editor: of the faces' model.
        faces: `[N, L, D]` or `[N, S]`.
        texts, templates, batch_size: of split.text_shares.
        output_path: folder.
        stem: of the files' names, STEM_<text>.npy.
        least: of split.groups_of.
    Returns:
        ({text: number of its faces}, paths written). split.csv has a line for each face: its number, the text
        (empty for none), the shares. A text without faces has no file.
    Raises:
        UserError: as text_shares, or texts that would be files of one name.
    """
    folder = check_writable(output_path)
    names = [re.sub(r"\W+", "_", text.strip()).strip("_") or "text" for text in texts]
    if len(set(names)) < len(names):
        raise UserError(f"the texts would be files of one name ({', '.join(names)}); use others")
    parts = text_shares(
        editor.draw, editor.bundle.clip, faces, texts, templates=templates, batch_size=batch_size
    )
    progress = tqdm(parts, total=-(-len(faces) // batch_size), desc="sorting")
    shares = np.concatenate([part.shares for part in progress])
    groups, written = groups_of(shares, least), []
    for name, group in zip(names, groups):
        if len(group):
            written.append(folder / f"{stem}_{name}.npy")
            save_latent(written[-1], faces[group])
    written.append(folder / "split.csv")
    write_atomic(written[-1], _table(texts, shares, groups).encode())
    return {text: len(group) for text, group in zip(texts, groups)}, tuple(written)


def _table(texts, shares, groups) -> str:
    chosen = [""] * len(shares)
    for text, group in zip(texts, groups):
        for k in group:
            chosen[k] = text
    head = ["number", "text", *texts]
    rows = [[str(k), chosen[k], *(f"{share:.4f}" for share in line)] for k, line in enumerate(shares)]
    return "".join(",".join(_quoted(cell) for cell in row) + "\n" for row in [head, *rows])


def _quoted(cell) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search('[,"\n]', cell) else cell
