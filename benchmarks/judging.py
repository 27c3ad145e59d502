# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What every judgement of the portrait world shares: two judges and what they read.

A reading is in the population's own units: one is a standard deviation of the factor.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppstyleclip.worlds.portrait.judge import load_judge, read_factors

JUDGES = Path(__file__).parent / "judges"


def load_judges():
    """The two judges, trained from different seeds on different faces."""
    paths = sorted(JUDGES.glob("judge-*.safetensors"))
    if len(paths) < 2:
        raise SystemExit(
            f"two judges are needed in {JUDGES}; make them with: "
            "python -m ppstyleclip.worlds.portrait.training.regressor --judge 1 (and --judge 2)"
        )
    return [load_judge(path) for path in paths[:2]]


def readings(judges, images):
    """`[J, N, NUM_FACTORS]` readings of images `[N, 3, H, W]`."""
    return np.stack([read_factors(judge, images) for judge in judges])
