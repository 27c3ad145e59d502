# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a mapper is trained on: latents from files, photos or the generator; texts and their vectors."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from ppstyleclip.apps.frames import PICTURES
from ppstyleclip.apps.photo import aligned_faces
from ppstyleclip.errors import UserError
from ppstyleclip.formats import load_bank
from ppstyleclip.methods.text_sets import TextSet, known_set, text_set
from ppstyleclip.text import text_direction, text_embedding
from ppstyleclip.zoo import read_styles, seed000_words

TRAIN_SEED, HELD_OUT_SEED = 1_000_000, 2_000_000  # of the first sampled face of each
HELD_OUT_SHARE = 10  # one in so many, where the held-out latents are taken from those that were given
_TABLE_SEED, _TABLE_SCALE = 1, 3.0  # of a table of our own: large, to decide the signs of text + latent


def sampled(editor, count, seed, truncation=None) -> np.ndarray:
    """`[count, L, D]` w_plus of sampled faces."""
    seeds = range(seed, seed + count)
    parts = [
        editor.sample(list(seeds[k : k + 500]), truncation=truncation).numpy() for k in range(0, count, 500)
    ]
    return np.concatenate(parts)


def read_latents(editor, path, space) -> np.ndarray:
    """Latents of a file: w_plus `[N, L, D]`, or for space "s" also styles `[N, S]`; of this generator.

    Raises:
        MissingFile, UserError: as load_bank and Editor.check_face.
    """
    try:
        found = load_bank(path)
    except UserError:
        if space != "s":
            raise
        known = {"name": editor.bundle.name, "generator": editor.bundle.fingerprints.get("generator")}
        found = read_styles(path, editor.bundle.layout, **known)
    editor.check_face(found)
    return found


def photo_latents(editor, folder) -> np.ndarray:
    """`[N, L, D]` w_plus that the encoder finds for the largest face of each photo of a folder.

    A photo without a face is left out with a warning.

    Raises:
        UserError: the model has no encoder, or no photo has a face.
    """
    if editor.bundle.encoder is None:
        raise UserError(f"'{editor.bundle.name}' has no encoder; give latents with --latents_train_path")
    places = sorted(place for place in Path(folder).iterdir() if place.suffix.lower() in PICTURES)
    found = []
    for place in places:
        try:
            faces = aligned_faces(editor.bundle, place)[1]
        except UserError as error:
            warnings.warn(f"left out: {error}", stacklevel=2)
            continue
        found.append(editor.invert(np.stack([face.crop for face in faces])))
    if not found:
        raise UserError(f"none of the {len(places)} pictures in {folder} has a face")
    return np.concatenate(found)


def both_banks(editor, args, sizes, space) -> tuple:
    """The latents to train on and those to look at, each `[N, ...]` in the space.

    Args:
        editor: Editor.
        args: of the command: latents_train_path, latents_test_path, photos, truncation.
        sizes: how many of each are wanted, at most.
        space: "w_plus" or "s".
    """
    if args.latents_train_path:
        train = read_latents(editor, args.latents_train_path, space)
    elif args.photos:
        train = photo_latents(editor, args.photos)
    else:
        train = sampled(editor, sizes[0], TRAIN_SEED, args.truncation)
    if args.latents_test_path:
        held_out = read_latents(editor, args.latents_test_path, space)
    elif args.latents_train_path or args.photos:
        train, held_out = _split(train)
    else:
        held_out = sampled(editor, sizes[1], HELD_OUT_SEED, args.truncation)
    return tuple(_in_space(editor, bank[:size], space) for bank, size in zip((train, held_out), sizes))


def _split(latents) -> tuple:
    is_held_out = np.arange(len(latents)) % HELD_OUT_SHARE == HELD_OUT_SHARE - 1
    return latents[~is_held_out], latents[is_held_out]


def _in_space(editor, latents, space) -> np.ndarray:
    if space == "w_plus" or latents.ndim == 2:
        return np.asarray(latents, np.float32)
    return np.concatenate([editor.styles(latents[k : k + 500]).numpy() for k in range(0, len(latents), 500)])


def chosen_texts(description, data_mode, embed, together) -> TextSet:
    """The texts of --description, or of seed 000's --data_mode.

    Raises:
        UserError: neither or both are given, or texts and text vectors do not fit.
    """
    if bool(description) == bool(data_mode):
        raise UserError(
            "say what the mapper is for: --description TEXT (one or several), or --data_mode "
            "with a list of texts that is known"
        )
    if data_mode:
        return known_set(data_mode, embed)
    if embed == "none" and len(description) > 1:
        raise UserError(
            f"a mapper of {len(description)} texts must be told which; use --mapper_mode "
            "Mapper_sum, Mapper_cat or Mapper_multi"
        )
    return text_set(description, together=together)


def text_words(texts: TextSet, embed, style_dim, clip) -> np.ndarray | None:
    """`[K, T]` the vector of each text: a row of a table that is never trained, or CLIP's feature."""
    if embed == "none":
        return None
    if embed == "clip":
        return clip.encode_text(list(texts.prompts)).numpy()  # Parity: seed 000 does not normalise them
    count = len(texts.names)
    if style_dim == 512 and count <= 6:
        return seed000_words(count)
    rows = np.random.RandomState(_TABLE_SEED).standard_normal([count, style_dim])
    return (_TABLE_SCALE * rows).astype(np.float32)


def text_features(bundle, texts: TextSet, neutral, toward) -> np.ndarray:
    """`[K, E]` what mapper_loss.PictureLoss takes of the texts: CLIP's features, or directions to them."""
    if toward == 0:
        return np.stack([text_embedding(bundle.clip, text, "plain") for text in texts.prompts])
    return np.stack(
        [
            text_direction(bundle.clip, neutral, text, templates=bundle.defaults.templates)
            for text in texts.prompts
        ]
    )
