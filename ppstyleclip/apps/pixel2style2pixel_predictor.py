# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pixel2Style2PixelPredictor: from a photo to the latent that draws it, as PaddleGAN's class of this name."""
from __future__ import annotations

from pathlib import Path

from ppstyleclip.apps.faces import save_latent
from ppstyleclip.apps.photo import aligned_faces, psnr, whole_picture
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_writable, save_png

FILES = ("src.png", "dst.png", "dst.npy")


def inversion_to_files(editor: Editor, face, output_path) -> tuple:
    """Invert one face with the encoder of the editor's model and write FILES.

    Args:
        editor: the editor.
        face: photo.AlignedFace.
        output_path: folder, made if need be.
    Returns:
        (aligned picture, drawn picture, w_plus `[L, D]`, PSNR in dB).
    Raises:
        UserError: the model has no encoder, or the folder cannot be written.
    """
    if editor.bundle.encoder is None:
        raise UserError(f"'{editor.bundle.name}' has no encoder; use --model_type ffhq-inversion or "
                        "toonface, or fit the latent: tools/styleganv2fitting.py")
    folder = check_writable(output_path)
    w_plus = editor.invert(face.crop[None])
    drawn = editor.render(w_plus)
    save_png(folder / FILES[0], face.crop)
    save_png(folder / FILES[1], drawn[0])
    save_latent(folder / FILES[2], w_plus[0])
    return face.crop, drawn[0], w_plus[0], float(psnr(face.crop[None], drawn)[0])


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

    def __init__(self, output_path="output_dir", weight_path=None, model_type=None, seed=None,
                 size=None, style_dim=None, n_mlp=None, channel_multiplier=None, bundle=None):
        self.output_path = Path(output_path)
        self.editor = Editor.from_pretrained(
            model_type, bundle=bundle, weight_path=weight_path, size=size, style_dim=style_dim, n_mlp=n_mlp,
            channel_multiplier=channel_multiplier)
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
            _, faces = aligned_faces(self.editor.bundle, image, which=face, landmarks=landmarks,
                                     landmark_path=landmark_path)
        else:
            faces = [whole_picture(self.editor.bundle, image)]
        return inversion_to_files(self.editor, faces[0], self.output_path)[:3]
