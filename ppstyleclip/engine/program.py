# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An exported program on the disk, and how Paddle Inference runs it."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import paddle
from paddle import inference

from ppstyleclip.errors import UserError
from ppstyleclip.threads import thread_count

PRECISIONS = ("fp32", "bf16", "fp16")
STEM = "program"
MODELS = (f"{STEM}.pdmodel", f"{STEM}.json")  # Paddle's old and new program files
WEIGHTS = f"{STEM}.pdiparams"


@dataclass(frozen=True)
class Arrangement:
    """What Paddle Inference may rearrange of a program on a CPU, by names of its passes and operators.

    passes: the passes that are run; None for all but those in `without`.
    onednn: kinds of operators that run under oneDNN, reshapes not among them; None for all that can.
    bf16: kinds that compute in bf16 under that precision; None where the program says so itself.
    """

    passes: tuple | None = None
    without: tuple = ()
    onednn: tuple | None = None
    bf16: tuple | None = None


ALL = Arrangement()


_LIVE = weakref.WeakSet()  # programs
_TURN = threading.RLock()  # each has all cores anyway


class Program:
    """An exported program under Paddle Inference: float32 arrays in, a list of arrays out.

    Loading a program makes Paddle forget what oneDNN has prepared for the others, above all weights laid out
    anew, but not free it: that happens when they go. So those that have run are loaded again before they go
    on.

    Args:
        folder: where export() wrote it; an attribute, for it may move. If it is there no more when the
            program is to be loaded again, memory for its weights is lost, nothing else.
        precision: "fp32"; "bf16" where the processor has it; "fp16" on a GPU.
        arrangement: what Paddle may rearrange.
    """

    def __init__(self, folder, precision="fp32", arrangement=ALL):
        self.folder, self._settings = Path(folder), (precision, arrangement)
        with _TURN:
            self._load()
            _LIVE.add(self)

    def _load(self):
        for other in _LIVE:
            other._is_stale |= other._has_run
        self._predictor = predictor = inference.create_predictor(_config(self.folder, *self._settings))
        names = sorted(predictor.get_input_names())
        self._inputs = {name: predictor.get_input_handle(name) for name in names}
        self._outputs = [predictor.get_output_handle(name) for name in predictor.get_output_names()]
        self._has_run = self._is_stale = False

    def __call__(self, arrays) -> list:
        """Run on `{name: array}`; names that the program does not use are passed over."""
        with _TURN:
            if self._is_stale and not on_gpu():
                _load_again()
            for name, handle in self._inputs.items():
                handle.copy_from_cpu(np.ascontiguousarray(arrays[name], np.float32))
            self._predictor.run()
            paddle.base.core.set_num_threads(thread_count())  # it leaves one for all that is eager afterwards
            self._has_run = True
            return [handle.copy_to_cpu() for handle in self._outputs]


def _load_again():
    """Load all programs again that have run, for each that is loaded makes the others stale."""
    for program in list(_LIVE):
        if not (program._has_run or program._is_stale):
            continue
        program._has_run = program._is_stale = False
        if _model(program.folder) is not None:
            program._predictor = program._inputs = program._outputs = None  # frees what oneDNN has prepared
            program._load()


def check_precision(precision):
    if precision not in PRECISIONS:
        raise UserError(f"unknown precision '{precision}', known: {', '.join(PRECISIONS)}")
    if precision == "fp16" and not on_gpu():
        raise UserError("precision fp16 needs a GPU; on a CPU use fp32 or bf16")
    if precision == "bf16" and not on_gpu() and not paddle.base.core.supports_bfloat16():
        raise UserError("this processor does not compute in bf16; use fp32")


def on_gpu() -> bool:
    return paddle.get_device().startswith("gpu")


def _config(folder, precision, arrangement):
    """Paddle Inference's settings: all cores and oneDNN on a CPU, CUDA where Paddle's device is a GPU."""
    model = _model(folder)
    config = inference.Config(str(model), str(folder / WEIGHTS))
    config.disable_glog_info()
    if on_gpu():
        kinds = inference.PrecisionType
        kind = {"fp32": kinds.Float32, "bf16": kinds.Bfloat16, "fp16": kinds.Half}[precision]
        config.enable_use_gpu(256, int(paddle.get_device().split(":")[1]), kind)
    else:
        config.disable_gpu()
        config.set_cpu_math_library_num_threads(thread_count())
        _arrange(config, precision, arrangement)
    if model.suffix == ".pdmodel":
        config.enable_memory_optim()
    else:
        config.enable_new_executor(True)
        config.enable_new_ir(True)
    return config


def _model(folder):
    """The file of the program in a folder; None if there is none."""
    return next((folder / name for name in MODELS if (folder / name).is_file()), None)


def _arrange(config, precision, arrangement):
    config.enable_mkldnn()
    if arrangement.onednn is not None:
        config.set_mkldnn_op(set(arrangement.onednn))
    if precision == "bf16" and arrangement.bf16 is not None:
        config.enable_mkldnn_bfloat16()
        config.set_bfloat16_op(set(arrangement.bf16))
    builder = config.pass_builder()
    for name in builder.all_passes():
        wanted = arrangement.passes is None or name in arrangement.passes
        if not wanted or name in arrangement.without:
            builder.delete_pass(name)
