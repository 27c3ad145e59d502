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

from ppstyleclip.engine.compiled import Compiled
from ppstyleclip.engine.networks import (
    CompiledNetworks,
    Painter,
    Renderer,
    compile_gradient,
    compile_image_encoder,
    compile_synthesis,
)
from ppstyleclip.engine.program import PRECISIONS, Program
from ppstyleclip.engine.tracing import export

__all__ = [
    "PRECISIONS",
    "Compiled",
    "CompiledNetworks",
    "Painter",
    "Program",
    "Renderer",
    "compile_gradient",
    "compile_image_encoder",
    "compile_synthesis",
    "export",
]
