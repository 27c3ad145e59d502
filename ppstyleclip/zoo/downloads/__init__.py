# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Published files on this machine: found or fetched over HTTP, verified by their checksums, under locks.

Nothing here knows which models there are; `zoo.registry` does.
"""
