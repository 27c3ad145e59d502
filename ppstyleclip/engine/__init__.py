# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Compiled arithmetic: what need not be eager is exported once and run by Paddle Inference.

    compile_synthesis(generator)        styles -> images
    compile_image_encoder(clip, side)   images -> CLIP features
    compile_gradient(layer, ...)        inputs -> a loss and its gradients

Paddle's eager mode on a CPU has convolutions of its own; Paddle Inference has oneDNN's, several times as
fast. An exported program is kept on disk, in `engine/` of the cache, under a name made of the weights'
fingerprint, the configuration, the shapes, Paddle's version and the source that it was traced from. Where a
network cannot be exported, one warning says so and the same call runs in eager mode.

Any thread may call what is compiled here: one thread of the process, the worker, does all of the computing
(see ppstyleclip.worker, whose `run`, `submit` and `on_worker` are here too).
"""

from __future__ import annotations

import sys

from ppstyleclip.engine import compiled_layer, exporter, graph_passes, predictor

# The modules' names of version 0.1; aliases until the sweep.
for _old, _module in {
    "compiled": compiled_layer,
    "tracing": exporter,
    "prepared": graph_passes,
    "program": predictor,
}.items():
    sys.modules[f"{__name__}.{_old}"] = globals()[_old] = _module

from ppstyleclip.engine.compiled_layer import Compiled  # noqa: E402
from ppstyleclip.engine.exporter import export  # noqa: E402
from ppstyleclip.engine.gradient import compile_gradient  # noqa: E402
from ppstyleclip.engine.keys import config_key  # noqa: E402
from ppstyleclip.engine.networks import (  # noqa: E402
    CompiledNetworks,
    Painter,
    Renderer,
    compile_image_encoder,
    compile_synthesis,
)
from ppstyleclip.engine.predictor import PRECISIONS, PassConfig, Program  # noqa: E402
from ppstyleclip.worker import on_worker, run, submit  # noqa: E402

__all__ = [
    "PRECISIONS",
    "Compiled",
    "CompiledNetworks",
    "Painter",
    "PassConfig",
    "Program",
    "Renderer",
    "compile_gradient",
    "compile_image_encoder",
    "compile_synthesis",
    "config_key",
    "export",
    "on_worker",
    "run",
    "submit",
]
