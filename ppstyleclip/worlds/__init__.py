# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Embedded worlds: populations of drawn pictures whose every attribute is known."""
