# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: forms.inference_of(generator).differentiable()."""

from .forms import inference_of


def FixedSynthesis(generator):
    """Alias until the sweep: a Layer, styles to images, as part of a loss."""
    return inference_of(generator).differentiable()
