# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Faces that do not exist, on sheets, and two faces mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.methods.checks import check_count, check_seeds
from ppstyleclip.methods.latents import crossover, mix
from ppstyleclip.pipelines.records import Record
from ppstyleclip.worker import on_worker

NUM_MIXING_SHEETS = 2  # as PaddleGAN's sampling draws them


@dataclass(frozen=True)
class SheetConfig:
    """How large a sheet of faces is.

    Attributes:
        rows, columns: how many faces.
        seed: 0 to 2**32 - 1; None draws other faces each time.
    """

    rows: int = 3
    columns: int = 5
    seed: int | None = None


@dataclass(frozen=True, eq=False)
class Sheets:
    """Sampled faces, and sheets of mixtures of others.

    Attributes:
        w_plus: `[rows * columns, L, D]`, read like text.
        pictures: `[rows * columns, H, W, 3]` uint8.
        mixtures: for each mixing sheet its cells, as mixing_cells returns them.
        config: SheetConfig.
    """

    w_plus: np.ndarray
    pictures: np.ndarray
    mixtures: list[list[np.ndarray]]
    config: SheetConfig


@dataclass(frozen=True, eq=False)
class Mixture:
    """Two faces and what is mixed of them.

    Attributes:
        first, second, pixels: `[H, W, 3]` uint8, the two faces and the mixture.
        w_plus: `[1, L, D]` of the mixture.
    """

    first: np.ndarray
    second: np.ndarray
    pixels: np.ndarray
    w_plus: np.ndarray


def sample_sheets(editor: Editor, config: SheetConfig) -> Iterator[Record[Sheets]]:
    """Draw a sheet of faces and NUM_MIXING_SHEETS sheets of mixtures of others.

    Args:
        editor: Editor.
        config: SheetConfig.
    Yields:
        Record of sheets; the result is Sheets.
    Raises:
        UserError: no row, no column, or no such seed.
    """
    rows, columns, seed = config.rows, config.columns, config.seed
    check_count("rows", rows, least=1)
    check_count("columns", columns, least=1)
    if seed is not None:
        check_seeds("seed", seed)
    random, total = np.random.RandomState(seed), 1 + NUM_MIXING_SHEETS
    w_plus = _sample(editor, random, rows * columns)
    pictures, mixtures = editor.render(w_plus), []
    yield Record(1, total, "faces")
    for k in range(NUM_MIXING_SHEETS):
        mixtures.append(mixing_cells(editor, random, rows, columns))
        is_last = k + 1 == NUM_MIXING_SHEETS
        yield Record(
            k + 2, total, "mixtures", Sheets(w_plus, pictures, mixtures, config) if is_last else None
        )


@on_worker
def mixing_cells(editor: Editor, random: np.random.RandomState, rows: int, columns: int) -> list[np.ndarray]:
    """Draw a black corner and `columns` faces; then rows of a face and its mixtures with those above.

    A mixture has the coarse levels of the row's face and the finer ones of the column's.

    Args:
        editor: Editor.
        random: it draws the faces, and chooses the level of each row.
        rows, columns: how many of each.
    Returns:
        (rows + 1) * (columns + 1) pictures `[H, W, 3]` uint8, read like text.
    """
    sources, targets = _sample(editor, random, columns), _sample(editor, random, rows)
    top = editor.render(sources)
    pictures = [np.zeros_like(top[0]), *top]
    for k in range(rows):
        target = targets[k : k + 1]
        mixed = crossover(target, sources, random.randint(1, target.shape[1]))
        pictures += [*editor.render(np.concatenate([target, mixed]))]
    return pictures


def mix_faces(
    editor: Editor,
    first: np.ndarray,
    second: np.ndarray,
    *,
    weights: float | list[float] | np.ndarray = 0.5,
    level: int | None = None,
) -> Mixture:
    """Mix two faces level by level, and draw all three.

    Args:
        editor: Editor.
        first, second: w_plus `[1, L, D]`.
        weights: share of the first at each level, or one number for all.
        level: style mixing in place of the weights: the levels before it from the first face, the finer ones
            from the second.
    Raises:
        UserError: as methods.latents.mix and crossover.
    """
    w_plus = mix(first, second, weights) if level is None else crossover(first, second, level)
    pictures = editor.render(np.concatenate([first, second, w_plus]))
    return Mixture(pictures[0], pictures[1], pictures[2], w_plus)


@on_worker
def _sample(editor: Editor, random: np.random.RandomState, count: int) -> np.ndarray:
    return editor.sample(random.randint(2**31, size=count)).numpy()
