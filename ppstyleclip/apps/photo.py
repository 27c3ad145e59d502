# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From a photo to latents and back: what the commands that take photographs share."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppstyleclip.align import (
    align_face,
    choose_faces,
    find_faces,
    load_face_finder,
    paste_back,
    read_landmarks,
    read_photo,
)
from ppstyleclip.errors import UserError
from ppstyleclip.methods.descent import geometric
from ppstyleclip.pictures import to_images, to_pixels

FIT_STEPS = 60
START_RATE, LAST_RATE = 0.1, 0.025  # PaddleGAN's fitting


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """One face of a photo.

    Attributes:
        crop: `[S, S, 3]` uint8, as the generator draws faces.
        alignment: align.Alignment, by which it returns; None where the whole picture was taken as it is.
    """

    crop: np.ndarray
    alignment: Any


def aligned_faces(bundle, path, *, which="largest", landmarks=None, landmark_path=None) -> tuple:
    """Read a photo and cut faces out of it, of the generator's size.

    Args:
        bundle: of the model; its face models are used.
        path: the photo.
        which: as in align.choose_faces.
        landmarks: path of landmarks as JSON, in place of dlib.
        landmark_path: a landmark predictor of dlib's in place of the bundle's.
    Returns:
        (photo `[H, W, 3]` uint8, list of AlignedFace from left to right).
    Raises:
        UserError: no photo, no face, or a face that is too small.
        MissingFile, MissingExtra: what finds faces is not here; names the cure.
    """
    photo = read_photo(path)
    if landmarks is not None:
        faces = read_landmarks(landmarks)
    else:
        finder = load_finder(bundle, landmark_path)
        faces = find_faces(finder, photo)
        if not faces and landmark_path is None and bundle.face_models[1] is not None:
            raise UserError(
                f"no face of the kind that '{bundle.name}' knows was found in {path}; for "
                "photographs of people name a model of theirs, such as --model_type "
                "ffhq-config-f, or give the landmarks as JSON"
            )
    return photo, _cut(bundle, photo, choose_faces(faces, which))


def load_finder(bundle, landmark_path=None):
    """What finds the faces that a model knows; with `landmark_path` dlib's detector and that predictor."""
    return load_face_finder(*(bundle.face_models if landmark_path is None else (landmark_path, None)))


def chosen_faces(finder, photo, which="largest") -> list:
    """The chosen faces of a photo, align.Faces from left to right; none where there are too few."""
    faces = find_faces(finder, photo)
    if not faces or which.isdigit() and int(which) > len(faces):
        return []
    return choose_faces(faces, which)


def cut_faces(bundle, photo, faces) -> list:
    """Cut align.Faces out of a photo, AlignedFaces; those that are large enough."""
    cut = []
    for face in faces:
        with contextlib.suppress(UserError):
            cut += _cut(bundle, photo, [face])
    return cut


def _cut(bundle, photo, faces) -> list:
    return [AlignedFace(*align_face(photo, face.landmarks, bundle.generator.size)) for face in faces]


def whole_picture(bundle, path) -> AlignedFace:
    """Read a picture that is aligned already, and bring it to the generator's size.

    Raises:
        UserError: it is no picture, or not a square.
    """
    from ppstyleclip.files import import_cv2

    cv2, photo, size = import_cv2(), read_photo(path), bundle.generator.size
    if photo.shape[0] != photo.shape[1]:
        raise UserError(
            f"{path} is {photo.shape[1]}x{photo.shape[0]}; an aligned face is a square: leave "
            "the alignment to the command"
        )
    way = cv2.INTER_AREA if photo.shape[0] > size else cv2.INTER_CUBIC
    return AlignedFace(cv2.resize(photo, (size, size), interpolation=way), None)


def find_latents(editor, crops, *, steps=FIT_STEPS, start=None, **options):
    """Yield latents that draw some crops better and better: the encoder's, then those of each fitting step.

    Args:
        editor: Editor.
        crops: `[N, S, S, 3]` uint8, of the generator's size.
        steps: of fitting; 0 stays with the encoder.
        start: w_plus `[N, L, D]` to begin with; None asks the encoder.
        options: of fitting.fit_latents; `rates` replaces the usual ones.
    Yields:
        w_plus `[N, L, D]`.
    """
    from ppstyleclip.methods.fitting import fit_latents

    w_plus = editor.invert(crops) if start is None else np.asarray(start, np.float32)
    yield w_plus
    rates = options.pop("rates", None) or geometric(START_RATE, LAST_RATE, steps)
    if steps:
        for step in fit_latents(editor.bundle.generator, to_images(crops), w_plus, rates, **options):
            yield step.value


def edited_photo(editor, photo, faces, w_plus, edit, *, way="blend") -> tuple:
    """Edit faces of a photo and put them back.

    Args:
        editor: Editor.
        photo: `[H, W, 3]` uint8.
        faces: N AlignedFaces of it.
        w_plus: `[N, L, D]` their latents.
        edit: Edit.
        way: as in align.paste_back.
    Returns:
        (photo with the edited faces, drawn faces `[N, S, S, 3]` before and after the edit).
    """
    before, after = editor.draw(w_plus), editor.draw(editor.apply(w_plus, edit))
    for face, old, new in zip(faces, before, after):
        photo = paste_back(photo, face.alignment, _levels(new), _levels(old), way=way)
    return photo, to_pixels(before), to_pixels(after)


def _levels(image) -> np.ndarray:
    """An image `[3, H, W]` as `[H, W, 3]` of 0 to 255; not rounded, so that small differences stay."""
    return (image.transpose(1, 2, 0) + 1) * 127.5


def tuned_editor(editor, crop, w_plus, *, steps, distance=None):
    """Change an editor's generator around one latent until it draws one face, as PTI does.

    Args:
        editor: Editor; it is left as it is.
        crop: `[S, S, 3]` uint8.
        w_plus: `[L, D]` the face's latent.
        steps: of Adam on the generator's weights, at least 1.
        distance: as in fitting.tune_generator.
    Returns:
        Editor whose generator is the tuned one; everything else is the same.
    """
    from ppstyleclip.editor import Editor
    from ppstyleclip.methods.fitting import tune_generator

    for _, _, generator in tune_generator(
        editor.bundle.generator, to_images(crop[None]), w_plus[None], num_steps=steps, distance=distance
    ):
        last = generator
    return Editor(editor.bundle.with_parts(generator=last))
