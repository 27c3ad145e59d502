# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2FittingPredictor: a photo's latent by optimisation, as PaddleGAN's class of this name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ppstyleclip.apps.styleganv2_predictor import StyleGANv2Predictor
from ppstyleclip.cli.latents.fit import load_distance_or_warn
from ppstyleclip.cli.photos import read_face
from ppstyleclip.cli.progress import show_progress
from ppstyleclip.cli.saving import save_inversion
from ppstyleclip.files import check_writable
from ppstyleclip.pipelines.fitting import fit_config, fit_face
from ppstyleclip.pipelines.latent_files import load_face
from ppstyleclip.pipelines.quality import load_measures
from ppstyleclip.pipelines.records import result_of


class StyleGANv2FittingPredictor(StyleGANv2Predictor):
    """Fits latents to photos and writes the result, as PaddleGAN's class of this name; arguments likewise.

    Args:
        output_path, weight_path, ...: as StyleGANv2Predictor's; `seed` is of no effect, for nothing is drawn
            at random.
    """

    def run(  # type: ignore[override]  # as PaddleGAN's
        self,
        image: str | Path,
        need_align: bool = False,
        start_lr: float | None = None,
        final_lr: float | None = None,
        latent_level: Sequence[int] | None = None,
        step: int | None = None,
        mse_weight: float | None = None,
        pre_latent: str | Path | None = None,
        recipe: str = "paddlegan",
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fit one picture; write src.fitting.png, dst.fitting.png and dst.fitting.npy.

        Args:
            image: path of the picture; need_align finds the face in it.
            start_lr, final_lr: first and last learning rate; what is None here and below is the recipe's.
            latent_level: layers of w_plus that move.
            step: how many steps.
            mse_weight: of the squared differences beside LPIPS or VGG.
            pre_latent: path of a latent to begin with; None asks the encoder, or takes the mean latent.
            recipe: "paddlegan", "image2stylegan" or "projector".
        Returns:
            (src picture, dst picture, w_plus `[L, D]`).
        """
        editor = self.editor
        face = read_face(editor.bundle, image, aligned=not need_align)
        config = fit_config(
            recipe,
            steps=step,
            start_rate=start_lr,
            last_rate=final_lr,
            levels=latent_level,
            mse_weight=mse_weight,
        )
        folder = check_writable(self.output_path)
        distance = load_distance_or_warn(config, editor.bundle.generator.size)
        measures = load_measures(editor.bundle, distance=distance)
        start = None if pre_latent is None else load_face(editor, pre_latent)
        records = fit_face(editor, face.crop, config, measures, start=start, distance=distance)
        made = result_of(show_progress(records, title="fitting"))
        save_inversion(folder, made, infix=".fitting")
        return made.crop, made.drawn, made.w_plus
