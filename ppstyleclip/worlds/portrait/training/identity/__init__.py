# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The portrait world's identity network: who is in a picture (`ppstyleclip/worlds/portrait/identity.py`).

    python -m ppstyleclip.worlds.portrait.training.identity --folder run

It goes on from identity-state.pt, leaves identity.safetensors, and says how well it tells people apart.
"""
