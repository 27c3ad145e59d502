# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Methods joined to whole tasks: values in, records on the way, values out. Nothing is saved here."""
