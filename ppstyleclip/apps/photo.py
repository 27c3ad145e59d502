# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Other names of what is in cli.photos and pipelines.inversion."""

from __future__ import annotations

from ppstyleclip.align import read_photo
from ppstyleclip.cli.photos import read_faces
from ppstyleclip.methods.inversion import FittingConfig
from ppstyleclip.pipelines import inversion


def aligned_faces(bundle, path):  # alias until the sweep: read_photo, then cli.photos.read_faces
    """Read a photo and cut its largest face out: (photo, [AlignedFace])."""
    photo = read_photo(path)
    return photo, read_faces(bundle, path, photo)


def find_latents(editor, crops, *, steps=60):  # alias until the sweep: pipelines.inversion.find_latents
    """Yield w_plus `[N, L, D]` of each record."""
    for record in inversion.find_latents(editor, crops, FittingConfig(steps=steps)):
        yield record.w_plus
