# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a file was recognised as, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

from ppstyleclip.finite import check_finite


@dataclass(frozen=True)
class Converted:
    """Weights or measurements in our form.

    Attributes:
        kind: what they are: generator, clip, statistics, relevance, styles, directions, latents, psp, e4e,
            restyle, mapper, irse50, arcface, vgg16 or lpips.
        state: `{key: float32 array}` in Paddle's naming and layout.
        config: the architecture and what else leaves no shape; JSON can hold it.
        extras: arrays beside the weights, such as `latent_avg`.
        ignored: `{source key that was left out: reason}`.
        notes: what the user should know; one line each.
        opts: options that the file carries from its training, as they are there.
        stated: metadata of a file of ours that was converted, which go along.
    Raises:
        UserError: an array holds NaN or infinity.
    """

    kind: str
    state: dict
    config: dict
    extras: dict = field(default_factory=dict)
    ignored: dict = field(default_factory=dict)
    notes: tuple = ()
    opts: dict = field(default_factory=dict)
    stated: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_finite({**self.state, **self.extras})


@dataclass(frozen=True)
class Recognised:
    """What something is, before anything is converted.

    Attributes:
        kind: as Converted has it.
        description: one line for people.
        config: as Converted has it.
        convert: call it for the Converted; raises UserError where arrays are missing, unknown or misshapen.
    """

    kind: str
    description: str
    config: dict
    convert: Callable[[], Converted]
