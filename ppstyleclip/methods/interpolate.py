# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The name of methods.latents in version 0.1; it goes with the next release."""

import warnings

from ppstyleclip.methods.latents import crossover, interpolate, mix, move

__all__ = ["crossover", "interpolate", "mix", "move"]
warnings.warn("ppstyleclip.methods.interpolate is methods.latents now", DeprecationWarning, stacklevel=2)
