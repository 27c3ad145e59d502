# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Which models draw a world that a real photograph can be brought into, by the model's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Protocol

import numpy as np


class ReadLikeness(Protocol):
    """What is read off a photo: factors of a world, and how sure each one that was read is."""

    @property
    def factors(self) -> np.ndarray:
        """`[F]` of the world."""

    @property
    def read(self) -> dict[str, float]:
        """Factors that were read, and how sure each is, 0 to 1."""

    @property
    def filled(self) -> tuple[str, ...]:
        """Names of the factors that were not read."""


@dataclass(frozen=True)
class LikenessWorld:
    """A world of drawn pictures that has a likeness of people.

    Attributes:
        z_dim: length of a latent z of its generator.
        likeness: from (photo `[H, W, 3]` uint8, landmarks `[68, 2]` in pixels of it) to a ReadLikeness.
        z_from_factors: from factors `[N, F]` to z `[N, z_dim]` float32 that names them.
    """

    z_dim: int
    likeness: Callable[[np.ndarray, np.ndarray], ReadLikeness]
    z_from_factors: Callable[[np.ndarray], np.ndarray]


def _portrait() -> LikenessWorld:
    from ppstyleclip.worlds.portrait.factors import Z_DIM, z_from_factors
    from ppstyleclip.worlds.portrait.likeness import likeness

    return LikenessWorld(Z_DIM, likeness, z_from_factors)


_WORLDS: dict[str, Callable[[], LikenessWorld]] = {"portrait": _portrait, "portrait-sg3": _portrait}


def register_likeness_world(name: str, load: Callable[[], LikenessWorld]) -> None:
    """Let models of this name bring photographs of people into their world; `load` is called when needed."""
    _WORLDS[name] = load


def likeness_world(bundle: Any) -> LikenessWorld | None:
    """The world of a model that has a likeness of people; None for any other model.

    Args:
        bundle: its `name` and its generator's `style_dim` are asked for.
    """
    load = _WORLDS.get(bundle.name)
    world = None if load is None else load()
    return world if world is not None and world.z_dim == bundle.generator.style_dim else None
