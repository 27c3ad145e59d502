# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How the portrait world's networks are made: fitted to the renderer, in PyTorch (`pip install torch`).

    python -m ppstyleclip.worlds.portrait.training.data --folder run --count 40000
    python -m ppstyleclip.worlds.portrait.training.regressor --folder run
    python -m ppstyleclip.worlds.portrait.training.generator --folder run
    python -m ppstyleclip.worlds.portrait.training.export --folder run
    python -m ppstyleclip.worlds.portrait.training.clip --folder run

Each command goes on from what it finds in the folder. CLIP's is described in `clip/`; `words` writes the
pages of its words.
"""
