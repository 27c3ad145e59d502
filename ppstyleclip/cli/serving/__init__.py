# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands that serve: over HTTP, in the browser, and the workers of a queue."""
