# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Other projects' names for what is here, for code that was written for them."""
