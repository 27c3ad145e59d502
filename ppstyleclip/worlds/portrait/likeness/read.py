# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A photo's face as factors of the drawn world: what can be seen is read, the rest is what goes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.worlds.portrait.factors import FACTORS, INDEX, NUM_FACTORS, correlation_matrix, mixing
from ppstyleclip.worlds.portrait.likeness import beard, colours, glasses, hair, light
from ppstyleclip.worlds.portrait.likeness.measurements import lengths
from ppstyleclip.worlds.portrait.likeness.patch import Patch, cut_patch, to_lab
from ppstyleclip.worlds.portrait.likeness.shape import PEOPLE, Norms, read_shape

FARTHEST = 2.4  # deviations that an independent factor may be from the middle of the population
NEVER = {"hair_dye": 0.0}  # not read, and left as most people have it
GREY = 0.7  # of hair_grey, from which hair also tells of age

EYES = {True: 0.7, False: -1.0}  # of eye_colour: most people's are brown, those of fair ones bluer
GUESSED = ("eye_colour",)  # from other readings, not from where it lies

# How sure each kind of reading is: set by hand, after looking at photographs.
CONFIDENCE = dict(
    skin_tone=0.7,
    head_turn=0.9,
    smile=0.8,
    mouth_open=0.8,
    face_width=0.6,
    face_height=0.5,
    eye_size=0.5,
    eye_distance=0.6,
    nose_size=0.5,
    lip_fullness=0.4,
    anger=0.4,
    surprise=0.4,
    hair_lightness=0.8,
    hair_redness=0.4,
    hair_grey=0.7,
    background_colour=0.6,
    background_tone=0.6,
    clothes_colour=0.5,
    lipstick=0.5,
    fringe=0.6,
    hair_volume=0.5,
    feminine=0.4,
    age=0.4,
)


@dataclass(frozen=True, eq=False)
class Likeness:
    """A portrait in the likeness of a photo's face.

    Attributes:
        factors: `[NUM_FACTORS]` float32 in FACTORS' order, within the population.
        read: how sure each factor that was read is, 0 to 1, by its name.
    """

    factors: np.ndarray
    read: dict[str, float]

    @property
    def filled(self) -> tuple[str, ...]:
        """Names of the factors that were not read: they are what goes with the others in the population."""
        return tuple(name for name in FACTORS if name not in self.read)


def likeness(pixels: np.ndarray, landmarks: np.ndarray, norms: Norms = PEOPLE) -> Likeness:
    """Read a portrait's factors off the photo of a face.

    Args:
        pixels: `[H, W, 3]` uint8, the photo.
        landmarks: `[68, 2]` (x, y) in pixels of it, in iBUG's order.
        norms: middle and deviation of each measurement over photographs of people; shape.PEOPLE.
    Raises:
        UserError: the landmarks have another shape, are not finite, or lie in one place.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise UserError(f"landmarks are 68 finite points (x, y), got an array of shape {list(points.shape)}")
    if np.hypot(*np.ptp(points, axis=0)) < 8:
        raise UserError("the landmarks lie within a few pixels; give the 68 points of a face in this photo")
    values, sure = read_patch(cut_patch(pixels, points), norms)
    read = {name: value for name, value in sure.items() if name not in GUESSED}
    return Likeness(complete(values, sure), read)


def read_patch(patch: Patch, norms: Norms = PEOPLE) -> tuple[dict[str, float], dict[str, float]]:
    """(factors that were read, how sure they are), by name."""
    samples = light.skin_samples(patch)
    lit = light.typical_skin(samples)
    tone = light.read_tone(patch, lit, norms["yellowness"][0])
    lab = to_lab(light.in_drawn_light(patch, lit, tone))
    skin = np.median(to_lab(np.minimum(samples * light.gains(lit, tone), 1)), 0)
    measured = lengths(patch.points)
    found = {"skin_tone": tone, **read_shape(measured, norms)}
    sure = {name: CONFIDENCE[name] for name in found}
    found_hair = hair.read_hair(patch, lab, skin)
    parts: tuple[tuple[dict[str, float], dict[str, float]], ...] = (
        hair_values(found_hair),
        beard_values(beard.beard_shares(patch, lab, skin, found_hair.colour), found_hair, skin),
        glasses_values(glasses.frame_lines(patch, lab, skin)),
        ({"lipstick": colours.lipstick_factor(patch, lab, skin)}, {}),
        (colours.backdrop_factors(patch, lab), {}),
        (colours.clothes_factors(patch, lab), {}),
    )
    for values, how_sure in parts:
        found.update(values)
        sure.update({name: how_sure.get(name, CONFIDENCE.get(name, 0.5)) for name in values})
    impression = feminine_impression(found, found_hair)
    found["feminine"], sure["feminine"] = impression, CONFIDENCE["feminine"]
    if found["feminine"] < 0.3:
        found["lipstick"] = min(found["lipstick"], -0.2)
    if found["hair_grey"] > GREY and not 0.2 < found["feminine"]:
        found["age"], sure["age"] = 0.9 + 0.4 * (found["hair_grey"] - GREY), CONFIDENCE["age"]
    fair = found["hair_grey"] < GREY and found["hair_lightness"] > 0 and tone < -0.2
    found["eye_colour"], sure["eye_colour"] = EYES[fair], 0.3  # too small to be seen in most photos
    return found, sure


def hair_values(seen: hair.Hair) -> tuple[dict[str, float], dict[str, float]]:
    """Factors of the hair, and how sure they are."""
    values = colours.hair_factors(seen.colour)
    if seen.bald:
        values.update(hair_length=-1.9, hair_volume=-1.8, fringe=-1.5)
    else:
        length = float(np.interp(seen.length, (1.0, 1.5, 2.0, 3.0, 4.0), (-1.25, -0.8, -0.2, 0.7, 1.5)))
        volume = 1.6 * (seen.full - 0.22) / 0.3 if seen.length > 1.4 else 1.2 * (-1.72 - seen.top) / 0.3 - 0.4
        fringe = float(np.interp(seen.line, (-1.4, -1.2, -1.0, -0.8, -0.6), (-1.5, -0.7, 0.0, 0.7, 1.5)))
        values.update(hair_length=length, hair_volume=float(np.clip(volume, -1.3, 1.3)), fringe=fringe)
    return values, {"hair_length": 0.5 + 0.4 * seen.sure}


def beard_values(shares, seen, skin):
    """The beard's factor, and how sure it is; (chin, jaw, upper lip) as beard.beard_shares."""
    chin, jaw, lip = shares
    if seen.length > 2.4:
        return {"beard": -0.6}, {"beard": 0.8}
    is_dark = seen.colour[0] < 0.75 * skin[0]  # else a shadow cannot be told from a beard
    evidence = max(chin / 0.09, jaw / 0.3, lip / 0.22) if is_dark else max(chin, lip) / 0.5
    if evidence < 1:
        return {"beard": -0.35}, {"beard": 0.7}
    most = 1.2 if chin > 0.05 else 0.8  # a moustache alone is drawn as stubble
    return {"beard": min(0.45 + 0.35 * (evidence - 1), most)}, {"beard": 0.7}


def glasses_values(lines):
    """Factors of glasses and their lenses, and how sure they are; lines as glasses.frame_lines."""
    strength = lines["bridge"] + lines["under"] + 0.5 * lines["arms"]
    sure = float(np.clip(0.5 + abs(strength - glasses.SEEN) * 3, 0.5, 0.95))
    if strength < glasses.SEEN or lines["bridge"] < glasses.BRIDGE:
        return {"glasses": -0.7, "shades": -1.3}, {"glasses": sure}
    bold = float(np.interp(strength, (0.17, 0.25, 0.5), (0.6, 0.9, 1.6)))
    shades = float(np.interp(lines["lens"], (0.25, 0.55), (1.6, -1.3)))
    return {"glasses": bold, "shades": shades}, {"glasses": sure}


def feminine_impression(found, seen) -> float:
    """The impression of gender: long hair, bangs, coloured lips; on the other side short hair, a beard."""
    if found["beard"] > 0.2 or seen.bald:
        return -0.9
    long = float(np.interp(seen.length, (1.0, 1.4, 2.0, 3.0), (-0.65, -0.3, 0.3, 1.0)))
    bangs = 0.7 * max(found["fringe"], 0.0)
    impression = long * (0.5 + 0.5 * seen.sure) + bangs
    if seen.length > 1.6 or bangs > 0.2:
        impression += 0.35 * max(found["lipstick"], 0)
    return float(np.clip(impression - 0.15 * max(found["face_width"], -1), -1.1, 1.3))


def complete(values: dict[str, float], sure: dict[str, float]) -> np.ndarray:
    """All factors `[NUM_FACTORS]` float32 from those that were read.

    The others are what the population has with them on average: x = C_rk (C_kk + N)^-1 k, where N is the
    noise of the readings. Then each independent factor is kept within FARTHEST.
    """
    known = [name for name in FACTORS if name in values]
    k = [INDEX[name] for name in known]
    given = np.array([values[name] for name in known])
    c = correlation_matrix()
    noise = np.diag([max(1 / max(sure[name], 0.05) ** 2 - 1, 1e-3) for name in known])
    factors = c[:, k] @ np.linalg.solve(c[np.ix_(k, k)] + noise, given)
    factors[k] = given
    for name, value in NEVER.items():
        factors[INDEX[name]] = value
    return within_population(factors)


def within_population(factors: np.ndarray, most: float = FARTHEST) -> np.ndarray:
    """Factors `[NUM_FACTORS]` float32 whose independent factors are at most `most` deviations each."""
    independent = np.clip(np.linalg.solve(mixing(), np.asarray(factors, np.float64)), -most, most)
    assert independent.shape == (NUM_FACTORS,)
    return (mixing() @ independent).astype(np.float32)
