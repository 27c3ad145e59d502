# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Pictures, losses and cards for a notebook's cells, as small JPEGs that the notebook keeps.

show(pictures, ["before", "after"])     as the last line of a cell
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np

from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.files import import_pillow
from ppstyleclip.pictures import enlarged, grid, reduced, strip

SIDE, QUALITY = 256, 88  # most pixels of a picture in a row; of the JPEG
Pictures = Union[np.ndarray, Sequence[np.ndarray]]


def show(
    pictures: Pictures, labels: Sequence[str] | None = None, *, columns: int | None = None, side: int = SIDE
) -> Any:
    """Show one picture, or several in a row.

    Args:
        pictures: `[H, W, 3]` uint8, which is shown as it is; or `[N, H, W, 3]`, or a list of N such pictures.
        labels: N short texts in ASCII above a row.
        columns: pictures in a row, where they stand in several; without labels.
        side: pictures larger than this are shown smaller.
    Returns:
        IPython's Image, which a notebook shows where it is a cell's last value.
    Raises:
        UserError: no such pictures, or not as many labels.
        MissingExtra: IPython or Pillow is not installed.
    """
    try:
        pixels = np.asarray(pictures)
    except ValueError:
        pixels = np.zeros(0)
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or pixels.shape[-1] != 3 or not pixels.size:
        raise UserError(
            f"show takes pictures [N, H, W, 3] uint8 of one size, got {list(pixels.shape)} {pixels.dtype}"
        )
    if pixels.ndim == 3:
        return _image(pixels)
    if labels is not None and len(labels) != len(pixels):
        raise UserError(f"show got {len(pixels)} pictures and {len(labels)} labels; give as many")
    pixels = reduced(pixels, side)
    if labels is not None:
        return _image(strip(pixels, labels))
    return _image(grid(enlarged(pixels), columns or len(pixels), background=255))


def show_curves(curves: Mapping[str, Any]) -> Any:
    """Show losses over steps; `curves` and errors as curves.draw_curves and show."""
    from ppstyleclip.curves import draw_curves

    return _image(draw_curves(curves))


def show_card(result: Any) -> Any:
    """Show the card of an Editor.edit's result; errors as show."""
    from ppstyleclip.card.picture import draw_card

    return _image(draw_card(result.card, result.before, result.after))


def _image(pixels: np.ndarray) -> Any:
    try:
        display = importlib.import_module("IPython.display")
    except ImportError as error:
        raise MissingExtra(
            f"IPython, which shows pictures in notebooks, cannot be imported ({error}); "
            "run: pip install ipython"
        ) from None
    memory = io.BytesIO()
    import_pillow().fromarray(pixels).save(memory, "JPEG", quality=QUALITY)
    return display.Image(data=memory.getvalue(), format="jpeg")
