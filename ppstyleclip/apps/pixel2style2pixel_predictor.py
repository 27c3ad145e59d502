# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pixel2Style2PixelPredictor: from a photo to the latent that draws it, as PaddleGAN's class of this name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.apps.styleganv2_predictor import StyleGANv2Predictor
from ppstyleclip.cli.photos import landmarks_instead, read_face
from ppstyleclip.cli.saving import save_inversion
from ppstyleclip.files import check_writable
from ppstyleclip.pipelines.inversion import encode_face
from ppstyleclip.pipelines.quality import load_measures


class Pixel2Style2PixelPredictor(StyleGANv2Predictor):
    """Inverts photos and writes the result, as PaddleGAN's class of this name.

    Args:
        weight_path: an encoder with its generator (pSp, e4e, ReStyle); None takes those of `model_type`.
        model_type: ffhq-inversion, ffhq-toonify; None is the embedded face world, and so is PaddleGAN's word
            "default" for no name.
        output_path, options: as StyleGANv2Predictor's; `seed` is of no effect, for nothing is drawn at
            random.
    """

    def __init__(
        self,
        output_path: str | Path = "output_dir",
        weight_path: str | Path | None = None,
        model_type: str | None = None,
        *others: Any,
        **options: Any,
    ):
        model_type = None if model_type == "default" else model_type
        super().__init__(output_path, weight_path, model_type, *others, **options)

    def run(  # type: ignore[override]  # as PaddleGAN's
        self,
        image: str | Path,
        *,
        need_align: bool = True,
        face: str | int = "best",
        landmarks: str | Path | None = None,
        landmark_path: str | Path | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Invert one face; write src.png (aligned), dst.png (as it is drawn) and dst.npy (its latent).

        Args:
            image: path of the photo.
            need_align: find the face and cut it out; else the picture is a crop already.
            face, landmarks, landmark_path: as in cli.photos.read_face.
        Returns:
            (src picture, dst picture, w_plus `[L, D]`).
        """
        with landmarks_instead("landmarks="):
            found = read_face(
                self.editor.bundle,
                image,
                aligned=not need_align,
                which=face,
                landmarks=landmarks,
                landmark_path=landmark_path,
            )
        folder = check_writable(self.output_path)
        made = encode_face(self.editor, found.crop, load_measures(self.editor.bundle))
        save_inversion(folder, made)
        return made.crop, made.drawn, made.w_plus
