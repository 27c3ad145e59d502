# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What each operator of Paddle's legacy IR becomes in ONNX (opset 17).

A converter takes the graph and an operator, whose `input(slot)` and `output(slot)` list names and whose
`attr(name)` are Paddle's; it adds nodes that make the operator's outputs. Only what networks here need, and
only in inference, has one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ppstyleclip.errors import UserError

if TYPE_CHECKING:
    from ppstyleclip.export.onnx.graph import Graph

CONVERTERS: dict[str, Callable[[Graph, Any], None]] = {}
_ONNX_TYPES = {0: 9, 2: 6, 3: 7, 4: 10, 5: 1, 6: 11}  # Paddle's numbers of element types -> ONNX's
_NUMPY_TYPES = {0: "bool", 2: "int32", 3: "int64", 5: "float32", 6: "float64"}


def _converts(*types: str) -> Callable:
    def register(convert: Callable) -> Callable:
        CONVERTERS.update(dict.fromkeys(types, convert))
        return convert

    return register


def _one(op: Any, slot: str) -> str | None:
    """The only name in an input's slot; None where the slot is empty."""
    names = op.input(slot) if slot in op.input_names else []
    return names[0] if names else None


def _refuse_others(op: Any, **expected: Any) -> None:
    """Refuse attributes with values that this converter does not know."""
    for name, value in expected.items():
        if op.has_attr(name) and op.attr(name) != value:
            raise UserError(f"'{op.type}' with {name} = {op.attr(name)} has no form in ONNX here")


def _rename(kind: str, *slots: str, **attributes: Any) -> Callable:
    def convert(graph: Graph, op: Any) -> None:
        graph.add(kind, [op.input(slot)[0] for slot in slots or ("X",)], op.output("Out"), **attributes)

    return convert


for _paddle, _onnx in {
    "relu": "Relu", "sigmoid": "Sigmoid", "sqrt": "Sqrt", "exp": "Exp", "sin": "Sin", "tanh": "Tanh",
    "abs": "Abs", "assign": "Identity",
}.items():  # fmt: skip
    CONVERTERS[_paddle] = _rename(_onnx)


@_converts("elementwise_add", "elementwise_sub", "elementwise_mul", "elementwise_div")
def _binary(graph: Graph, op: Any) -> None:
    kind = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div"}[op.type.rpartition("_")[2]]
    x, y = op.input("X")[0], op.input("Y")[0]
    after = len(graph.shapes[x]) - len(graph.shapes[y])
    if op.attr("axis") not in (-1, after) and after > 0:  # y begins at an axis of x, not at its last ones
        missing = after - op.attr("axis")
        ends = [len(graph.shapes[y]) + index for index in range(missing)]
        y = graph.add("Unsqueeze", [y, graph.constant(ends)])
    graph.add(kind, [x, y], op.output("Out"))


@_converts("matmul_v2")
def _matmul(graph: Graph, op: Any) -> None:
    names = []
    for slot, flag in (("X", "trans_x"), ("Y", "trans_y")):
        name = op.input(slot)[0]
        if op.attr(flag):
            axes = list(range(len(graph.shapes[name])))
            name = graph.add("Transpose", [name], perm=[*axes[:-2], axes[-1], axes[-2]])
        names.append(name)
    graph.add("MatMul", names, op.output("Out"))


@_converts("scale")
def _scale(graph: Graph, op: Any) -> None:
    name, scale, bias = op.input("X")[0], op.attr("scale"), op.attr("bias")
    kind = _dtype_of(graph, op)
    if not op.attr("bias_after_scale"):
        bias *= scale
    if scale != 1.0:
        name = graph.add("Mul", [name, graph.constant(scale, kind)])
    if bias != 0.0:
        name = graph.add("Add", [name, graph.constant(bias, kind)])
    graph.add("Identity", [name], op.output("Out"))


def _dtype_of(graph: Graph, op: Any) -> str:
    return _NUMPY_TYPES[int(op.block.var(op.output("Out")[0]).dtype)]


@_converts("pow")
def _pow(graph: Graph, op: Any) -> None:
    factor, name = op.attr("factor"), op.input("X")[0]
    if factor == -0.5:
        graph.add("Reciprocal", [graph.add("Sqrt", [name])], op.output("Out"))
    else:
        graph.add("Pow", [name, graph.constant(factor, "float32")], op.output("Out"))


@_converts("elementwise_pow")
def _elementwise_pow(graph: Graph, op: Any) -> None:
    x, y = op.input("X")[0], op.input("Y")[0]
    exponent = graph.array(y)
    if exponent is not None and exponent.shape == (1,) and exponent[0] == 2.0:
        graph.add("Mul", [x, x], op.output("Out"))
    else:
        graph.add("Pow", [x, y], op.output("Out"))


@_converts("rsqrt")
def _rsqrt(graph: Graph, op: Any) -> None:
    graph.add("Reciprocal", [graph.add("Sqrt", op.input("X"))], op.output("Out"))


@_converts("square")
def _square(graph: Graph, op: Any) -> None:
    graph.add("Mul", 2 * op.input("X"), op.output("Out"))


@_converts("leaky_relu")
def _leaky_relu(graph: Graph, op: Any) -> None:
    graph.add("LeakyRelu", op.input("X"), op.output("Out"), alpha=op.attr("alpha"))


@_converts("swish")
def _swish(graph: Graph, op: Any) -> None:
    name = op.input("X")[0]
    beta = op.attr("beta") if op.has_attr("beta") else 1.0
    scaled = graph.add("Mul", [name, graph.constant(beta, "float32")])
    graph.add("Mul", [name, graph.add("Sigmoid", [scaled])], op.output("Out"))


@_converts("prelu")
def _prelu(graph: Graph, op: Any) -> None:
    _refuse_others(op, data_format="NCHW")
    slope = op.input("Alpha")[0]
    axes = len(graph.shapes[op.input("X")[0]])
    if op.attr("mode") == "channel":
        slope = graph.add("Reshape", [slope, graph.constant([-1] + [1] * (axes - 2))])
    elif op.attr("mode") != "all":
        raise UserError(f"'prelu' with mode '{op.attr('mode')}' has no form in ONNX here")
    graph.add("PRelu", [op.input("X")[0], slope], op.output("Out"))


@_converts("clip")
def _clip(graph: Graph, op: Any) -> None:
    bounds = [
        _one(op, slot) or graph.constant(op.attr(name), "float32")
        for slot, name in (("Min", "min"), ("Max", "max"))
    ]
    graph.add("Clip", [*op.input("X"), *bounds], op.output("Out"))


# ---- Convolutions and what goes with them ----


def _pads(op: Any) -> list[int]:
    _refuse_others(op, padding_algorithm="EXPLICIT")
    pads = list(op.attr("paddings"))
    return [pads[0], pads[1], pads[0], pads[1]] if len(pads) == 2 else [pads[0], pads[2], pads[1], pads[3]]


def _add_conv(graph: Graph, op: Any, kind: str, **attributes: Any) -> None:
    graph.add(
        kind,
        [op.input("Input")[0], op.input("Filter")[0]],
        op.output("Output"),
        strides=list(op.attr("strides")),
        dilations=list(op.attr("dilations")),
        pads=_pads(op),
        group=op.attr("groups"),
        **attributes,
    )


@_converts("conv2d", "depthwise_conv2d")
def _conv(graph: Graph, op: Any) -> None:
    _refuse_others(op, data_format="NCHW")
    _add_conv(graph, op, "Conv")


@_converts("conv2d_transpose", "depthwise_conv2d_transpose")
def _conv_transpose(graph: Graph, op: Any) -> None:
    _refuse_others(op, data_format="NCHW", output_size=[])
    _add_conv(graph, op, "ConvTranspose", output_padding=list(op.attr("output_padding")) or [0, 0])


@_converts("batch_norm")
def _batch_norm(graph: Graph, op: Any) -> None:
    _refuse_others(op, data_layout="NCHW")
    names = [op.input(slot)[0] for slot in ("X", "Scale", "Bias", "Mean", "Variance")]
    graph.add("BatchNormalization", names, op.output("Y"), epsilon=op.attr("epsilon"))


@_converts("layer_norm")
def _layer_norm(graph: Graph, op: Any) -> None:
    names = [*op.input("X"), *op.input("Scale"), *op.input("Bias")]
    graph.add(
        "LayerNormalization",
        names,
        op.output("Y"),
        axis=op.attr("begin_norm_axis"),
        epsilon=op.attr("epsilon"),
    )


@_converts("pool2d")
def _pool(graph: Graph, op: Any) -> None:
    _refuse_others(op, data_format="NCHW")
    is_average, size = op.attr("pooling_type") == "avg", list(op.attr("ksize"))
    if op.attr("global_pooling") or (op.attr("adaptive") and size == [1, 1]):
        kind = "GlobalAveragePool" if is_average else "GlobalMaxPool"
        graph.add(kind, op.input("X"), op.output("Out"))
        return
    if op.attr("adaptive"):
        if not is_average:
            raise UserError("the adaptive maximum has no form in ONNX here")
        height, width = graph.shapes[op.input("X")[0]][2:]
        across = graph.constant(_mean_matrix(width, size[1]).T, "float32")
        rows = graph.add("MatMul", [op.input("X")[0], across])
        graph.add(
            "MatMul", [graph.constant(_mean_matrix(height, size[0]), "float32"), rows], op.output("Out")
        )
        return
    options: dict[str, Any] = {"kernel_shape": size, "strides": list(op.attr("strides")), "pads": _pads(op)}
    options["ceil_mode"] = int(op.attr("ceil_mode"))
    if is_average:
        options["count_include_pad"] = int(not op.attr("exclusive"))
    graph.add("AveragePool" if is_average else "MaxPool", op.input("X"), op.output("Out"), **options)


def _mean_matrix(length: int, count: int) -> np.ndarray:
    """`[count, length]`: row i is the mean from floor(i length / count) to ceil((i + 1) length / count)."""
    start = np.arange(count)[:, None] * length // count
    end = -(-(np.arange(count)[:, None] + 1) * length // count)
    inside = (np.arange(length) >= start) & (np.arange(length) < end)
    return inside / inside.sum(axis=1, keepdims=True)


@_converts("bilinear_interp_v2")
def _bilinear(graph: Graph, op: Any) -> None:
    _refuse_others(op, data_layout="NCHW", align_corners=True)
    before, after = graph.shapes[op.input("X")[0]][2:], graph.shapes[op.output("Out")[0]][2:]
    scales = [1.0, 1.0, *(float(b) / float(a) for a, b in zip(before, after))]
    graph.add(
        "Resize",
        [*op.input("X"), "", graph.constant(scales, "float32")],
        op.output("Out"),
        mode="linear",
        coordinate_transformation_mode="align_corners",
    )


# ---- Shapes ----


def _whole_shape(graph: Graph, op: Any) -> list[int] | str:
    """The shape that an operator is given as numbers, or the name of a tensor that holds it."""
    whole, slots = "Shape", ["ShapeTensor", "expand_shapes_tensor"]
    if op.type == "fill_constant":
        whole, slots = "ShapeTensor", ["ShapeTensorList"]
    given = _one(op, whole)
    if given is not None:
        return graph.add("Cast", [given], to=7)
    parts = [name for slot in slots if slot in op.input_names for name in op.input(slot)]
    if parts:
        ones = [
            graph.add("Reshape", [graph.add("Cast", [part], to=7), graph.constant([1])]) for part in parts
        ]
        return graph.add("Concat", ones, axis=0)
    return [int(side) for side in op.attr("shape")]


@_converts("reshape2")
def _reshape(graph: Graph, op: Any) -> None:
    shape = _whole_shape(graph, op)
    graph.add(
        "Reshape",
        [op.input("X")[0], shape if isinstance(shape, str) else graph.constant(shape)],
        op.output("Out"),
    )


@_converts("expand_v2")
def _expand(graph: Graph, op: Any) -> None:
    shape = _whole_shape(graph, op)
    if isinstance(shape, list):
        added = len(shape) - len(graph.shapes[op.input("X")[0]])
        if any(side < 0 for side in shape[:added]):
            raise UserError("'expand' to an unknown new axis has no form in ONNX here")
        shape = graph.constant([side if side > 0 else 1 for side in shape])
    graph.add("Expand", [op.input("X")[0], shape], op.output("Out"))


@_converts("transpose2")
def _transpose(graph: Graph, op: Any) -> None:
    graph.add("Transpose", op.input("X"), op.output("Out"), perm=list(op.attr("axis")))


@_converts("unsqueeze2", "squeeze2")
def _squeeze(graph: Graph, op: Any) -> None:
    kind = "Unsqueeze" if op.type == "unsqueeze2" else "Squeeze"
    graph.add(kind, [op.input("X")[0], graph.constant(list(op.attr("axes")))], op.output("Out"))


@_converts("flatten_contiguous_range")
def _flatten(graph: Graph, op: Any) -> None:
    sides = list(graph.shapes[op.input("X")[0]])
    start, stop = op.attr("start_axis") % len(sides), op.attr("stop_axis") % len(sides)
    if start == 0 or any(side < 0 for side in sides[start:]):
        raise UserError("'flatten' over the batch has no form in ONNX here")
    shape = [0] * start + [int(np.prod(sides[start : stop + 1]))] + sides[stop + 1 :]
    graph.add("Reshape", [op.input("X")[0], graph.constant(shape)], op.output("Out"))


@_converts("slice", "strided_slice")
def _slice(graph: Graph, op: Any) -> None:
    for slot in ("StartsTensor", "EndsTensor", "StartsTensorList", "EndsTensorList"):
        if slot in op.input_names and op.input(slot):
            raise UserError(f"'{op.type}' with computed bounds has no form in ONNX here")
    steps = list(op.attr("strides")) if op.type == "strided_slice" else [1] * len(op.attr("axes"))
    bounds = [graph.constant(list(op.attr(name))) for name in ("starts", "ends", "axes")]
    cut = [op.input("Input")[0], *bounds, graph.constant(steps)]
    gone = list(op.attr("decrease_axis")) if op.has_attr("decrease_axis") else []
    if gone:
        graph.add("Squeeze", [graph.add("Slice", cut), graph.constant(gone)], op.output("Out"))
    else:
        graph.add("Slice", cut, op.output("Out"))


@_converts("shape")
def _shape(graph: Graph, op: Any) -> None:
    graph.add("Cast", [graph.add("Shape", op.input("Input"))], op.output("Out"), to=6)


@_converts("concat")
def _concat(graph: Graph, op: Any) -> None:
    graph.add("Concat", op.input("X"), op.output("Out"), axis=op.attr("axis"))


@_converts("stack")
def _stack(graph: Graph, op: Any) -> None:
    axis = graph.constant([op.attr("axis")])
    graph.add(
        "Concat",
        [graph.add("Unsqueeze", [name, axis]) for name in op.input("X")],
        op.output("Y"),
        axis=op.attr("axis"),
    )


@_converts("split")
def _split(graph: Graph, op: Any) -> None:
    axis = op.attr("axis")
    sections = list(op.attr("sections")) or [int(graph.shapes[name][axis]) for name in op.output("Out")]
    graph.add("Split", [op.input("X")[0], graph.constant(sections)], op.output("Out"), axis=axis)


@_converts("unbind")
def _unbind(graph: Graph, op: Any) -> None:
    axis = op.attr("axis")
    for index, name in enumerate(op.output("Out")):
        graph.add("Gather", [op.input("X")[0], graph.constant(index)], [name], axis=axis)


@_converts("reduce_mean", "reduce_sum")
def _reduce(graph: Graph, op: Any) -> None:
    axes = range(len(graph.shapes[op.input("X")[0]])) if op.attr("reduce_all") else op.attr("dim")
    keep = int(op.attr("keep_dim"))
    if op.type == "reduce_mean":
        graph.add("ReduceMean", op.input("X"), op.output("Out"), axes=list(axes), keepdims=keep)
    else:
        graph.add("ReduceSum", [*op.input("X"), graph.constant(list(axes))], op.output("Out"), keepdims=keep)


@_converts("softmax")
def _softmax(graph: Graph, op: Any) -> None:
    graph.add("Softmax", op.input("X"), op.output("Out"), axis=op.attr("axis"))


# ---- Constants, tables ----


@_converts("assign_value")
def _assign_value(graph: Graph, op: Any) -> None:
    kind = _NUMPY_TYPES[op.attr("dtype")]
    slots = {
        "float32": "fp32_values",
        "int32": "int32_values",
        "int64": "int64_values",
        "bool": "bool_values",
    }
    name = "values" if op.has_attr("values") and op.attr("values") else slots[kind]
    values = [getattr(value, "value", value) for value in op.attr(name)]  # Paddle's Scalar has one
    values = [value() if callable(value) else value for value in values]
    values = np.asarray(values, kind).reshape(op.attr("shape"))
    graph.add("Identity", [graph.constant(values, kind)], op.output("Out"))


@_converts("fill_constant")
def _fill_constant(graph: Graph, op: Any) -> None:
    shape, kind = _whole_shape(graph, op), _NUMPY_TYPES[op.attr("dtype")]
    value = float(op.attr("str_value") or op.attr("value")) if op.has_attr("str_value") else op.attr("value")
    if isinstance(shape, str):
        graph.add("Expand", [graph.constant(value, kind), shape], op.output("Out"))
    else:
        graph.add("Identity", [graph.constant(np.full(shape, value), kind)], op.output("Out"))


@_converts("fill_any_like")
def _fill_like(graph: Graph, op: Any) -> None:
    shape = graph.add("Shape", op.input("X"))
    value = graph.constant(op.attr("value"), _dtype_of(graph, op))
    graph.add("Expand", [value, shape], op.output("Out"))


@_converts("lookup_table_v2")
def _lookup(graph: Graph, op: Any) -> None:
    graph.add("Gather", [op.input("W")[0], op.input("Ids")[0]], op.output("Out"), axis=0)


@_converts("arg_max")
def _arg_max(graph: Graph, op: Any) -> None:
    _refuse_others(op, flatten=False)
    keep = int(op.attr("keepdims"))
    graph.add("ArgMax", op.input("X"), op.output("Out"), axis=op.attr("axis"), keepdims=keep)


@_converts("one_hot_v2")
def _one_hot(graph: Graph, op: Any) -> None:
    depth, values = graph.constant(op.attr("depth")), graph.constant([0.0, 1.0], "float32")
    graph.add("OneHot", [op.input("X")[0], depth, values], op.output("Out"), axis=-1)


@_converts("cast")
def _cast(graph: Graph, op: Any) -> None:
    graph.add("Cast", op.input("X"), op.output("Out"), to=_ONNX_TYPES[op.attr("out_dtype")])
