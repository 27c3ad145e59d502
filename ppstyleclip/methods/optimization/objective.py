# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The registry of objectives: the parts of a loss, each a function of one Context.

To add one, write a function and register it; a configuration names it in its weights:

    def brightness(context):
        return context.images.mean(axis=[1, 2, 3])

    register_objective("brightness", brightness)
    ObjectiveConfig(weights={"clip": 1.0, "l2": 0.008, "brightness": 0.1})
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Callable

import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.optimization.config import ObjectiveConfig


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks that a loss goes through.

    Attributes:
        generator: in evaluation mode.
        clip: ClipModel.
        identity: network with `identity_features`; None where nothing needs one.
    """

    generator: Any
    clip: Any
    identity: Any = None

    @cached_property
    def layout(self) -> Any:
        """The generator's StyleLayout."""
        return self.generator.layout


@dataclass(frozen=True, eq=False)
class Context:
    """What an objective measures.

    Attributes:
        networks: Networks.
        config: ObjectiveConfig.
        space: in which the latents are, one of config.SPACES.
        latent, start: `[N, ...]` the latents as they are, and as they were at the start.
        images: `[N, 3, H, W]` drawn from the latents, RGB, about [-1, 1].
        texts: `[N, T, E]` unit vectors: what CLIP should see.
        text_weights: `[N, T]` of the texts.
        reference: `[N, ...]` what the objective's own `reference` gave for the start; None without one.
    """

    networks: Networks
    config: ObjectiveConfig
    space: str
    latent: paddle.Tensor
    start: paddle.Tensor
    images: paddle.Tensor
    texts: paddle.Tensor
    text_weights: paddle.Tensor
    reference: paddle.Tensor | None = None


Measure = Callable[[Context], paddle.Tensor]
Reference = Callable[[Networks, paddle.Tensor], paddle.Tensor]


@dataclass(frozen=True)
class Objective:
    """One part of a loss.

    Attributes:
        measure: function of a Context, or a Layer whose forward is one; gives `[N]`, differentiable in the
            latents. It is traced once, so what it does must not depend on values.
        reference: function of (Networks, images `[N, 3, H, W]` of the start); gives `[N, ...]`. It is called
            once for each start, and `measure` finds the result in its context.
        needs: names of the fields of Networks that must not be None.
    """

    measure: Measure
    reference: Reference | None = None
    needs: tuple[str, ...] = ()


OBJECTIVES: dict[str, Objective] = {}


def register_objective(
    name: str, measure: Measure, *, reference: Reference | None = None, needs: Sequence[str] = ()
) -> None:
    """Make an objective known by a name; arguments as in Objective.

    This is a call and not a decorator, because Paddle's tracer evaluates decorators again.

    Raises:
        ValueError: another objective has that name.
    """
    if name in OBJECTIVES:
        raise ValueError(f"an objective named '{name}' is registered already; use another name")
    OBJECTIVES[name] = Objective(measure, reference, tuple(needs))


def chosen_objectives(config: ObjectiveConfig, networks: Networks) -> dict[str, Objective]:
    """The objectives of a configuration's parts, in their order.

    Raises:
        UserError: an unknown name, or a part needs a network that is not there.
    """
    unknown = [name for name in config.weights if name not in OBJECTIVES]
    if unknown:
        raise UserError(f"unknown objective '{unknown[0]}', known: {', '.join(OBJECTIVES)}")
    chosen = {name: OBJECTIVES[name] for name in config.parts}
    for name, objective in chosen.items():
        for need in objective.needs:
            if getattr(networks, need) is None:
                raise UserError(
                    f"{name} is above 0, but there is no {need} network; name one "
                    f"(--ir_se50_weights), or set it to 0"
                )
    return chosen


def needed_networks(config: ObjectiveConfig, generator: Any, clip: Any, identity: Any = None) -> Networks:
    """The networks of a loss, without the identity network where no part needs it; errors as above."""
    chosen = chosen_objectives(config, Networks(generator, clip, identity))
    is_needed = any("identity" in objective.needs for objective in chosen.values())
    return Networks(generator, clip, identity if is_needed else None)
