# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A generator's weights: the filters that files hold beside them are constants here, and must agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...ops import setup_filter
from ..state import load_state
from .layers import SKIP_KERNEL


def load_generator_state(generator: Any, state: Mapping[str, Any]) -> None:
    """Load a state dict of PaddleGAN's or our class into a generator; all or nothing.

    Args:
        generator: StyleGANv2Generator.
        state: `{key: array or Tensor}`; floats of any width. Older files also hold the buffers
            `convs.N.conv.blur.kernel`, which must agree with the generator's `blur_kernel`.
    Raises:
        UserError: a key is missing, unknown, of another shape or not of floats, or a filter is another one.
    """
    blur, skip = setup_filter(generator.blur_kernel) * 4.0, setup_filter(SKIP_KERNEL) * 4.0
    constants = {f"convs.{k}.conv.blur.kernel": blur for k in range(0, len(generator.convs), 2)}
    constants.update({f"to_rgbs.{k}.upsample.kernel": skip for k in range(len(generator.to_rgbs))})
    load_state(generator, dict(state), f"{generator.size} px generator", constants=constants)
