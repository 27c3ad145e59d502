# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A StyleGAN3 generator's weights; filters are computed, and files of ours hold none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import UserError, plain
from ..state import as_arrays, load_state


def load_generator_state(generator: Any, state: Mapping[str, Any]) -> None:
    """Load a state dict into a StyleGAN3Generator; all or nothing, errors as load_state.

    Raises:
        UserError: also where a layer's magnitude is not above 0, so that nothing could be divided by it.
    """
    given = as_arrays(state)
    for key, value in given.items():
        if key.endswith(".magnitude_ema") and value.dtype.kind == "f" and not np.all(value > 0):
            raise UserError(f"{plain(key)} is not above 0; these weights are damaged")
    load_state(generator, given, f"{generator.size} px StyleGAN3-{generator.configuration} generator")
