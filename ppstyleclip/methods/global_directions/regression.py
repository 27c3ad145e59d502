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


def fit_regression(s: np.ndarray, f: np.ndarray) -> StyleRegression:
    """The covariances of styles `[N, S]` and the unit CLIP features `[N, D]` of their pictures."""
    s, f = np.asarray(s, np.float64), np.asarray(f, np.float64)
    s, f = s - s.mean(axis=0), f - f.mean(axis=0)
    return StyleRegression((s.T @ f / len(f)).astype(np.float32), (f.T @ f / len(f)).astype(np.float32))


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
    styles, features = [], []
    for start in range(0, faces, AT_ONCE):
        with paddle.no_grad():
            w = generator.get_latent(paddle.to_tensor(z[start : start + AT_ONCE]))
            tensors = generator.style_affine(w)
        styles.append(generator.layout.flatten(tensors).numpy())
        f = encode(draw([tensor.numpy() for tensor in tensors[:count]]))
        features.append(f / np.linalg.norm(f, axis=1, keepdims=True))
        yield RegressionRecord(min(start + AT_ONCE, faces), faces)
    yield RegressionRecord(faces, faces, fit_regression(np.concatenate(styles), np.concatenate(features)))


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
    cache = InstantCache(folder, ["regression", mark, weights_fingerprint(clip.net.visual), FACES])

    def measure() -> np.ndarray:
        found = last(measure_regression(generator, clip, FACES, mark=mark)).regression
        assert found is not None
        return np.concatenate([found.cross.reshape(-1), found.covariance.reshape(-1)])

    both = cache.remembered("regression", measure).reshape(-1, clip.dim)
    return StyleRegression(both[: generator.layout.size], both[generator.layout.size :])
