# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: models.stylegan2.layers."""

from .stylegan2.layers import (  # noqa: F401
    SKIP_KERNEL,
    ConstantInput,
    EqualLinear,
    ModulatedConv2D,
    PixelNorm,
    StyledConv,
    ToRGB,
)
from .stylegan2.layout import output_side  # noqa: F401
