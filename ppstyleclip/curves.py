# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Losses over steps as one picture, a panel for each."""

from __future__ import annotations

import numpy as np

from ppstyleclip.files import import_cv2, save_png

INK = (40, 40, 40)
WIDTH, HEIGHT = 560, 170  # of a panel's frame, in pixels
LEFT, RIGHT, ABOVE, BELOW = 84, 130, 34, 26  # around it
COLORS = ((31, 119, 180), (214, 90, 20), (44, 140, 60), (150, 80, 170), (190, 30, 60), (110, 110, 110))


def save_curves(path, curves, *, every=1) -> None:
    """Draw values over steps and save them as a PNG; panels stand below each other, in the order given.

    Args:
        path: the file.
        curves: `{name: values}`; `[steps]`, or `[steps, N]` for N lines of one kind. What is not finite is
            left out, and the line goes on behind it. "clip/train" and "clip/held-out" share a panel, "clip".
        every: steps between two values.
    Raises:
        ValueError: there is nothing to draw.
        CannotWrite: the file cannot be written.
    """
    panels = {}
    for name, values in curves.items():
        panel, _, label = name.partition("/")
        values = np.asarray(values, np.float64)
        panels.setdefault(panel, []).append((label, values[:, None] if values.ndim == 1 else values))
    if not any(values.size for lines in panels.values() for _, values in lines):
        raise ValueError("save_curves got no values to draw")
    steps = every * max(len(values) for lines in panels.values() for _, values in lines)
    save_png(path, np.concatenate([_panel(name, lines, steps, every) for name, lines in panels.items()]))


def _panel(name, lines, steps, every):
    cv2 = import_cv2()
    sheet = np.full((ABOVE + HEIGHT + BELOW, LEFT + WIDTH + RIGHT, 3), 255, np.uint8)
    low, high = _range(np.concatenate([values.ravel() for _, values in lines]))

    def at(step, value):
        across = (step - 1) / max(1, steps - 1)
        return [round(LEFT + across * WIDTH), round(ABOVE + (high - value) / (high - low) * HEIGHT)]

    for mark in np.linspace(low, high, 5):
        corner, end = at(1, mark), at(max(2, steps), mark)
        cv2.line(sheet, corner, end, (228, 228, 228), 1)
        _write(sheet, f"{mark:.4g}", 8, corner[1] + 4)
    cv2.rectangle(sheet, (LEFT, ABOVE), (LEFT + WIDTH, ABOVE + HEIGHT), INK, 1)
    _write(sheet, name, LEFT, ABOVE - 10)
    _write(sheet, "1", LEFT, ABOVE + HEIGHT + 17)
    _write(sheet, f"step {steps}", LEFT + WIDTH - 44, ABOVE + HEIGHT + 17)
    for k, (label, values) in enumerate(lines):
        _write(sheet, label, LEFT + WIDTH + 10, ABOVE + 14 + 18 * k, COLORS[k % len(COLORS)])
        for n, line in enumerate(values.T):
            color = COLORS[(k + n) % len(COLORS)]
            dots = [at(every * (i + 1), value) for i, value in enumerate(line) if np.isfinite(value)]
            cv2.polylines(sheet, [np.array(dots or [[0, 0]], np.int32)], False, color, 1, cv2.LINE_AA)
            for dot in dots if len(dots) < 30 else ():
                cv2.circle(sheet, dot, 2, color, -1, cv2.LINE_AA)
    return sheet


def _range(values):
    """Lowest and highest of the finite values, apart from each other."""
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    room = 0.0 if high > low else 0.5 * abs(high) or 1.0
    return low - room, high + room


def _write(sheet, text, x, y, color=INK):
    cv2 = import_cv2()
    cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, 1, cv2.LINE_AA)
