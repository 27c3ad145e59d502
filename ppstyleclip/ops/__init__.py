# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Operations on tensors that the networks share; nothing here knows a network."""

from .bias_act import bias_act
from .filtered_lrelu import filtered_lrelu, filtered_lrelu_reference
from .upfirdn2d import downsample2d, setup_filter, upfirdn2d, upfirdn2d_reference, upsample2d
from .winograd import (
    TILE,
    cut_tiles,
    join_tiles,
    winograd_conv2d,
    winograd_input_filter,
    winograd_output_matrix,
    winograd_tiles,
    winograd_weight,
)

__all__ = [
    "TILE",
    "bias_act",
    "cut_tiles",
    "downsample2d",
    "filtered_lrelu",
    "filtered_lrelu_reference",
    "join_tiles",
    "setup_filter",
    "upfirdn2d",
    "upfirdn2d_reference",
    "upsample2d",
    "winograd_conv2d",
    "winograd_input_filter",
    "winograd_output_matrix",
    "winograd_tiles",
    "winograd_weight",
]
