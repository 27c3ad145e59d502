# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Trained latent mappers, to and from files: a network, its texts, and what it was trained for."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, read_safetensors, write_safetensors
from ppstyleclip.models.mappers import MAPPER_STEP, build_mapper
from ppstyleclip.models.state import load_state
from ppstyleclip.zoo.generators import as_float32, stored

KIND = "ppstyleclip mapper"
EMBEDS = ("none", "table", "clip")
MAPPER_SPACES = ("w_plus", "s")
TRAIN = "python tools/train_mapper.py"
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
        made_for: `{"generator": fingerprint, "clip": fingerprint}`, where known.
    """

    network: Any
    config: dict
    scale: float = MAPPER_STEP
    space: str = "w_plus"
    texts: tuple = ()
    words: Any = None
    embed: str = "none"
    made_for: dict = field(default_factory=dict)

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
        if self.embed == "none":
            return None
        names = [names] if isinstance(names, str) else list(names)
        if not names:
            raise UserError(f"this mapper needs a text; it knows: {', '.join(self.texts)}")
        return np.sum([self._vector(name, clip) for name in names], axis=0, dtype=np.float32)[None]

    def _vector(self, name, clip):
        if name in self.texts:
            return self.words[self.texts.index(name)]
        if self.embed == "table":
            raise UserError(f"this mapper does not know '{name}'; it knows: {', '.join(self.texts)}")
        if clip is None:
            raise UserError(f"'{name}' was not trained; a CLIP is needed for its vector, give one")
        with paddle.no_grad():
            return clip.encode_text([name]).numpy()[0]  # Parity: seed 000 does not normalise it


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
    state = stored({key: value.numpy() for key, value in mapper.network.state_dict().items()}, half)
    if mapper.words is not None:
        state[_WORDS] = np.asarray(mapper.words, np.float32)
    mark = fingerprint(as_float32(state))
    stated = {"scale": mapper.scale, "space": mapper.space, "texts": list(mapper.texts),
              "embed": mapper.embed, "made_for": mapper.made_for}
    write_safetensors(path, state, {**(about or {}), "kind": KIND, "fingerprint": mark,
                                    "config": json.dumps(mapper.config), "mapper": json.dumps(stated)})
    return mark


def load_mapper(path, *, generator: str | None = None, clip: str | None = None) -> TrainedMapper:
    """Load a mapper that save_mapper wrote.

    Args:
        path: the file.
        generator, clip: fingerprints of what it shall be used with; a mapper of others is refused.
    Raises:
        MissingFile: there is no such file.
        UserError: it is damaged, no mapper, or made for another generator or CLIP.
    """
    state, metadata = read_safetensors(path)
    if metadata.get("kind") != KIND:
        raise UserError(f"{path} is not a mapper; make one with: {TRAIN}")
    state = as_float32(state)
    if metadata.get("fingerprint") != fingerprint(state):
        raise UserError(f"{path} is damaged: its weights are not those it was written with")
    words = state.pop(_WORDS, None)
    try:
        config, stated = json.loads(metadata["config"]), json.loads(metadata["mapper"])
        network = build_mapper(config)
        load_state(network, state, "mapper")
        mapper = TrainedMapper(network, config, words=words, scale=float(stated["scale"]),
                               space=stated["space"], texts=tuple(stated["texts"]), embed=stated["embed"],
                               made_for=dict(stated["made_for"]))
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is damaged: {' '.join(str(error).split())[:200]}") from None
    network.eval()
    check_mapper_made_for(mapper, path, generator=generator, clip=clip)
    return mapper


def check_mapper_made_for(mapper: TrainedMapper, path, **marks) -> None:
    """Refuse a mapper that states other fingerprints than generator=... and clip=... here (None: unknown)."""
    for part, mark in marks.items():
        stated = mapper.made_for.get(part)
        if mark and stated and stated != mark:
            raise UserError(f"{path} was trained for {part} {stated}, but this is {part} {mark}; use it with "
                            f"its own, or train one for this: {TRAIN}")
