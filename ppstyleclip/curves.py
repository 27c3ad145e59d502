# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Losses over steps as one picture, a panel for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ppstyleclip.files import import_cv2

INK = (40, 40, 40)
WIDTH, HEIGHT = 560, 170  # of a panel's frame, in pixels
LEFT, RIGHT, ABOVE, BELOW = 84, 130, 34, 26  # around it
COLORS = ((31, 119, 180), (214, 90, 20), (44, 140, 60), (150, 80, 170), (190, 30, 60), (110, 110, 110))


def draw_curves(curves: Mapping[str, Any], *, every: int = 1, smooth: bool = False) -> np.ndarray:
    """Draw values over steps, `[H, W, 3]` uint8; panels stand below each other, in the order given.

    Args:
        curves: `{name: values}` or `{name: (steps, values)}`, with values `[steps]`, or `[steps, N]` for N
            lines of one kind. What is not finite is left out, and the line goes on behind it. "clip/train"
            and "clip/held-out" share a panel, "clip".
        every: steps between two values, where the steps are not given.
        smooth: draw running means where there are more points than can be told apart.
    Raises:
        ValueError: there is nothing to draw.
    """
    panels: dict[str, list] = {}
    for name, values in curves.items():
        panel, _, label = name.partition("/")
        steps, values = values if isinstance(values, tuple) else (None, values)
        values = np.asarray(values, np.float64)
        values = values[:, None] if values.ndim == 1 else values
        steps = every * np.arange(1, len(values) + 1) if steps is None else np.asarray(steps)
        panels.setdefault(panel, []).append((label, steps, _smooth(values) if smooth else values))
    known = [steps for lines in panels.values() for _, steps, values in lines if values.size]
    if not known:
        raise ValueError("draw_curves got no values to draw")
    first, last = min(1, *(int(steps[0]) for steps in known)), max(int(steps[-1]) for steps in known)
    return np.concatenate([_panel(name, lines, first, last) for name, lines in panels.items()])


def _smooth(values: np.ndarray, most: int = 200) -> np.ndarray:
    """Running means, where there are at least twice as many points as can be told apart."""
    width = len(values) // most
    if width < 2:
        return values
    sums = np.cumsum(np.concatenate([np.repeat(values[:1], width, axis=0), values]), axis=0)
    return (sums[width:] - sums[:-width]) / width


def _panel(name: str, lines: list, first: int, last: int) -> np.ndarray:
    cv2 = import_cv2()
    sheet = np.full((ABOVE + HEIGHT + BELOW, LEFT + WIDTH + RIGHT, 3), 255, np.uint8)
    low, high = _range(np.concatenate([values.ravel() for _, _, values in lines]))

    def at(step: float, value: float) -> list[int]:
        across = (step - first) / max(1, last - first)
        return [round(LEFT + across * WIDTH), round(ABOVE + (high - value) / (high - low) * HEIGHT)]

    for mark in np.linspace(low, high, 5):
        corner, end = at(first, mark), at(max(first + 1, last), mark)
        cv2.line(sheet, corner, end, (228, 228, 228), 1)
        _write(sheet, f"{mark:.4g}", 8, corner[1] + 4)
    cv2.rectangle(sheet, (LEFT, ABOVE), (LEFT + WIDTH, ABOVE + HEIGHT), INK, 1)
    _write(sheet, name, LEFT, ABOVE - 10)
    _write(sheet, str(first), LEFT, ABOVE + HEIGHT + 17)
    _write(sheet, f"step {last}", LEFT + WIDTH - 44, ABOVE + HEIGHT + 17)
    for k, (label, steps, values) in enumerate(lines):
        _write(sheet, label, LEFT + WIDTH + 10, ABOVE + 14 + 18 * k, COLORS[k % len(COLORS)])
        for n, line in enumerate(values.T):
            color = COLORS[(k + n) % len(COLORS)]
            dots = [at(step, value) for step, value in zip(steps, line) if np.isfinite(value)]
            cv2.polylines(sheet, [np.array(dots or [[0, 0]], np.int32)], False, color, 1, cv2.LINE_AA)
            for dot in dots if len(dots) < 30 else ():
                cv2.circle(sheet, dot, 2, color, -1, cv2.LINE_AA)
    return sheet


def _range(values: np.ndarray) -> tuple[float, float]:
    """Lowest and highest of the finite values, apart from each other."""
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    room = 0.0 if high > low else 0.5 * abs(high) or 1.0
    return low - room, high + room


def _write(sheet: np.ndarray, text: str, x: int, y: int, color: tuple = INK) -> None:
    cv2 = import_cv2()
    cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, 1, cv2.LINE_AA)
