# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How a latent mapper is trained, and the network that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.losses import CLIP_VIEWS
from ppstyleclip.methods.optimize import CORNERS
from ppstyleclip.methods.ranger import RULES
from ppstyleclip.models.mappers import LEVELS_18, MAPPER_MODES, MAPPER_STEP, MAPPER_TYPES

EMBEDS = ("none", "table", "clip")


@dataclass(frozen=True)
class Settings:
    """How a mapper is trained; the defaults are the official code's.

    Attributes:
        mapper_type, mode: as in models.mappers.build_mapper.
        coarse, medium, fine: for LevelsMapper, whether the group moves.
        space: "w_plus" or "s"; in s the type is WithoutToRGBStyleSpaceMapper unless it is a type of s.
        scale: what the network's output is multiplied with.
        embed: where its text vectors come from: "none", a "table", or "clip".
        steps, batch_size: how many, and latents of each.
        optimiser, rate: a key of ranger.RULES, and its learning rate.
        clip, l2, identity: weights of the losses; 0 leaves one out.
        view, views, reach: how CLIP sees the pictures, as in optimize.Settings.
        toward: 0 is the paper, as in optimize.Settings; above 0, texts that are meant together are one goal.
        every: steps from one look at the held-out latents to the next.
        patience: so many looks without a new best end the training; 0 for never.
        seed: of the first weights and of what is drawn.
        mixed: compute in bfloat16 where that is safe.
    """

    mapper_type: str = "LevelsMapper"
    mode: str = "Mapper"
    coarse: bool = True
    medium: bool = True
    fine: bool = True
    space: str = "w_plus"
    scale: float = MAPPER_STEP
    embed: str = "none"
    steps: int = 50000
    batch_size: int = 2
    optimiser: str = "ranger"
    rate: float = 0.5
    clip: float = 1.0
    l2: float = 0.8
    identity: float = 0.1
    view: str = "official"
    views: int = 1
    reach: float = 0.05
    toward: float = 0.0
    every: int = 2000
    patience: int = 0
    seed: int = 0
    mixed: bool = False

    @property
    def l2_over(self) -> str:
        """Of optimize.Settings: means, and in s one for each layer, added up."""
        return "layers" if self.space == "s" else "mean"


def check_settings(settings: Settings) -> None:
    """Refuse what cannot be run.

    Raises:
        UserError: names the setting, what was got and what is known.
    """
    known = {
        "mapper_type": MAPPER_TYPES,
        "mode": MAPPER_MODES,
        "space": ("w_plus", "s"),
        "embed": EMBEDS,
        "optimiser": tuple(RULES),
        "view": CLIP_VIEWS,
    }
    for name, words in known.items():
        if getattr(settings, name) not in words:
            raise UserError(f"unknown {name} '{getattr(settings, name)}', known: {', '.join(words)}")
    least = {"steps": 1, "batch_size": 1, "every": 1, "views": 1, "patience": 0, "seed": 0}
    for name, bound in least.items():
        if getattr(settings, name) < bound:
            raise UserError(f"{name} must be at least {bound}, got {getattr(settings, name)}")
    if settings.views > 1 + len(CORNERS):
        raise UserError(f"there are 1 to {1 + len(CORNERS)} views, got {settings.views}")
    for name in ("scale", "rate", "clip", "l2", "identity", "reach", "toward"):
        value = getattr(settings, name)
        if not np.isfinite(value) or value < 0:
            raise UserError(f"{name} must be a number from 0 on, got {value}")
    if settings.mapper_type == "ConditionedMapper":
        if settings.embed == "none" or settings.space == "s":
            raise UserError(
                "ConditionedMapper takes a text and moves w_plus; use text vectors of a table or "
                f"of CLIP there, got '{settings.embed}' in {settings.space}"
            )
    elif (settings.embed == "none") != (settings.mode == "Mapper"):
        raise UserError(
            f"mode {settings.mode} and text vectors '{settings.embed}' do not fit: Mapper takes "
            "no text, Mapper_cat, Mapper_sum and Mapper_multi need a table or CLIP"
        )
    if settings.space == "s" and settings.mode != "Mapper":
        raise UserError(f"mappers of style space take no text; use mode Mapper there, not {settings.mode}")


def mapper_config(settings, layers, style_dim, style_dims, text_dim) -> dict:
    """The config for build_mapper.

    Args:
        settings: Settings.
        layers, style_dim: L and D of w_plus.
        style_dims: channels of each style.
        text_dim: T of the text vectors; None without.
    Raises:
        UserError: the mode cannot take texts of that width.
    """
    if settings.space == "s":
        own = settings.mapper_type if "Style" in settings.mapper_type else "WithoutToRGBStyleSpaceMapper"
        return {"mapper_type": own, "style_dims": list(style_dims)}
    if "Style" in settings.mapper_type:
        raise UserError(f"{settings.mapper_type} moves styles; use it with --work_in_stylespace")
    if settings.mapper_type == "ConditionedMapper":
        return {
            "mapper_type": settings.mapper_type,
            "style_dim": style_dim,
            "text_dim": text_dim,
            "layers": layers,
        }
    config = {"mapper_type": settings.mapper_type, "mode": settings.mode, "style_dim": style_dim}
    if text_dim is not None:
        if settings.mode != "Mapper_cat" and text_dim != style_dim:
            raise UserError(
                f"{settings.mode} adds the text to the latent, but texts are {text_dim} wide and "
                f"latents {style_dim}; use Mapper_cat, or a table"
            )
        config["text_dim"] = text_dim
    if settings.mapper_type == "LevelsMapper":
        config.update(
            levels=_levels(layers), coarse=settings.coarse, medium=settings.medium, fine=settings.fine
        )
    return config


def _levels(layers) -> list:
    """4, 4 and the rest, as published; thirds where there are too few layers for that."""
    first = LEVELS_18[0] if layers > 2 * LEVELS_18[0] else max(1, layers // 3)
    return [first, first, layers - 2 * first]
