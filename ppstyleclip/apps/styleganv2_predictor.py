# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGANv2Predictor: sheets of sampled and mixed faces, as PaddleGAN's class of this name."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from ppstyleclip.cli.saving import save_sheets
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError, shown
from ppstyleclip.files import check_writable
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.pipelines.sampling import SheetConfig, sample_sheets
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.generators import check_flags


class StyleGANv2Predictor:
    """Draws faces that do not exist. The other predictors derive from it, as PaddleGAN's do.

    Args:
        output_path: folder of the results.
        weight_path: weights of the generator; None takes those of `model_type`.
        model_type: a known model; None is the embedded face world.
        seed: makes `run` repeatable where something is drawn at random; None draws other faces each time.
        size, style_dim, n_mlp, channel_multiplier: None takes them from the weights. Without weight_path
            other values are of no effect, as in PaddleGAN; a warning says so.
        bundle: folder of a model of one's own, in place of model_type.
        paths: direction_path and stat_path of load_bundle, where a predictor has them.
    Raises:
        UserError: unknown model, unreadable weights, or a size that contradicts them.
    """

    def __init__(
        self,
        output_path: str | Path = "output_dir",
        weight_path: str | Path | None = None,
        model_type: str | None = None,
        seed: int | None = None,
        size: int | None = None,
        style_dim: int | None = None,
        n_mlp: int | None = None,
        channel_multiplier: int | None = None,
        bundle: str | Path | None = None,
        **paths: Any,
    ):
        self.output_path, self.seed = Path(output_path), seed
        flags: dict[str, Any] = {"size": size, "style_dim": style_dim, "n_mlp": n_mlp}
        flags["channel_multiplier"] = channel_multiplier
        self.editor = Editor.from_pretrained(
            model_type,
            bundle=bundle,
            weight_path=weight_path,
            **({} if weight_path is None else flags),
            **paths,
        )
        self.generator = self.editor.bundle.generator
        if weight_path is None:
            _warn_of_ignored(flags, self.editor.bundle)

    @on_worker
    def run(self, n_row: int = 3, n_col: int = 5) -> Any:
        """Write sample.png (n_row x n_col faces), its sample.npy, and two sheets of mixtures."""
        folder = check_writable(self.output_path)
        save_sheets(folder, result_of(sample_sheets(self.editor, SheetConfig(n_row, n_col, self.seed))))


def _warn_of_ignored(flags: dict[str, Any], bundle: Any) -> None:
    """Warn of sizes that are not the model's."""
    config = bundle.generator.config()
    for name, given in flags.items():
        try:
            check_flags(config, {name: given}, bundle.name)
        except (UserError, TypeError, ValueError):
            warnings.warn(
                f"{name}={shown(given)} is of no effect: '{bundle.name}' has its own, "
                f"{shown(config.get(name, 'none'))}",
                stacklevel=4,
            )
