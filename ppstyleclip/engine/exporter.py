# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Export a Layer as an inference program: traced by Paddle, written, changed by our own passes."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paddle

from ppstyleclip.engine.cache_folder import private_folder
from ppstyleclip.engine.graph_passes import prepare_gradient_program, prepare_program
from ppstyleclip.engine.manifest import MODELS, STEM, adopt_program
from ppstyleclip.engine.predictor import on_gpu
from ppstyleclip.models.generator import HasBackward
from ppstyleclip.worker import on_worker


def writes_legacy_ir() -> bool:
    """Whether this Paddle still writes programs in its legacy IR, whose operators take more attributes."""
    return paddle.__version__.startswith("2.") or _legacy_guard() is not None


@on_worker
def export(
    layer: paddle.nn.Layer,
    shapes: dict[str, list[int]],
    folder: str | Path,
    *,
    wrt: Sequence[str] = (),
    bf16: bool = False,
    in_place: bool = False,
) -> None:
    """Write a Layer as an inference program, in the legacy IR where this Paddle can.

    The passes for the legacy IR fuse more of a synthesis, and only programs in it can hold gradients.

    Args:
        layer: in evaluation mode; its forward takes `{name: Tensor}`. It is left as it was, even on failure.
        shapes: `{name: shape}`, -1 for the batch.
        folder: an existing folder.
        wrt: as in Compiled.
        bf16: convolutions compute in bf16, where the program runs on a CPU; needs writes_legacy_ir().
        in_place: reshapes copy nothing where they need not; they must not run under oneDNN then.
    Raises:
        CannotWrite: the disk is full. Whatever else keeps Paddle from writing the Layer is raised as it is.
    """
    traced = _WithGradient(layer, wrt) if wrt else layer
    specs: Any = {
        name: paddle.static.InputSpec(shape, "float32", name=name, stop_gradient=name not in wrt)
        for name, shape in shapes.items()
    }
    with _quiet_tracing(traced, legacy=True):
        paddle.jit.save(_static(traced, specs), str(Path(folder) / STEM))
    if bf16 and not writes_legacy_ir():
        raise RuntimeError("bf16 on a CPU needs a Paddle that writes programs in its legacy IR")
    if wrt:
        prepare_gradient_program(Path(folder) / MODELS[0], traced.sections)
    elif writes_legacy_ir():
        prepare_program(Path(folder) / MODELS[0], bf16=bf16, in_place=in_place)
    adopt_program(Path(folder))


@on_worker
def save_plain(
    layer: paddle.nn.Layer, inputs: dict[str, tuple[list[int], str]], path: str | Path, *, legacy: bool
) -> None:
    """Write a Layer for others: as Paddle itself writes it, without our passes and our manifest.

    Args:
        layer: in evaluation mode; its forward takes `{name: Tensor}`. It is left as it was.
        inputs: `{name: (shape, dtype)}`, -1 for the batch.
        path: without a suffix; `.json` or `.pdmodel`, and `.pdiparams`, are put behind it.
        legacy: in the legacy IR, which Paddle before 3.0 reads too; else in the form of this Paddle.
    Raises:
        CannotWrite: the disk is full. Whatever else keeps Paddle from writing the Layer is raised as it is.
    """
    with _quiet_tracing(layer, legacy=legacy):
        paddle.jit.save(_static(layer, _specs(inputs)), str(path))


@on_worker
def trace_legacy(layer: paddle.nn.Layer, inputs: dict[str, tuple[list[int], str]]) -> TracedProgram:
    """Trace a Layer in the legacy IR, to be read by a converter; arguments as in save_plain."""
    with _quiet_tracing(layer, legacy=True):
        program = _static(layer, _specs(inputs)).forward.concrete_program
        weights = {parameter.name: parameter.numpy() for parameter in program.parameters}
        return TracedProgram(program.main_program, weights, [out.name for out in program.outputs])


@dataclass(frozen=True, eq=False)
class TracedProgram:
    """A Paddle program in the legacy IR, its weights `{name: array}`, and the names of what it returns."""

    program: Any
    weights: dict[str, Any]
    outputs: list[str]


def _specs(inputs):
    return {name: paddle.static.InputSpec(shape, dtype, name=name) for name, (shape, dtype) in inputs.items()}


def _static(layer, specs):
    return paddle.jit.to_static(layer, input_spec=[specs], full_graph=True)


@contextlib.contextmanager
def _quiet_tracing(layer: paddle.nn.Layer, *, legacy: bool) -> Iterator[None]:
    """Have Paddle trace a Layer, here and nowhere else, and leave the Layer as it was but for eval()."""
    ir = _legacy_ir() if legacy else contextlib.nullcontext()
    with warnings.catch_warnings(), ir, _kept_forwards(layer), _forwards_converted_once():
        warnings.simplefilter("ignore")
        _ensure_source_folder()
        layer.eval()
        yield


@contextlib.contextmanager
def _kept_forwards(layer: paddle.nn.Layer) -> Iterator[None]:
    """Undo what to_static does to Layers: it replaces their `forward` by a traced form, which eager mode
    would then run."""
    layers = [vars(part) for part in layer.sublayers(include_self=True)]
    before = [(attributes, attributes.get("forward")) for attributes in layers]
    try:
        yield
    finally:
        for attributes, forward in before:
            attributes.pop("forward", None)
            if forward is not None:
                attributes["forward"] = forward


@contextlib.contextmanager
def _forwards_converted_once() -> Iterator[None]:
    """Have Paddle convert the source of a class's `forward` once, not anew for each Layer of that class.

    Paddle keeps what it converted by weak references to the function. A bound method is gone at once, so it
    never finds one again; the function behind it stays.
    """
    owner: Any = sys.modules["paddle.jit.dy2static.program_translator"].FunctionCache
    convert = owner.convert_with_cache

    def convert_function(cache, function):
        return convert(cache, getattr(function, "__func__", function))

    owner.convert_with_cache = convert_function
    try:
        yield
    finally:
        owner.convert_with_cache = convert


def _ensure_source_folder() -> None:
    """Have Paddle write the source that it traces, and imports from there, where nobody else can write.

    Its own place is ~/.cache/paddle, open to others under a loose umask, and left there by killed processes.
    """
    utils: Any = sys.modules["paddle.jit.dy2static.utils"]
    with contextlib.suppress(OSError):  # without a temporary folder that place has to do
        _source_folder()
        utils.get_temp_dir = _source_folder


def _source_folder() -> str:
    folder = private_folder("source")
    folder.mkdir(mode=0o700, exist_ok=True)  # a forked child removes it when it ends
    return str(folder)


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
def _legacy_ir() -> Iterator[None]:
    """Have Paddle 3 trace in its legacy IR (Paddle 2 has no other)."""
    guard = _legacy_guard()
    if guard is None:
        yield
        return
    with guard(), _traceable_operators():
        yield


def _legacy_guard() -> Callable | None:
    return getattr(getattr(paddle, "pir_utils", None), "DygraphOldIrGuard", None)


@contextlib.contextmanager
def _traceable_operators() -> Iterator[None]:
    """While tracing, replace the functions that Paddle 3 has only for its new IR.

    That is global to the process. Only the worker does it, while it alone computes; eager tensors of other
    threads still get Paddle's own functions.
    """
    tensor = sys.modules["paddle.tensor"]  # the module; the attribute of that name is a function
    variable, functional = paddle.base.framework.Variable, paddle.nn.functional
    places: list[tuple[Any, str, Callable]] = [
        (paddle, "matmul", _matmul),
        (tensor, "matmul", _matmul),
        (functional, "sigmoid", _sigmoid),
        (functional, "normalize", _normalize),
        # Of each operator between tensors it reads the source of all callers, for a warning that nobody sees.
        (sys.modules["paddle.base.layers.math_op_patch"], "inspect", _NoInspection),
    ]
    replaced: dict[str, Callable] = {
        "sum": _sum,
        "sqrt": _sqrt,
        "rsqrt": _rsqrt,
        "exp": _exp,
        "sin": _sin,
        "argmax": _argmax,
    }
    owners: list[Any] = [paddle, variable]
    places += [(owner, name, function) for name, function in replaced.items() for owner in owners]
    before = [getattr(place, name) for place, name, _ in places]
    try:
        for (place, name, function), original in zip(places, before):
            is_function = not isinstance(function, type)
            setattr(place, name, _for_variables(function, original) if is_function else function)
        yield
    finally:
        for (place, name, _), function in zip(places, before):
            setattr(place, name, function)


class _NoInspection:
    """Stands for the module `inspect`, and says nothing of who calls."""

    @staticmethod
    def stack() -> list:
        """A frame of no file, twice."""
        return [(None, "", 0)] * 2


def _for_variables(function: Callable, original: Callable) -> Callable:
    """Call one function for variables of a program, another for eager tensors."""

    @paddle.jit.not_to_static  # the tracer would else wait for itself
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        chosen = function if isinstance(x, paddle.base.framework.Variable) else original
        return chosen(x, *args, **kwargs)

    return call


def _matmul(x: Any, y: Any, transpose_x: bool = False, transpose_y: bool = False, name: Any = None) -> Any:
    return _append("matmul_v2", {"X": x, "Y": y}, trans_x=transpose_x, trans_y=transpose_y)


def _sum(x: Any, axis: Any = None, dtype: Any = None, keepdim: bool = False, name: Any = None) -> Any:
    axes = [] if axis is None else [axis] if isinstance(axis, int) else list(axis)
    return _append("reduce_sum", {"X": x}, dim=axes or [0], keep_dim=keepdim, reduce_all=not axes)


def _normalize(x: Any, p: float = 2, axis: int = 1, epsilon: float = 1e-12, name: Any = None) -> Any:
    return x / _sqrt(paddle.clip(_sum(x * x, axis, keepdim=True), min=epsilon**2))


def _sigmoid(x: Any, name: Any = None) -> Any:
    return _append("sigmoid", {"X": x})


def _sqrt(x: Any, name: Any = None) -> Any:
    return _append("sqrt", {"X": x})


def _rsqrt(x: Any, name: Any = None) -> Any:
    return _append("rsqrt", {"X": x})


def _exp(x: Any, name: Any = None) -> Any:
    return _append("exp", {"X": x})


def _sin(x: Any, name: Any = None) -> Any:
    return _append("sin", {"X": x})


def _argmax(x: Any, axis: int, keepdim: bool = False, dtype: str = "int64", name: Any = None) -> Any:
    kind = paddle.base.framework.convert_np_dtype_to_proto_type(dtype)
    return _append("arg_max", {"X": x}, dtype, axis=axis, keepdims=keepdim, flatten=False, dtype=kind)


def _append(kind: str, inputs: dict[str, Any], _dtype: str | None = None, **attributes: Any) -> Any:
    """Append an operator to the program that is being traced; its result has the type of X, or `_dtype`."""
    helper = paddle.base.layer_helper.LayerHelper(kind)
    out = helper.create_variable_for_type_inference(inputs["X"].dtype if _dtype is None else _dtype)
    helper.append_op(type=kind, inputs=inputs, outputs={"Out": out}, attrs=attributes)
    return out
