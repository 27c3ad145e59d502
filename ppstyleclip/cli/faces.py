# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces that a command line names: out of latent files, or sampled."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_metadata
from ppstyleclip.formats import load_latent, sniff


def load_face(editor: Editor, path: str | Path, index: int = 0) -> np.ndarray:
    """Read a face of the editor's generator: w_plus `[1, L, D]`, number `index` of those in the file.

    Raises:
        UserError: the file holds no such latent, or one of another shape, or states another generator.
    """
    w_plus = load_latent(path, index=index)
    stated = read_metadata(path).get("generator") if sniff(path) == "safetensors" else None
    own = editor.bundle.fingerprints.get("generator")
    if stated and own and stated != own:
        raise UserError(
            f"{path} holds latents of generator {stated}, but '{editor.bundle.name}' is {own}; "
            "use latents that were made for this generator"
        )
    return editor.take_latents(w_plus)


def given_face(editor: Editor, args: Namespace, number: str = "", *, seed: int) -> tuple[np.ndarray, str]:
    """Return the face that add_face_arguments let a user name, w_plus `[1, L, D]`, and what to call it."""
    latent, given = getattr(args, f"latent{number}"), getattr(args, f"seed{number}")
    if latent is not None:
        return load_face(editor, latent, getattr(args, f"index{number}")), str(latent)
    seed = seed if given is None else given
    return editor.sample(seed).numpy(), f"sampled face {seed}"
