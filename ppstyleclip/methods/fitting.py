# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Another name of methods.inversion."""

from ppstyleclip.methods.inversion.distances import (  # noqa: F401  alias until the sweep
    LpipsDistance,
    PlainDistance,
    VggDistance,
)
