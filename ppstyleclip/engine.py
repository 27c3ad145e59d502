# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Compiled arithmetic: what need not be eager is exported once and run by Paddle Inference.

    compile_synthesis(generator)        styles -> images
    compile_image_encoder(clip, side)   images -> CLIP features
    compile_gradient(layer, ...)        inputs -> a loss and its gradients

Paddle's eager mode on a CPU has convolutions of its own; Paddle Inference has oneDNN's, several times as
fast. An exported program is kept on disk, in `engine/` of the cache, under a name made of the weights'
fingerprint, the shapes, Paddle's version and the source that it was traced from. Where a network cannot be
exported, one warning says so and the same call runs in eager mode.
"""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import paddle
from paddle import inference

from ppstyleclip.errors import UserError
from ppstyleclip.files import cache_home, fingerprint
from ppstyleclip.models.stylegan2_fixed import FixedSynthesis
from ppstyleclip.threads import count_cores

PRECISIONS = ("fp32", "bf16", "fp16")
KEEP_BYTES = 8 << 30  # programs on disk beyond this are deleted, those unused for longest first
# Kinds of operators that compute in bf16; some of the others fail there.
_BF16_SYNTHESIS = ("conv2d", "fused_conv2d", "conv2d_transpose", "elementwise_mul")
_BF16_CLIP = ("conv2d", "fused_conv2d", "fc", "matmul_v2", "fused_matmul")
EAGER_PIXELS = 2**18  # that a Painter draws before it compiles: 64 pictures of 64 px, none of 1024 px
AT_ONCE_PIXELS = 2**16  # of a batch: more at once is slower and takes memory; one picture of 256 px
_STEM = "program"
_MODELS = (f"{_STEM}.pdmodel", f"{_STEM}.json")  # Paddle's old and new program files
_WEIGHTS = f"{_STEM}.pdiparams"


class Program:
    """An exported program under Paddle Inference: float32 arrays in, a list of arrays out.

    One thread may call it at a time.

    Args:
        folder: where export() wrote it; it is not needed any more once this returns.
        precision: "fp32"; "bf16" where the processor has it; "fp16" on a GPU.
        bf16: as in Compiled.
        passes: have Paddle rearrange the program; not one with gradients.
    """

    def __init__(self, folder, precision="fp32", *, bf16=None, passes=True):
        self._predictor = inference.create_predictor(_config(Path(folder), precision, bf16, passes))
        names = sorted(self._predictor.get_input_names())
        self._inputs = {name: self._predictor.get_input_handle(name) for name in names}
        self._outputs = [self._predictor.get_output_handle(n) for n in self._predictor.get_output_names()]

    def __call__(self, arrays) -> list:
        """Run on `{name: array}`; names that the program does not use are passed over."""
        for name, handle in self._inputs.items():
            handle.copy_from_cpu(np.ascontiguousarray(arrays[name], np.float32))
        self._predictor.run()
        return [handle.copy_to_cpu() for handle in self._outputs]


class Compiled:
    """A network as a function of arrays, compiled at its first call, or eager where that fails.

    Args:
        layer: Layer whose forward takes `{name: Tensor}`.
        shapes: `{name: shape}` of its inputs; -1 for the batch.
        key: what tells its weights and settings from others', values that JSON can hold.
        precision: one of PRECISIONS.
        folder: where programs are kept; None is `engine` in the cache.
        bf16: kinds of operators that compute in bf16 under that precision; None for all that can.
        wrt: names of the inputs with respect to which the first result is differentiated; those gradients
            follow the results.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """

    def __init__(self, layer, shapes, key, *, precision="fp32", folder=None, bf16=None, wrt=()):
        _check_precision(precision)
        layer.eval()
        self.bf16, self.wrt = bf16, tuple(wrt)
        self.layer, self.shapes, self.key = layer, shapes, key
        self.precision, self.folder = precision, folder
        self._program = None
        self._failed = False

    def __call__(self, arrays) -> list:
        """Run on `{name: array}`; a list of arrays."""
        if self._program is None and not self._failed:
            self.compile()
        if self._program is None:
            return self._eager(arrays)
        return self._program(arrays) if self.layer is None else self._first_run(arrays)

    def compile(self) -> bool:
        """Export or find the program, and load it; False, after a warning, where that fails."""
        try:
            self._program = _load_or_export(self)
        except Exception as error:  # whatever the exporter dislikes, the eager way is right, only slower
            self._give_up(error)
        return self._program is not None

    def _first_run(self, arrays):
        """Some programs are written and loaded, and only refuse to run."""
        try:
            results = self._program(arrays)
            self.layer = None  # its weights are in the program
            return results
        except Exception as error:
            self._give_up(error)
            return self._eager(arrays)

    def _give_up(self, error):
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        warnings.warn(f"not compiled, runs in Paddle's eager mode: {reason}", stacklevel=4)
        self._program, self._failed = None, True

    def _eager(self, arrays):
        tensors = {name: paddle.to_tensor(np.asarray(arrays[name], np.float32)) for name in self.shapes}
        for name in self.wrt:
            tensors[name].stop_gradient = False
        with paddle.set_grad_enabled(bool(self.wrt)):
            results = self.layer(tensors)
            results = list(results) if isinstance(results, (list, tuple)) else [results]
            if self.wrt:
                results += paddle.grad(results[:1], [tensors[name] for name in self.wrt])
        return [result.numpy() for result in results]


class CompiledSynthesis:
    """Styles to images, compiled: see compile_synthesis."""

    def __init__(self, compiled, first, at_once):
        self._compiled, self._first, self._at_once = compiled, first, at_once

    def __call__(self, styles, x=None, image=None) -> np.ndarray:
        """Draw images `[N, 3, H, W]` float32, about [-1, 1].

        Args:
            styles: float32 arrays `[N, C_k]` of the style tensors from `start` on.
            x, image: with `start` above 0, what `staged.Stage` holds.
        """
        arrays = {_style_name(self._first + k): style for k, style in enumerate(styles)}
        arrays.update((name, part) for name, part in (("x", x), ("image", image)) if part is not None)
        count = len(styles[0])
        parts = [{name: array[start : start + self._at_once] for name, array in arrays.items()}
                 for start in range(0, count, self._at_once)]
        drawn = [self._compiled(part)[0] for part in parts]
        return drawn[0] if len(drawn) == 1 else np.concatenate(drawn)

    def compile(self) -> bool:
        """Compile now instead of at the first call; whether it worked."""
        return self._compiled.compile()


def compile_synthesis(generator, *, start=0, side=None, noise="const", precision="fp32", mark=None,
                      folder=None) -> CompiledSynthesis:
    """Make a generator's `synthesis_from_styles` a fast function of arrays, with any batch.

    Args:
        generator: StyleGANv2Generator in evaluation mode; its weights are copied.
        start: the first style tensor to draw; above 0 the call takes what was drawn before it.
        side: stop at this resolution; None is the generator's own.
        noise: "const" or "none".
        precision: "fp32", "bf16" or "fp16".
        mark: the generator's fingerprint where it is known; None computes it.
        folder: where programs are kept; None is `engine` in the cache.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """
    winograd = precision == "fp32" and not _on_gpu()
    layer = _NamedSynthesis(FixedSynthesis(generator, start=start, side=side, noise=noise, winograd=winograd))
    mark = _weights_mark(generator) if mark is None else mark
    key = ["synthesis", mark, generator.size, start, side, noise, winograd]
    compiled = Compiled(layer, layer.shapes(), key, precision=precision, folder=folder,
                        bf16=_BF16_SYNTHESIS)
    return CompiledSynthesis(compiled, start, max(1, AT_ONCE_PIXELS // (side or generator.size) ** 2))


class CompiledNetworks:
    """A generator and a CLIP, compiled to go from a half drawn picture to its CLIP features.

    Args:
        generator, clip: the networks.
        precision: one of PRECISIONS.
        mark: the generator's fingerprint where it is known.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """

    def __init__(self, generator, clip, *, precision="fp32", mark=None):
        _check_precision(precision)
        self._generator, self._clip, self._precision = generator, clip, precision
        self._mark = _weights_mark(generator) if mark is None else mark
        self._drawing = self._encoding = (None, None)

    def features(self, stage, styles) -> np.ndarray:
        """CLIP features `[N, D]`.

        Args:
            stage: methods.staged.Stage of N pictures.
            styles: arrays `[N, C_k]` of the style tensors from stage.k on, up to a ToRGB layer.
        """
        last = stage.k + len(styles)
        if self._drawing[0] != (stage.k, last):  # one at a time: a program holds its weights
            self._drawing = (stage.k, last), compile_synthesis(
                self._generator, start=stage.k, side=4 * 2 ** ((last - 2) // 3), mark=self._mark,
                precision=self._precision)
        x, image = (None if part is None else part.numpy() for part in (stage.x, stage.image))
        images = self._drawing[1](styles, x, image)
        if self._encoding[0] != images.shape[-1]:
            self._encoding = images.shape[-1], compile_image_encoder(
                self._clip, images.shape[-1], precision=self._precision)
        return self._encoding[1](images)


def compile_gradient(layer, shapes, wrt, key=None, *, folder=None):
    """Make a loss and its gradients a fast function of arrays.

    Args:
        layer: Layer in evaluation mode; its forward takes `{name: Tensor}` and returns a list, a scalar loss
            first. Its weights are constants.
        shapes: `{name: shape}` of its inputs; -1 for the batch.
        wrt: names of the inputs whose gradients are wanted.
        key: settings that its forward depends on beside its weights, values that JSON can hold.
        folder: where programs are kept; None is `engine` in the cache.
    Returns:
        function of `{name: array}`; gives (list of results, `{name: gradient}`).
    """
    wrt = tuple(wrt)
    key = ["gradient", type(layer).__qualname__, key, _weights_mark(layer)]
    compiled = Compiled(layer, shapes, key, folder=folder, wrt=wrt)

    def run(arrays):
        results = compiled(arrays)
        return results[:-len(wrt)], dict(zip(wrt, results[-len(wrt):]))

    return run


class Painter:
    """Draws pictures of one generator from styles: few small ones in eager mode, many or large ones compiled.

    Compiling takes a second or two, as long as EAGER_PIXELS do in eager mode. What has been drawn so far
    decides, never what is on disk: the same calls give the same pixels.
    """

    def __init__(self, generator, *, mark=None):
        self._generator, self._mark = generator, mark
        self._compiled, self._pixels = None, 0

    def __call__(self, styles) -> np.ndarray:
        """Images `[N, 3, size, size]` float32, about [-1, 1], of K styles `[N, C_k]` (tensors or arrays).

        The noise is the generator's own.
        """
        self._pixels += styles[0].shape[0] * self._generator.size**2
        if self._compiled is None and self._pixels > EAGER_PIXELS:
            self._compiled = compile_synthesis(self._generator, mark=self._mark)
        if self._compiled is None:
            with paddle.no_grad():
                tensors = [style if paddle.is_tensor(style) else paddle.to_tensor(style) for style in styles]
                return self._generator.synthesis_from_styles(tensors, noise="const").numpy()
        return self._compiled([np.asarray(style) for style in styles])


def compile_image_encoder(clip, side, *, precision="fp32", mark=None, folder=None):
    """Make a CLIP's `encode_image` a fast function: images `[N, 3, side, side]` to features `[N, D]`.

    Args and errors as in compile_synthesis; `side` is that of the pictures, which CLIP's resize begins with.
    """
    mark = _weights_mark(clip.net.visual) if mark is None else mark
    key = ["encode_image", clip.name, clip.image_size, mark, side]
    compiled = Compiled(_ImageEncoder(clip), {"images": [-1, 3, side, side]}, key, precision=precision,
                        folder=folder, bf16=_BF16_CLIP)
    return lambda images: compiled({"images": images})[0]


class _NamedSynthesis(paddle.nn.Layer):
    """FixedSynthesis with its styles as single, named inputs."""

    def __init__(self, synthesis):
        super().__init__()
        self.synthesis = synthesis

    def shapes(self):
        """`{name: shape}` of the inputs."""
        parts = self.synthesis
        shapes = {_style_name(parts.start + k): [-1, width] for k, width in enumerate(parts.widths)}
        if parts.start:
            shapes["x"] = [-1, *parts.x_shape]
        if parts.needs_image:
            shapes["image"] = [-1, *parts.image_shape]
        return shapes

    def forward(self, tensors):
        """Images of named styles."""
        first, count = self.synthesis.start, len(self.synthesis.widths)
        styles = [tensors[_style_name(first + k)] for k in range(count)]
        return self.synthesis(styles, tensors.get("x"), tensors.get("image"))


class _ImageEncoder(paddle.nn.Layer):
    def __init__(self, clip):
        super().__init__()
        self.clip = clip

    def forward(self, tensors):
        """CLIP features of images."""
        return self.clip.encode_image(tensors["images"])


def _style_name(k):
    return f"style_{k:02d}"


def _weights_mark(layer):
    return fingerprint({key: value.numpy() for key, value in layer.state_dict().items()})


def _check_precision(precision):
    if precision not in PRECISIONS:
        raise UserError(f"unknown precision '{precision}', known: {', '.join(PRECISIONS)}")
    if precision == "fp16" and not _on_gpu():
        raise UserError("precision fp16 needs a GPU; on a CPU use fp32 or bf16")
    if precision == "bf16" and not _on_gpu() and not paddle.base.core.supports_bfloat16():
        raise UserError("this processor does not compute in bf16; use fp32")


def _on_gpu() -> bool:
    return paddle.get_device().startswith("gpu")


def _config(folder, precision, bf16, passes):
    """Paddle Inference's settings: all cores and oneDNN on a CPU, CUDA where Paddle's device is a GPU."""
    model = next(folder / name for name in _MODELS if (folder / name).is_file())
    config = inference.Config(str(model), str(folder / _WEIGHTS))
    config.disable_glog_info()
    if _on_gpu():
        kinds = inference.PrecisionType
        kind = {"fp32": kinds.Float32, "bf16": kinds.Bfloat16, "fp16": kinds.Half}[precision]
        config.enable_use_gpu(256, int(paddle.get_device().split(":")[1]), kind)
    else:
        config.disable_gpu()
        config.set_cpu_math_library_num_threads(int(os.environ.get("OMP_NUM_THREADS") or count_cores()))
        config.enable_mkldnn()
        if precision == "bf16":
            config.enable_mkldnn_bfloat16()
            if bf16 is not None:
                config.set_bfloat16_op(set(bf16))
    config.switch_ir_optim(passes)
    if model.suffix == ".pdmodel":
        if passes:
            config.enable_memory_optim()
    else:
        config.enable_new_executor(True)
        config.enable_new_ir(True)
    return config


def _load_or_export(compiled) -> Program:
    """The program of a network: from the disk if it is there, else exported to it."""
    home = Path(compiled.folder) if compiled.folder is not None else cache_home() / "engine"
    parts = [compiled.key, sorted(compiled.shapes.items()), paddle.__version__, compiled.wrt, _source_mark()]
    place = home / hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]
    if (place / _WEIGHTS).is_file():
        with contextlib.suppress(Exception):  # a damaged program is exported again
            os.utime(place)
            return _program(compiled, place)
        shutil.rmtree(place, ignore_errors=True)
    with _draft_folder(home) as draft:
        export(compiled.layer, compiled.shapes, draft, wrt=compiled.wrt)
        program = _program(compiled, draft)
        with contextlib.suppress(OSError):  # another process was first, or the disk is full
            os.rename(draft, place)
            _sweep(home)
    return program


def _program(compiled, folder) -> Program:
    return Program(folder, compiled.precision, bf16=compiled.bf16, passes=not compiled.wrt)


@contextlib.contextmanager
def _draft_folder(home):
    """A new folder on the same disk as `home`, or a temporary one where that cannot be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
    except OSError:
        draft = Path(tempfile.mkdtemp(prefix="ppstyleclip-"))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sweep(home):
    """Delete the programs that were not used for longest until KEEP_BYTES are left."""
    places = sorted((p for p in home.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    kept = 0
    for place in places:
        kept += sum(file.stat().st_size for file in place.iterdir())
        if kept > KEEP_BYTES:
            shutil.rmtree(place, ignore_errors=True)


@lru_cache(maxsize=1)
def _source_mark() -> str:
    """Changes whenever the source that programs are traced from does."""
    here = Path(__file__).parent
    files = [here / "engine.py", here / "losses.py"]
    files += [path for folder in ("methods", "models", "ops") for path in sorted(here.glob(f"{folder}/*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def export(layer, shapes, folder, *, wrt=()) -> None:
    """Write a Layer as an inference program, in Paddle 3 too of the old kind where it can.

    The passes for old programs fuse more of a synthesis, and only old programs can hold gradients.

    Args:
        layer: in evaluation mode; its forward takes `{name: Tensor}`.
        shapes: `{name: shape}`, -1 for the batch.
        folder: an existing folder.
        wrt: as in Compiled.
    """
    specs = {name: paddle.static.InputSpec(shape, "float32", name=name, stop_gradient=name not in wrt)
             for name, shape in shapes.items()}
    with warnings.catch_warnings(), _old_programs():
        warnings.simplefilter("ignore")
        layer = _WithGradient(layer, wrt) if wrt else layer
        layer.eval()
        function = paddle.jit.to_static(layer, input_spec=[specs], full_graph=True)
        paddle.jit.save(function, str(Path(folder) / _STEM))
    if wrt:
        _prepare_gradient_program(Path(folder) / _MODELS[0])


class _WithGradient(paddle.nn.Layer):
    """A layer's results and the gradients of the first, as operators of one program."""

    def __init__(self, layer, wrt):
        super().__init__()
        self.layer, self.wrt = layer, wrt

    def forward(self, tensors):
        results = list(self.layer(tensors))
        return results + paddle.static.gradients(results[:1], [tensors[name] for name in self.wrt])


_CONVOLUTIONS = ("conv2d", "conv2d_grad", "conv2d_transpose", "depthwise_conv2d", "depthwise_conv2d_grad")


def _prepare_gradient_program(path):
    """Have a program's convolutions, forward and backward, run by oneDNN, and nothing else.

    Paddle's own passes prepare programs without gradients and are switched off for these. The gradient of a
    transposed convolution, for which Paddle has no oneDNN operator, is a convolution with the same weights.
    """
    program = paddle.base.core.ProgramDesc(path.read_bytes())
    block = program.block(0)
    for index in range(block.op_size()):
        op = block.op(index)
        if op.type().endswith("conv2d_transpose_grad"):
            _turn_into_convolution(op)
        if op.type() in _CONVOLUTIONS:
            op._set_attr("is_test", op.type() == "conv2d_transpose")  # it refuses anything else
            op._set_attr("use_mkldnn", True)
    path.write_bytes(program.serialize_to_string())


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
    guard = getattr(getattr(paddle, "pir_utils", None), "DygraphOldIrGuard", None)
    if guard is None:
        yield
        return
    with guard(), _traceable_operators():
        yield


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
