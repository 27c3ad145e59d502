# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Measuring how styles go with CLIP features over a population of faces: StyleRegression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.engine import compile_image_encoder, compile_synthesis
from ppstyleclip.engine.keys import weights_fingerprint
from ppstyleclip.methods.global_directions.instant_cache import InstantCache
from ppstyleclip.models.forms import count_tensors, prefix_drawing_of
from ppstyleclip.progress import last
from ppstyleclip.stylespace import StyleRegression
from ppstyleclip.worker import on_worker

FACES = 512  # of a population that is measured when it is first asked for
AT_ONCE = 16
FACES_PER_NUMBER = 4


def fit_regression(s: np.ndarray, f: np.ndarray, w: np.ndarray | None = None) -> StyleRegression:
    """The covariances of styles `[N, S]` and the unit CLIP features `[N, D]` of their pictures.

    With w `[N, W]` of the same faces, also what of the features' covariance it explains; there have to be at
    least FACES_PER_NUMBER faces for each of its numbers, or else it is left out.
    """
    s, f = np.asarray(s, np.float64), np.asarray(f, np.float64)
    s, f = s - s.mean(axis=0), f - f.mean(axis=0)
    cross, covariance = (s.T @ f / len(f)).astype(np.float32), (f.T @ f / len(f)).astype(np.float32)
    if w is None or not _is_enough(*w.shape):
        return StyleRegression(cross, covariance)
    return StyleRegression(cross, covariance, _explained(np.asarray(w, np.float64), f))


def _is_enough(faces: int, numbers: int) -> bool:
    """Whether so many faces tell what w of so many numbers explains."""
    return faces >= FACES_PER_NUMBER * numbers


def _explained(w: np.ndarray, f: np.ndarray) -> np.ndarray:
    """`[D, D]`: the covariance of the least squares fit of centred f on w, less what chance explains.

    A fit to noise of variance v would explain v W / N of it, and leaves v (1 - W / N).
    """
    w = w - w.mean(axis=0)
    fitted = w @ np.linalg.lstsq(w, f, rcond=None)[0]
    rest, chance = f - fitted, w.shape[1] / (len(w) - w.shape[1])
    return ((fitted.T @ fitted - chance * rest.T @ rest) / len(w)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class RegressionRecord:
    """A record of measure_regression: `done` of `total` pictures; the last one has the StyleRegression."""

    done: int
    total: int
    regression: StyleRegression | None = None


@on_worker
def measure_regression(
    generator: Any, clip: Any, faces: int, *, mark: str | None = None
) -> Iterator[RegressionRecord]:
    """Draw a population, always the same, and see how its styles go with the features of its pictures.

    Pictures are drawn up to the first side that is no smaller than what CLIP looks at.

    Args:
        generator, clip: the networks.
        faces: how many.
        mark: the generator's fingerprint where it is known.
    Yields:
        RegressionRecord for each batch.
    """
    z = np.random.RandomState(0).standard_normal([faces, generator.style_dim]).astype(np.float32)
    side = side_for(generator, clip)
    count = count_tensors(prefix_drawing_of(generator), side)
    draw, encode = compile_synthesis(generator, side=side, mark=mark), compile_image_encoder(clip, side)
    styles, features, latents = [], [], []
    for start in range(0, faces, AT_ONCE):
        with paddle.no_grad():
            w = generator.get_latent(paddle.to_tensor(z[start : start + AT_ONCE]))
            tensors = generator.style_affine(w)
        latents.append(w.numpy())
        styles.append(generator.layout.flatten(tensors).numpy())
        f = encode(draw([tensor.numpy() for tensor in tensors[:count]]))
        features.append(f / np.linalg.norm(f, axis=1, keepdims=True))
        yield RegressionRecord(min(start + AT_ONCE, faces), faces)
    s, f, w = (np.concatenate(parts) for parts in (styles, features, latents))
    yield RegressionRecord(faces, faces, fit_regression(s, f, w))


def side_for(generator: Any, clip: Any) -> int:
    """The smallest side at which drawing can stop that is no smaller than what CLIP looks at."""
    stops = prefix_drawing_of(generator).stops
    return min((side for side in stops if side >= clip.image_size), default=max(stops))


@on_worker
def remembered_regression(
    generator: Any, clip: Any, *, folder: str | Path | None = None, mark: str | None = None
) -> StyleRegression:
    """The StyleRegression of FACES faces, measured where `folder` does not have it yet."""
    mark = weights_fingerprint(generator) if mark is None else mark
    cache = InstantCache(folder, ["population", mark, weights_fingerprint(clip.net.visual), FACES])

    def measure() -> np.ndarray:
        found = last(measure_regression(generator, clip, FACES, mark=mark)).regression
        assert found is not None
        parts = (found.cross, found.covariance, found.explained)
        return np.concatenate([part.reshape(-1) for part in parts if part is not None])

    size, dim = generator.layout.size, clip.dim
    count = (size + dim * (1 + _is_enough(FACES, generator.style_dim))) * dim
    found = cache.remembered("population", measure, size=count)
    cross, *squares = np.split(found, [size * dim, (size + dim) * dim])
    return StyleRegression(cross.reshape(size, dim), *(one.reshape(dim, dim) for one in squares if one.size))
