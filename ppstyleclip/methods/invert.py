# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Another name of methods.inversion.encoder."""

from ppstyleclip.methods.inversion.encoder import invert  # noqa: F401  alias until the sweep
