# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The hair: where it begins over the forehead, its colour, how far it falls, how far it stands out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppstyleclip.worlds.portrait.likeness.patch import Patch

STEP = 0.06  # of the way upwards over the forehead
FROM, COUNT = -0.42, 36  # where that way begins, and its number of steps
COLUMNS = (-0.5, -0.25, 0.0, 0.25, 0.5)  # u of the ways
HAIRLINE, HAIRLINE_SPREAD = -1.08, 0.22  # of people
TOP, TOP_SPREAD = -1.72, 0.18
THIN = 5  # steps; hair on top of a head is thicker
SPREAD = np.array([11, 5, 6], np.float32)  # of Lab within skin, hair and background
NEAR = 2.6  # deviations within which a colour counts as the hair's
LONG = 3.3  # level of one side, from which the other counts less
SCALP = 0.8  # of the skin's L, that a bald head has at least
BALD = 20.0  # in Lab: what is over the forehead is skin where it differs less from skin
HIGH, HIGHEST = (
    -1.38,
    -1.6,
)  # lines over which there is no hair: where what follows looks like the backdrop; at all
ROUGH = 11.0  # deviation of L over the head, of a backdrop with detail
UNEVEN = 10.0  # deviation of L along the hairline, of what looks like a backdrop
BLACK = 30.0  # L of hair that a dark backdrop may pass for


@dataclass(frozen=True)
class Hair:
    """What was seen of the hair.

    Attributes:
        colour: `[3]` Lab in the drawn world's light; of a bald head half way to its skin's.
        line: v of the hairline; top: v of the head's top.
        bald: the top of the head is skin.
        length: level in [0, 4]: shaved or bald, short, to the jaw, to the neck, to the shoulders.
        full: how far the hair stands out beside the temples, in units of the face.
        sure: in [0, 1], how well the hair can be told from what is behind it.
    """

    colour: np.ndarray
    line: float
    top: float
    bald: bool
    length: float
    full: float
    sure: float


def read_hair(patch: Patch, lab: np.ndarray, skin: np.ndarray) -> Hair:
    """Look at the hair.

    Args:
        patch: of the face.
        lab: `[SIDE, SIDE, 3]` the patch in the drawn world's light.
        skin: `[3]` Lab of its lit skin.
    """
    ways = np.stack([_way(patch, lab, u) for u in COLUMNS])  # [C, COUNT, 3]
    found = [_segments(way) for way in ways]
    hairy = [one for one in found if not _is_shaded_skin(one[2], skin)]  # else a shadow on the forehead
    lines, tops, colours = zip(*(hairy if len(hairy) >= 2 else found))
    line, top = float(np.median(lines)), float(np.median(tops))
    above, lightness = np.median(np.stack(colours), 0), [colour[0] for colour in colours]
    if np.std(lightness) > UNEVEN:  # some ways went through skin, or beside the head
        above = colours[int(np.argsort(lightness)[len(colours) // 4])]
    if len(hairy) < 2 and top > TOP + TOP_SPREAD:  # what follows the shadow is the hair
        row = min(int((FROM - top) / STEP) + 1, COUNT - THIN)
        line, top, above = top, top - THIN * STEP, np.median(ways[:, row : row + THIN - 1].reshape(-1, 3), 0)
    backdrop, clothes = _behind(patch, lab, top)
    is_skin = np.abs((above - skin) * (0.7, 1.2, 1)).sum() < BALD and above[0] > SCALP * skin[0]
    uneven = np.std([colour[0] for _, _, colour in found])  # hair is alike all over the forehead
    is_behind = min(one[0] for one in found[1:4]) < HIGH and _apart(above, backdrop) < 0.45
    is_behind = is_behind and uneven > UNEVEN and _is_rough(patch, lab, line, top)
    bald = is_skin or is_behind or line < HIGHEST
    beside = _beside(patch, lab, skin) if bald else None
    colour = above if not bald else skin * (0.5, 0.5, 0.5) if beside is None else beside
    sure = _apart(colour, backdrop)
    level, full = _fall(patch, lab, skin, colour, backdrop + clothes)
    if colour[0] < BLACK:
        level += (
            (1 - min(2.5 * sure, 1)) * 0.75 * (min(level, 1.3) - level)
        )  # a dark backdrop is no long hair
    if bald:
        colour = (
            colour + 0.8 * skin
        ) / 2  # no head is drawn bald: the shortest hair, hardly darker than skin
    return Hair(colour, line, top, bool(bald), level, full, sure)


def _is_rough(patch, lab, line, top):
    """Whether what is over the forehead of a face from the front is as rough as leaves or a crowd."""
    values = patch.values(lab, 0, (line + top) / 2, 0.4, max((line - top) / 2 - 0.06, 0.05))
    return len(values) > 50 and abs(patch.points[30, 0]) < 0.3 and float(values[:, 0].std()) > ROUGH


def _is_shaded_skin(colour, skin):
    """Hair is darker than skin, or less red."""
    return colour[1] >= skin[1] - 3 and colour[0] > 0.6 * skin[0]


def _apart(colour, behind):
    """How well a colour can be told from the nearest of others, in [0, 1]."""
    return float(np.clip(min(np.linalg.norm(colour - one) for one in behind) / 25, 0, 1))


def _way(patch, lab, u):
    """`[COUNT, 3]` median Lab along a way from the forehead upwards; it goes on as at the photo's edge."""
    found, u = [], u + 0.35 * float(patch.points[27, 0])
    for k in range(COUNT):
        values = patch.values(lab, u, FROM - STEP * k, 0.11, STEP / 2)
        found.append(np.median(values, 0) if len(values) else found[-1] if found else np.zeros(3))
    return np.float32(found)


def _segments(way):
    """(v of the hairline, v of the top, `[3]` Lab between them): the likeliest two borders of a way."""
    scaled = way / SPREAD
    total = np.concatenate([np.zeros((1, 3)), np.cumsum(scaled, 0)])
    squares = np.concatenate([[0], np.cumsum((scaled**2).sum(1))])

    def cost(a, b):
        mean = (total[b] - total[a]) / (b - a)
        return squares[b] - squares[a] - (b - a) * float(mean @ mean)

    best = (np.inf, 0, 0)
    for a in range(2, COUNT - THIN - 1):
        line = FROM - STEP * (a - 0.5)
        early = cost(0, a) + ((line - HAIRLINE) / HAIRLINE_SPREAD) ** 2
        for b in range(a + THIN, COUNT - 1):
            top = FROM - STEP * (b - 0.5)
            whole = early + cost(a, b) + cost(b, COUNT) + ((top - TOP) / TOP_SPREAD) ** 2
            best = min(best, (whole, a, b))
    _, a, b = best
    inner = way[a + (b - a > 3) : b - (b - a > 3)]
    return FROM - STEP * (a - 0.5), FROM - STEP * (b - 0.5), np.median(inner, 0)


def _behind(patch, lab, top):
    """Lab colours of what is behind the head, over it and beside it; and of the clothes."""
    backdrop = [(0, top - 0.35, 0.5, 0.15)]
    backdrop += [(side * u, v, 0.28, 0.5) for side in (-1, 1) for u, v in ((2.2, -1.2), (2.3, 0.2))]
    clothes = [(side * 1.7, 2.8, 0.3, 0.2) for side in (-1, 1)]
    found = []
    for part in (backdrop, clothes):
        values = [patch.values(lab, *place) for place in part]
        found.append([np.median(one, 0) for one in values if len(one) > 30])
    return found[0] or [np.array([60, 0, 0], np.float32)], found[1]


def _beside(patch, lab, skin):
    """Lab of the hair beside the temples of a bald head: the darkest or greyest that is no skin there."""
    found = []
    for side in (-1, 1):
        jaw = patch.points[0 if side < 0 else 16]
        for v in (-0.55, -0.3, -0.05):
            values = patch.values(lab, float(jaw[0]) + side * 0.02, v, 0.07)
            if len(values):
                found.append(np.median(values, 0))
    far = [one for one in found if np.abs((one - skin) * (0.7, 1, 1)).sum() > 20]
    return np.median(far, 0) if len(far) >= 2 else None


def _fall(patch, lab, skin, colour, behind):
    """(level of the length, how far the hair stands out) of the better seen side."""
    sides = [_side(patch, lab, skin, colour, behind, side) for side in (-1, 1)]
    turn = float(np.clip(patch.points[30, 0] * 2.5, -1, 1))  # to the right: the left side is seen better
    if abs(turn) > 0.5:
        return sides[0 if turn > 0 else 1]
    low, high = sorted(level for level, _ in sides)
    if high >= LONG:  # hair thrown over one shoulder
        low += 0.65 * (high - low)
    return low, float(np.mean([full for _, full in sides]))


def _side(patch, lab, skin, colour, behind, side):
    jaw = patch.points[:9] if side < 0 else patch.points[16:7:-1]
    chin = float(patch.points[8, 1])

    def share(u, v, half=0.1):
        values = patch.values(lab, u, v, half)
        if len(values) < 20:
            return 0.0
        near = np.linalg.norm((values - colour) / SPREAD, axis=1)
        others = [
            np.linalg.norm((values - one) / SPREAD, axis=1) for one in (skin, skin * (0.7, 1, 1), *behind)
        ]
        return float(np.mean((near < NEAR) & (near <= np.min(others, 0) + 0.2)))

    ear = max(share(float(jaw[1, 0]) + side * out, 0.15) for out in (0.1, 0.22))
    cheek = max(share(float(jaw[3, 0]) + side * out, float(jaw[3, 1])) for out in (0.12, 0.25, 0.4))
    neck = max(share(float(jaw[5, 0]) + side * out, chin + 0.1) for out in (0.15, 0.35, 0.55))
    shoulder = max(share(side * out, chin + 0.65) for out in (0.75, 1.0, 1.3))
    level = 1.0
    for one in (ear, cheek, neck, shoulder):
        if one < 0.35:
            break
        level += min(1.0, 0.4 + one) if one is not ear else 0.4
    out = [d for d in np.arange(0.0, 0.9, 0.08) if share(float(jaw[0, 0]) + side * d, -0.55, 0.07) > 0.5]
    return min(level, 4.0), max(out, default=0.0)
