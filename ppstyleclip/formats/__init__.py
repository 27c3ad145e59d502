# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Readers of weight and latent files; told by content, never by name, and nothing in a file is ever run."""

from __future__ import annotations

from ppstyleclip.formats.latents import load_bank, load_directions, load_latent
from ppstyleclip.formats.load import load_arrays, load_weights
from ppstyleclip.formats.sniff import SAYS, sniff
from ppstyleclip.formats.torch_modules import SavedModule

__all__ = [
    "SAYS",
    "SavedModule",
    "load_arrays",
    "load_bank",
    "load_directions",
    "load_latent",
    "load_weights",
    "sniff",
]
