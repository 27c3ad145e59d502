# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands: each module reads a command line, calls a pipeline or a job, and prints."""
