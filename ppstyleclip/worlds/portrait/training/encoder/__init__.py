# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The portrait world's encoders: from a picture to the w_plus that draws it.

    python -m ppstyleclip.worlds.portrait.training.encoder --folder run
    python -m ppstyleclip.worlds.portrait.training.encoder --folder run --kind e4e

The first is pSp's encoder of one last map: a trunk, 128 numbers, and linear layers from there to all latents.
pSp's feature pyramid would take three times the bytes here, and no portrait needs it: a z of this world names
31 factors. It goes on from encoder-state.pt and leaves encoder.safetensors.

The second is e4e's, with a pyramid: its first head gives w, each other one an offset (heads.py), and its fit
keeps latents where edits work (editability.py). It goes on from encoder-e4e-state.pt and leaves
encoder_e4e.safetensors.
"""
