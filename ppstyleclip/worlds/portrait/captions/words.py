# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The form of a table of words: how a language can say an attribute."""

from __future__ import annotations

from dataclasses import dataclass, field

from ppstyleclip.worlds.portrait.captions.truth import LESS, MORE, PLAIN, SLIGHTLY, VERY


@dataclass(frozen=True)
class Words:
    """Ways to say one attribute.

    Attributes:
        adjectives: before a noun, and after "looks": "happy".
        nouns: in place of "face": "woman".
        phrases: after "with" (in Chinese after 有): "a smile".
        worn: after "wearing" (in Chinese verb phrases): "glasses".
        parts: `{part: adjectives}`: "long" of "hair" gives "long hair".
        absent: phrases or adjectives that say it is not so: "no beard".
        slightly, very, more, less: phrases of that degree: "a big smile".
    """

    adjectives: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    worn: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    slightly: tuple[str, ...] = ()
    very: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()

    def of_degree(self, degree: int) -> tuple[str, ...]:
        """The phrases that say a degree by themselves."""
        return {
            PLAIN: self.phrases,
            SLIGHTLY: self.slightly,
            VERY: self.very,
            MORE: self.more,
            LESS: self.less,
        }.get(degree, self.absent)
