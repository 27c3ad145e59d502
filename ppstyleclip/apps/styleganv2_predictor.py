# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2Predictor: sheets of sampled and mixed faces, as PaddleGAN's class of this name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppstyleclip.apps.faces import save_latent
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_writable, save_png
from ppstyleclip.methods.interpolate import crossover
from ppstyleclip.pictures import grid


def sheets_to_files(editor: Editor, seed, n_row: int, n_col: int, output_path) -> list:
    """Draw faces and mixtures; write sample.png, sample.npy, sample_mixing_0.png and sample_mixing_1.png.

    Args:
        editor: the editor.
        seed: 0 to 2**32 - 1; None draws other faces each time.
        n_row, n_col: how many faces; sample.npy has their latents `[n_row * n_col, L, D]`, read like text.
        output_path: folder, made if need be.
    Returns:
        paths of the files.
    Raises:
        UserError: no row, no column, no such seed; or the folder cannot be written.
    """
    if n_row < 1 or n_col < 1:
        raise UserError(f"a sheet has at least 1 row and 1 column, got {n_row} and {n_col}")
    if seed is not None and not 0 <= seed < 2**32:
        raise UserError(f"seed must be 0 to {2**32 - 1}, got {seed}")
    folder, random = check_writable(output_path), np.random.RandomState(seed)
    paths = [folder / name for name in ("sample.png", "sample.npy")]
    faces = _sample(editor, random, n_row * n_col)
    save_png(paths[0], grid(editor.render(faces), n_col))
    save_latent(paths[1], faces)
    for k in range(2):
        paths.append(folder / f"sample_mixing_{k}.png")
        save_png(paths[-1], grid(mixing_sheet(editor, random, n_row, n_col), n_col + 1))
    return paths


def mixing_sheet(editor: Editor, random, n_row: int, n_col: int) -> list:
    """Draw a black corner and n_col faces; then rows of a face, and it with the finer levels of each above.

    Args:
        editor: the editor.
        random: `numpy.random.RandomState`; it also chooses the level of each row.
        n_row, n_col: how many of each.
    Returns:
        (n_row + 1) * (n_col + 1) pictures `[H, W, 3]` uint8, read like text.
    """
    sources, targets = _sample(editor, random, n_col), _sample(editor, random, n_row)
    top = editor.render(sources)
    pictures = [np.zeros_like(top[0]), *top]
    for k in range(n_row):
        target = targets[k : k + 1]
        mixed = crossover(target, sources, random.randint(1, target.shape[1]))
        pictures += [*editor.render(np.concatenate([target, mixed]))]
    return pictures


def _sample(editor, random, count) -> np.ndarray:
    return editor.sample(random.randint(2**31, size=count)).numpy()


class StyleGANv2Predictor:
    """Draws faces that do not exist.

    Args:
        output_path: folder of the pictures.
        weight_path: weights of the generator; None takes those of `model_type`.
        model_type: a known model; None is the embedded face world.
        seed: makes `run` repeatable; None draws other faces each time.
        size, style_dim, n_mlp, channel_multiplier: None takes them from the weights.
        bundle: folder of a model of one's own, in place of model_type.
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
        self.output_path, self.seed = Path(output_path), seed
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

    def run(self, n_row=3, n_col=5) -> None:
        """Write sample.png (n_row x n_col faces), its sample.npy, and two sheets of mixtures."""
        sheets_to_files(self.editor, self.seed, n_row, n_col, self.output_path)
