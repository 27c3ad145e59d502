# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a mapper is trained on: latents from files, photos or the generator; texts that a command names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ppstyleclip.cli.latents.photo_bank import collect_photos, invert_photos
from ppstyleclip.cli.photos import pictures_in
from ppstyleclip.editor import Editor
from ppstyleclip.errors import UserError
from ppstyleclip.memory import check_memory
from ppstyleclip.methods.mapper import TextSet, check_told_apart, known_set, text_set
from ppstyleclip.pipelines.latent_files import load_faces
from ppstyleclip.pipelines.mapper_training import sample_latents
from ppstyleclip.wording import counted
from ppstyleclip.zoo import read_styles

TRAIN_SEED, VAL_SEED = 1_000_000, 2_000_000  # of the first sampled face of each
MOST_BYTES = 16 * 10**9  # of latents that are sampled
VAL_SHARE = 10  # one in so many, where the validation latents are taken from those that were given


@dataclass(frozen=True)
class LatentSources:
    """Where latents come from; what is None is sampled, or taken from what is there.

    Attributes:
        train_path, val_path: files of latents.
        photos: folder of photos, in place of train_path.
        truncation: of sampled faces; None is the model's own.
    """

    train_path: str | None = None
    val_path: str | None = None
    photos: str | None = None
    truncation: float | None = None


def load_latents(
    editor: Editor, sources: LatentSources, counts: tuple[int, int], space: str
) -> tuple[np.ndarray, np.ndarray]:
    """The latents to train and to validate on, each `[N, ...]` in the space.

    Args:
        editor: Editor.
        sources: LatentSources.
        counts: how many of each are wanted, at most.
        space: "w_plus" or "s".
    """
    generator = editor.bundle.generator
    needed = 3 * 4 * generator.n_latent * generator.style_dim * sum(counts)
    if not sources.train_path and not sources.photos:
        what = f"{counted(sum(counts), 'sampled latent')} to train on"
        check_memory(needed, what, "take fewer --train_dataset_size", MOST_BYTES)
    if sources.train_path:
        train = read_latents(editor, sources.train_path, space)
    elif sources.photos:
        train = photo_latents(editor, sources.photos)
    else:
        train = sample_latents(editor, counts[0], TRAIN_SEED, sources.truncation)
    if sources.val_path:
        val = read_latents(editor, sources.val_path, space)
    elif sources.train_path or sources.photos:
        train, val = _split(train)
    else:
        val = sample_latents(editor, counts[1], VAL_SEED, sources.truncation)
    return _in_space(editor, train[: counts[0]], space), _in_space(editor, val[: counts[1]], space)


def read_latents(editor: Editor, path: str, space: str) -> np.ndarray:
    """Latents of a file: w_plus `[N, L, D]`, or for space "s" also styles `[N, S]`; of this generator.

    Raises:
        MissingFile, UserError: as load_faces; or styles for a mapper that moves w_plus.
    """
    try:
        found = load_faces(editor, path)
    except UserError:
        if space != "s":
            raise
        known = {"name": editor.bundle.name, "generator": editor.bundle.fingerprints.get("generator")}
        return read_styles(path, editor.bundle.layout, **known)
    if space == "w_plus" and found.ndim == 2:
        raise UserError(f"{path} holds styles; give w_plus, or train with --work_in_stylespace")
    return found


def photo_latents(editor: Editor, folder: str) -> np.ndarray:
    """`[N, L, D]` w_plus that the encoder finds for the best face of each photo of a folder.

    A photo without a face is left out with a warning.

    Raises:
        MissingFile, MissingExtra: there is no such folder, or what finds faces is not on this machine.
        UserError: the model has no encoder, or no photo has a face.
    """
    if editor.bundle.encoder is None:
        raise UserError(f"'{editor.bundle.name}' has no encoder; give latents with --latents_train_path")
    found = collect_photos(invert_photos(editor, pictures_in(folder)))
    return np.concatenate([record.w_plus for record in found])


def _split(latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    is_for_validation = np.arange(len(latents)) % VAL_SHARE == VAL_SHARE - 1
    return latents[~is_for_validation], latents[is_for_validation]


def _in_space(editor: Editor, latents: np.ndarray, space: str) -> np.ndarray:
    if space == "w_plus" or latents.ndim == 2:
        return np.asarray(latents, np.float32)
    empty = np.zeros([0, editor.bundle.layout.size], np.float32)
    parts = [editor.styles(latents[k : k + 500]).numpy() for k in range(0, len(latents), 500)]
    return np.concatenate([empty, *parts])


def chosen_texts(
    description: Sequence[str] | None, data_mode: str | None, embed: str, together: int
) -> TextSet:
    """The texts of --description, or of seed 000's --data_mode; "Elsa=Elsa from Frozen" is called Elsa.

    Raises:
        UserError: neither or both are given, or texts and text vectors do not fit.
    """
    if bool(description) == bool(data_mode):
        raise UserError(
            "say what the mapper is for: --description TEXT (one or several), or --data_mode "
            "with a list of texts that is known"
        )
    if data_mode and together != 1:
        raise UserError("--together is for the texts of --description; --data_mode has classes of its own")
    if description:
        pairs = [text.partition("=") for text in description]
        words = [word.strip() for word, _, _ in pairs]
        prompts = [prompt.strip() if sign else word for word, (_, sign, prompt) in zip(words, pairs)]
        if not all(words) or not all(prompts):
            raise UserError("a description is a text, or WORD=TEXT with both; one of them is empty")
        texts = text_set(prompts, words, together=together)
    else:
        texts = known_set(str(data_mode), embed)
    check_told_apart(texts, embed)
    return texts
