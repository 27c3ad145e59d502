# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2Predictor: sheets of sampled and mixed faces, as PaddleGAN's class of this name."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle

from ppstyleclip.editor import Editor
from ppstyleclip.files import check_writable, save_png
from ppstyleclip.pictures import grid


class StyleGANv2Predictor:
    """Draws faces that do not exist.

    Args:
        output_path: folder of the pictures.
        weight_path: weights of the generator; None takes those of `model_type`.
        model_type: a known model; None is the embedded face world.
        seed: makes `run` repeatable; None draws other faces each time.
        size, style_dim, n_mlp, channel_multiplier: None takes them from the weights.
    Raises:
        UserError: unknown model, unreadable weights, or a size that contradicts them.
    """

    def __init__(self, output_path="output_dir", weight_path=None, model_type=None, seed=None,
                 size=None, style_dim=None, n_mlp=None, channel_multiplier=None):
        self.output_path, self.seed = Path(output_path), seed
        self.editor = Editor.from_pretrained(
            model_type, weight_path=weight_path, size=size, style_dim=style_dim, n_mlp=n_mlp,
            channel_multiplier=channel_multiplier)
        self.generator = self.editor.bundle.generator

    def run(self, n_row=3, n_col=5) -> None:
        """Write sample.png (n_row x n_col faces), sample_mixing_0.png and sample_mixing_1.png."""
        check_writable(self.output_path)
        random = np.random.RandomState(self.seed)
        save_png(self.output_path / "sample.png",
                 grid(self.editor.render(self._sample(random, n_row * n_col)), n_col))
        for k in range(2):
            save_png(self.output_path / f"sample_mixing_{k}.png",
                     grid(self._mix(random, n_row, n_col), n_col + 1))

    def _sample(self, random, count):
        return self.editor.sample(random.randint(2 ** 31, size=count))

    def _mix(self, random, n_row, n_col) -> list:
        """A black corner and the sources; then rows of a target, and it with each source's finer layers."""
        sources, targets = self._sample(random, n_col), self._sample(random, n_row)
        top = self.editor.render(sources)
        pictures = [np.zeros_like(top[0]), *top]
        for k in range(n_row):
            target = targets[k:k + 1]
            cut = random.randint(1, self.generator.n_latent)
            coarse = target[:, :cut].expand([n_col, cut, self.generator.style_dim])
            mixed = paddle.concat([coarse, sources[:, cut:]], axis=1)
            pictures += [*self.editor.render(paddle.concat([target, mixed]))]
        return pictures
