# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation (StyleCLIP, section 4), and the registry of objectives that mappers share."""

from ppstyleclip.methods.optimization.adam import Adam, DescentRecord, adam_steps
from ppstyleclip.methods.optimization.compiled_objective import compile_objective, start_references
from ppstyleclip.methods.optimization.config import SPACES, ObjectiveConfig, OptimizationConfig
from ppstyleclip.methods.optimization.objective import (
    OBJECTIVES,
    Context,
    Networks,
    Objective,
    register_objective,
)
from ppstyleclip.methods.optimization.optimize import optimize
from ppstyleclip.methods.optimization.spaces import neighbour_offsets, to_styles
from ppstyleclip.methods.optimization.targets import directed_features

__all__ = [
    "OBJECTIVES",
    "SPACES",
    "Adam",
    "Context",
    "DescentRecord",
    "Networks",
    "Objective",
    "ObjectiveConfig",
    "OptimizationConfig",
    "adam_steps",
    "compile_objective",
    "directed_features",
    "neighbour_offsets",
    "optimize",
    "register_objective",
    "start_references",
    "to_styles",
]
