# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The names of methods.optimization in version 0.1; they go with the next release."""

import warnings

from ppstyleclip.methods.optimization import OptimizationConfig as Settings
from ppstyleclip.methods.optimization import optimize

__all__ = ["Settings", "optimise"]
warnings.warn("ppstyleclip.methods.optimize is methods.optimization now", DeprecationWarning, stacklevel=2)


def optimise(generator, layout, clip, start, texts, settings, **options):
    """See methods.optimization.optimize, which knows the generator's layout."""
    return optimize(generator, clip, start, texts, settings, **options)
