# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces of a photo: found, chosen, and cut out as the generator draws them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppstyleclip.align import (
    Alignment,
    CropWeights,
    Face,
    FaceFinder,
    align_face,
    choose_faces,
    cut_square,
    cut_upright,
    find_faces,
    find_photo_faces,
    load_face_finder,
)
from ppstyleclip.errors import UserError
from ppstyleclip.files import import_cv2
from ppstyleclip.models.canvas import Canvas
from ppstyleclip.zoo import Bundle
from ppstyleclip.zoo.load import people_landmarks

ALIGNMENTS = ("face", "none")  # "none": of what has no landmarks, the square in the middle of the picture


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """One face of a photo, or what else the generator draws.

    Attributes:
        crop: `[S, S, 3]` uint8, as the generator draws faces.
        alignment: by which it returns into the photo; None where the whole picture was taken as it is.
        face: where it was found and how sure that is; None as above, and of what is no face.
        canvas: on which a generator draws the aligned face as it stands in this crop; None: it is aligned.
    """

    crop: np.ndarray
    alignment: Alignment | None
    face: Face | None = None
    canvas: Canvas | None = None


def load_finder(bundle: Bundle, landmark_path: str | Path | None = None) -> FaceFinder:
    """Load what finds the faces that a model knows.

    Args:
        bundle: of the model.
        landmark_path: a landmark predictor of dlib's; with it, dlib's own detector of people is taken.
    Raises:
        MissingFile, MissingExtra: what finds faces is not on this machine; the message names the cure.
    """
    if landmark_path is not None:
        return load_face_finder(landmark_path)
    landmarks, detector = bundle.face_models
    finder = load_face_finder(landmarks, detector)
    return finder if detector is None else dataclasses.replace(finder, kind=bundle.name)


def load_people_finder(landmark_path: str | Path | None = None) -> FaceFinder:
    """Load what finds people in photographs, whatever the model; arguments and errors as load_finder."""
    return load_face_finder(people_landmarks() if landmark_path is None else landmark_path)


def find_chosen_faces(
    finder: FaceFinder, photo: np.ndarray, which: str | int = "best", *, name: str = "the photo"
) -> list[Face]:
    """Find faces in a photo and choose among them; align.find_photo_faces, which tells of the others too."""
    return find_photo_faces(finder, photo, which, name=name).chosen


def find_faces_if_any(finder: FaceFinder, photo: np.ndarray, which: str | int = "best") -> list[Face]:
    """Find faces as find_chosen_faces does; none where the photo has too few of them."""
    faces = find_faces(finder, photo)
    if not faces or str(which).isdecimal() and int(which) > len(faces):
        return []
    return choose_faces(faces, which)


def cut_faces(
    photo: np.ndarray, faces: Sequence[Face], size: int, crop: CropWeights | None = None
) -> list[AlignedFace]:
    """Cut faces out of a photo, crops of `size` pixels.

    Args:
        photo: `[H, W, 3]` uint8.
        faces: in it.
        size: of the crops.
        crop: the model's own (`bundle.crop`); None is FFHQ's.
    Raises:
        UserError: a face is tiny, or is not in this photo.
    """
    return [AlignedFace(*align_face(photo, face.landmarks, size, crop), face) for face in faces]


def cut_chosen_faces(
    bundle: Bundle,
    photo: np.ndarray,
    which: str | int,
    *,
    faces: Sequence[Face] | None = None,
    finder: FaceFinder | None = None,
    name: str = "the photo",
    align: str = "face",
) -> list[AlignedFace]:
    """Find the faces of a photo, choose among them, and cut those out as the model's crop is.

    Args:
        bundle: the model.
        photo: `[H, W, 3]` uint8.
        which: as in align.choose_faces.
        faces: where they are known; then nothing is looked for.
        finder: of load_finder; None loads the model's own.
        name: of the photo, for messages.
        align: one of ALIGNMENTS; "none" looks for nothing.
    Raises:
        UserError, MissingFile, MissingExtra: as load_finder, find_chosen_faces and cut_faces.
    """
    check_align(align)
    if align == "none":
        return [cut_middle(photo, bundle.generator.size)]
    if faces is None:
        chosen = find_chosen_faces(load_finder(bundle) if finder is None else finder, photo, which, name=name)
    else:
        chosen = choose_faces(faces, which)
    return cut_faces(photo, chosen, bundle.generator.size, bundle.crop)


def unaligned_face(photo: np.ndarray, face: AlignedFace) -> AlignedFace:
    """The same face as it stands in its photo, not turned, for generators that draw any pose.

    Args:
        photo: `[H, W, 3]` uint8.
        face: cut out of it, with its landmarks.
    """
    assert face.alignment is not None and face.face is not None
    crop, alignment, pose = cut_upright(photo, face.face.landmarks, face.alignment)
    return AlignedFace(crop, alignment, face.face, Canvas(*pose))


def check_align(align: str) -> None:
    """Refuse a word that is none of ALIGNMENTS."""
    if align not in ALIGNMENTS:
        raise UserError(f"unknown alignment '{align}', known: {', '.join(ALIGNMENTS)}")


def cut_middle(photo: np.ndarray, size: int) -> AlignedFace:
    """The square in the middle of a picture, for generators of cats or cars; errors as cut_square."""
    return AlignedFace(*cut_square(photo, size))


def cut_large_faces(
    photo: np.ndarray, faces: Sequence[Face], size: int, crop: CropWeights | None = None
) -> list[AlignedFace]:
    """Cut those faces out of a photo that are large enough; arguments as cut_faces."""
    cut: list[AlignedFace] = []
    for face in faces:
        with contextlib.suppress(UserError):
            cut += cut_faces(photo, [face], size, crop)
    return cut


def whole_face(photo: np.ndarray, size: int, *, name: str = "the picture") -> AlignedFace:
    """Bring a picture that is a crop of a face already to the generator's size.

    Args:
        photo: `[H, H, 3]` uint8.
        size: of the generator.
        name: of the picture, for messages.
    Raises:
        UserError: it is not a square.
    """
    if photo.shape[0] != photo.shape[1]:
        raise UserError(
            f"{name} is {photo.shape[1]}x{photo.shape[0]}; an aligned face is a square: leave "
            "the alignment to the command"
        )
    cv2 = import_cv2()
    way = cv2.INTER_AREA if photo.shape[0] > size else cv2.INTER_CUBIC
    return AlignedFace(cv2.resize(photo, (size, size), interpolation=way), None)
