# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The texts of a mapper: which of them are meant together, and which latent is for which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ppstyleclip.convert.mapper_texts import CLIP_TEXTS, TABLE_TEXTS, UNTRAINED
from ppstyleclip.errors import UserError
from ppstyleclip.methods.checks import check_count
from ppstyleclip.wording import counted


@dataclass(frozen=True)
class TextSet:
    """Texts of one mapper.

    Attributes:
        names: what each text is called when the mapper is used.
        prompts: what CLIP should see of each.
        classes: tuples of indices of the texts that are meant together, for one face; each alone, or several.
    """

    names: tuple[str, ...]
    prompts: tuple[str, ...]
    classes: tuple[tuple[int, ...], ...]

    def class_of(self, count: int) -> np.ndarray:
        """`[count]` which class each latent of a bank is for: seed 000's rule, by its place in the bank.

        Raises:
            UserError: there are fewer latents than classes.
        """
        number = len(self.classes)
        if count < number:
            raise UserError(
                f"{counted(count, 'latent')} cannot be shared among {number} classes of texts; give "
                f"at least {number}"
            )
        ends = [int((k + 1) * count / number) for k in range(number)]
        return np.searchsorted(ends, np.arange(count), side="right")


def text_set(prompts: Iterable[str], names: Iterable[str] | None = None, *, together: int = 1) -> TextSet:
    """Make the set of some texts, each alone, and also up to `together` of them at once.

    Args:
        prompts: the texts.
        names: what they are called; None for the texts themselves.
        together: 2 adds all pairs, 3 all triples as well.
    Raises:
        UserError: no texts, one that is there twice, or names that are not as many; together below 1.
    """
    check_count("together", together, least=1)
    prompts, names = tuple(prompts), tuple(prompts if names is None else names)
    if not prompts or len(set(names)) != len(names) or len(names) != len(prompts):
        raise UserError(
            f"a mapper needs texts that differ, and as many names; got {len(prompts)} texts: "
            f"{', '.join(names)}"
        )
    places = range(len(prompts))
    return TextSet(
        names, prompts, tuple(c for size in range(1, together + 1) for c in combinations(places, size))
    )


def check_told_apart(texts: TextSet, embed: str) -> None:
    """Refuse several texts for a mapper that is not told which one is meant: they would pull it apart.

    Args:
        texts: TextSet.
        embed: "none", "table" or "clip", as MapperConfig has it.
    """
    if embed == "none" and len(texts.classes) > 1:
        raise UserError(
            f"a mapper of {len(texts.names)} texts must be told which; use --mapper_mode Mapper_sum, "
            "Mapper_cat or Mapper_multi"
        )


def _named(pairs: dict[str, str]) -> TextSet:
    return text_set(pairs.values(), pairs)


# Of the six texts: each alone; a woman and one thing of her hair; two things of the hair; all three.
_MULTI_CLASSES = (
    (0,),
    (1,),
    (2,),
    (3,),
    (4,),
    (5,),
    (0, 2),
    (0, 3),
    (0, 4),
    (0, 5),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (2, 4),
    (2, 5),
    (3, 5),
    (3, 4),
    (0, 2, 4),
    (0, 2, 5),
    (0, 3, 4),
    (0, 3, 5),
    (1, 2, 4),
    (1, 2, 5),
    (1, 3, 4),
    (1, 3, 5),
)

# Seed 000's, with rows of a table that is never trained (`nn.embedding` in its command).
TABLE_SETS = {name: _named(pairs) for name, pairs in TABLE_TEXTS.items()}
TABLE_SETS["multi"] = replace(TABLE_SETS["multi"], classes=_MULTI_CLASSES)
# Seed 000's, with CLIP's features of the texts (`clip_encoder` in its command).
CLIP_SETS = {
    name: text_set([prompt for key, prompt in pairs.items() if key not in UNTRAINED])
    for name, pairs in CLIP_TEXTS.items()
}


def known_set(name: str, embed: str) -> TextSet:
    """A set of seed 000's, by its data_mode.

    Args:
        name: such as "hair".
        embed: "table" or "clip".
    Raises:
        UserError: there is none of that name.
    """
    sets = CLIP_SETS if embed == "clip" else TABLE_SETS
    if name not in sets:
        raise UserError(f"unknown texts '{name}', known with text vectors '{embed}': {', '.join(sets)}")
    return sets[name]
