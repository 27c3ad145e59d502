# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Another name of what is in cli.photos."""

from ppstyleclip.cli.photos import PICTURES  # noqa: F401  alias until the sweep
