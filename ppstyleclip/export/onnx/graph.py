# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From a traced program to an ONNX model; what each operator becomes is in operators.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ppstyleclip.engine.exporter import TracedProgram
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.export.onnx.operators import CONVERTERS

OPSET = 17
IR_VERSION = 8  # of onnx 1.10 to 1.12; whatever reads opset 17 reads it
SMALLEST_HALF = 64  # numbers from which on a weight is stored as float16, where that is asked for
_LARGEST_HALF = 65504.0


def import_onnx() -> Any:
    """The package onnx.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtra(
            f"the package onnx cannot be imported ({error}); run: pip install 'ppstyleclip[onnx]'"
        ) from None
    return onnx


def to_onnx(
    traced: TracedProgram,
    inputs: Mapping[str, tuple[list[int], str]],
    outputs: tuple[str, ...],
    *,
    half: bool = False,
    about: Mapping[str, str] | None = None,
) -> bytes:
    """Convert a traced program.

    Args:
        traced: of engine.exporter.trace_legacy.
        inputs: `{name: (shape, dtype)}` that it was traced with; -1 becomes the free axis "N".
        outputs: names of what it returns.
        half: store weights as float16; they are cast to float32 when the model is loaded.
        about: metadata of the model.
    Returns:
        the serialized ModelProto.
    Raises:
        MissingExtra: the package onnx is not installed.
        UserError: an operator that has no converter.
    """
    onnx = import_onnx()
    block = traced.program.global_block()
    graph = Graph(onnx, traced.weights, {name: block.vars[name].shape for name in block.vars}, half)
    for op in _needed(block.ops, traced.outputs, inputs):
        if op.type not in CONVERTERS:
            raise UserError(
                f"operator '{op.type}' of this network has no form in ONNX here; please report it"
            )
        CONVERTERS[op.type](graph, op)
    for name, wanted in zip(traced.outputs, outputs):
        graph.add("Identity", [name], [wanted])
    free = [[axis if axis > 0 else "N" for axis in shape] for shape, _ in inputs.values()]
    types = [onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) for _, dtype in inputs.values()]
    given = [
        onnx.helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in zip(inputs, types, free)
    ]
    shapes = [["N", *block.vars[name].shape[1:]] for name in traced.outputs]
    made = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in zip(outputs, shapes)
    ]
    body = onnx.helper.make_graph(graph.nodes, "ppstyleclip", given, made, graph.initializers)
    opset = onnx.helper.make_opsetid("", OPSET)
    model = onnx.helper.make_model(
        body, producer_name="ppstyleclip", opset_imports=[opset], ir_version=IR_VERSION
    )
    onnx.helper.set_model_props(model, dict(about or {}))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _needed(operators: list, outputs: list[str], inputs: Mapping[str, Any]) -> list:
    """The operators on which the outputs depend, in their order."""
    wanted, found = set(outputs), []
    for op in reversed(operators):
        if op.type != "feed" and wanted.intersection(op.output_arg_names):
            found.append(op)
            wanted.update(op.input_arg_names)
    return found[::-1]


class Graph:
    """The ONNX graph that is being made: nodes, and weights under the names that the program gave them.

    Attributes: `nodes`, `initializers`, of ONNX's kinds; `shapes`, `{name: shape}` of what is in the program.
    """

    def __init__(self, onnx: Any, weights: Mapping[str, np.ndarray], shapes: Mapping[str, tuple], half: bool):
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.shapes = dict(shapes)
        self._onnx, self._weights, self._half = onnx, weights, half
        self._written: set[str] = set()
        self._count = 0

    def add(self, kind: str, inputs: list[str], outputs: list[str] | None = None, **attributes: Any) -> str:
        """Add a node; the name of its first output."""
        for name in inputs:
            if name in self._weights and name not in self._written:
                self._written.add(name)
                self._write(name, self._weights[name])
        outputs = [self.fresh()] if outputs is None else outputs
        self.nodes.append(self._onnx.helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def fresh(self) -> str:
        """A name that nothing has yet."""
        self._count += 1
        return f"onnx_{self._count}"

    def constant(self, values: Any, dtype: str = "int64") -> str:
        """Add an array that is no weight; its name."""
        name = self.fresh()
        self.initializers.append(self._onnx.numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def array(self, name: str) -> np.ndarray | None:
        """The values of a weight; None of anything else."""
        return self._weights.get(name)

    def _write(self, name: str, array: np.ndarray) -> None:
        array = np.ascontiguousarray(array)
        is_small = array.size < SMALLEST_HALF or array.dtype != np.float32
        if not self._half or is_small or np.abs(array).max(initial=0.0) > _LARGEST_HALF:
            self.initializers.append(self._onnx.numpy_helper.from_array(array, name))
            return
        stored = self._onnx.numpy_helper.from_array(array.astype(np.float16), f"{name}.half")
        self.initializers.append(stored)
        self.nodes.append(
            self._onnx.helper.make_node("Cast", [stored.name], [name], to=self._onnx.TensorProto.FLOAT)
        )
