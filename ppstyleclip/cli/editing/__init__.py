# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Commands that edit faces and photos by text: global directions, optimisation, replays of a card."""
