# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Proportions and expression, read from lengths: how far a face is from people's middle.

A drawn face has larger eyes and a shorter chin than any photo, so lengths are not compared with those of
drawn faces: a face that is wide among people becomes one that is wide among portraits.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

# Middle and deviation of each length over photographs of people: dlib's landmarks, units of the face.
PEOPLE = dict(
    width=(2.32, 0.13),
    height=(1.93, 0.11),
    jaw=(0.82, 0.025),
    chin=(0.465, 0.03),
    eye_open=(0.10, 0.022),
    eye_gap=(0.603, 0.024),
    brow_rise=(0.29, 0.05),
    brow_inner=(0.085, 0.032),
    nose_width=(0.48, 0.04),
    mouth_width=(0.90, 0.085),
    corner_rise=(-0.035, 0.05),
    gap=(0.03, 0.075),
    lips=(0.205, 0.035),
    turn=(0.0, 0.42),
    yellowness=(0.43, 0.18),  # log2 of green to blue of the skin, see light.py
)
LEAST_SMILE = -0.7  # corners of a mouth that is seen from the side lie low
MOST = 1.7  # deviations of a factor that is read from the shape


Norms = Mapping[str, tuple[float, float]]  # name -> (middle, deviation)


def read_shape(lengths: dict[str, float], norms: Norms = PEOPLE) -> dict[str, float]:
    """Factors of the proportions and of the expression.

    Args:
        lengths: of measurements.lengths.
        norms: middle and deviation of each length.
    """
    d = {
        name: (lengths[name] - middle) / deviation
        for name, (middle, deviation) in norms.items()
        if name in lengths
    }
    turned = min(abs(lengths["turn"]), 1.0)
    teeth = max(d["gap"], 0.0)  # open lips: a laugh where the mouth is wide, an open mouth where it is not
    wide = d["mouth_width"] - 0.5 * turned
    smile = 0.62 * wide + 0.28 * d["corner_rise"] + 0.34 * min(teeth, 2.5) - 0.1
    grimace = max(1.2 - lengths["brow_inner"] / 0.04, 0.0)  # inner brows pressed down on a wide mouth
    found = dict(
        face_width=0.8 * (d["width"] - d["height"] * 0.6) + 0.3 * d["jaw"],
        face_height=0.8 * d["height"] - 0.25 * teeth,
        eye_size=0.8 * d["eye_open"] + 0.12 * max(smile, 0),
        eye_distance=0.8 * d["eye_gap"],
        nose_size=0.7 * d["nose_width"] - 0.2 * max(smile, 0),
        lip_fullness=0.7 * d["lips"] + 0.2 * max(smile, 0),
        smile=max(smile, LEAST_SMILE),
        mouth_open=0.55 * teeth - 0.30 - 0.1 * max(smile, 0),
        anger=min(0.3 * (-d["brow_inner"]) + 0.4 * grimace, 0.9 if smile < 0.5 else 0.2),
        surprise=0.45 * d["brow_rise"] + 0.25 * d["eye_open"],
        head_turn=d["turn"],
    )
    return {name: float(np.clip(value, -MOST, MOST)) for name, value in found.items()}
