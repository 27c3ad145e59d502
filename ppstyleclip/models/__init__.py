# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The networks. Each module builds its own from numbers; none of them reads a file."""
