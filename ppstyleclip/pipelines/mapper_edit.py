# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Trained mappers at work: one over many faces, several one after the other, one with several texts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.inputs import as_list
from ppstyleclip.methods.checks import check_count, check_numbers
from ppstyleclip.pipelines.regions import draw_in_masks, find_masks
from ppstyleclip.text import unknown_words_line
from ppstyleclip.wording import counted
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import TrainedMapper, find_mapper, load_mapper
from ppstyleclip.zoo.mappers import check_mapper_fits

SHOWN_TEXTS = 3  # of a mapper that takes any
_JOIN = "+"  # between texts that a mapper shall do at once


@dataclass(frozen=True, eq=False)
class MapperLink:
    """One mapper of a chain, with what it shall do.

    Attributes:
        name: what the user called it.
        mapper: TrainedMapper.
        vector: `[1, T]` of its text, or None.
        strength: what its step is multiplied with.
    """

    name: str
    mapper: TrainedMapper
    vector: np.ndarray | None
    strength: float


@dataclass(frozen=True, eq=False)
class MappedRecord:
    """Some faces of a bank after a chain.

    Attributes:
        done, total: number of faces so far, these included, and of all.
        first: number of the first of these.
        faces: `[n, ...]` as they were.
        mapped: `[n, L, D]` or `[n, S]` what became of them.
        pictures: `[n, H, W, 3]` uint8 of these.
    """

    done: int
    total: int
    first: int
    faces: np.ndarray
    mapped: np.ndarray
    pictures: np.ndarray


def open_chain(
    editor: Editor,
    names: Sequence[Any],
    texts: Sequence[str] = (),
    strengths: Sequence[float] = (1.0,),
    *,
    folder: Any = None,
) -> list[MapperLink]:
    """Load mappers by name or path and make a chain of them.

    Args:
        editor: of the model in whose latents they step.
        names: of mappers, as find_mapper takes them, in the order in which they are applied.
        texts, strengths: as in make_chain.
        folder: of the bundle.
    Raises:
        MissingFile: there is no such mapper.
        UserError: a mapper of another generator, or as make_chain.
    """
    names = as_list(names, "mapper", least=0)
    if not names:
        raise UserError("no mapper was named; name one or several (--modules)")
    strengths = check_numbers("strength", strengths)
    _check_strengths(names, strengths)
    return make_chain(
        editor,
        [(str(name), open_mapper(editor, find_mapper(name, folder))) for name in names],
        texts,
        strengths,
    )


def make_chain(
    editor: Editor,
    mappers: Sequence[tuple[str, TrainedMapper]],
    texts: Sequence[str] = (),
    strengths: Sequence[float] = (1.0,),
) -> list[MapperLink]:
    """Give each mapper its text.

    Args:
        editor: of the model in whose latents they step.
        mappers: (name, TrainedMapper) in the order in which they are applied.
        texts: one for each mapper that takes a text, in that order; "Elsa+wavy" are two at once. All go to
            the mapper where there is only one and it was made for several at once (Mapper_multi).
        strengths: one for all, or one each.
    Raises:
        UserError: texts or strengths that are not as many, or a text that a mapper does not know.
    """
    strengths = check_numbers("strength", strengths)
    _check_strengths(mappers, strengths)
    chosen = _paired(mappers, as_list(texts, "text", least=0))
    strengths = strengths * (len(mappers) if len(strengths) == 1 else 1)
    return [
        MapperLink(name, mapper, _vector(editor, name, mapper, words), float(strength))
        for (name, mapper), words, strength in zip(mappers, chosen, strengths)
    ]


def _check_strengths(mappers: Sequence, strengths: Sequence) -> None:
    if len(strengths) not in (1, len(mappers)):
        raise UserError(
            f"{counted(len(mappers), 'mapper')} and {counted(len(strengths), 'strength')} were "
            f"given; give one strength, or one each (--strength)"
        )


def open_mapper(editor: Editor, path: Any) -> TrainedMapper:
    """The mapper of a file; refuses one that does not fit the editor's model."""
    mapper = load_mapper(path)
    check_mapper_fits(mapper, path, editor.bundle)
    return mapper


def _paired(mappers: Sequence[tuple[str, TrainedMapper]], texts: list[str]) -> list[list[str]]:
    """The texts of each mapper."""
    takers = [(name, mapper) for name, mapper in mappers if mapper.takes_text]
    if len(mappers) == 1 and mappers[0][1].config.get("mode") == "Mapper_multi" and len(texts) > 1:
        return [[part for text in texts for part in text.split(_JOIN)]]
    if len(texts) != len(takers):
        known = "; ".join(f"{name}: {_known_texts(mapper)}" for name, mapper in takers)
        fewer = (
            "give each of them one" if len(texts) < len(takers) else "name a mapper for each, also one twice"
        )
        raise UserError(
            f"{counted(len(texts), 'text')} came, and {counted(len(takers), 'mapper')} of {len(mappers)} "
            "can be told one; " + (f"{fewer} ({known})" if takers else "leave the texts out")
        )
    rest = iter(texts)
    return [next(rest).split(_JOIN) if mapper.takes_text else [] for _, mapper in mappers]


def _known_texts(mapper: TrainedMapper) -> str:
    """What a mapper can be told; one that CLIP tells its text takes others than those it was trained for."""
    if mapper.embed != "clip":
        return ", ".join(mapper.texts)
    return f"any, such as {', '.join(map(repr, mapper.texts[:SHOWN_TEXTS]))}" if mapper.texts else "any"


def _vector(editor: Editor, name: str, mapper: TrainedMapper, words: list[str]) -> np.ndarray | None:
    if not mapper.takes_text:
        return None
    line = mapper_text_line(editor, mapper, _JOIN.join(words))
    if line is not None:
        warnings.warn(line, stacklevel=3)
    try:
        return mapper.text_vector(words, editor.bundle.clip if mapper.embed == "clip" else None)
    except UserError as error:
        raise UserError(f"{name}: {error}") from None


def mapper_text_line(editor: Editor, mapper: TrainedMapper, text: str) -> str | None:
    """Name the words of a mapper's text that the CLIP which tells it never saw; None where there are none."""
    if mapper.embed != "clip":
        return None
    return unknown_words_line(editor.bundle.clip, text.replace(_JOIN, " "))


@on_worker
def apply_chain(editor: Editor, chain: Sequence[MapperLink], face: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a face after each mapper of a chain, each on what the one before it made.

    Args:
        editor: Editor.
        chain: of open_chain or make_chain.
        face: w_plus `[N, L, D]` or flat styles `[N, S]`.
    Yields:
        arrays `[N, L, D]`, or `[N, S]` from the first mapper of style space on. Mappers know faces as they
        lie unmoved; the styles of w_plus lie where the editor's canvas does.
    Raises:
        UserError: a mapper of w_plus behind one of style space, or on styles.
    """
    face = np.asarray(face, np.float32)
    drawing, unmoved = editor if face.ndim == 3 else editor.on_canvas(None), editor.on_canvas(None)
    for link in chain:
        if link.mapper.space == "s":
            face = unmoved.styles(face).numpy()
        elif face.ndim == 2:
            raise UserError(
                f"{link.name} moves w_plus, which styles no longer have; put mappers of style "
                "space last, or give w_plus"
            )
        face = face + np.float32(link.strength) * link.mapper.step(face, link.vector)
        yield np.asarray(drawing.placed(face))


def map_faces(
    editor: Editor,
    faces: np.ndarray,
    chain: Sequence[MapperLink],
    *,
    batch_size: int = 8,
    region: Any = None,
) -> Iterator[MappedRecord]:
    """Send many faces through a chain, some at a time.

    Args:
        editor: Editor.
        faces: `[N, L, D]` or `[N, S]`.
        chain: of open_chain or make_chain.
        batch_size: faces at a time.
        region: where the pictures may change, as Edit takes it, but for "auto"; None: everywhere.
    Yields:
        MappedRecord of each batch.
    Raises:
        UserError: as apply_chain, or a batch of none.
    """
    check_count("batch_size", batch_size, least=1)
    if not chain:
        raise UserError("a chain of mappers is empty; make it with open_chain")
    for first in range(0, len(faces), batch_size):
        some = faces[first : first + batch_size]
        *_, mapped = apply_chain(editor, chain, some)
        masks = find_masks(editor, some, region)
        pictures = draw_in_masks(editor, some, mapped, masks)
        yield MappedRecord(first + len(some), len(faces), first, some, mapped, pictures)


def mapper_stem(link: MapperLink) -> str:
    """A mapper's name without folder and ending."""
    return Path(link.name).stem
