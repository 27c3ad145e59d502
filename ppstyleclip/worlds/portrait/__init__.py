# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The portrait world: soft-shaded portraits drawn from Gaussian factors."""
