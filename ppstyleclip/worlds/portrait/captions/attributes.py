# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What can be said of a portrait, whatever the language: attributes, and the factors of which each is true.

An attribute is true where its factors lie in its ranges, false where one lies clearly outside, and undecided
between and where something hides it: nobody sees the colour of eyes behind dark glasses. Ranges begin where a
person sees it in the renderer's picture: a beard of 0.4 is none yet.
"""

from __future__ import annotations

from dataclasses import dataclass

INF = float("inf")
Range = tuple[str, float, float]  # factor, low, high; "|factor|" is its magnitude


def above(factor: str, low: float) -> Range:
    return (factor, low, INF)


def below(factor: str, high: float) -> Range:
    return (factor, -INF, high)


@dataclass(frozen=True)
class Attribute:
    """One thing to say.

    Attributes:
        name: its key in the tables of words.
        where: ranges of factors, all of which must hold.
        hidden: ranges that, holding together, hide it; empty: always seen.
        opposite: name of the attribute that is its opposite; empty: that it is not so.
        graded: the first range has one bound, and there may be more or less of it.
        middle: the factor's value at which there is neither more nor less of it than usual.
    """

    name: str
    where: tuple[Range, ...]
    hidden: tuple[Range, ...] = ()
    opposite: str = ""
    graded: bool = False
    middle: float = 0.0


def scale(factor, low, low_name, high, high_name, *, hidden=(), also=(), middle=0.0):
    """The two opposite ends of one factor, both graded."""
    return (
        Attribute(low_name, (below(factor, low), *also), hidden, high_name, True, middle),
        Attribute(high_name, (above(factor, high), *also), hidden, low_name, True, middle),
    )


def of(name, *where, hidden=(), opposite=""):
    return Attribute(name, where, hidden, opposite)


DARK_GLASSES = (above("glasses", 0.05), above("shades", 0.0))
UNDYED, DYED = below("|hair_dye|", 1.2), above("|hair_dye|", 1.4)
NOT_GREY = below("hair_grey", 0.5)
NATURAL = (UNDYED, NOT_GREY)

EXPRESSION = (
    *scale("smile", -0.95, "sad", 0.3, "happy", middle=-0.4),
    of("grinning", above("smile", 0.9), opposite="sad"),
    of("serious", ("smile", -0.95, -0.05), ("anger", -0.7, 0.4), ("surprise", -0.7, 0.5), opposite="happy"),
    *scale("anger", -0.55, "gentle", 0.5, "angry"),
    *scale("surprise", -0.5, "sleepy", 0.5, "surprised"),
    of("worried", below("anger", -0.4), below("smile", -0.8), opposite="happy"),
    of("scared", above("surprise", 0.5), below("smile", -0.8), opposite="happy"),
    of("grumpy", above("anger", 0.4), below("smile", -0.8), opposite="happy"),
    of("shouting", above("anger", 0.4), above("mouth_open", 0.6), opposite="closed mouth"),
    of("laughing", above("smile", 0.5), above("mouth_open", 0.5), opposite="sad"),
    of("excited", above("surprise", 0.4), above("smile", 0.4), opposite="bored"),
    of("bored", below("surprise", -0.4), ("smile", -1.2, 0.0), opposite="excited"),
    of(
        "closed mouth",
        below("mouth_open", -0.2),
        below("surprise", 0.3),
        below("smile", 0.5),
        opposite="open mouth",
    ),
    Attribute("open mouth", (above("mouth_open", 0.6),), (), "closed mouth", True),
    of(
        "pressed lips",
        below("mouth_open", -1.0),
        below("surprise", 0.3),
        below("smile", 0.5),
        opposite="open mouth",
    ),
)
LENGTHS = (
    *scale("hair_length", -0.6, "short hair", 0.5, "long hair"),
    of("cropped hair", below("hair_length", -1.2), opposite="long hair"),
    of("chin-length hair", ("hair_length", -0.3, 0.45), opposite="cropped hair"),
    of("shoulder-length hair", ("hair_length", 0.5, 1.1), opposite="short hair"),
    of("hair below the shoulders", above("hair_length", 1.15), opposite="short hair"),
)
SHAPES = (
    *scale("hair_curl", -0.55, "straight hair", 0.7, "curly hair"),
    of("wavy hair", ("hair_curl", 0.45, 1.0), above("hair_length", 0.1), opposite="straight hair"),
    *scale("hair_volume", -0.6, "flat hair", 0.6, "full hair"),
    *scale("fringe", -0.9, "swept-back hair", 0.85, "bangs"),
    of("parted hair", ("fringe", -0.7, -0.05), above("hair_length", -0.9), opposite="bangs"),
    of("side-swept bangs", ("fringe", 0.05, 0.6), opposite="swept-back hair"),
    of("bob cut", ("hair_length", -0.35, 0.45), below("hair_curl", 0.2), opposite="long hair"),
    of(
        "bowl cut",
        ("hair_length", -1.0, 0.15),
        below("hair_curl", 0.2),
        above("fringe", 0.9),
        opposite="swept-back hair",
    ),
    of(
        "afro",
        above("hair_curl", 0.9),
        above("hair_volume", 0.0),
        ("hair_length", -0.9, 0.6),
        opposite="straight hair",
    ),
)
HAIR_COLOURS = (
    Attribute(
        "black hair", (below("hair_lightness", -0.85), below("hair_redness", 0.7), *NATURAL), (), "blond hair"
    ),
    of("dark hair", below("hair_lightness", -0.4), *NATURAL, opposite="fair hair"),
    of(
        "dark brown hair",
        ("hair_lightness", -0.9, -0.3),
        ("hair_redness", -0.9, 0.7),
        *NATURAL,
        opposite="blond hair",
    ),
    of(
        "brown hair",
        ("hair_lightness", -0.7, 0.4),
        ("hair_redness", -0.9, 0.7),
        *NATURAL,
        opposite="blond hair",
    ),
    of(
        "light brown hair",
        ("hair_lightness", 0.2, 0.75),
        ("hair_redness", -0.9, 0.7),
        *NATURAL,
        opposite="black hair",
    ),
    of("fair hair", above("hair_lightness", 0.6), *NATURAL, opposite="dark hair"),
    of(
        "blond hair",
        above("hair_lightness", 0.8),
        below("hair_redness", 0.7),
        *NATURAL,
        opposite="black hair",
    ),
    of("red hair", above("hair_redness", 0.8), ("hair_lightness", -1.0, 1.3), *NATURAL, opposite="ash hair"),
    of(
        "ginger hair",
        above("hair_redness", 0.8),
        above("hair_lightness", 0.0),
        *NATURAL,
        opposite="black hair",
    ),
    of(
        "auburn hair",
        above("hair_redness", 0.7),
        ("hair_lightness", -1.1, 0.1),
        *NATURAL,
        opposite="blond hair",
    ),
    of("ash hair", below("hair_redness", -0.9), *NATURAL, opposite="red hair"),
    Attribute("grey hair", (above("hair_grey", 0.85), UNDYED), (), "black hair", True),
    of("white hair", above("hair_grey", 1.2), above("hair_lightness", 0.3), UNDYED, opposite="black hair"),
    of("purple hair", ("hair_dye", 1.45, 2.1), opposite="natural hair"),
    of("pink hair", above("hair_dye", 2.35), opposite="natural hair"),
    of("teal hair", ("hair_dye", -2.05, -1.45), opposite="natural hair"),
    of("blue hair", below("hair_dye", -2.25), opposite="natural hair"),
    of("dyed hair", DYED, opposite="natural hair"),
    of("natural hair", below("|hair_dye|", 1.15), opposite="dyed hair"),
)
THINGS = (
    of("glasses", above("glasses", 0.4)),
    of("sunglasses", above("glasses", 0.35), above("shades", 0.7), opposite="clear glasses"),
    of("clear glasses", above("glasses", 0.4), below("shades", -0.4), opposite="sunglasses"),
    of("bold glasses", above("glasses", 1.15), opposite="thin glasses"),
    of("thin glasses", ("glasses", 0.35, 0.75), opposite="bold glasses"),
    of("clean-shaven", below("beard", -0.1), opposite="beard"),
    of("stubble", ("beard", 0.5, 1.0), opposite="clean-shaven"),
    Attribute("beard", (above("beard", 0.9),), (), "clean-shaven", True),
    of("full beard", above("beard", 1.3), opposite="clean-shaven"),
    *scale("lipstick", -0.7, "pale lips", 0.8, "lipstick"),
    of("makeup", above("lipstick", 0.7), above("feminine", 0.35), opposite="pale lips"),
    of("long lashes", above("feminine", 0.7), hidden=DARK_GLASSES),
    of("earrings", above("feminine", 0.85), hidden=(above("hair_length", -0.85),)),
)
PEOPLE = (
    *scale("feminine", -0.4, "man", 0.4, "woman"),
    *scale("age", -0.7, "young", 0.7, "old"),
    of("child", below("age", -1.2), opposite="elderly"),
    of("teenager", ("age", -1.3, -0.45), opposite="old"),
    of("adult", ("age", -0.5, 0.6), opposite="child"),
    of("middle-aged", ("age", 0.2, 0.9), opposite="child"),
    of("elderly", above("age", 1.1), opposite="child"),
    of("boy", below("feminine", -0.35), below("age", -0.35), opposite="girl"),
    of("girl", above("feminine", 0.35), below("age", -0.35), opposite="boy"),
    of("grandfather", below("feminine", -0.35), above("age", 0.8), opposite="grandmother"),
    of("grandmother", above("feminine", 0.35), above("age", 0.8), opposite="grandfather"),
    of("wrinkles", above("age", 0.75), opposite="freckles"),
    of("freckles", below("age", -0.8), hidden=(above("skin_tone", 0.7),), opposite="wrinkles"),
    *scale("skin_tone", -0.5, "pale skin", 0.65, "dark skin"),
    of("tanned skin", ("skin_tone", 0.15, 1.0), opposite="pale skin"),
)
FEATURES = (
    *scale("face_width", -0.6, "narrow face", 0.6, "wide face"),
    *scale("face_height", -0.7, "short face", 0.7, "long face"),
    *scale("eye_size", -0.6, "small eyes", 0.6, "big eyes", hidden=DARK_GLASSES),
    *scale("eye_distance", -0.7, "close-set eyes", 0.7, "wide-set eyes", hidden=DARK_GLASSES),
    of("brown eyes", below("eye_colour", -0.75), hidden=DARK_GLASSES, opposite="blue eyes"),
    of("hazel eyes", ("eye_colour", -0.75, -0.2), hidden=DARK_GLASSES, opposite="blue eyes"),
    of("green eyes", ("eye_colour", -0.1, 0.45), hidden=DARK_GLASSES, opposite="brown eyes"),
    of("blue eyes", above("eye_colour", 0.75), hidden=DARK_GLASSES, opposite="brown eyes"),
    *scale("nose_size", -0.6, "small nose", 0.6, "big nose"),
    *scale("lip_fullness", -0.6, "thin lips", 0.6, "full lips", hidden=(below("mouth_open", -0.9),)),
    *scale("brow_thickness", -0.6, "thin brows", 0.6, "thick brows"),
)
SURROUNDINGS = (
    of("blue background", below("background_colour", -0.6), opposite="orange background"),
    of("grey background", ("background_colour", -0.25, 0.3), opposite="blue background"),
    of("orange background", above("background_colour", 0.6), opposite="blue background"),
    *scale("background_tone", -0.6, "dark background", 0.6, "bright background"),
    of("blue clothes", below("clothes_colour", -1.05), opposite="red clothes"),
    of("teal clothes", ("clothes_colour", -0.85, -0.4), opposite="red clothes"),
    of("grey clothes", ("clothes_colour", -0.25, 0.25), opposite="red clothes"),
    of("yellow clothes", ("clothes_colour", 0.4, 0.85), opposite="blue clothes"),
    of("red clothes", above("clothes_colour", 1.05), opposite="blue clothes"),
    of("turned left", below("head_turn", -0.9), opposite="turned right"),
    of("facing the camera", ("head_turn", -0.45, 0.45), opposite="turned right"),
    of("turned right", above("head_turn", 0.9), opposite="turned left"),
)
GROUPS = {
    "expression": EXPRESSION,
    "hair length": LENGTHS,
    "hair shape": SHAPES,
    "hair colour": HAIR_COLOURS,
    "things": THINGS,
    "people": PEOPLE,
    "features": FEATURES,
    "surroundings": SURROUNDINGS,
}
ATTRIBUTES = tuple(attribute for group in GROUPS.values() for attribute in group)
INDEX = {attribute.name: i for i, attribute in enumerate(ATTRIBUTES)}
