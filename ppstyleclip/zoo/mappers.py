# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Trained latent mappers, to and from files: a network, its texts, and what it was trained for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import paddle

from ppstyleclip.convert import generator_sample
from ppstyleclip.errors import UserError, named, one_line
from ppstyleclip.files import fingerprint, write_safetensors
from ppstyleclip.finite import check_finite
from ppstyleclip.formats import sniff
from ppstyleclip.models.mappers import MAPPER_STEP, build_mapper
from ppstyleclip.models.state import build_with_state
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo.foreign import read_as, read_stated
from ppstyleclip.zoo.generators import as_float32, stored
from ppstyleclip.zoo.metadata import MapperMetadata, MapperWords, check_fingerprint, read_own
from ppstyleclip.zoo.published_mappers import foreign_parts

KIND = "ppstyleclip mapper"
TRAIN = "ppstyleclip train-mapper"
_WORDS = "words"  # beside the network's keys, none of which is called so


@dataclass(frozen=True, eq=False)
class TrainedMapper:
    """A mapper and what it takes to use it: `latent + step(latent, text_vector(names))`.

    Attributes:
        network: a Layer of models.mappers, in evaluation mode.
        config: dict for build_mapper.
        scale: what the network's output is multiplied with: 0.1 for StyleCLIP's and seed 000's, 1.0 for seed
            004's.
        space: one of MAPPER_SPACES.
        texts: what it was trained on: its description where it takes no text, else the names of its texts.
        words: `[K, T]` float32, the vector of each of K texts; None where it takes no text.
        embed: "none", it takes no text; "table", one of `texts`, or several; "clip", any text, by its CLIP
            feature.
        made_for: `{"generator": fingerprint, "clip": fingerprint}`, where known; published ones have
            "generator_sample" instead, a few numbers of the generator: copies of it differ in their noise.
        prompts: what CLIP was told for each of `texts`, where that is something else.
    """

    network: Any
    config: dict
    scale: float = MAPPER_STEP
    space: str = "w_plus"
    texts: tuple = ()
    words: Any = None
    embed: str = "none"
    made_for: dict = field(default_factory=dict)
    prompts: tuple = ()

    @property
    def takes_text(self) -> bool:
        """Whether it is told a text when it is used."""
        return self.embed != "none"

    @on_worker
    @paddle.no_grad()
    def step(self, latent, text_vector=None) -> np.ndarray:
        """What to add to latents.

        Args:
            latent: `[N, L, D]` w_plus or `[N, S]` styles, as `space` says.
            text_vector: `[N or 1, T]` where it takes a text.
        Returns:
            of the latent's shape, float32, scaled.
        Raises:
            UserError: the latent or the text vector does not fit.
        """
        given = [latent] if text_vector is None else [latent, text_vector]
        try:
            moved = self.network(*(paddle.to_tensor(np.asarray(one, np.float32)) for one in given))
        except ValueError as error:
            raise UserError(f"this mapper cannot take what it was given: {error}") from None
        return np.float32(self.scale) * moved.numpy()

    @on_worker
    def text_vector(self, names, clip=None) -> np.ndarray | None:
        """The vector of a text, or the sum of those of several.

        Args:
            names: a text or several; for a "table" of those in `texts`.
            clip: ClipModel, for texts of a "clip" mapper that it was not trained on.
        Returns:
            `[1, T]` float32; None for a mapper that takes no text.
        Raises:
            UserError: no text, a text it does not know, or a CLIP is needed.
        """
        if not self.takes_text:
            return None
        names = [names] if isinstance(names, str) else list(names)
        if not names:
            raise UserError(f"this mapper needs a text; it knows: {named(self.texts)}")
        vectors = np.stack([self._vector(name, clip) for name in names])
        return vectors.sum(axis=0, keepdims=True, dtype=np.float32)

    def _vector(self, name, clip):
        place = self._place(name)
        if place is not None and self.words is not None:
            return self.words[place]
        if self.embed == "table":
            raise UserError(f"this mapper does not know '{name}'; it knows: {named(self.texts)}")
        if clip is None:
            raise UserError(
                f"a CLIP is needed for the vector of '{name}'; name one (--clip, or the argument `clip`)"
            )
        prompt = name if place is None or not self.prompts else self.prompts[place]
        with paddle.no_grad():
            return clip.encode_text([prompt]).numpy()[0]  # Parity: seed 000 does not normalise it

    def _place(self, name):
        """Number of a text, by its name or its prompt; case and underscores do not matter."""
        for known in (self.texts, self.prompts):
            plain = [_plain(text) for text in known]
            if _plain(name) in plain:
                return plain.index(_plain(name))
        return None


def _plain(text) -> str:
    return " ".join(text.replace("_", " ").lower().split())


@on_worker
def save_mapper(path, mapper: TrainedMapper, *, half: bool = False, about=None) -> str:
    """Write a mapper as safetensors, everything inside.

    Args:
        path: the file.
        mapper: TrainedMapper.
        half: store float16.
        about: `{name: text}` more metadata.
    Returns:
        the fingerprint of what load_mapper will read back.
    """
    state, metadata = mapper_contents(mapper, half=half, about=about)
    write_safetensors(path, state, metadata)
    return metadata["fingerprint"]


def mapper_contents(mapper: TrainedMapper, *, half: bool = False, about=None) -> tuple[dict, dict]:
    """What a mapper's file holds: (`{name: array}`, `{name: text}`); arguments as save_mapper's."""
    state = stored({key: value.numpy() for key, value in mapper.network.state_dict().items()}, half)
    if mapper.words is not None:
        state[_WORDS] = np.asarray(mapper.words, np.float32)
    stated = {
        "scale": mapper.scale,
        "space": mapper.space,
        "texts": list(mapper.texts),
        "embed": mapper.embed,
        "made_for": mapper.made_for,
        "prompts": list(mapper.prompts),
    }
    return state, {
        **(about or {}),
        "kind": KIND,
        "fingerprint": fingerprint(as_float32(state)),
        "config": json.dumps(mapper.config),
        "mapper": json.dumps(stated),
    }


@on_worker
def load_mapper(path, *, generator: str | None = None, clip: str | None = None) -> TrainedMapper:
    """Load a mapper: one that save_mapper wrote, or a published one (see published_mappers).

    Args:
        path: the file.
        generator, clip: fingerprints of what it shall be used with; a mapper of others is refused.
    Raises:
        MissingFile: there is no such file.
        UserError: it is damaged, no mapper, or made for another generator or CLIP.
    """
    content, metadata = read_stated(path)
    if metadata.get("kind") == KIND or sniff(path) == "safetensors":
        mapper = _own(content, metadata, path)
    else:
        mapper = build_converted_mapper(read_as("mapper", path)[0], path)
    check_mapper_made_for(mapper, path, generator=generator, clip=clip)
    return mapper


@on_worker
def build_converted_mapper(converted, path) -> TrainedMapper:
    """Make a TrainedMapper of a converted one; the file's name may tell its texts (see foreign_parts)."""
    if converted.stated:
        return _own(converted.state, converted.stated, path)
    try:
        parts = foreign_parts(converted, path)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return _built(converted.state, parts, path)


def _built(state, parts, path) -> TrainedMapper:
    try:
        network = build_with_state(lambda: build_mapper(parts["config"]), state, "mapper")
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged: {one_line(error, 300)}") from None
    network.eval()
    return TrainedMapper(network, **parts)


def _own(state, metadata, path) -> TrainedMapper:
    if metadata.get("kind") != KIND:
        raise UserError(f"{path} is not a mapper; make one with: {TRAIN}")
    return _built(*_own_parts(state, metadata, path), path)


def _own_parts(state, metadata, path) -> tuple[dict, dict]:
    """(`{key: array}` for the network, the other arguments of TrainedMapper)."""
    own, state = read_own(MapperMetadata, metadata, path), as_float32(state)
    check_fingerprint(own.fingerprint, fingerprint(state), path)
    words, said = state.pop(_WORDS, None), own.mapper
    if said is None:
        raise UserError(f"{path} is damaged: its metadata do not say what its mapper is")
    _check_words(words, said, path)
    return state, {
        "config": own.config,
        "words": words,
        "scale": said.scale,
        "space": said.space,
        "texts": said.texts,
        "embed": said.embed,
        "made_for": {word: mark for word, mark in asdict(said.made_for).items() if mark is not None},
        "prompts": said.prompts,
    }


def _check_words(words, said: MapperWords, path) -> None:
    """Refuse vectors of texts, `[K, T]` finite floats, that are not one for each text."""
    is_table = words is not None and words.ndim == 2 and words.dtype.kind == "f"
    if words is not None and not (is_table and len(words) == len(said.texts)):
        raise UserError(
            f"{path} is damaged: vectors of its texts are {list(words.shape)} {words.dtype}, it has "
            f"{len(said.texts)} texts"
        )
    if words is not None:
        check_finite({_WORDS: words}, path)
    if said.embed != "none" and not said.texts or said.embed == "table" and words is None:
        raise UserError(
            f"{path} is damaged: it takes a text (embed {said.embed}), and says of none what it is"
        )
    if said.prompts and len(said.prompts) != len(said.texts):
        raise UserError(
            f"{path} is damaged: it has {len(said.texts)} texts and {len(said.prompts)} prompts of them"
        )


def check_mapper_made_for(mapper: TrainedMapper, path, **marks) -> None:
    """Refuse a mapper that states other fingerprints than generator=... and clip=... here (None: unknown)."""
    for part, mark in marks.items():
        stated = mapper.made_for.get(part)
        if mark and stated and stated != mark:
            raise UserError(
                f"{path} was trained for {part} {stated}, but this is {part} {mark}; use it with "
                f"its own, or train one for this: {TRAIN}"
            )


@on_worker
def check_mapper_fits(mapper: TrainedMapper, path, bundle) -> None:
    """Refuse a mapper that cannot step in a bundle's latents, or was trained for another generator.

    One that reads texts through CLIP must have been trained for the bundle's, too.

    Raises:
        UserError: names both.
    """
    marks = bundle.fingerprints
    check_mapper_made_for(mapper, path, generator=marks.get("generator"))
    if mapper.embed == "clip":
        check_mapper_made_for(mapper, path, clip=marks.get("clip"))
    generator, config = bundle.generator, mapper.config
    if mapper.space == "s":
        own, theirs = list(config["style_dims"]), list(bundle.layout.channels)
        words = f"{len(own)} styles, {sum(own)} channels", f"{len(theirs)} and {sum(theirs)}"
    else:
        layers = sum(getattr(mapper.network, "levels", [generator.n_latent]))
        own, theirs = [layers, config.get("style_dim", 512)], [generator.n_latent, generator.style_dim]
        words = f"w_plus of {own[0]} layers, {own[1]} wide", f"{theirs[0]} and {theirs[1]}"
    if own != theirs:
        raise UserError(
            f"{path} is a mapper for {words[0]}; '{bundle.name}' ({generator.size} px) has {words[1]}"
        )
    sample = mapper.made_for.get("generator_sample")
    first = generator.state_dict().get("input.input")
    here = [] if first is None else generator_sample({"input.input": first.numpy()})
    if sample and not (len(here) == len(sample) and np.allclose(sample, here, rtol=0.01, atol=0.001)):
        raise UserError(
            f"{path} was trained for another generator than '{bundle.name}', though for one of "
            "the same size; use it with its own"
        )
