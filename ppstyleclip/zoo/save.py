# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A loaded bundle, from whatever source, as a folder of our own files."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from ppstyleclip.errors import MissingFile
from ppstyleclip.files import all_or_nothing, atomic_file
from ppstyleclip.inputs import as_path
from ppstyleclip.models.arcface import IRSE50
from ppstyleclip.zoo.bundle import Bundle
from ppstyleclip.zoo.crops import save_crop
from ppstyleclip.zoo.encoders import save_encoder
from ppstyleclip.zoo.identities import save_identity
from ppstyleclip.zoo.pack import CROP, DETECTOR, ENCODER, IDENTITY, LANDMARKS, save_pack
from ppstyleclip.zoo.registry import read_registry
from ppstyleclip.zoo.stored_directions import DIRECTIONS, save_directions


@all_or_nothing()
def save_bundle(folder: str | Path, bundle: Bundle, *, half: bool = False) -> dict[str, str]:
    """Write a bundle as a folder that load_pack reads; everything that is still deferred is loaded first.

    Face models go along where the bundle has a detector of its own, an identity network where it is an
    IR-SE50; for other models both are fetched again when they are needed.

    Args:
        folder: where; made if need be.
        bundle: of load_bundle, or one with parts replaced.
        half: store the networks, relevance and latents as float16: half the size, and rounded numbers.
    Returns:
        the fingerprints `{"generator": ..., "clip": ...}` of what load_pack will read back.
    Raises:
        CannotWrite: the folder cannot be written.
        UserError: a part is missing, such as the relevance of a generator that was never measured.
    """
    folder = as_path(folder)
    marks = save_pack(
        folder,
        generator=bundle.generator,
        stats=bundle.stats,
        relevance=bundle.relevance,
        clip=bundle.clip,
        latents=bundle.latents,
        s_base=bundle.s_base,
        defaults=bundle.defaults,
        half=half,
        name=bundle.name,
    )
    if bundle.encoder is not None:
        save_encoder(folder / ENCODER, bundle.encoder, generator=marks["generator"], half=half)
    if isinstance(bundle.identity, IRSE50):
        save_identity(folder / IDENTITY, bundle.identity, half=half)
    if bundle.crop is not None:
        save_crop(folder / CROP, bundle.crop)
    if bundle.directions is not None:
        save_directions(folder / DIRECTIONS, bundle.directions, generator=marks["generator"])
    _copy_face_models(bundle, folder)
    return marks


def _copy_face_models(bundle: Bundle, folder: Path) -> None:
    """Copy the landmark model and the detector of a model that has a detector of its own."""
    landmarks, detector = None, None
    if (
        bundle.name not in read_registry()["models"]
    ):  # the published ones all take dlib's, which would be fetched
        with contextlib.suppress(MissingFile):
            landmarks, detector = bundle.face_models or (None, None)
    if landmarks is None or detector is None:
        return
    for source, name in ((landmarks, LANDMARKS), (detector, DETECTOR)):
        if Path(source).resolve() != (folder / name).resolve():
            with open(source, "rb") as file, atomic_file(folder / name) as copy:
                shutil.copyfileobj(file, copy)
