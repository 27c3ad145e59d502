# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A real photograph becomes a portrait in its likeness.

    found = likeness(pixels, landmarks)      factors, and how sure each one that was read is
    z = z_from_factors(found.factors[None])  what the generator takes

patch.py         the face upright and of one size; places in units of the face
measurements.py  lengths off the 68 landmarks; shape.py: proportions and expression from them
light.py         how dark the skin is, and the photo in the drawn world's light
hair.py, beard.py, glasses.py    what can be seen of them
colours.py       hair, lips, clothes and backdrop: the nearest of the drawn world's
read.py          all of it as factors; what was not read goes with the rest as in the population
"""

from ppstyleclip.worlds.portrait.factors import z_from_factors
from ppstyleclip.worlds.portrait.likeness.read import Likeness, likeness

__all__ = ["Likeness", "likeness", "z_from_factors"]
