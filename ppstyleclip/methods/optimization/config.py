# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a latent optimisation measures and how it moves; the defaults are the official code's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ppstyleclip.losses import CLIP_VIEWS, MAX_CROPS
from ppstyleclip.methods.checks import check_choice, check_count, check_number
from ppstyleclip.methods.optimization.adam import Adam
from ppstyleclip.methods.optimization.schedules import SCHEDULES

SPACES = ("z", "w", "w_plus", "s")
L2_REDUCTIONS = ("sum", "mean", "layers")
ANCHORS = ("crops", "picture")
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

    weights: Mapping[str, float] = field(default_factory=lambda: {"clip": 1.0, "l2": 0.008})
    l2_reduction: str = "sum"
    view: str = "official"
    crops: int = 1
    margin: float = 0.05
    directional_strength: float = 0.0
    anchor: str = "crops"

    def __post_init__(self) -> None:
        for name, weight in self.weights.items():
            check_number(name, weight)
        weights = {**dict.fromkeys(ALWAYS_MEASURED, 0.0), **self.weights}
        object.__setattr__(self, "weights", {name: float(weight) for name, weight in weights.items()})
        check_choice("l2_reduction", self.l2_reduction, L2_REDUCTIONS)
        check_choice("view", self.view, CLIP_VIEWS)
        check_choice("anchor", self.anchor, ANCHORS)
        check_count("crops", self.crops, least=1, most=MAX_CROPS)
        check_number("margin", self.margin, below=1.0)
        check_number("directional_strength", self.directional_strength)

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
    steps: int = 300
    learning_rate: float = 0.1
    schedule: str = "rampup_cosine"
    rampup: float = 0.05
    rampdown: float = 0.25
    step_size: int = 50
    gamma: float = 0.5
    neighbours: int = 0
    neighbour_std: float = 0.5
    adam: Adam = Adam()
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)

    def __post_init__(self) -> None:
        check_choice("space", self.space, SPACES)
        check_choice("schedule", self.schedule, SCHEDULES)
        if self.space != "s":
            check_choice("l2_reduction", self.objective.l2_reduction, L2_REDUCTIONS[:2])
        check_count("steps", self.steps, least=1)
        check_count("neighbours", self.neighbours)
        check_count("step_size", self.step_size, least=1)
        for name in ("learning_rate", "neighbour_std", "rampup", "gamma"):
            check_number(name, getattr(self, name))
        check_number("rampdown", self.rampdown, least=1e-6)

    def learning_rates(self) -> list[float]:
        """The learning rate of each step."""
        return SCHEDULES[self.schedule](self)
