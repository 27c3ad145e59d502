# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Traced programs as ONNX models: operator by operator, for onnxruntime, OpenVINO and browsers."""

from ppstyleclip.export.onnx.graph import OPSET, to_onnx

__all__ = ["OPSET", "to_onnx"]
