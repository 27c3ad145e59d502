# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What instant directions have measured, in memory and on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.engine import config_key
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors


class InstantCache:
    """Vectors by name or by text direction, of one generator, CLIP and configuration.

    Args:
        folder: where files go; None: memory alone. A folder that cannot be written is left alone.
        key: all that the vectors depend on, as config_key takes it.
    """

    def __init__(self, folder: str | Path | None, key: Any):
        self._mark = _digest(json.dumps(config_key(key)).encode())
        self._folder = None if folder is None else Path(folder)
        self._known: dict[str, np.ndarray] = {}

    def remembered(
        self, name: str | np.ndarray, measure: Callable[[], np.ndarray], *, size: int | None = None
    ) -> np.ndarray:
        """The vector of a name, or of a text direction; measured where it is not known.

        A file whose vector does not have `size` numbers, where that is given, is of another version.
        """
        word = name if isinstance(name, str) else _digest(np.ascontiguousarray(name).tobytes())
        if word not in self._known:
            found = self.read(word)
            if found is None or size not in (None, len(found)):
                found = np.asarray(measure(), np.float32)
                self.write(word, found)
            self._known[word] = found
        return self._known[word]

    def read(self, word: str) -> np.ndarray | None:
        """The vector in a word's file; None where there is none, or it is damaged."""
        path = self._path(word)
        if path is None or not path.is_file():
            return None
        try:
            vector = read_safetensors(path)[0]["vector"]
        except (UserError, OSError, KeyError):
            return None
        return vector if vector.ndim == 1 and np.isfinite(vector).all() else None

    def write(self, word: str, vector: np.ndarray) -> None:
        """Keep a vector for the next process."""
        path = self._path(word)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_safetensors(path, {"vector": vector})
        except OSError:  # it is measured again next time
            pass

    def _path(self, word: str) -> Path | None:
        return self._folder and self._folder / f"{self._mark}-{word}.safetensors"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:20]
