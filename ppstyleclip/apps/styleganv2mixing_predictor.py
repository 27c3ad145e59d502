# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2MixingPredictor: two faces mixed level by level, as PaddleGAN's class of this name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ppstyleclip.apps.styleganv2_predictor import StyleGANv2Predictor
from ppstyleclip.cli.saving import save_mixture
from ppstyleclip.files import check_writable
from ppstyleclip.pipelines.latent_files import load_face
from ppstyleclip.pipelines.sampling import mix_faces
from ppstyleclip.worker import on_worker


class StyleGANv2MixingPredictor(StyleGANv2Predictor):
    """Mixes two faces and writes the result, as PaddleGAN's class of this name.

    Args:
        output_path, weight_path, ...: as StyleGANv2Predictor's; `seed` is of no effect, for nothing is drawn.
    """

    @on_worker
    def run(  # type: ignore[override]  # as PaddleGAN's
        self, latent1: str | Path, latent2: str | Path, weights: float | Sequence[float] = 0.5
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Write src1.mixing.png, src2.mixing.png, dst.mixing.png and dst.mixing.npy.

        Args:
            latent1, latent2: paths of latent files.
            weights: share of the first at each level (18 at 1024 px), or one number for all.
        Returns:
            (src1 picture, src2 picture, dst picture).
        """
        folder = check_writable(self.output_path)
        first, second = (load_face(self.editor, latent) for latent in (latent1, latent2))
        made = mix_faces(self.editor, first, second, weights=np.asarray(weights))
        save_mixture(folder, made)
        return made.first, made.second, made.pixels
