# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""StyleGAN3 (Karras et al., 2021), configurations T and R: a generator whose details stick to what it draws.

Read from the top down: `generator` is the network; `layers` its Fourier features and filtered convolutions;
`geometry` their sizes, rates and paddings; `filters` their filters. `prefix` draws it layer by layer,
`inference` exports it from any layer on, `transforms` moves and turns the canvas, `state` loads weights.
"""

from __future__ import annotations

from .generator import StyleGAN3Generator, build_generator
from .state import load_generator_state
from .transforms import canvas_transform

__all__ = ["StyleGAN3Generator", "build_generator", "canvas_transform", "load_generator_state"]
