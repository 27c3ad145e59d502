# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Changes to the graph of an exported program: attributes and fusions with which oneDNN runs it faster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import paddle

_CONVOLUTIONS = ("conv2d", "conv2d_transpose", "depthwise_conv2d")
_WITH_GRADIENTS = (*_CONVOLUTIONS, "conv2d_grad", "depthwise_conv2d_grad")
# What runs under oneDNN in a synthesis and in its gradient, where inputs or outputs are images.
_OF_SYNTHESIS = (
    "conv2d",
    "conv2d_transpose",
    "depthwise_conv2d",
    "elementwise_mul",
    "elementwise_add",
    "leaky_relu",
    "leaky_relu_grad",
    "matmul_v2",
    "pool2d",
    "transpose2",
)


def prepare_program(path: Path, *, bf16: bool, in_place: bool) -> None:
    """Set the attributes of a program's convolutions and fuse what Paddle's own passes do not.

    Convolutions with constant weights are marked, so that oneDNN lays those out once. Paddle's own pass for
    bf16 leaves out transposed convolutions and those whose weights the program computes. Here only the
    convolutions themselves are in bf16; their results, and what is between them, stay fp32.

    Args:
        path: of the program.
        bf16: convolutions compute in bf16.
        in_place: reshapes copy nothing where they need not; they must not run under oneDNN then.
    """
    program, block, operators = _read(path)
    for op in operators:
        if op.type() not in _CONVOLUTIONS:
            continue
        [weight] = op.input("Filter")
        op._set_attr("is_test", _variable(block, weight).persistable())
        if bf16 and op.attr("groups") == 1:  # filters of single channels gain nothing
            op._set_attr("mkldnn_data_type", "bfloat16")
            op._set_attr("onednn_data_type", "bfloat16")
            op._set_attr("force_fp32_output", True)
    _join_swish(block)
    if in_place:
        _reshape_in_place(block, operators)
    path.write_bytes(program.serialize_to_string())


def prepare_gradient_program(path: Path, sections: Sequence[tuple[str, str]]) -> None:
    """Choose the operators of a program with gradients that run under oneDNN.

    Paddle's own pass for that also chooses operators that fail there. Here convolutions, forward and
    backward, run under oneDNN everywhere. In the sections of synthesis, whose gradients consist of forward
    operators, everything does that can. The gradient of a transposed convolution, for which Paddle has no
    oneDNN operator, becomes a convolution with the same weights.

    Args:
        path: of the program.
        sections: names of the images and of the gradients with respect to them, a pair for each synthesis.
    """
    program, block, operators = _read(path)
    synthesis = _indices(operators, sections)
    for index, op in enumerate(operators):
        if op.type().endswith("conv2d_transpose_grad"):
            _turn_into_convolution(op)
        if index in synthesis and op.type() in _OF_SYNTHESIS and _suits(block, op):
            if op.type() == "depthwise_conv2d":
                op.set_type("conv2d")
            op._set_attr("is_test", True)  # weights may be prepared once
            op._set_attr("use_mkldnn", True)
        elif op.type() in _WITH_GRADIENTS:
            op._set_attr("is_test", op.type() == "conv2d_transpose")  # it refuses anything else
            op._set_attr("use_mkldnn", True)
    chosen = [operators[index] for index in sorted(synthesis)]
    _reshape_in_place(block, chosen)
    _activate_in_additions(block, chosen)
    path.write_bytes(program.serialize_to_string())


def _read(path: Path) -> tuple[Any, Any, list]:
    """A program, its block and the block's operators."""
    program = paddle.base.core.ProgramDesc(path.read_bytes())
    block = program.block(0)
    return program, block, [block.op(index) for index in range(block.op_size())]


def _variable(block: Any, name: str) -> Any:
    return block.find_var(name.encode())


def _indices(operators: list, sections: Iterable[tuple[str, str]]) -> set[int]:
    """Indices of the operators up to each image, and from the gradient with respect to it on."""
    makers = {name: index for index, op in enumerate(operators) for name in op.output_arg_names()}
    found: set[int] = set()
    for image, gradient in sections:
        found |= set(range(makers[image] + 1)) | set(range(makers[gradient] + 1, len(operators)))
    return found


def _suits(block: Any, op: Any) -> bool:
    """Whether an operator of _OF_SYNTHESIS works on images, or on tiles of them in Winograd's algorithm."""
    variables = [_variable(block, name) for name in (*op.input_arg_names(), *op.output_arg_names())]
    axes = max(len(variable.shape()) for variable in variables if variable is not None)
    return axes >= (3 if op.type() == "matmul_v2" else 4)


def _reshape_in_place(block: Any, operators: Iterable) -> None:
    """Let reshapes copy nothing where nothing else reads their input; oneDNN must not run them."""
    every, readers = _readers(block)
    fixed = {name for op in every if op.type() == "feed" for name in op.output_arg_names()}
    for op in operators:
        if op.type() != "reshape2":
            continue
        [before], [after] = op.input("X"), op.output("Out")
        if readers[before] > 1 or before in fixed or _variable(block, before).persistable():
            continue
        for other in every:
            other._rename_input(after, before)
            other._rename_output(after, before)
        readers[before] = readers[after]


def _activate_in_additions(block: Any, operators: list) -> None:
    """Fuse leaky ReLUs with the additions before them, where nothing else reads the sums."""
    _, readers = _readers(block)
    makers = {name: op for op in operators for name in op.output_arg_names()}
    replaced = []
    for op in operators:
        total = makers.get(op.input("X")[0]) if op.type() == "leaky_relu" else None
        if total is None or total.type() != "elementwise_add" or readers[op.input("X")[0]] > 1:
            continue
        total.set_type("fused_elementwise_add")
        total._set_attr("fuse_activation", "leaky_relu")
        total._set_attr("fuse_alpha", op.attr("alpha"))
        replaced += [("leaky_relu", name) for name in op.output("Out")]
        total.set_output("Out", op.output("Out"))
    _remove(block, replaced)


def _join_swish(block: Any) -> None:
    """Make one operator of x * sigmoid(beta * x), where nothing else reads the intermediate results."""
    every, readers = _readers(block)
    makers = {name: op for op in every for name in op.output_arg_names()}
    replaced = []
    for op in every:
        slope = makers.get(op.input("Y")[0]) if op.type() == "elementwise_mul" else None
        if slope is None or slope.type() != "sigmoid":
            continue
        scaled = makers.get(slope.input("X")[0])
        if scaled is None or scaled.type() != "scale" or scaled.attr("bias") != 0.0:
            continue
        between = [(part.type(), name) for part in (slope, scaled) for name in part.output_arg_names()]
        if scaled.input("X") != op.input("X") or any(readers[name] > 1 for _, name in between):
            continue
        op.set_type("swish")
        op.remove_input("Y")
        op._set_attr("beta", scaled.attr("scale"))
        replaced += between
    _remove(block, replaced)


def _remove(block: Any, outputs: Iterable[tuple[str, str]]) -> None:
    """Remove operators, given by their type and the name of an output."""
    removed = set(outputs)
    for index in reversed(range(block.op_size())):
        op = block.op(index)
        if removed.intersection((op.type(), name) for name in op.output_arg_names()):
            block._remove_op(index, index + 1)


def _readers(block: Any) -> tuple[list, Counter]:
    """A block's operators, and how many of them read each variable."""
    every = [block.op(index) for index in range(block.op_size())]
    return every, Counter(name for op in every for name in op.input_arg_names())


def _turn_into_convolution(op: Any) -> None:
    ends = op.input("Output@GRAD"), op.input("Filter"), op.output("Input@GRAD")
    for name in op.input_names():
        op.remove_input(name)
    for name in op.output_names():
        op.remove_output(name)
    op.set_type("conv2d")
    op.set_input("Input", ends[0])
    op.set_input("Filter", ends[1])
    op.set_output("Output", ends[2])
    op._set_attr("padding_algorithm", "EXPLICIT")
