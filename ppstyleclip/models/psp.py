# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The former place of models.encoders."""

from .encoders import ENCODERS, StyleEncoder, build_encoder  # noqa: F401  alias until the sweep
