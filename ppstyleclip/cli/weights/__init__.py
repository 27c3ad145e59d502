# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands of weights and of what is installed: converted, exported, verified, described."""
