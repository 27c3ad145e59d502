# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces that a command line names: out of latent files, or sampled."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.pipelines.latent_files import load_face


def given_face(editor: Editor, args: Namespace, number: str = "", *, seed: int) -> tuple[np.ndarray, str]:
    """Return the face that add_face_arguments let a user name, w_plus `[1, L, D]`, and what to call it."""
    latent, given = getattr(args, f"latent{number}"), getattr(args, f"seed{number}")
    if latent is not None:
        return load_face(editor, latent, getattr(args, f"index{number}") or 0), str(latent)
    seed = seed if given is None else given
    return editor.sample(seed).numpy(), f"sampled face {seed}"
