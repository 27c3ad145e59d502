# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Whether a GPU computes what the CPU computes, and how fast: for whoever runs this on a GPU first.

Each check runs on the CPU, then on the device, with networks that were loaded there anew. A check that fails
is a row as well, and those after it still run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import paddle

from ppstyleclip.engine import compile_gradient, compile_image_encoder, compile_synthesis
from ppstyleclip.errors import UserError, one_line
from ppstyleclip.models.clip import tokenize
from ppstyleclip.models.forms import inference_of
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import Bundle, load_bundle

# Largest difference, of the largest value. TF32, which Paddle lets cards from Ampere on use, has the ten bits
# of fp16; NVIDIA_TF32_OVERRIDE=0 turns it off.
ALLOWED = {"fp32": 5e-3, "fp16": 2e-2, "bf16": 1e-1}
EXACT = 1e-4  # of fp32 without TF32
_BATCH, _REPEATS = 4, 3
_PROMPTS = ("face", "a happy face", "face with long hair", "a photo of an old man")


@dataclass(frozen=True)
class DeviceCheck:
    """One computation on the CPU and on a device.

    Attributes:
        part: what was computed.
        precision: in which the device did it; the CPU always computes in fp32.
        state: "ok"; "differs", by more than is allowed or by what is not finite; "failed", with a note;
            "skipped", with a note: the device does not have the precision.
        difference: the largest, of the largest value; NaN where there is none, as below.
        allowed: the most that is "ok".
        cpu_ms, device_ms: milliseconds a run, the quickest of a few.
        memory_mb: the most that Paddle's eager tensors have held on the device so far; 0 on a CPU.
        note: why there are no numbers, or what they mean.
    """

    part: str
    precision: str
    state: str
    difference: float = float("nan")
    allowed: float = float("nan")
    cpu_ms: float = float("nan")
    device_ms: float = float("nan")
    memory_mb: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class _Case:
    part: str
    precisions: tuple[str, ...]
    build: Callable[[Bundle, str], Callable[[], np.ndarray]]  # of the networks and a precision


def gpu_device() -> str:
    """The first GPU, as paddle.set_device calls it.

    Raises:
        UserError: this Paddle has no CUDA, or there is no GPU; one line.
    """
    if not paddle.device.is_compiled_with_cuda():
        raise UserError(
            f"no GPU is checked: Paddle {paddle.__version__} here is built without CUDA; "
            "docs/en_US/gpu.md says how one with it is installed"
        )
    if paddle.device.cuda.device_count() == 0:
        raise UserError("no GPU is checked: Paddle sees none; look at nvidia-smi and CUDA_VISIBLE_DEVICES")
    return "gpu:0"


def describe_device(device: str) -> str:
    """A device in one line: of a GPU its name, memory, CUDA and cuDNN."""
    if not device.startswith("gpu"):
        return f"{device}, Paddle {paddle.__version__}"
    properties = paddle.device.cuda.get_device_properties(device)
    return (
        f"{properties.name}, {properties.total_memory / 2**30:.1f} GiB, compute capability "
        f"{properties.major}.{properties.minor}, Paddle {paddle.__version__}, CUDA {paddle.version.cuda()}, "
        f"cuDNN {paddle.version.cudnn()}"
    )


@on_worker
def check_device(
    device: str, *, load: Callable[[], Bundle] = load_bundle, folder: Any = None
) -> Iterator[DeviceCheck]:
    """Compare a device with the CPU.

    Args:
        device: as paddle.set_device takes it; "cpu" compares the CPU with itself.
        load: makes the networks, on Paddle's device of that moment.
        folder: where compiled programs are kept; None is the cache.
    Yields:
        DeviceCheck. Paddle's device is then what it was before.
    """
    cases, before = _cases(folder), paddle.get_device()
    try:
        paddle.set_device("cpu")
        wanted = [_measured(case, load, "fp32") for case in cases]
        paddle.set_device(device)
        for case, reference in zip(cases, wanted):
            for precision in case.precisions:
                yield _compared(case, precision, reference, _measured(case, load, precision), device)
    finally:
        paddle.set_device(before)


def _measured(case: _Case, load: Callable[[], Bundle], precision: str) -> tuple:
    """(array, milliseconds) of a case on Paddle's device, or (None, the error)."""
    try:
        run = case.build(load(), precision)
        array, seconds = run(), []
        for _ in range(_REPEATS):
            begin = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - begin)
        return array, 1000 * min(seconds)
    except Exception as error:  # whatever a device refuses is what is asked for here
        return None, error


def _compared(case: _Case, precision: str, reference: tuple, found: tuple, device: str) -> DeviceCheck:
    memory = paddle.device.cuda.max_memory_allocated(device) / 2**20 if device.startswith("gpu") else 0.0
    for array, error in (reference, found):
        if array is None:
            state = "skipped" if isinstance(error, UserError) else "failed"
            note = one_line(error, 160) or type(error).__name__
            return DeviceCheck(case.part, precision, state, memory_mb=memory, note=note)
    (wanted, cpu_ms), (made, device_ms) = reference, found
    difference = float(np.abs(made.astype(np.float64) - wanted).max() / np.abs(wanted).max())
    state = "ok" if difference <= ALLOWED[precision] else "differs"  # NaN differs
    note = (
        "more than rounding: TF32 is on"
        if precision == "fp32" and EXACT < difference and state == "ok"
        else ""
    )
    return DeviceCheck(
        case.part, precision, state, difference, ALLOWED[precision], cpu_ms, device_ms, memory, note
    )


def _cases(folder: Any) -> list[_Case]:
    half = ("fp32", "fp16", "bf16")

    def eager(bundle, precision):
        styles = [paddle.to_tensor(style) for style in _styles(bundle)]

        def run():
            with paddle.no_grad():
                return bundle.generator.synthesis_from_styles(styles, noise="const").numpy()

        return run

    def compiled(bundle, precision):
        styles = _styles(bundle)
        draw = compile_synthesis(bundle.generator, precision=precision, folder=folder)
        return lambda: draw(styles)

    def image_side(bundle, precision):
        images = _images(bundle)
        encode = compile_image_encoder(bundle.clip, images.shape[-1], precision=precision, folder=folder)
        return lambda: encode(images)

    def text_side(bundle, precision):
        tokens = paddle.to_tensor(tokenize(list(_PROMPTS)).astype(np.int64))

        def run():
            with paddle.no_grad():
                return bundle.clip.encode_tokens(tokens).numpy()

        return run

    def gradient(bundle, precision):
        shapes = {"s": [-1, bundle.layout.size]}
        evaluate = compile_gradient(_MeanSquare(bundle), shapes, ["s"], folder=folder)
        s = bundle.layout.flatten(_styles(bundle))
        return lambda: evaluate({"s": s})[1]["s"]

    return [
        _Case("pictures, eager", ("fp32",), eager),
        _Case("pictures, compiled", half, compiled),
        _Case("CLIP of pictures, compiled", half, image_side),
        _Case("CLIP of texts, eager", ("fp32",), text_side),
        _Case("gradient in the styles, compiled", ("fp32",), gradient),
    ]


class _MeanSquare(paddle.nn.Layer):
    """The mean square of pictures of flat styles: a loss."""

    def __init__(self, bundle: Bundle):
        super().__init__()
        self.layout, self.synthesis = bundle.layout, inference_of(bundle.generator).differentiable()

    def forward(self, tensors):
        """Return [loss]."""
        images = self.synthesis(self.layout.unflatten(tensors["s"]))
        return [paddle.mean(images * images)]


def _styles(bundle: Bundle) -> list[np.ndarray]:
    """Styles `[N, C_k]` that are the same on every device: drawn around the mean, a deviation wide."""
    normal = np.random.RandomState(0).standard_normal([_BATCH, bundle.layout.size])
    stats = bundle.stats
    return bundle.layout.unflatten((stats.mean + stats.std * normal).astype(np.float32))


def _images(bundle: Bundle) -> np.ndarray:
    """Smooth pictures that are the same on every device, `[N, 3, size, size]`."""
    place = np.linspace(-np.pi, np.pi, bundle.generator.size)
    waves = [np.sin(k * place)[:, None] * np.cos(c * place)[None] for k in range(1, 5) for c in range(3)]
    return np.asarray(waves, np.float32).reshape([_BATCH, 3, *waves[0].shape])
