# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Another name of methods.latents."""

from ppstyleclip.methods.latents import crossover, interpolate, mix, move  # noqa: F401  alias until the sweep
