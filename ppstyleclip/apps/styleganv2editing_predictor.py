# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2EditingPredictor: edits by stored directions in w_plus, as PaddleGAN's class of this name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.apps.styleganv2_predictor import StyleGANv2Predictor
from ppstyleclip.cli.saving import save_move
from ppstyleclip.files import check_writable
from ppstyleclip.pipelines.editing import move_face
from ppstyleclip.pipelines.latent_files import load_face
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import choose_direction, open_directions


class StyleGANv2EditingPredictor(StyleGANv2Predictor):
    """Edits faces by stored directions and writes the result, as PaddleGAN's class of this name.

    Args:
        model_type: a known model; None is the embedded face world.
        direction_path: file of directions instead of the model's own.
        output_path, weight_path, ...: as StyleGANv2Predictor's; `seed` is of no effect, for nothing is drawn.

    Attributes:
        directions: `{name: tensor [L, D] or [1, D]}`.
    Raises:
        UserError: unknown model, one without directions, an unreadable file, or a size that contradicts it.
    """

    def __init__(
        self,
        model_type: str | None = None,
        direction_path: str | Path | None = None,
        output_path: str | Path = "output_dir",
        weight_path: str | Path | None = None,
        *others: Any,
        **options: Any,
    ):
        self._directions = open_directions(model_type, direction_path)
        self.directions = {name: paddle.to_tensor(step) for name, step in self._directions.items()}
        super().__init__(output_path, weight_path, model_type, *others, **options)

    @on_worker
    def run(  # type: ignore[override]  # as PaddleGAN's
        self, latent: str | Path, direction: str | None, offset: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Write src.editing.png, dst.editing.png and dst.editing.npy.

        Args:
            latent: path of a latent file.
            direction: name of a direction; None where there is only one.
            offset: strength; 0 changes nothing.
        Returns:
            (src picture, dst picture, w_plus of dst `[L, D]`).
        """
        step = choose_direction(self._directions, direction)
        face, folder = load_face(self.editor, latent), check_writable(self.output_path)
        made = result_of(move_face(self.editor, face, step, [offset]))
        save_move(folder, made)
        return made.before, made.after, made.w_plus[-1]
