# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Ways from a text to an edit. Networks arrive as arguments; no file is read or written here."""
