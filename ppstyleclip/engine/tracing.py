# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Networks become programs: traced by Paddle, written to a folder, their operators told how to run."""

from __future__ import annotations

import contextlib
import sys
import warnings
from pathlib import Path

import paddle

from ppstyleclip.engine.prepared import prepare_gradient_program, prepare_program
from ppstyleclip.engine.program import MODELS, STEM, on_gpu
from ppstyleclip.models.generator import HasBackward


def writes_old_programs() -> bool:
    """Whether this Paddle still writes programs of the old kind, whose operators can be told more."""
    return paddle.__version__.startswith("2.") or _old_kind() is not None


def export(layer, shapes, folder, *, wrt=(), bf16=False, in_place=False) -> None:
    """Write a Layer as an inference program, in Paddle 3 too of the old kind where it can.

    The passes for old programs fuse more of a synthesis, and only old programs can hold gradients.

    Args:
        layer: in evaluation mode; its forward takes `{name: Tensor}`.
        shapes: `{name: shape}`, -1 for the batch.
        folder: an existing folder.
        wrt: as in Compiled.
        bf16: convolutions compute in bf16, where the program runs on a CPU; needs writes_old_programs().
        in_place: reshapes copy nothing where they need not; they must not run under oneDNN then.
    """
    layer = _WithGradient(layer, wrt) if wrt else layer
    specs = {
        name: paddle.static.InputSpec(shape, "float32", name=name, stop_gradient=name not in wrt)
        for name, shape in shapes.items()
    }
    with warnings.catch_warnings(), _old_programs():
        warnings.simplefilter("ignore")
        layer.eval()
        function = paddle.jit.to_static(layer, input_spec=[specs], full_graph=True)
        paddle.jit.save(function, str(Path(folder) / STEM))
    if bf16 and not writes_old_programs():
        raise RuntimeError("bf16 on a CPU needs a Paddle that writes programs of the old kind")
    if wrt:
        prepare_gradient_program(Path(folder) / MODELS[0], layer.sections)
    elif writes_old_programs():
        prepare_program(Path(folder) / MODELS[0], bf16=bf16, in_place=in_place)


class _WithGradient(paddle.nn.Layer):
    """A layer's results and the gradients of the first, as operators of one program.

    A HasBackward in it is left out of Paddle's differentiation and goes back by its own backward. While the
    layer is traced, a _Recorder stands in its place.

    Attributes:
        sections: names of the pictures and of the gradients in them, a pair for each call of a HasBackward.
    """

    def __init__(self, layer, wrt):
        super().__init__()
        self.layer, self.wrt, self.sections = layer, wrt, []
        self.backwards = {
            part: part.build_backward(on_gpu=on_gpu())
            for part in layer.sublayers()
            if isinstance(part, HasBackward)
        }
        self.calls = []  # (part, images, styles, recorded activations) of each, while it is traced

    def forward(self, tensors):
        self._insert_recorders()
        results = list(self.layer(tensors))
        self._remove_recorders()
        return results + self._gradients(results[:1], [tensors[name] for name in self.wrt])

    @paddle.jit.not_to_static
    def _insert_recorders(self):
        """A network may be traced more than once; the last time counts."""
        self.sections.clear()
        self.calls.clear()
        recorders = {part: _Recorder(part, self.calls) for part in self.backwards}
        for owner in self.layer.sublayers(include_self=True):
            for name, part in owner._sub_layers.items():
                owner._sub_layers[name] = recorders.get(part, part)

    @paddle.jit.not_to_static
    def _remove_recorders(self):
        for owner in self.layer.sublayers(include_self=True):
            for name, part in owner._sub_layers.items():
                if isinstance(part, _Recorder):
                    owner._sub_layers[name] = part.part

    @paddle.jit.not_to_static
    def _gradients(self, loss, inputs):
        pictures = [picture for _, picture, _, _ in self.calls]
        direct = paddle.static.gradients(loss, inputs, no_grad_set={*pictures})
        found = [direct or [None] * len(inputs)]  # none at all where every way is through a picture
        for part, picture, styles, recorded in self.calls:
            picture.stop_gradient = False
            [gradient] = paddle.static.gradients(loss, [picture])
            self.sections.append((picture.name, gradient.name))
            found.append(_through(styles, self.backwards[part](styles, recorded, gradient), inputs))
        found = [[part for part in parts if part is not None] for parts in zip(*found)]
        return [paddle.add_n(parts) for parts in found]


class _Recorder(paddle.nn.Layer):
    """Draws as a HasBackward does, and appends what it recorded to `calls`."""

    def __init__(self, part, calls):
        super().__init__()
        self.part, self.calls = part, calls

    def __getattr__(self, name):
        """What is asked of the part, such as the widths of its styles."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._sub_layers["part"], name)

    def forward(self, styles):
        images, recorded = self.part.record(styles)
        self.calls.append((self.part, images, styles, recorded))
        return images


def _through(styles, gradients, inputs):
    """Gradients in the inputs by way of the styles; None where an input is not on it."""
    made = {style.name: gradient for style, gradient in zip(styles, gradients)}
    found = [made.pop(tensor.name, None) for tensor in inputs]
    if not made:
        return found
    targets = [style for style in styles if style.name in made]
    further = paddle.static.gradients(targets, inputs, [made[style.name] for style in targets])
    return [b if a is None else a for a, b in zip(found, further)]


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
    places = [
        (paddle, "matmul", _matmul),
        (tensor, "matmul", _matmul),
        (functional, "sigmoid", _sigmoid),
        (functional, "normalize", _normalize),
    ]
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
