# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a latent optimisation measures and how it moves; the defaults are the official code's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from ppstyleclip.losses import CLIP_VIEWS, MAX_CROPS
from ppstyleclip.methods.checks import check_choice
from ppstyleclip.methods.optimization.adam import Adam
from ppstyleclip.methods.optimization.schedules import SCHEDULES
from ppstyleclip.schema import Between, Size, check_fields

SPACES = ("z", "w", "w_plus", "s")
L2_REDUCTIONS = ("sum", "mean", "layers")
ANCHORS = ("crops", "picture")
Weights = Annotated[Mapping[str, Annotated[float, Between(0, 1e9)]], Size(0, 100)]
ALWAYS_MEASURED = ("clip", "l2")  # whatever their weights


@dataclass(frozen=True)
class ObjectiveConfig:
    """What is measured of latents and their pictures.

    Attributes:
        weights: `{objective: weight}` of the loss's parts, by their names in the registry of objectives.
            "clip" and "l2" are always measured and are 0 where they are not named; another part of weight 0
            is left out. The weight of "clip" multiplies the weights of the texts.
        l2_reduction: "sum" or "mean" over the latent's numbers; in s also "layers", the layers' means added
            up.
        view: how pictures are prepared for CLIP, one of losses.CLIP_VIEWS.
        crops: what CLIP sees: 1, the whole picture; up to losses.MAX_CROPS, also crops of it from the
            corners, which are harder to fool all at once.
        margin: what a crop leaves out, as a share of the picture's side.
        directional_strength: 0 is the paper, where CLIP should see the text itself. Above 0, CLIP should see
            what it sees now, moved by this length along the direction from a neutral text (see
            directed_features).
        anchor: what "what it sees now" is: "crops", as the loss measures it, or "picture", the whole picture
            in CLIP's own preparation. Parity: "picture" is how the mappers of the embedded world were
            trained.
    """

    weights: Weights = field(default_factory=lambda: {"clip": 1.0, "l2": 0.008})
    l2_reduction: str = "sum"
    view: str = "official"
    crops: Annotated[int, Between(1, MAX_CROPS)] = 1
    margin: Annotated[float, Between(0, 1, below=True)] = 0.05
    directional_strength: Annotated[float, Between(0, 1e3)] = 0.0
    anchor: str = "crops"

    def __post_init__(self) -> None:
        check_fields(self)
        weights = {**dict.fromkeys(ALWAYS_MEASURED, 0.0), **self.weights}
        object.__setattr__(self, "weights", {name: float(weight) for name, weight in weights.items()})
        check_choice("l2_reduction", self.l2_reduction, L2_REDUCTIONS)
        check_choice("view", self.view, CLIP_VIEWS)
        check_choice("anchor", self.anchor, ANCHORS)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of the loss, in the order in which they are measured and reported."""
        return tuple(name for name, weight in self.weights.items() if weight > 0 or name in ALWAYS_MEASURED)

    def coefficient(self, part: str) -> float:
        """What a part is multiplied with in the loss; 1 for "clip", whose weight is in those of the texts."""
        return 1.0 if part == "clip" else self.weights[part]


@dataclass(frozen=True)
class OptimizationConfig:
    """How latents are optimised.

    Attributes:
        space: one of SPACES; what moves.
        steps: how many.
        learning_rate: before the schedule.
        schedule: a name in schedules.SCHEDULES.
        rampup, rampdown: of "rampup_cosine": the shares of the steps in which the rate rises and falls.
        step_size, gamma: of "step_lr": the rate is multiplied by gamma after each step_size steps.
        neighbours: 0 is the paper. Above 0, this face and so many near it take turns, a step each, and the
            move is one for all of them (see neighbour_offsets): a move that only fools CLIP on one picture
            helps no other.
        neighbour_std: how far off those are, where 1 is as far as faces are from their mean.
        adam: of the optimiser.
        objective: what is measured.
    """

    space: str = "w_plus"
    steps: Annotated[int, Between(1, 10**6)] = 300
    learning_rate: Annotated[float, Between(0, 1e38)] = 0.1
    schedule: str = "rampup_cosine"
    rampup: Annotated[float, Between(0, 1e3)] = 0.05
    rampdown: Annotated[float, Between(1e-6, 1e3)] = 0.25
    step_size: Annotated[int, Between(1, 10**9)] = 50
    gamma: Annotated[float, Between(0, 1e3)] = 0.5
    neighbours: Annotated[int, Between(0, 10**5)] = 0
    neighbour_std: Annotated[float, Between(0, 1e3)] = 0.5
    adam: Adam = Adam()
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)

    def __post_init__(self) -> None:
        check_fields(self)
        check_choice("space", self.space, SPACES)
        check_choice("schedule", self.schedule, SCHEDULES)
        if self.space != "s":
            check_choice("l2_reduction", self.objective.l2_reduction, L2_REDUCTIONS[:2])

    def learning_rates(self) -> list[float]:
        """The learning rate of each step."""
        return SCHEDULES[self.schedule](self)
