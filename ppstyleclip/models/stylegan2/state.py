# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Load a generator's weights strictly: Paddle itself only warns where keys or shapes disagree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import paddle

from ...ops import setup_filter
from .layers import SKIP_KERNEL


def load_generator_state(generator: Any, state: Mapping[str, Any]) -> None:
    """Load a state dict of PaddleGAN's or our class into a generator; all or nothing.

    Args:
        generator: StyleGANv2Generator.
        state: `{key: array or Tensor}`; floats of any width. Older files also hold the buffers
            `convs.N.conv.blur.kernel`, which must agree with the generator's `blur_kernel`.
    Raises:
        ValueError: a key is missing, unknown, of another shape or not of floats, or a filter is another one.
    """
    own = {key: value.numpy() for key, value in generator.state_dict().items()}
    given = {key: v.numpy() if isinstance(v, paddle.Tensor) else v for key, v in state.items()}
    blur = setup_filter(generator.blur_kernel) * 4.0
    extras = {key: blur for key in given if key.startswith("convs.") and key.endswith(".conv.blur.kernel")}
    problems = [f"{key} is missing" for key in own if key not in given]
    problems += [f"{key} is unknown" for key in given if key not in own and key not in extras]
    for key, wanted in {**own, **extras}.items():
        if key in given:
            problems += _mismatch(key, np.asarray(given[key]), wanted)
    if problems:
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ValueError(
            f"these weights do not fit this {generator.size} px generator: {'; '.join(problems[:3])}{more}. "
            "Check size, style_dim, n_mlp and channel_multiplier"
        )
    generator.set_state_dict({key: np.asarray(given[key], dtype="float32") for key in own})


def _mismatch(key, given, wanted):
    """Return what is wrong with one array of a state dict: a list of one sentence, or none."""
    if given.shape != wanted.shape:
        return [f"{key} is {list(given.shape)} instead of {list(wanted.shape)}"]
    if given.dtype.kind != "f":
        return [f"{key} holds {given.dtype} instead of floats"]
    # Ours are constants of the layers, so another filter would be ignored.
    if key.endswith(".kernel") and not np.allclose(given, wanted, rtol=0, atol=1e-3):
        taps = "blur_kernel" if ".blur." in key else f"the {list(SKIP_KERNEL)} filter"
        return [f"{key} is not {taps}"]
    return []
