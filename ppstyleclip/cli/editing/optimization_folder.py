# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The files of an optimisation: pictures on the way, and what is left at the end, wherever it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.cli.curve_files import loss_rows, save_curves, write_csv
from ppstyleclip.cli.saving import save_labelled, save_latent
from ppstyleclip.files import all_or_nothing, check_writable
from ppstyleclip.pictures import grid
from ppstyleclip.pipelines.optimization import Optimized
from ppstyleclip.video import save_gif, save_mp4

ANIMATIONS = {"gif": save_gif, "mp4": save_mp4}


class OptimizationFolder:
    """Writes an optimisation.

    Args:
        path: of the folder, made if need be.
        animation: a name in ANIMATIONS, or None for none.

    Attributes: `written`, the files so far.
    Raises:
        CannotWrite: the folder cannot be written.
    """

    def __init__(self, path: Any, *, animation: str | None = None):
        self.path, self.animation = check_writable(path), animation
        self.written: list[Path] = []

    def write_pictures(self, step: int, pictures: np.ndarray) -> None:
        """Write the faces `[N, H, W, 3]` of a step, side by side."""
        self._write(f"{step:05d}.png", lambda path: save_labelled(path, _row(pictures)))

    @all_or_nothing()
    def write_result(self, result: Optimized) -> None:
        """Write final_result.png, latent.npy, losses.csv, losses.png, and the animation if there is one."""
        pairs = [one for pair in zip(result.before, result.after) for one in pair]
        self._write("final_result.png", lambda path: save_labelled(path, grid(pairs, 2)))
        self._write("latent.npy", lambda path: save_latent(path, result.saveable))
        self._write("losses.csv", lambda path: write_csv(path, loss_rows(result.losses)))
        self._write("losses.png", lambda path: save_curves(path, result.losses))
        if self.animation:
            save, frames = ANIMATIONS[self.animation], [_row(one) for one in (*result.frames, result.after)]
            self._write(f"way.{self.animation}", lambda path: save(path, frames, fps=12))

    def _write(self, name: str, save: Callable) -> None:
        save(self.path / name)
        self.written.append(self.path / name)


def _row(pictures: np.ndarray) -> np.ndarray:
    return grid(pictures, len(pictures)) if len(pictures) > 1 else pictures[0]
