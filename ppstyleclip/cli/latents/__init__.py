# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands of latents: faces drawn, mixed, moved, found in photos, and banks of them."""
