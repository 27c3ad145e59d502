# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How a latent mapper is built and trained; the defaults are the official code's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.methods.checks import check_choice
from ppstyleclip.methods.mapper.optimizers import RULES
from ppstyleclip.methods.optimization.config import ObjectiveConfig
from ppstyleclip.models.mappers import (
    LEVELS_18,
    MAPPER_MODES,
    MAPPER_STEP,
    MAPPER_TYPES,
    WITHOUT_TO_RGB,
    usual_idle,
)
from ppstyleclip.schema import Between, Seed, check_fields

Steps = Annotated[int, Between(1, 10**9)]
EMBEDS = ("none", "table", "clip")
MAPPER_SPACES = ("w_plus", "s")


@dataclass(frozen=True)
class MapperConfig:
    """The network of a mapper.

    Attributes:
        mapper_type, mode: as in models.mappers.build_mapper.
        coarse, medium, fine: for LevelsMapper and ConditionedMapper, whether the group moves.
        width, depth: for ConditionedMapper, of its blocks.
        space: "w_plus" or "s"; in s the type is WithoutToRGBStyleSpaceMapper unless it is a type of s.
        scale: what the network's output is multiplied with.
        embed: where its text vectors come from: "none", a "table", or "clip".
    """

    mapper_type: str = "LevelsMapper"
    mode: str = "Mapper"
    coarse: bool = True
    medium: bool = True
    fine: bool = True
    width: Annotated[int, Between(1, 2**14)] = 256
    depth: Annotated[int, Between(1, 100)] = 4
    space: str = "w_plus"
    scale: Annotated[float, Between(0, 1e3)] = MAPPER_STEP
    embed: str = "none"

    def __post_init__(self) -> None:
        check_fields(self)
        check_choice("mapper_type", self.mapper_type, MAPPER_TYPES)
        check_choice("mode", self.mode, MAPPER_MODES)
        check_choice("space", self.space, MAPPER_SPACES)
        check_choice("embed", self.embed, EMBEDS)
        if self.mapper_type == "ConditionedMapper":
            if self.embed == "none" or self.space == "s":
                raise UserError(
                    "ConditionedMapper takes a text and moves w_plus; use text vectors of a table or "
                    f"of CLIP there, got '{self.embed}' in {self.space}"
                )
        elif (self.embed == "none") != (self.mode == "Mapper"):
            raise UserError(
                f"mode {self.mode} and text vectors '{self.embed}' do not fit: Mapper takes "
                "no text, Mapper_cat, Mapper_sum and Mapper_multi need a table or CLIP"
            )
        if self.space == "s" and self.mode != "Mapper":
            raise UserError(f"mappers of style space take no text; use mode Mapper there, not {self.mode}")


def _mapper_objective() -> ObjectiveConfig:
    return ObjectiveConfig(weights={"clip": 1.0, "l2": 0.8, "identity": 0.1}, l2_reduction="mean")


@dataclass(frozen=True)
class TrainingConfig:
    """How a mapper is trained.

    Attributes:
        mapper: the network.
        objective: what is measured. Where its directional_strength is above 0, texts that are meant together
            are one goal.
        steps, batch_size: how many, and latents of each.
        optimizer, learning_rate: a name in optimizers.RULES, and its rate.
        validate_every: steps from one validation to the next.
        patience: so many validations without a new best end the training; 0 for never.
        seed: of the first weights and of what is drawn.
        mixed_precision: compute in bfloat16 where that is safe.
    """

    mapper: MapperConfig = field(default_factory=MapperConfig)
    objective: ObjectiveConfig = field(default_factory=_mapper_objective)
    steps: Steps = 50000
    batch_size: Annotated[int, Between(1, 2**16)] = 2
    optimizer: str = "ranger"
    learning_rate: Annotated[float, Between(0, 1e38)] = 0.5
    validate_every: Steps = 2000
    patience: Annotated[int, Between(0, 10**9)] = 0
    seed: Seed = 0
    mixed_precision: bool = False

    def __post_init__(self) -> None:
        check_choice("optimizer", self.optimizer, RULES)
        check_fields(self)

    @property
    def measured(self) -> ObjectiveConfig:
        """The objective with the reduction that fits the space.

        Parity: in style space the official mapper adds up the means of the layers.
        """
        if self.mapper.space == "s" and self.objective.l2_reduction == "mean":
            return replace(self.objective, l2_reduction="layers")
        return self.objective


def network_config(
    config: MapperConfig,
    layers: int,
    style_dim: int,
    style_dims: Sequence[int],
    text_dim: int | None,
    *,
    levels: Sequence[int] | None = None,
    idle: Sequence[int] | None = None,
) -> dict:
    """The config for build_mapper.

    Args:
        config: MapperConfig.
        layers, style_dim: L and D of w_plus.
        style_dims: channels of each style.
        text_dim: T of the text vectors; None without.
        levels: layers of w_plus that are coarse, medium and fine; None is 4, 4 and the rest.
        idle: styles that a mapper of style space leaves alone; None is every third, StyleGAN2's ToRGB.
    Raises:
        UserError: the mode cannot take texts of that width.
    """
    is_of_styles = "Style" in config.mapper_type
    if config.space == "s":
        own = config.mapper_type if is_of_styles else WITHOUT_TO_RGB
        is_usual = idle is None or own != WITHOUT_TO_RGB or list(idle) == usual_idle(len(style_dims))
        others = {} if is_usual else {"idle": list(idle or ())}
        return {"mapper_type": own, "style_dims": list(style_dims), **others}
    if is_of_styles:
        raise UserError(f"{config.mapper_type} moves styles; use it in style space, not in w_plus")
    levels = _levels(layers) if levels is None else list(levels)
    groups = {"coarse": config.coarse, "medium": config.medium, "fine": config.fine}
    if config.mapper_type == "ConditionedMapper":
        moved = np.repeat(list(groups.values()), levels)
        still = {} if moved.all() else {"idle": np.flatnonzero(~moved).tolist()}
        return {
            "mapper_type": config.mapper_type,
            "style_dim": style_dim,
            "text_dim": text_dim,
            "layers": layers,
            "width": config.width,
            "depth": config.depth,
            **still,
        }
    found = {"mapper_type": config.mapper_type, "mode": config.mode, "style_dim": style_dim}
    if text_dim is not None:
        if config.mode != "Mapper_cat" and text_dim != style_dim:
            raise UserError(
                f"{config.mode} adds the text to the latent, but texts are {text_dim} wide and "
                f"latents {style_dim}; use Mapper_cat, or a table"
            )
        found["text_dim"] = text_dim
    if config.mapper_type == "LevelsMapper":
        found.update(levels=levels, **groups)
    return found


def _levels(layers: int) -> list[int]:
    """4, 4 and the rest, as published; thirds where there are too few layers for that."""
    first = LEVELS_18[0] if layers > 2 * LEVELS_18[0] else max(1, layers // 3)
    return [first, first, layers - 2 * first]
