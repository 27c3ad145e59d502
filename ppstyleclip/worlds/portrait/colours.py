# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Colours of skin, hair, lips, eyes, clothes and backdrop."""

from __future__ import annotations

import numpy as np

from ppstyleclip.worlds.portrait.smooth import mix, ramp, rgb, sat


def palette(codes, u):
    """Linear colour at u in [0, 1] along equally spaced hex codes, smooth."""
    stops = np.float32([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in codes])
    weight = np.exp(-0.5 * ((np.arange(len(codes), dtype=np.float32) - u * (len(codes) - 1)) / 0.5) ** 2)
    return (weight @ stops / weight.sum()) ** 2


SKINS = ("f8dccd", "f3cbb0", "e9bb98", "cc9870", "9f6c4c", "6c4533")
IRISES = ("3c1d0d", "69391a", "94641f", "739440", "3f9a94", "3a8ecb", "7cc6f2")
CLOTHES = ("23407e", "2f7389", "7f8f86", "c98f4a", "b0392f")
BACKDROPS = ("6694cc", "96bccf", "d3cfcb", "ecc0a0", "e39a82")


def colours(g, f):
    """Linear colours `[3]` of all parts; g.fem, g.old and g.young are measured before."""

    def along(codes, name, k=0.75):
        return palette(codes, 0.5 + 0.5 * sat(f[name], k))

    natural = natural_hair(f)
    skin = along(SKINS, "skin_tone", 0.72) * rgb(1.0, 0.97, 0.95)
    skin = mix(skin, skin.mean() * rgb(1.04, 1.0, 0.94), 0.26 * g.old)
    skin = skin * rgb(1.0, 1 - 0.05 * g.young, 1 - 0.03 * g.young)
    lips, gloss = lip_colour(skin, f["lipstick"] + 0.35 * g.fem)
    tone = sat(f["background_tone"], 0.6)
    backdrop = along(BACKDROPS, "background_colour") ** np.float32(1 - 0.40 * tone)
    return dict(
        natural_hair=natural,
        hair=dyed_hair(natural, f),
        skin=skin,
        lips=lips,
        gloss=gloss,
        iris=along(IRISES, "eye_colour"),
        clothes=along(CLOTHES, "clothes_colour"),
        backdrop=backdrop * np.float32(0.86 + 0.24 * tone),
    )


def lip_colour(skin, v):
    """Lips from nearly the skin's colour through a natural rose to red lipstick, and their gloss."""
    pale, red = ramp(0.0, 1.8, -v), ramp(-0.1, 1.5, v)
    natural = skin * rgb(0.80, 0.40, 0.42) + rgb(0.04, 0.0, 0.0)
    colour = mix(natural, skin * rgb(0.92, 0.66, 0.64), pale)
    return mix(colour, skin * rgb(0.34, 0.02, 0.06) + rgb(0.29, 0.002, 0.018), red), 0.12 + 0.16 * red


def natural_hair(f):
    """The hair's colour by lightness, redness and grey."""
    u = 0.5 + 0.5 * sat(f["hair_lightness"], 0.75)
    natural = palette(("15110f", "34221a", "5a3a26", "8a5d38", "bd8d52", "e2c388"), u)
    red, ash = (palette(("4a1a12", "7d2c16", "b24a1f", "e08240"), u), natural.mean() * rgb(1.02, 1.0, 0.84))
    r, grey = sat(f["hair_redness"], 0.8), ramp(0.0, 1.8, f["hair_grey"])
    r *= (1 - grey) ** 1.5 if r > 0 else 1.0  # red hair fades to sandy, not to pink
    tone = mix(natural, red, r**1.2) if r > 0 else mix(natural, ash, -0.55 * r)
    tone = mix(tone.mean() * rgb(1.02, 1.0, 0.90), tone, (1 - grey) ** 2)  # colour goes before darkness
    tone = mix(tone.mean(), tone, 1 + 0.38 * ramp(0.0, 2.2, -f["hair_grey"]))  # the opposite of grey: rich
    return np.maximum(
        mix(tone, palette(("77787c", "9b9b9e", "bdbcbc", "cfcecb"), u), grey), np.float32(0.002)
    )


VIOLETS, PINKS = ("34146f", "6a30b4", "a177dc"), ("82124f", "cc3a86", "e88abb")
TEALS, BLUES = ("0b5258", "178688", "62c4b8"), ("14306f", "2a5cb8", "6a9ade")


def dyed_hair(natural, f):
    """Dye covers the natural colour from a little beyond one sigma on: violet, then pink; teal, then blue.

    Teal comes before blue, since brown mixed with blue would pass for violet.
    """
    v, u = f["hair_dye"], 0.5 + 0.5 * sat(f["hair_lightness"], 0.75)
    near, far = (VIOLETS, PINKS) if v > 0 else (TEALS, BLUES)
    dye = mix(palette(near, u), palette(far, u), ramp(1.5, 2.8, abs(v)))
    return mix(natural, dye, ramp(1.15, 1.7, abs(v)))
