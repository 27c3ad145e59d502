# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What NVIDIA's code computed with drawn StyleGAN3 weights (oracles/make_stylegan3.py), and those weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from oracles.seeded_weights import stylegan3_state

STORED = Path(__file__).parent / "oracles" / "stylegan3.npz"
SIZE, DIM = 64, 24


def stored(case: str) -> dict:
    """The numbers of a case, such as "T64"; "turned" is the canvas's transform of all."""
    with np.load(STORED) as file:
        found = {name[len(case) + 1 :]: file[name] for name in file.files if name.startswith(f"{case}/")}
        found["transform"] = file["turned"]
    return {key: _parsed(value) for key, value in found.items()}


def _parsed(value):
    return json.loads(value.tobytes()) if value.dtype == np.uint8 else value


def nvidia_stylegan3(configuration="T") -> dict:
    """NVIDIA's state dict of a 64 px network, its filters included."""
    wanted = stored(f"{configuration}64")
    state, start = stylegan3_state(wanted["shapes"]), 0
    for name in wanted["names"]:
        for word in ("up_filter", "down_filter"):
            shape = wanted["shapes"].get(f"synthesis.{name}.{word}")
            if shape:
                taps = wanted["filters"][start : start + int(np.prod(shape))]
                state[f"synthesis.{name}.{word}"], start = taps.reshape(shape), start + taps.size
    return state
