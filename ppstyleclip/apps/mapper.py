# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Trained mappers at work: one over many faces, several one after the other, one with several texts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ppstyleclip.apps.faces import given_face, save_latent
from ppstyleclip.apps.photo import aligned_faces, find_latents
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.files import check_writable, save_png
from ppstyleclip.formats import load_bank
from ppstyleclip.pictures import enlarged, grid
from ppstyleclip.zoo import TrainedMapper, find_mapper, load, load_mapper
from ppstyleclip.zoo.catalogue import EMBEDDED
from ppstyleclip.zoo.mappers import check_mapper_fits, check_mapper_made_for

COLUMNS = 8  # of a grid of results, as torchvision lays them out
_JOIN = "+"  # between texts that a mapper shall do at once


@dataclass(frozen=True, eq=False)
class Link:
    """One mapper of a chain, with what it shall do.

    Attributes:
        name: what the user called it.
        mapper: TrainedMapper.
        vector: `[1, T]` of its text, or None.
        strength: what its step is multiplied with.
    """

    name: str
    mapper: TrainedMapper
    vector: Any
    strength: float


def open_chain(editor: Editor, names, texts=(), strengths=(1.0,), *, folder=None) -> list:
    """Load mappers and give each its text.

    Args:
        editor: of the model in whose latents they step.
        names: of mappers, as find_mapper takes them, in the order in which they are applied.
        texts: one for each mapper that takes a text, in that order; "Elsa+wavy" are two at once. All go to
            the mapper where there is only one and it was made for several at once (Mapper_multi).
        strengths: one for all, or one each.
        folder: of the bundle.
    Returns:
        list of Link.
    Raises:
        MissingFile: there is no such mapper.
        UserError: texts or strengths that are not as many, a text that a mapper does not know, or a mapper of
            another generator.
    """
    if not names:
        raise UserError("no mapper was named; give one with --modules or --checkpoint_path")
    if len(strengths) not in (1, len(names)):
        raise UserError(f"--strength are {len(strengths)}, --modules are {len(names)}; give one, or one each")
    mappers = [_opened(editor, find_mapper(name, folder)) for name in names]
    chosen = _paired(names, mappers, list(texts))
    strengths = list(strengths) * (len(names) if len(strengths) == 1 else 1)
    return [
        Link(str(name), mapper, _vector(editor, name, mapper, words), float(strength))
        for name, mapper, words, strength in zip(names, mappers, chosen, strengths)
    ]


def _opened(editor, path) -> TrainedMapper:
    mapper = load_mapper(path)
    check_mapper_fits(mapper, path, editor.bundle)
    if mapper.embed == "clip":
        check_mapper_made_for(mapper, path, clip=editor.bundle.fingerprints.get("clip"))
    return mapper


def _paired(names, mappers, texts) -> list:
    """The texts of each mapper, a list of lists."""
    takers = [mapper for mapper in mappers if mapper.embed != "none"]
    if len(mappers) == 1 and mappers[0].config.get("mode") == "Mapper_multi" and len(texts) > 1:
        return [[part for text in texts for part in text.split(_JOIN)]]
    if len(texts) != len(takers):
        known = "; ".join(
            f"{name}: {', '.join(mapper.texts) or 'any'}"
            for name, mapper in zip(names, mappers)
            if mapper.embed != "none"
        )
        raise UserError(
            f"--modules are {len(names)}, of which {len(takers)} take a text, and --texts are "
            f"{len(texts)}; give each its own" + f" ({known})" * bool(known)
        )
    rest = iter(texts)
    return [next(rest).split(_JOIN) if mapper.embed != "none" else [] for mapper in mappers]


def _vector(editor, name, mapper, words):
    if mapper.embed == "none":
        return None
    clip = editor.bundle.clip if mapper.embed == "clip" else None
    unknown = clip.unknown_words(" ".join(words)) if clip is not None else ()
    if unknown:
        warnings.warn(
            f"the CLIP of '{editor.bundle.name}' never saw {', '.join(unknown)}; what {name} then "
            "does is chance",
            stacklevel=3,
        )
    try:
        return mapper.text_vector(words, clip)
    except UserError as error:
        raise UserError(f"{name}: {error}") from None


def apply_chain(editor: Editor, chain, face):
    """Yield a face after each mapper of a chain, each on what the one before it made.

    Args:
        editor: Editor.
        chain: list of Link.
        face: w_plus `[N, L, D]` or flat styles `[N, S]`.
    Yields:
        arrays `[N, L, D]`, or `[N, S]` from the first mapper of style space on.
    Raises:
        UserError: a mapper of w_plus behind one of style space, or on styles.
    """
    face = np.asarray(face, np.float32)
    for link in chain:
        if link.mapper.space == "s":
            face = editor.styles(face).numpy()
        elif face.ndim == 2:
            raise UserError(
                f"{link.name} moves w_plus, which styles no longer have; put mappers of style "
                "space last, or give w_plus"
            )
        face = face + np.float32(link.strength) * link.mapper.step(face, link.vector)
        yield face


def load_faces(editor: Editor, path, count=None) -> np.ndarray:
    """Read a bank of faces of the editor's generator.

    Args:
        path: w_plus or styles, as formats.load_bank reads them.
        count: how many, from the first on; None for all.
    Returns:
        w_plus `[N, L, D]` or flat styles `[N, S]`.
    Raises:
        UserError: they are not of this generator, or there are none of them.
    """
    if count is not None and count < 1:
        raise UserError(f"--n_images must be at least 1, got {count}")
    faces, size = load_bank(path), editor.bundle.layout.size
    faces = (faces.reshape(-1, size) if faces.shape[-1] == size else faces)[:count]
    editor.check_face(faces)
    return faces


def map_face(editor: Editor, face, chain, output_path, *, texts=(), every=False) -> tuple:
    """Send one face through a chain; the face, then what became of it, in one picture.

    Args:
        face: `[1, L, D]` or `[1, S]`.
        texts: for the picture's name, results_<list of texts>.png, as seed 000 calls it.
        every: show what each mapper made, not only the last.
    Returns:
        paths written: the picture, and latent.npy, the last face (and with `every` those before it).
    """
    folder = check_writable(output_path)
    way = list(apply_chain(editor, chain, face))
    shown = way if every else way[-1:]
    drawn = enlarged(np.stack([editor.render(one)[0] for one in (face, *shown)]))
    name = str(list(texts) or [Path(link.name).stem for link in chain])
    written = [folder / f"results_{_file_name(name)}.png", folder / "latent.npy"]
    save_png(written[0], grid(drawn, min(COLUMNS, len(drawn)), gap=0))
    save_latent(written[1], np.atleast_2d(way[-1][0]))  # styles as [1, S], which load_faces reads
    for number, one in enumerate(way[:-1] if every else (), 1):
        written.append(folder / f"latent_{number}.npy")
        save_latent(written[-1], np.atleast_2d(one[0]))
    return tuple(written)


def _file_name(words) -> str:
    return "".join("_" if sign in '/\\:*?"<>|\0' else sign for sign in words)[:150]


def map_bank(editor: Editor, faces, chain, output_path, *, couple=False, batch_size=8) -> tuple:
    """Send many faces through a chain, some at a time.

    Args:
        faces: `[N, L, D]` or `[N, S]`.
        couple: show the face itself to the left of what became of it.
        batch_size: faces at a time.
    Returns:
        paths written: inference_results/00000.png and latent_00000.npy, and so on.
    """
    folder, written = check_writable(output_path) / "inference_results", []
    for start in tqdm(range(0, len(faces), batch_size), desc="mapping"):
        some = faces[start : start + batch_size]
        *_, mapped = apply_chain(editor, chain, some)
        pictures = editor.render(mapped)
        pairs = zip(editor.render(some), pictures) if couple else ((picture,) for picture in pictures)
        for number, (row, latent) in enumerate(zip(pairs, mapped), start):
            written += [folder / f"{number:05d}.png", folder / f"latent_{number:05d}.npy"]
            save_png(written[-2], grid(row, 2) if couple else row[0])
            save_latent(written[-1], np.atleast_2d(latent))
    return tuple(written)


def bundle_folder(args):
    """Folder of the bundle that a command's arguments name; None where they name another model."""
    if args.bundle is not None:
        return Path(args.bundle)
    return load.PACK if args.model_type in (None, EMBEDDED) and args.weight_path is None else None


def one_face(editor: Editor, args, *, seed) -> tuple:
    """The face that a command's arguments name (--latent, --seed or --input_image), and what to call it."""
    if args.input_image is None:
        return given_face(editor, args, seed=seed)
    _, faces = aligned_faces(editor.bundle, args.input_image)
    *_, w_plus = find_latents(editor, np.stack([face.crop for face in faces]))
    return w_plus, args.input_image
