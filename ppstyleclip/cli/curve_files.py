# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Losses and other values of a run as files: tables of comma-separated values, and curves as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ppstyleclip.curves import draw_curves
from ppstyleclip.files import save_png, write_atomic


def write_csv(path: Any, rows: Iterable[Sequence[str]]) -> None:
    """Write rows of cells; a cell with a comma, a quote or a line's end is quoted."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_atomic(path, text.getvalue().encode())


def save_curves(path: Any, curves: Mapping[str, Any], **options: Any) -> None:
    """Save curves as a PNG; arguments and errors as draw_curves.

    Raises:
        CannotWrite: the file cannot be written.
    """
    save_png(path, draw_curves(curves, **options))


def loss_rows(losses: Mapping[str, np.ndarray]) -> list[list[str]]:
    """A line for each step, a column for each loss `{name: [steps, N]}` and face."""
    names = [f"{name}_{k}" for name, values in losses.items() for k in range(values.shape[1])]
    lines = np.concatenate(list(losses.values()), axis=1)
    rows = [[str(number), *(f"{value:.6g}" for value in line)] for number, line in enumerate(lines, 1)]
    return [["step", *names], *rows]


def curve_rows(curves: Mapping[str, Mapping[str, Sequence]]) -> list[list[str]]:
    """A line for each step and curve of `{curve: {"step": [...], name: [...]}}`, as Training has them."""
    names = list(dict.fromkeys(name for lines in curves.values() for name in lines))
    rows = [["curve", *names]]
    for curve, lines in curves.items():
        for place in range(len(lines.get("step", []))):
            rows.append([curve, *(f"{lines[name][place]:.6g}" if name in lines else "" for name in names)])
    return rows


def curve_lines(curves: Mapping[str, Mapping[str, Sequence]]) -> dict[str, tuple]:
    """The same for save_curves: a panel for each value, the loss first, with a line for each curve."""
    names = dict.fromkeys(["loss", *(name for lines in curves.values() for name in lines)])
    return {
        f"{name}/{curve}": (lines["step"], lines[name])
        for name in names
        if name != "step"
        for curve, lines in curves.items()
        if lines.get(name)
    }
