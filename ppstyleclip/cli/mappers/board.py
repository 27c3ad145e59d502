# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Curves of a training for VisualDL or TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppstyleclip.errors import MissingExtra

BOARDS = ("visualdl", "tensorboard")


class Board:
    """Scalars for VisualDL or TensorBoard.

    Args:
        kind: one of BOARDS.
        folder: of the logs.
    Raises:
        MissingExtra: it is not installed; names the cure.
    """

    def __init__(self, kind: str, folder: Any):
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

    def add(self, curve: str, terms: Mapping[str, float], step: int) -> None:
        """Add the values `{name: number}` of a curve at a step."""
        for name, value in terms.items():
            self._writer.add_scalar(f"{curve}/{name}", value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
