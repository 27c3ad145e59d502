# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Models for other runtimes: ONNX and Paddle Inference programs, with all that an edit with them needs."""

from ppstyleclip.export.folder import FIRST_EDITS, FORMATS, ExportConfig, ExportRecord, export_model
from ppstyleclip.export.networks import PARTS, ExportedPart, build_parts

__all__ = [
    "FIRST_EDITS",
    "FORMATS",
    "PARTS",
    "ExportConfig",
    "ExportRecord",
    "ExportedPart",
    "build_parts",
    "export_model",
]
