# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Regions and landmarks of the portrait world agree with each other and with what the factors change."""

from __future__ import annotations

import numpy as np
import pytest
from edges import edges

from ppstyleclip.worlds.portrait.factors import INDEX, NUM_FACTORS, factors_from_z, sample_z
from ppstyleclip.worlds.portrait.render import REGIONS, landmarks, regions, render

# The regions that a factor mainly changes, and the least share of the change that lies in them.
OWN_REGIONS = {
    "hair_lightness": (("hair", "brows"), 0.9),
    "hair_redness": (("hair", "brows"), 0.9),
    "hair_grey": (("hair", "brows"), 0.9),
    "hair_dye": (("hair", "brows"), 0.9),
    "hair_length": (("hair",), 0.9),
    "hair_curl": (("hair",), 0.85),
    "hair_volume": (("hair",), 0.9),
    "fringe": (("hair",), 0.85),
    "smile": (("mouth", "skin"), 0.8),
    "mouth_open": (("mouth", "skin"), 0.8),
    "glasses": (("glasses", "eyes"), 0.75),
    "shades": (("glasses", "eyes"), 0.85),
    "beard": (("beard", "skin"), 0.9),
    "skin_tone": (("skin", "nose", "mouth"), 0.9),
    "eye_colour": (("eyes",), 0.9),
    "eye_size": (("eyes", "skin"), 0.9),
    "brow_thickness": (("brows",), 0.7),
    "nose_size": (("nose", "mouth", "skin"), 0.9),
    "lip_fullness": (("mouth",), 0.85),
    "lipstick": (("mouth",), 0.85),
    "background_colour": (("background",), 0.95),
    "background_tone": (("background",), 0.95),
    "clothes_colour": (("clothes",), 0.9),
}
POINTS = {"brows": slice(17, 27), "nose": slice(27, 36), "eyes": slice(36, 48), "mouth": slice(48, 68)}


def bare_face(**values):
    """Factors of a face with nothing before it."""
    f = np.zeros(NUM_FACTORS)
    for name, value in {"fringe": -1.5, "beard": -1, "glasses": -1, **values}.items():
        f[INDEX[name]] = value
    return f


def near(mask, points, reach):
    """The greatest value of a mask within `reach` pixels of each point."""
    found = []
    for x, y in np.round(points).astype(int):
        found.append(mask[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1].max())
    return np.array(found)


@pytest.mark.parametrize("size", [64, 300])
def test_regions_are_exclusive_shares(size):
    for f in factors_from_z(sample_z(8, 2)):
        masks = regions(f, size)
        assert tuple(masks) == REGIONS and len(REGIONS) == 10
        assert all(m.shape == (size, size) and m.min() >= 0 and m.max() <= 1 + 1e-6 for m in masks.values())
        np.testing.assert_allclose(sum(masks.values()), 1, atol=1e-4)


def test_regions_lie_where_the_picture_shows_them():
    """Parts of colours that stand out: hair dyed violet, red lipstick."""
    f = bare_face(hair_dye=2.2, lipstick=2, lip_fullness=1)
    picture, masks = render(f, 128).astype(int), regions(f, 128)
    violet = picture[..., 2] - picture[..., 1]
    assert violet[masks["hair"] > 0.95].mean() > 40 > violet[masks["skin"] > 0.95].mean() + 40
    red = picture[..., 0] - picture[..., 1]
    assert red[masks["mouth"] > 0.9].mean() > red[masks["skin"] > 0.95].mean() + 30


@pytest.mark.parametrize("name", edges(OWN_REGIONS, 6))
def test_a_factor_changes_mainly_its_own_regions(name):
    own, least = OWN_REGIONS[name]
    base = {"fringe": -0.5, "glasses": 1.2 if name == "shades" else 0, "beard": 0}
    pair = [bare_face(**{**base, name: at}) for at in (-1.5, 1.5)]
    before, after = (render(f, 128).astype(float) for f in pair)
    masks = [regions(f, 128) for f in pair]
    inside = np.minimum(sum(np.maximum(masks[0][part], masks[1][part]) for part in own), 1)
    change = np.abs(after - before).mean(-1)
    assert (change * inside).sum() / change.sum() > least


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"head_turn": 1.8, "smile": 1.5, "mouth_open": 1.5},
        {"head_turn": -1.8, "smile": -1.5, "anger": 1},
        {"surprise": 1.8, "face_width": 1.5, "eye_distance": 1.5, "nose_size": 1.5},
    ],
)
def test_landmarks_lie_on_their_parts(values):
    f = bare_face(**values)
    masks, face = regions(f, 256), landmarks(f, 256)
    assert face.shape == (68, 2) and face.dtype == np.float32
    for part, at in POINTS.items():
        points = face[at]
        assert near(masks[part], points, 2).min() > 0.35, part
        beyond = points + 0.8 * (points - points.mean(0))
        assert near(masks[part], beyond, 0).mean() < 0.5, part


def test_the_jaw_lies_on_the_edge_of_the_face():
    f = bare_face(hair_length=-2, head_turn=1.5)
    masks, jaw = regions(f, 256), landmarks(f, 256)[2:15]
    middle = np.array([jaw[:, 0].mean(), jaw[0, 1]])
    skin = masks["skin"] + masks["nose"] + masks["mouth"]
    assert near(skin, middle + 0.93 * (jaw - middle), 0).min() > 0.95
    outside = (middle + 1.07 * (jaw - middle))[[1, 2, 3, 9, 10, 11]]  # beside the neck
    assert near(skin, outside, 0).max() < 0.05


def test_landmarks_are_ordered_and_grow_with_the_size():
    p = landmarks(bare_face(head_turn=0.5), 256)
    assert (np.diff(p[0:17, 0]) > 0).all() and (np.diff(p[17:27, 0]) > 0).all()
    assert p[36, 0] < p[39, 0] < p[42, 0] < p[45, 0] and p[48, 0] < p[54, 0]
    assert p[37, 1] < p[41, 1] and p[51, 1] < p[57, 1] and p[8, 1] == p[0:17, 1].max()
    np.testing.assert_allclose(landmarks(bare_face(head_turn=0.5), 512) + 0.5, 2 * (p + 0.5), atol=1e-3)


def test_a_turn_moves_the_nose_more_than_the_jaw():
    left, right = (landmarks(bare_face(head_turn=turn), 256)[:, 0] for turn in (-1.5, 1.5))
    assert 15 < right[30] - left[30] < 60
    assert 1 < right[0] - left[0] < 0.7 * (right[30] - left[30])
