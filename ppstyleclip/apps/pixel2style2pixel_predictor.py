# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pixel2Style2PixelPredictor: from a photo to the latent that draws it, as PaddleGAN's class of this name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppstyleclip.apps.faces import save_latent
from ppstyleclip.apps.photo import aligned_faces, whole_picture
from ppstyleclip.apps.quality import in_words, load_measures, measure
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_writable, save_png

FILES = ("src.png", "dst.png", "dst.npy")


@dataclass(frozen=True, eq=False)
class Inverted:
    """What an inversion made.

    Attributes:
        src, dst: the picture and what is drawn of it, `[S, S, 3]` uint8.
        w_plus: `[L, D]`.
        words: how near it came, and in how many seconds.
    """

    src: np.ndarray
    dst: np.ndarray
    w_plus: np.ndarray
    words: str


def inversion_to_files(editor: Editor, face, output_path, *, identity_path=None) -> Inverted:
    """Invert one face with the encoder of the editor's model and write FILES.

    Args:
        editor: the editor.
        face: photo.AlignedFace.
        output_path: folder, made if need be.
        identity_path: as in quality.load_measures.
    Raises:
        UserError: the model has no encoder, or the folder cannot be written.
    """
    if editor.bundle.encoder is None:
        raise UserError(
            f"'{editor.bundle.name}' has no encoder; use --model_type ffhq-inversion or "
            "toonface, or fit the latent: tools/styleganv2fitting.py"
        )
    folder, measures = check_writable(output_path), load_measures(editor.bundle, identity_path)
    begin = time.time()
    w_plus = editor.invert(face.crop[None])
    seconds = time.time() - begin
    drawn = editor.render(w_plus)
    save_png(folder / FILES[0], face.crop)
    save_png(folder / FILES[1], drawn[0])
    save_latent(folder / FILES[2], w_plus[0])
    (words,) = in_words(measures, measure(measures, face.crop[None], drawn))
    return Inverted(face.crop, drawn[0], w_plus[0], f"{words}, {seconds:.2f} s")


class Pixel2Style2PixelPredictor:
    """Inverts photos and writes the result, as PaddleGAN's class of this name.

    Args:
        output_path: folder of the results.
        weight_path: an encoder with its generator (pSp, e4e, ReStyle); None takes those of `model_type`.
        model_type: ffhq-inversion, ffhq-toonify; None is the embedded face world.
        seed: not used, for nothing is drawn at random; PaddleGAN's class has it.
        bundle: folder of a model of one's own, in place of model_type.
        size, style_dim, n_mlp, channel_multiplier: None takes them from the weights.
    Raises:
        UserError: unknown model, unreadable weights, or a size that contradicts them.
    """

    def __init__(
        self,
        output_path="output_dir",
        weight_path=None,
        model_type=None,
        seed=None,
        size=None,
        style_dim=None,
        n_mlp=None,
        channel_multiplier=None,
        bundle=None,
    ):
        self.output_path = Path(output_path)
        self.editor = Editor.from_pretrained(
            model_type,
            bundle=bundle,
            weight_path=weight_path,
            size=size,
            style_dim=style_dim,
            n_mlp=n_mlp,
            channel_multiplier=channel_multiplier,
        )
        self.generator = self.editor.bundle.generator

    def run(self, image, *, need_align=True, face="largest", landmarks=None, landmark_path=None) -> tuple:
        """Invert one face; write src.png (aligned), dst.png (as it is drawn) and dst.npy (its latent).

        Args:
            image: path of the photo.
            need_align: find the face and cut it out; else the picture is a crop already.
            face, landmarks, landmark_path: as in photo.aligned_faces.
        Returns:
            (src picture, dst picture, w_plus `[L, D]`).
        """
        if need_align:
            _, faces = aligned_faces(
                self.editor.bundle, image, which=face, landmarks=landmarks, landmark_path=landmark_path
            )
        else:
            faces = [whole_picture(self.editor.bundle, image)]
        made = inversion_to_files(self.editor, faces[0], self.output_path)
        return made.src, made.dst, made.w_plus
