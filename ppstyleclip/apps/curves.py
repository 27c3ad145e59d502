# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Curves of a training: as a table, as a picture, and for VisualDL or TensorBoard."""

from __future__ import annotations

import numpy as np

from ppstyleclip.errors import MissingExtra
from ppstyleclip.files import import_cv2
from ppstyleclip.pictures import INK

BOARDS = ("visualdl", "tensorboard")
_COLOURS = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (148, 103, 189))
_SIDE, _PAD = (640, 360), 56


def curves_table(curves) -> str:
    """Comma-separated values, a line for each step and curve.

    Args:
        curves: `{curve: {"step": [...], name: [...]}}`, as mapper.Training has them.
    """
    names = list(dict.fromkeys(name for lines in curves.values() for name in lines))
    rows = [["curve", *names]]
    for curve, lines in curves.items():
        for place in range(len(lines.get("step", []))):
            rows.append([curve, *(f"{lines[name][place]:.6g}" if name in lines else "" for name in names)])
    return "".join(",".join(row) + "\n" for row in rows)


def curves_picture(curves, name="loss") -> np.ndarray:
    """One picture `[H, W, 3]` uint8 of a value of every curve over the steps, smoothed where it is dense."""
    cv2 = import_cv2()
    sheet = np.full((_SIDE[1] + 2 * _PAD, _SIDE[0] + 2 * _PAD, 3), 255, np.uint8)
    lines = {
        curve: (np.array(values["step"], float), _smooth(np.array(values[name], float)))
        for curve, values in curves.items()
        if values.get(name)
    }
    steps = np.concatenate([x for x, _ in lines.values()] or [np.zeros(1)])
    heights = np.concatenate([y for _, y in lines.values()] or [np.zeros(1)])
    low, high = float(heights.min()), float(max(heights.max(), heights.min() + 1e-6))
    last = max(float(steps.max()), 1.0)

    def write(text, x, y, colour=INK):
        cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)

    cv2.rectangle(sheet, (_PAD, _PAD), (_PAD + _SIDE[0], _PAD + _SIDE[1]), INK, 1)
    for part in range(5):
        write(f"{low + (high - low) * part / 4:.3g}", 4, _PAD + _SIDE[1] - _SIDE[1] * part // 4 + 4)
        write(f"{last * part / 4:.0f}", _PAD + _SIDE[0] * part // 4 - 10, _PAD + _SIDE[1] + 18)
    write(f"{name} over steps", _PAD, _PAD - 14)
    for place, ((curve, (x, y)), colour) in enumerate(zip(lines.items(), _COLOURS)):
        across, up = x / last * _SIDE[0] + _PAD, (1 - (y - low) / (high - low)) * _SIDE[1] + _PAD
        dots = np.round(np.stack([across, up], axis=1)).astype(np.int32)
        cv2.polylines(sheet, [dots], False, colour, 1, cv2.LINE_AA)
        write(curve, _PAD + _SIDE[0] - 90, _PAD + 18 + 18 * place, colour)
    return sheet


def _smooth(values, most=200) -> np.ndarray:
    """Running means, where there are more points than can be told apart."""
    width = len(values) // most
    if width < 2:
        return values
    sums = np.cumsum(np.concatenate([np.full(width, values[0]), values]))
    return (sums[width:] - sums[:-width]) / width


class Board:
    """Scalars for VisualDL or TensorBoard.

    Args:
        kind: one of BOARDS.
        folder: of the logs.
    Raises:
        MissingExtra: it is not installed; names the cure.
    """

    def __init__(self, kind, folder):
        try:
            if kind == "visualdl":
                from visualdl import LogWriter

                self._writer = LogWriter(logdir=str(folder))
            else:
                from tensorboard.summary import Writer

                self._writer = Writer(str(folder))
        except ImportError as error:
            reason = " ".join(str(error).split())
            raise MissingExtra(
                f"{kind} cannot be imported ({reason}); run: pip install {kind}, or leave out --board"
            ) from None
        self._kind = kind

    def add(self, curve, terms, step) -> None:
        """Add the values `{name: number}` of a curve at a step."""
        for name, value in terms.items():
            self._writer.add_scalar(f"{curve}/{name}", value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
