# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Networks become programs: traced by Paddle, written to a folder, prepared where they hold gradients."""
from __future__ import annotations

import contextlib
import sys
import warnings
from pathlib import Path

import paddle

from ppstyleclip.engine.program import MODELS, STEM, on_gpu
from ppstyleclip.models.stylegan2_fixed import FixedSynthesis
from ppstyleclip.models.stylegan2_pullback import prepare_pullback


def writes_old_programs() -> bool:
    """Whether this Paddle still writes programs of the old kind, whose operators can be told more."""
    return paddle.__version__.startswith("2.") or _old_kind() is not None


def export(layer, shapes, folder, *, wrt=(), bf16=False) -> None:
    """Write a Layer as an inference program, in Paddle 3 too of the old kind where it can.

    The passes for old programs fuse more of a synthesis, and only old programs can hold gradients.

    Args:
        layer: in evaluation mode; its forward takes `{name: Tensor}`.
        shapes: `{name: shape}`, -1 for the batch.
        folder: an existing folder.
        wrt: as in Compiled.
        bf16: convolutions compute in bf16, where the program runs on a CPU; needs writes_old_programs().
    """
    layer = _WithGradient(layer, wrt) if wrt else layer
    specs = {name: paddle.static.InputSpec(shape, "float32", name=name, stop_gradient=name not in wrt)
             for name, shape in shapes.items()}
    with warnings.catch_warnings(), _old_programs():
        warnings.simplefilter("ignore")
        layer.eval()
        function = paddle.jit.to_static(layer, input_spec=[specs], full_graph=True)
        paddle.jit.save(function, str(Path(folder) / STEM))
    if bf16 and not writes_old_programs():
        raise RuntimeError("bf16 on a CPU needs a Paddle that writes programs of the old kind")
    if wrt:
        _prepare_gradient_program(Path(folder) / MODELS[0], layer.sections)
    elif writes_old_programs():
        _prepare_convolutions(Path(folder) / MODELS[0], bf16)


class _WithGradient(paddle.nn.Layer):
    """A layer's results and the gradients of the first, as operators of one program.

    A FixedSynthesis in it is left out of Paddle's differentiation and goes back by its own Pullback.

    Attributes:
        sections: names of the pictures and of the gradients in them, a pair for each synthesis.
    """

    def __init__(self, layer, wrt):
        super().__init__()
        self.layer, self.wrt, self.sections = layer, wrt, []
        self.drawn = [part for part in layer.sublayers() if isinstance(part, FixedSynthesis)]
        for part in self.drawn:
            if part.pullback is None:
                prepare_pullback(part, winograd=not on_gpu())

    def forward(self, tensors):
        self._forget()
        results = list(self.layer(tensors))
        return results + self._gradients(results[:1], [tensors[name] for name in self.wrt])

    @paddle.jit.not_to_static
    def _forget(self):
        """A network may be traced more than once; the last time counts."""
        self.sections.clear()
        for part in self.drawn:
            part.cuts.clear()

    @paddle.jit.not_to_static
    def _gradients(self, loss, inputs):
        cuts = [(part, *cut) for part in self.drawn for cut in part.cuts]
        pictures = [picture for _, picture, _, _ in cuts]
        direct = paddle.static.gradients(loss, inputs, no_grad_set={*pictures})
        found = [direct or [None] * len(inputs)]  # none at all where every way is through a picture
        for part, picture, styles, kept in cuts:
            picture.stop_gradient = False
            [gradient] = paddle.static.gradients(loss, [picture])
            self.sections.append((picture.name, gradient.name))
            found.append(_through(styles, part.pullback(styles, kept, gradient), inputs))
        found = [[part for part in parts if part is not None] for parts in zip(*found)]
        return [paddle.add_n(parts) for parts in found]


def _through(styles, gradients, inputs):
    """Gradients in the inputs by way of the styles; None where an input is not on it."""
    made = {style.name: gradient for style, gradient in zip(styles, gradients)}
    found = [made.pop(tensor.name, None) for tensor in inputs]
    if not made:
        return found
    targets = [style for style in styles if style.name in made]
    further = paddle.static.gradients(targets, inputs, [made[style.name] for style in targets])
    return [b if a is None else a for a, b in zip(found, further)]


_CONVOLUTIONS = ("conv2d", "conv2d_transpose", "depthwise_conv2d")


def _prepare_convolutions(path, bf16):
    """Tell a program's convolutions what oneDNN may prepare once, and whether they compute in bf16.

    Paddle's own pass for bf16 leaves out transposed convolutions and those whose weights the program makes.
    Here only the convolutions themselves are in bf16, their results and what is between them stay fp32.
    """
    program = paddle.base.core.ProgramDesc(path.read_bytes())
    block = program.block(0)
    for index in range(block.op_size()):
        op = block.op(index)
        if op.type() not in _CONVOLUTIONS:
            continue
        [weight] = op.input("Filter")
        op._set_attr("is_test", block.find_var(weight.encode()).persistable())
        if bf16 and op.attr("groups") == 1:  # filters of single channels gain nothing
            op._set_attr("mkldnn_data_type", "bfloat16")
            op._set_attr("onednn_data_type", "bfloat16")
            op._set_attr("force_fp32_output", True)
    path.write_bytes(program.serialize_to_string())


_WITH_GRADIENTS = (*_CONVOLUTIONS, "conv2d_grad", "depthwise_conv2d_grad")
# What runs under oneDNN in a synthesis and on its way back, with pictures going in or out.
_OF_SYNTHESIS = ("conv2d", "conv2d_transpose", "depthwise_conv2d", "elementwise_mul", "elementwise_add",
                 "leaky_relu", "matmul_v2", "pool2d", "clip", "scale", "reshape2", "transpose2")


def _prepare_gradient_program(path, sections):
    """Choose the operators of a program with gradients that run under oneDNN.

    Paddle's own pass for that would give it operators that fail there. Everywhere that is the convolutions,
    forward and backward; in the sections of synthesis, whose gradients are made of forward operators, all
    that can. The gradient of a transposed convolution, for which Paddle has no oneDNN operator, is a
    convolution with the same weights.
    """
    program = paddle.base.core.ProgramDesc(path.read_bytes())
    block = program.block(0)
    operators = [block.op(index) for index in range(block.op_size())]
    synthesis = _indices(operators, sections)
    for index, op in enumerate(operators):
        if op.type().endswith("conv2d_transpose_grad"):
            _turn_into_convolution(op)
        if index in synthesis and op.type() in _OF_SYNTHESIS and _has_pictures(block, op):
            if op.type() == "depthwise_conv2d":
                op.set_type("conv2d")
            op._set_attr("is_test", True)  # weights may be prepared once
            op._set_attr("use_mkldnn", True)
        elif op.type() in _WITH_GRADIENTS:
            op._set_attr("is_test", op.type() == "conv2d_transpose")  # it refuses anything else
            op._set_attr("use_mkldnn", True)
    path.write_bytes(program.serialize_to_string())


def _indices(operators, sections):
    """Indices of the operators up to each picture, and from its gradient on."""
    makers = {name: index for index, op in enumerate(operators) for name in op.output_arg_names()}
    found = set()
    for picture, gradient in sections:
        found |= set(range(makers[picture] + 1)) | set(range(makers[gradient] + 1, len(operators)))
    return found


def _has_pictures(block, op):
    variables = [block.find_var(name.encode()) for name in (*op.input_arg_names(), *op.output_arg_names())]
    return any(variable is not None and len(variable.shape()) >= 4 for variable in variables)


def _turn_into_convolution(op):
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


@contextlib.contextmanager
def _old_programs():
    """Have Paddle 3 trace programs of the old kind (Paddle 2 has no other)."""
    guard = _old_kind()
    if guard is None:
        yield
        return
    with guard(), _traceable_operators():
        yield


def _old_kind():
    return getattr(getattr(paddle, "pir_utils", None), "DygraphOldIrGuard", None)


@contextlib.contextmanager
def _traceable_operators():
    """While tracing, replace the functions that Paddle 3 has only for its new programs."""
    tensor = sys.modules["paddle.tensor"]  # the module; the attribute of that name is a function
    variable, functional = paddle.base.framework.Variable, paddle.nn.functional
    places = [(paddle, "matmul", _matmul), (tensor, "matmul", _matmul), (functional, "sigmoid", _sigmoid),
              (functional, "normalize", _normalize)]
    replaced = {"sum": _sum, "sqrt": _sqrt, "rsqrt": _rsqrt, "exp": _exp}
    places += [(place, name, function) for name, function in replaced.items() for place in (paddle, variable)]
    before = [getattr(place, name) for place, name, _ in places]
    try:
        for place, name, function in places:  # untouched by the tracer, which else waits for itself
            setattr(place, name, paddle.jit.not_to_static(function))
        yield
    finally:
        for (place, name, _), function in zip(places, before):
            setattr(place, name, function)


def _matmul(x, y, transpose_x=False, transpose_y=False, name=None):
    return _append("matmul_v2", {"X": x, "Y": y}, trans_x=transpose_x, trans_y=transpose_y)


def _sum(x, axis=None, dtype=None, keepdim=False, name=None):
    axes = [] if axis is None else [axis] if isinstance(axis, int) else list(axis)
    return _append("reduce_sum", {"X": x}, dim=axes or [0], keep_dim=keepdim, reduce_all=not axes)


def _normalize(x, p=2, axis=1, epsilon=1e-12, name=None):
    return x / _sqrt(paddle.clip(_sum(x * x, axis, keepdim=True), min=epsilon**2))


def _sigmoid(x, name=None):
    return _append("sigmoid", {"X": x})


def _sqrt(x, name=None):
    return _append("sqrt", {"X": x})


def _rsqrt(x, name=None):
    return _append("rsqrt", {"X": x})


def _exp(x, name=None):
    return _append("exp", {"X": x})


def _append(kind, inputs, **attributes):
    """Append an operator to the program that is being traced."""
    helper = paddle.base.layer_helper.LayerHelper(kind)
    out = helper.create_variable_for_type_inference(inputs["X"].dtype)
    helper.append_op(type=kind, inputs=inputs, outputs={"Out": out}, attrs=attributes)
    return out
