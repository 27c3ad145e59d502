# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Long work that is kept on disk: a manifest, blocks of results, shards, and processes that share them."""
