# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The spaces in which latents move, and faces near a face in each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.optimization.config import OptimizationConfig
from ppstyleclip.worker import on_worker


def check_start(generator: Any, start: np.ndarray, space: str) -> None:
    """Refuse latents that are of another space, or of another generator (UserError)."""
    width, levels = generator.style_dim, generator.n_latent
    shape = {"w_plus": [levels, width], "s": [generator.layout.size]}.get(space, [width])
    if list(start.shape[1:]) != shape or not len(start):
        raise UserError(
            f"a start in {space} is [N, {str(shape)[1:]} for this generator, got {list(start.shape)}; give "
            "one of sample_start or to_space, or name its space in the configuration"
        )


def to_styles(generator: Any, layout: Any, latent: paddle.Tensor, space: str) -> list:
    """Styles, a list of K `[N, C_k]`, of latents in one of config.SPACES."""
    if space == "s":
        return layout.unflatten(latent)
    return generator.style_affine(generator.get_latent(latent) if space == "z" else latent)


def moving_mask(layout: Any, space: str) -> np.ndarray:
    """1 for each number of a latent that moves; in s ToRGB stays, as in the official code."""
    if space != "s":
        return np.ones([], np.float32)
    mask = np.zeros(layout.size, np.float32)
    mask[layout.editable_index] = 1
    return mask


@on_worker
@paddle.no_grad()
def neighbour_offsets(generator: Any, config: OptimizationConfig) -> list[np.ndarray]:
    """Offsets from a face to those that take turns with it: 0 for itself, then one for each neighbour.

    They are drawn from one seed, the same for every face: sampled faces less their mean, times neighbour_std.

    Returns:
        `1 + config.neighbours` arrays `[1, ...]` in the configuration's space.
    """
    if config.neighbours == 0:
        return [np.zeros([], np.float32)]
    count = max(256, config.neighbours)
    z = np.random.RandomState(0).standard_normal([count, generator.style_dim]).astype(np.float32)
    away = _less_mean(generator, z, config.space)[: config.neighbours]
    if config.space == "w_plus":
        away = away[:, None]
    return [np.zeros_like(away[:1]), *(np.float32(config.neighbour_std) * away)[:, None]]


def _less_mean(generator: Any, z: np.ndarray, space: str) -> np.ndarray:
    if space == "z":
        return z
    found = generator.get_latent(paddle.to_tensor(z))
    if space == "s":
        found = generator.layout.flatten(generator.style_affine(found))
    return (found - found.mean(axis=0)).numpy()
