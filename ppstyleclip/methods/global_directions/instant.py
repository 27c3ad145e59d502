# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Relevance for one text at a time, from gradients: a generator needs no matrix.

With f a picture's unit CLIP feature and J_ci = std_c * d f(s_i) / d s_c, `[D]`, for channel c and face i:

    along dt        e_c = mean over i of J_ci . dt                           one backward pass a face
    whatever way    n_c^2 = mean over i of |J_ci|^2 = mean over i, g of (J_ci . g)^2      g standard normal
    agreement       a^2 = |mean over i of J_ci|^2 / n_c^2, of pairs of faces that share a g
    cosine          r_c = e_c / (n_c a)

The random probes g know no text: they are measured once for a generator and a CLIP. A matrix's row is the
mean of unit differences, normalised again, so its cosines are larger where faces disagree: hence a, which is
the median over the channels of a style tensor, because it is too noisy for a single channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.engine import compile_gradient, config_key
from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions.instant_cache import InstantCache
from ppstyleclip.models.forms import inference_of, prefix_drawing_of
from ppstyleclip.stylespace import EFFECT_NORM_SPAN, ChannelMatch, StyleStats
from ppstyleclip.worker import on_worker

AT_ONCE_PIXELS, MOST_AT_ONCE = 2**16, 16  # each keeps all its activations; from 256 px on one by one
LARGE = 256  # pixels from which on a backward pass is dear
WORK = 1.3e12  # multiplications of all pictures that a generator of LARGE pixels draws for its first text
SMALLEST = 1e-9  # move of the CLIP feature by one deviation, under which a channel does nothing
LEAST_AGREEMENT = 0.1
# A step's move of the picture's feature, as a share of what its slopes let expect: large steps level off, and
# of many channels the chosen ones are those whose slope was measured too large. Measured on the portrait
# world: of 24 texts, by the effects that its matrix has of the same steps.
SATURATION = 0.65


@dataclass(frozen=True)
class InstantConfig:
    """How much is measured.

    Attributes:
        faces: base faces; a text costs a backward pass for each.
        probes: random directions of CLIP's space, measured once.
        faces_per_probe: how many of the faces each is measured on, 2 or more.
        seed: of the probes.
    Raises:
        UserError: a value is out of range.
    """

    faces: int = 32
    probes: int = 32
    faces_per_probe: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.faces_per_probe <= self.faces or self.probes < 1:
            raise UserError(
                "instant directions need a probe, and 2 or more of the faces for each, got "
                f"{self.faces} faces, {self.probes} probes and {self.faces_per_probe} faces a probe"
            )


def default_instant_config(generator: Any) -> InstantConfig:
    """What a CPU measures in seconds: from 256 px on less, and the less the more work a picture is.

    It follows from the network's shapes alone, so that every machine measures the same.
    """
    if generator.size < LARGE:
        return InstantConfig()
    passes = int(WORK / prefix_drawing_of(generator).work(0))
    faces = min(24, max(8, passes // 2))
    return InstantConfig(faces=faces, probes=min(16, max(4, passes // 4)), faces_per_probe=2)


class InstantRelevance:
    """How the channels of a generator answer a text, measured when it is asked for. Any thread may ask.

    Args:
        generator, clip: the networks.
        statistics: StyleStats of the generator.
        s_base: `[N, S]` styles of base faces, of which the first `config.faces` are used.
        config: InstantConfig; None is default_instant_config.
        folder: where what was measured is kept, for the next process too; None keeps it in memory alone.
    Raises:
        UserError: there are fewer base faces than wanted, or shapes disagree.

    Examples:
        >>> from ppstyleclip.methods.global_directions import InstantConfig, InstantRelevance
        >>> from ppstyleclip.text import text_direction
        >>> from ppstyleclip.zoo import load_bundle
        >>> bundle = load_bundle()
        >>> few = InstantConfig(faces=2, probes=2, faces_per_probe=2)
        >>> instant = InstantRelevance(bundle.generator, bundle.clip, bundle.stats, bundle.s_base, few)
        >>> instant.match(text_direction(bundle.clip, "face", "happy face")).r.shape
        (1600,)
    """

    @on_worker
    def __init__(
        self,
        generator: Any,
        clip: Any,
        statistics: StyleStats,
        s_base: np.ndarray,
        config: InstantConfig | None = None,
        *,
        folder: str | Path | None = None,
    ):
        self.config = default_instant_config(generator) if config is None else config
        self.layout, size = generator.layout, generator.layout.size
        s_base = np.asarray(s_base, np.float32)
        if s_base.ndim != 2 or s_base.shape[1] != size or len(statistics.std) != size:
            raise UserError(
                f"base styles are {list(s_base.shape)} and statistics of {len(statistics.std)} channels; "
                f"this generator has {size} style channels"
            )
        if len(s_base) < self.config.faces:
            raise UserError(f"{self.config.faces} base faces are needed, got {len(s_base)}")
        self.generator, self.clip, self.statistics = generator, clip, statistics
        self.s_base, self.folder = s_base, folder
        self._faces, self._std = s_base[: self.config.faces], statistics.std
        self._dim, self._at_once = clip.dim, _at_once(generator.size)
        layer = _Along(generator, clip)
        self._run = compile_gradient(layer, {"s": [-1, size], "along": [-1, clip.dim]}, ["s"])
        self.key = config_key([self._run.program_key(), self.config, self._faces, self._std])
        self._cache = InstantCache(folder, self.key)

    def match(self, dt: np.ndarray) -> ChannelMatch:
        """Compare the channels with a text direction `[D]`; see the module.

        Raises:
            UserError: dt is of another CLIP.
        """
        dt = np.asarray(dt, np.float32)
        if dt.shape != (self._dim,):
            raise UserError(
                f"the text direction is {list(dt.shape)}, this CLIP has {self._dim} features; "
                "they come from different CLIP models"
            )
        norm, agreement = self._probed
        alive = norm > SMALLEST
        along = self._cache.remembered(dt, lambda: self._effects(dt))
        r = np.where(alive, along / np.where(alive, norm * agreement, 1.0), 0.0)
        return ChannelMatch(
            r.astype(np.float32), alive, (SATURATION * EFFECT_NORM_SPAN * norm).astype(np.float32)
        )

    def _effects(self, dt: np.ndarray) -> np.ndarray:
        """e `[E]`."""
        everywhere = np.tile(dt, [len(self._faces), 1])
        return self._slopes(self._faces, everywhere).mean(axis=0)

    @cached_property
    def _probed(self) -> np.ndarray:
        """n and a, `[2, E]`."""
        return self._cache.remembered("probes", self._probe).reshape(2, -1)

    def _probe(self) -> np.ndarray:
        """n, then a, `[2 E]`."""
        random, config = np.random.RandomState(self.config.seed), self.config
        chosen = [
            random.choice(config.faces, config.faces_per_probe, replace=False) for _ in range(config.probes)
        ]
        probes = random.standard_normal([config.probes, self._dim]).astype(np.float32)
        along = np.repeat(probes, config.faces_per_probe, axis=0)
        slopes = self._slopes(self._faces[np.concatenate(chosen)], along)
        slopes = slopes.reshape(config.probes, config.faces_per_probe, -1).astype(np.float64)
        squares = np.square(slopes).sum(axis=1)  # [probes, E]
        pairs = np.square(slopes.sum(axis=1)) - squares
        alone = squares.mean(axis=0) / config.faces_per_probe
        together = pairs.mean(axis=0) / (config.faces_per_probe * (config.faces_per_probe - 1))
        return np.concatenate([np.sqrt(alone), self._agreement(alone, together)])

    def _agreement(self, alone: np.ndarray, together: np.ndarray) -> np.ndarray:
        """a `[E]`: the median of a style tensor at each of its channels."""
        layout, found, start = self.layout, np.ones(len(alone)), 0
        for width, editable in zip(layout.channels, layout.editable):
            if not editable:
                continue
            part = slice(start, start + width)
            living = alone[part] > SMALLEST**2
            if living.any():
                median = np.median(together[part][living] / alone[part][living])
                found[part] = np.sqrt(np.clip(median, LEAST_AGREEMENT**2, 1.0))
            start += width
        return found

    def _slopes(self, s: np.ndarray, along: np.ndarray) -> np.ndarray:
        """`[N, E]` how far one deviation of a channel moves each picture's feature along its own vector."""
        parts = []
        for start in range(0, len(s), self._at_once):
            rows = slice(start, start + self._at_once)
            parts.append(self._run({"s": s[rows], "along": along[rows]})[1]["s"])
        return (np.concatenate(parts) * self._std)[:, self.layout.editable_index]


def _at_once(size: int) -> int:
    return max(1, min(MOST_AT_ONCE, AT_ONCE_PIXELS // size**2))


class _Along(paddle.nn.Layer):
    """Flat styles `[N, S]` and vectors `[N, D]` to the sum of the unit CLIP features' parts along them."""

    def __init__(self, generator: Any, clip: Any):
        super().__init__()
        self.draw, self.layout = inference_of(generator).differentiable(), generator.layout
        self.generator, self.clip = generator, clip
        self.eval()

    def forward(self, tensors: dict[str, paddle.Tensor]) -> list[paddle.Tensor]:
        features = self.clip.encode_image(self.draw(self.layout.unflatten(tensors["s"])))
        features = features / paddle.linalg.norm(features, axis=1, keepdim=True)
        each = (features * tensors["along"]).sum(axis=1)
        return [each.sum(), each]
