# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Alias until the sweep: models.stylegan2.state."""

from .stylegan2.state import load_generator_state  # noqa: F401
