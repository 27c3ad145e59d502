# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An exported program under Paddle Inference."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddle import inference

from ppstyleclip.engine.manifest import (
    MODELS,
    WEIGHTS,
    Unusable,
    check_program,
    is_in_state,
    key_of,
)
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.threads import thread_count
from ppstyleclip.worker import on_worker, post, run

PRECISIONS = ("fp32", "bf16", "fp16")
_GPU_POOL = 256  # MB


@dataclass(frozen=True)
class PassConfig:
    """Which of Paddle Inference's passes run on a CPU, and which operators run under oneDNN.

    Attributes:
        passes: names of the passes that run; None is all but those in `without`.
        without: names of passes that do not run.
        onednn: operator types that run under oneDNN, reshapes not among them; None is all that can.
        bf16: operator types that compute in bf16 under that precision; None where the program itself says it.
        fp32_on_gpu: operator types that stay fp32 on a GPU, whatever the precision.
    """

    passes: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    onednn: tuple[str, ...] | None = None
    bf16: tuple[str, ...] | None = None
    fp32_on_gpu: tuple[str, ...] = ()


ALL_PASSES = PassConfig()


class Program:
    """An exported program: float32 arrays in, a list of arrays out. Any thread may call it.

    Args:
        folder: where export() wrote it. The attribute `folder` follows where it moves to.
        precision: "fp32"; "bf16" where the processor has it; "fp16" on a GPU.
        passes: which passes run.
    """

    def __init__(self, folder: str | Path, precision: str = "fp32", passes: PassConfig = ALL_PASSES) -> None:
        self._loaded = _open(Path(folder), precision, passes)
        weakref.finalize(self, post, self._loaded.close).atexit = False

    def __call__(self, arrays: dict[str, Any]) -> list[np.ndarray]:
        """Run on `{name: array}`; names that the program does not use are ignored."""
        return run(self._loaded.run, arrays)

    @property
    def folder(self) -> Path:
        """Where the program's files are."""
        return self._loaded.folder

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._loaded.folder = folder


class _LoadedProgram:
    """The predictor of one program; only the worker touches it.

    When a program is loaded, Paddle forgets what oneDNN has prepared for the others (above all weights in
    another layout), but frees it only with their predictors. So a program that has run is loaded again before
    it runs once more. If its files are gone or changed by then, that memory is lost and nothing else happens.
    """

    def __init__(self, folder: Path, precision: str, passes: PassConfig) -> None:
        self.folder, self._precision, self._passes = folder, precision, passes
        self._predictor: Any = None
        self._key: str | None = None  # that of its manifest, which it has to have when it is loaded again
        self.has_run = self.is_stale = False

    def load(self) -> None:
        """Check the files and create the predictor."""
        state = check_program(self.folder, self._key)
        self._key = key_of(state)
        for other in _OPEN:
            other.is_stale |= other.has_run
        self._predictor = inference.create_predictor(_config(self.folder, self._precision, self._passes))
        if not is_in_state(self.folder, state):
            raise Unusable(f"the compiled program in {self.folder} cannot be used: it changed meanwhile")
        names = sorted(self._predictor.get_input_names())
        self._inputs = {name: self._predictor.get_input_handle(name) for name in names}
        names = self._predictor.get_output_names()
        self._outputs = [self._predictor.get_output_handle(name) for name in names]
        self.has_run = self.is_stale = False

    def run(self, arrays: dict[str, Any]) -> list[np.ndarray]:
        """Run on `{name: array}`."""
        if self._predictor is None:
            self._load_after_fork()
        if self.is_stale and not on_gpu():
            _load_again()
        for name, handle in self._inputs.items():
            handle.copy_from_cpu(np.ascontiguousarray(arrays[name], np.float32))
        self._predictor.run()
        paddle.base.core.set_num_threads(thread_count())  # a run leaves one for what is eager afterwards
        self.has_run = True
        return [handle.copy_to_cpu() for handle in self._outputs]

    def is_loadable(self) -> bool:
        """Whether the files are still there and as they were."""
        try:
            check_program(self.folder, self._key)
        except Unusable:
            return False
        return True

    def free(self) -> None:
        """Destroy the predictor and what oneDNN has prepared for it."""
        self._predictor = self._inputs = self._outputs = None  # type: ignore[assignment]

    def close(self) -> None:
        """Destroy the predictor for good."""
        _OPEN.pop(self, None)
        self.free()

    def leave_to_parent(self) -> None:
        """In a forked process: forget the parent's predictor, and never destroy it."""
        _OF_PARENT.append((self._predictor, self._inputs, self._outputs))
        self.free()

    def _load_after_fork(self) -> None:
        if on_gpu():
            raise UserError('a forked process cannot use the GPU; start processes with the method "spawn"')
        try:
            self.load()
        except Unusable as error:
            raise MissingFile(
                f'{error}, and this forked process has to load it; start processes with the method "spawn"'
            ) from None


_OPEN: dict[_LoadedProgram, None] = {}  # in the order of their loading
_OF_PARENT: list[Any] = []


@on_worker
def _open(folder: Path, precision: str, passes: PassConfig) -> _LoadedProgram:
    program = _LoadedProgram(folder, precision, passes)
    program.load()
    _OPEN[program] = None
    return program


def _load_again() -> None:
    """Load all programs again that have run, because each that is loaded makes the others stale."""
    for program in list(_OPEN):
        if not (program.has_run or program.is_stale):
            continue
        program.has_run = program.is_stale = False
        if program.is_loadable():
            program.free()
            program.load()


def _after_fork_in_child() -> None:
    for program in _OPEN:
        program.leave_to_parent()
    _leak(_OF_PARENT)


def _leak(value: Any) -> None:
    """Keep a value until the process is gone, even while Python is taken apart."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def check_precision(precision: str) -> None:
    """Refuse a precision that is unknown or that this machine does not have.

    Raises:
        UserError: names what is known, or what is missing.
    """
    if precision not in PRECISIONS:
        raise UserError(f"unknown precision '{precision}', known: {', '.join(PRECISIONS)}")
    if precision == "fp16" and not on_gpu():
        raise UserError("precision fp16 needs a GPU; on a CPU use fp32 or bf16")
    if precision == "bf16" and not on_gpu() and not paddle.base.core.supports_bfloat16():
        raise UserError("this processor does not compute in bf16; use fp32")


def on_gpu() -> bool:
    """Whether Paddle's current device is a GPU."""
    return paddle.get_device().startswith("gpu")


def model_file(folder: Path) -> Path | None:
    """The file of the program in a folder; None if there is none."""
    return next((folder / name for name in MODELS if (folder / name).is_file()), None)


def _config(folder: Path, precision: str, passes: PassConfig) -> Any:
    """Paddle Inference's settings: all cores and oneDNN on a CPU, CUDA where Paddle's device is a GPU."""
    model = model_file(folder)
    if model is None:
        raise MissingFile(f"there is no program in {folder}")
    if (folder / WEIGHTS).is_file():
        config = inference.Config(str(model), str(folder / WEIGHTS))
    else:
        config = inference.Config()
        config.set_prog_file(str(model))
    config.disable_glog_info()
    if on_gpu():
        use_gpu(config, int(paddle.get_device().split(":")[1]), precision, passes)
    else:
        config.disable_gpu()
        config.set_cpu_math_library_num_threads(thread_count())
        _choose_passes(config, precision, passes)
    if model.suffix == ".pdmodel":
        config.enable_memory_optim()
    else:
        config.enable_new_executor(True)
        config.enable_new_ir(True)
    return config


def use_gpu(config: Any, device: int, precision: str, passes: PassConfig) -> None:
    """Have a program run on a GPU.

    What is not asked for here stays as Paddle has it: memory grows as it is needed (of the pool's first size
    only the old strategy takes notice), all programs of the process share one stream, in the order of their
    calls, and TensorRT is off: it would build an engine for each shape.
    """
    kinds = inference.PrecisionType
    kind = {"fp32": kinds.Float32, "bf16": kinds.Bfloat16, "fp16": kinds.Half}[precision]
    config.enable_use_gpu(_GPU_POOL, device, kind)
    if precision != "fp32" and passes.fp32_on_gpu:
        config.exp_disable_mixed_precision_ops(set(passes.fp32_on_gpu))


def _choose_passes(config: Any, precision: str, passes: PassConfig) -> None:
    config.enable_mkldnn()
    if passes.onednn is not None:
        config.set_mkldnn_op(set(passes.onednn))
    if precision == "bf16" and passes.bf16 is not None:
        config.enable_mkldnn_bfloat16()
        config.set_bfloat16_op(set(passes.bf16))
    builder = config.pass_builder()
    for name in builder.all_passes():
        wanted = passes.passes is None or name in passes.passes
        if not wanted or name in passes.without:
            builder.delete_pass(name)
