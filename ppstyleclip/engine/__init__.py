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

import warnings

from ppstyleclip.engine.compiled_layer import Compiled
from ppstyleclip.engine.exporter import export
from ppstyleclip.engine.gradient import compile_gradient
from ppstyleclip.engine.keys import config_key
from ppstyleclip.engine.networks import (
    CompiledNetworks,
    Renderer,
    compile_image_encoder,
    compile_region_synthesis,
    compile_synthesis,
)
from ppstyleclip.engine.predictor import PRECISIONS, PassConfig, Program
from ppstyleclip.worker import on_worker, run, submit

__all__ = [
    "PRECISIONS",
    "Compiled",
    "CompiledNetworks",
    "PassConfig",
    "Program",
    "Renderer",
    "compile_gradient",
    "compile_image_encoder",
    "compile_region_synthesis",
    "compile_synthesis",
    "config_key",
    "export",
    "on_worker",
    "run",
    "submit",
]


def Painter(generator, *, mark=None):
    """Return `Renderer(generator).synthesize`; the name of version 0.1, which goes with the next release."""
    warnings.warn("engine.Painter is Renderer now; call its synthesize", DeprecationWarning, stacklevel=2)
    return Renderer(generator, mark=mark).synthesize
