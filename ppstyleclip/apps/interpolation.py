# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From face to face, as a row of pictures, a GIF and a video."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from ppstyleclip.editor import Editor
from ppstyleclip.files import check_writable, save_png
from ppstyleclip.methods.interpolate import interpolate
from ppstyleclip.pictures import enlarged, reduced, strip
from ppstyleclip.video import check_fps, save_gif, save_mp4

FILES = ("strip.png", "interpolation.gif", "interpolation.mp4")
AT_ONCE = 8  # pictures between two moves of the progress bar
STRIP_STEPS = 6  # of the row, if there are as many
GIF_SIDE = 512  # pixels; a GIF of 1024 px takes a megabyte for each picture


def interpolate_to_files(editor: Editor, stops, steps: int, *, fps: float, output_path) -> list:
    """Go from face to face in equal steps and write FILES; nothing if that fails.

    Args:
        editor: the editor.
        stops: K w_plus `[K, L, D]`, at least 2; first, last and all between are shown.
        steps: pictures from each stop to the next, that one included.
        fps: pictures a second, 1 to 50.
        output_path: folder, made if need be.
    Returns:
        paths of the files.
    Raises:
        UserError: as methods.interpolate.interpolate; fps out of range; or the folder cannot be written.
    """
    folder = check_writable(output_path)
    check_fps(fps)
    w_plus = interpolate(stops, steps)
    pictures = enlarged(
        np.concatenate(
            [
                editor.render(w_plus[k : k + AT_ONCE])
                for k in tqdm(range(0, len(w_plus), AT_ONCE), desc="pictures", unit_scale=AT_ONCE, delay=2)
            ]
        )
    )
    paths = [folder / name for name in FILES]
    chosen = _evenly(len(stops) - 1, steps)
    save_png(paths[0], strip(pictures[chosen], [f"{k / steps:.3g}" for k in chosen]))
    save_gif(paths[1], reduced(pictures, GIF_SIDE), fps=fps)
    save_mp4(paths[2], pictures, fps=fps)
    return paths


def _evenly(legs: int, steps: int) -> list[int]:
    """Numbers of the pictures in the row: all stops, and as many between as there is room for."""
    shown = min(steps, max(1, STRIP_STEPS // legs))
    within = [round(k * steps / shown) for k in range(shown)]
    return [leg * steps + k for leg in range(legs) for k in within] + [legs * steps]
