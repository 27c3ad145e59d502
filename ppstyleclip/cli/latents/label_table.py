# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Labels of faces out of a CSV table."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import numpy as np

from ppstyleclip.errors import UserError, named, plain
from ppstyleclip.files import read_file
from ppstyleclip.wording import counted

NUMBER = "number"  # the column that says which face of the bank a line is about
_MOST = 2**28  # bytes


def read_labels(
    path: str, count: int, columns: Sequence[str] | None = None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read the labels of a bank's faces.

    Args:
        path: CSV in UTF-8 with a line of names. A column `number` says which face a line is about, from 0;
            without it line k is about face k. Other columns of numbers are labels; columns with other words
            in them are left aside.
        count: of the bank's faces.
        columns: labels that are wanted; None for all.
    Returns:
        (numbers of the faces `[N]`, `{label: [N] float64}`).
    Raises:
        MissingFile: there is no such file.
        UserError: it is no such table, a label is missing or no number, or a line is about no face.
    """
    try:
        lines = list(csv.reader(io.StringIO(read_file(path, _MOST).decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no table (CSV in UTF-8): {error}") from None
    lines = [line for line in lines if line]
    if len(lines) < 2:
        raise UserError(f"{path} holds no labels; it needs a line of names and a line for each face")
    names, rows = [name.strip() for name in lines[0]], lines[1:]
    ragged = next((k for k, row in enumerate(rows, 2) if len(row) != len(names)), None)
    if ragged is not None or len(set(names)) < len(names):
        what = "names a column twice" if ragged is None else f"has another number of columns in line {ragged}"
        raise UserError(f"{path} {what}; write each column once, in every line")
    table = {name: _numbers([row[k] for row in rows]) for k, name in enumerate(names)}
    faces = _faces(path, table.pop(NUMBER, None), NUMBER in names, len(rows), count)
    known = [name for name, values in table.items() if values is not None]
    missing = [name for name in columns or () if name not in known]
    if missing or not known:
        raise UserError(
            f"{path} has no column of numbers "
            + (f"'{plain(missing[0])}'; it has: {named(known)}" if missing else "beside the faces' own")
        )
    return faces, {name: np.asarray(table[name]) for name in columns or known}


def _numbers(cells: list[str]) -> np.ndarray | None:
    """The cells as numbers; None where one is something else."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return None
    return np.array(values) if all(map(math.isfinite, values)) else None


def _faces(path, numbers, is_given: bool, lines: int, count: int) -> np.ndarray:
    """Which face each line is about."""
    if not is_given:
        if lines != count:
            raise UserError(
                f"{path} has labels of {counted(lines, 'face')} and the bank {count}; add a column "
                f"'{NUMBER}' that says which face each line is about"
            )
        return np.arange(count)
    if numbers is None or (numbers != np.floor(numbers)).any() or len(set(numbers)) < lines:
        raise UserError(f"{path}: the column '{NUMBER}' must count faces, each at most once")
    if numbers.min() < 0 or numbers.max() >= count:
        raise UserError(f"{path} names face {int(numbers.max())}; the bank has {count}, counted from 0")
    return numbers.astype(int)
