# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""dlib, and the models that it stores in files, loaded from checked bytes.

dlib is given no paths: it could open none with other letters under a C locale or on Windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ppstyleclip.align.dlib_files import check_detector, check_predictor
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.files import read_file


class MissingDlib(MissingExtra):
    """dlib is absent or does not work here; known landmarks would do without it."""


def import_dlib() -> Any:
    """Import dlib when it is first needed.

    Raises:
        MissingDlib: it is not installed, another package took its name, or it was built for another NumPy.
    """
    cure = "run: pip install dlib-bin"
    try:
        import dlib
    except ImportError as error:
        raise MissingDlib(f"dlib, which finds faces, cannot be imported ({error}); {cure}") from None
    if not hasattr(dlib, "shape_predictor"):
        raise MissingDlib(f"the installed 'dlib' is another package; {cure}")
    try:
        dlib.find_candidate_object_locations(np.zeros((8, 8, 3), np.uint8), [])
    except (RuntimeError, TypeError):
        raise MissingDlib(
            f"dlib {getattr(dlib, '__version__', '')} was built for an older NumPy than {np.__version__} and "
            "takes none of its pictures; run: pip install --upgrade dlib-bin"
        ) from None
    return dlib


def load_predictor(path: Any) -> Any:
    """Load a predictor of 68 landmarks.

    Args:
        path: of a shape predictor as dlib stores it (.dat).
    Returns:
        dlib.shape_predictor.
    Raises:
        MissingDlib: dlib cannot be used here.
        MissingFile: there is no such file.
        UserError: it is not what it should be, or finds another number of landmarks.
    """
    dlib, data = import_dlib(), read_file(path)
    check_predictor(path, data)
    predictor = _of_bytes(dlib.shape_predictor, path, data)
    points = predictor(np.zeros((8, 8, 3), np.uint8), dlib.rectangle(0, 0, 7, 7)).num_parts
    if points != 68:
        raise UserError(f"{path} finds {points} landmarks, 68 are needed; use a 68-point model")
    return predictor


def load_detector(path: Any) -> Any:
    """Load a detector that dlib trained (.svm).

    Returns:
        dlib.fhog_object_detector.
    Raises:
        as load_predictor.
    """
    dlib, data = import_dlib(), read_file(path)
    check_detector(path, data)
    return _of_bytes(dlib.fhog_object_detector, path, data)


def _of_bytes(kind, path, data: bytes):
    """The object that dlib's own unpickling makes of these bytes, which are those of its files."""
    made = kind.__new__(kind)
    try:
        made.__setstate__((data,))
    except (RuntimeError, MemoryError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"dlib cannot read {path} ({reason}); make or download it again") from None
    return made
