# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The embedded face world: a drawn face whose every attribute is known, so that every edit can be judged."""
