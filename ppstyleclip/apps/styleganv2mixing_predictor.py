# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2MixingPredictor: two faces mixed level by level, as PaddleGAN's class of this name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppstyleclip.apps.faces import load_face, save_latent
from ppstyleclip.editor import Editor
from ppstyleclip.files import check_writable, save_png
from ppstyleclip.methods.interpolate import mix

FILES = ("src1.mixing.png", "src2.mixing.png", "dst.mixing.png", "dst.mixing.npy")


def mixture_to_files(editor: Editor, first, second, mixture, output_path) -> tuple:
    """Draw two faces and their mixture, each w_plus `[1, L, D]`; write FILES.

    Returns:
        (picture of first, of second, of the mixture: `[H, W, 3]` uint8).
    Raises:
        UserError: a latent is of another generator, or the folder cannot be written.
    """
    folder = check_writable(output_path)
    pictures = editor.render(np.concatenate([first, second, mixture]))
    for name, picture in zip(FILES, pictures):
        save_png(folder / name, picture)
    save_latent(folder / FILES[-1], mixture[0])
    return tuple(pictures)


class StyleGANv2MixingPredictor:
    """Mixes two faces and writes the result, as PaddleGAN's class of this name.

    Args:
        output_path: folder of the pictures.
        weight_path: weights of the generator; None takes those of `model_type`.
        model_type: a known model; None is the embedded face world.
        seed: not used, for nothing is drawn; PaddleGAN's class has it.
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

    def run(self, latent1, latent2, weights=0.5) -> tuple:
        """Write src1.mixing.png, src2.mixing.png, dst.mixing.png and dst.mixing.npy.

        Args:
            latent1, latent2: paths of latent files.
            weights: share of the first at each level (18 at 1024 px), or one number for all.
        Returns:
            (src1 picture, src2 picture, dst picture).
        """
        first, second = (load_face(self.editor, latent) for latent in (latent1, latent2))
        return mixture_to_files(self.editor, first, second, mix(first, second, weights), self.output_path)
