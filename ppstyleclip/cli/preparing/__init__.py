# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands of the two-stage preparation: statistics of the styles, then relevance."""
