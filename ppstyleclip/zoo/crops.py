# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How a model's faces are cut out of photos, to and from files."""

from __future__ import annotations

import numpy as np

from ppstyleclip.align import CropWeights
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.finite import check_finite
from ppstyleclip.zoo.metadata import FileMetadata, read_own

KIND = "ppstyleclip crop"
PARTS = ("middle", "half")


def save_crop(path, weights: CropWeights) -> None:
    """Write the weights of a crop: `middle` and `half`, `[68, 2]` real and imaginary parts."""
    arrays = {name: getattr(weights, name) for name in PARTS}
    split = {name: np.stack([w.real, w.imag], 1).astype(np.float32) for name, w in arrays.items()}
    write_safetensors(path, split, {"kind": KIND})


def load_crop(path) -> CropWeights:
    """Read the weights of a crop.

    Raises:
        MissingFile: there is no such file.
        UserError: it holds something else.
    """
    arrays, metadata = read_safetensors(path)
    read_own(FileMetadata, metadata, path)
    for name in PARTS:
        value = arrays.get(name, np.zeros(0))
        if value.shape != (68, 2) or value.dtype.kind != "f":
            raise UserError(f"{path} holds no crop; it needs '{name}', floats of shape [68, 2]")
    check_finite(arrays, path)
    parts = {name: np.asarray(arrays[name], np.float64) for name in PARTS}
    return CropWeights(**{name: part[:, 0] + 1j * part[:, 1] for name, part in parts.items()})
