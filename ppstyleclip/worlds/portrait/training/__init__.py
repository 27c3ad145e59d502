# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How the portrait world's networks are made: fitted to the renderer, in PyTorch (`pip install torch`).

    python -m ppstyleclip.worlds.portrait.training.data --folder run --count 40000
    python -m ppstyleclip.worlds.portrait.training.regressor --folder run
    python -m ppstyleclip.worlds.portrait.training.generator --folder run
    python -m ppstyleclip.worlds.portrait.training.export --folder run
    python -m ppstyleclip.worlds.portrait.training.clip --folder run
    python -m ppstyleclip.worlds.portrait.training.faces --folder run
    python -m ppstyleclip.worlds.portrait.training.identity --folder run
    python -m ppstyleclip.worlds.portrait.training.encoder --folder run
    python -m ppstyleclip.worlds.portrait.training.directions --pack ppstyleclip/worlds/portrait/pack
    python -m ppstyleclip.worlds.portrait.training.mappers happy --folder run

Each command goes on from what it finds in the folder; `generator --start FILE` goes on from an exported
generator, such as the world's own (`ppstyleclip/worlds/portrait/pack/`). CLIP's is described in `clip/`, what
finds, recognises and inverts faces in `faces/`, `identity/` and `encoder/`;
`words` writes the pages of its words.
"""
