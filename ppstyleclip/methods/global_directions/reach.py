# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""When a face has reached a text, and what it gave up for it.

With f a picture's unit CLIP feature and dt the text direction, faces of a population lie at p = f . dt. A
face that begins at p0 has reached the text at

    p1 = quantile(p, HIGH)

where the faces stand that show what the text says, however far CLIP sets them apart. reach is
1 + (f . dt - p1) / needed, with needed = p1 - p0: 0 at the start, 1 where the text is reached. A face that is
there already begins at 1 or more, and one that nearly is little below it: needed is at least NEAR deviations
of p, and one deviation behind p1. A quantile, because the place at which CLIP's answer levels off differs
between texts by a factor of two and more when it is told in deviations. HIGH was chosen by what judges that
know no CLIP say of edits in the embedded world.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.engine import compile_image_encoder, config_key
from ppstyleclip.engine.keys import weights_fingerprint
from ppstyleclip.files import import_cv2
from ppstyleclip.methods.global_directions.instant_cache import InstantCache
from ppstyleclip.worker import on_worker

HIGH, NEAR = 0.94, 0.1
QUIET = 0.75  # of the picture, that part which changes least: outside of an edit that has no region
BLUR = 1 / 32  # of the picture's side; over which a change is smoothed to tell where an edit is
AT_ONCE_PIXELS = 2**20


@dataclass(frozen=True, eq=False)
class Spread:
    """How a population's pictures stand along a text direction, f . dt.

    Attributes:
        high: the quantile HIGH.
        std: the standard deviation.
    """

    high: float
    std: float


class Population:
    """CLIP features of the pictures of some faces; they are drawn when first asked for.

    Args:
        generator, clip: the networks.
        s: `[N, S]` styles of the faces.
        synthesize: draws styles `[n, S]` as images `[n, 3, H, W]`.
        folder: where the features are kept, for the next process too; None keeps them in memory alone.
        mark: the generator's fingerprint where it is known.
    """

    @on_worker
    def __init__(
        self,
        generator: Any,
        clip: Any,
        s: np.ndarray,
        synthesize: Any,
        *,
        folder: str | Path | None = None,
        mark: str | None = None,
    ):
        self._s, self._synthesize, self._clip = np.asarray(s, np.float32), synthesize, clip
        self._side = generator.size
        mark = weights_fingerprint(generator) if mark is None else mark
        key = ["population", mark, weights_fingerprint(clip.net.visual), clip.image_size, self._s]
        self._cache = InstantCache(folder, config_key(key))

    @on_worker
    def spread(self, dt: np.ndarray) -> Spread:
        """How the faces stand along dt `[D]`."""
        features = self._cache.remembered("features", self._measure).reshape(len(self._s), -1)
        along = features @ np.asarray(dt, np.float32)
        return Spread(float(np.quantile(along, HIGH)), float(along.std()))

    def _measure(self) -> np.ndarray:
        """Unit features, `[N * D]`."""
        encode, parts = compile_image_encoder(self._clip, self._side), []
        at_once = max(1, min(32, AT_ONCE_PIXELS // self._side**2))
        for start in range(0, len(self._s), at_once):
            features = encode(self._synthesize(self._s[start : start + at_once]))
            parts.append(features / np.linalg.norm(features, axis=1, keepdims=True))
        return np.concatenate(parts).reshape(-1)


class Meter:
    """What pictures of one face are worth, beside the picture before the edit, or before all edits.

    Args:
        clip: ClipModel.
        identity: network with `identity_features`, or None.
        before: `[1, 3, H, W]` the picture before, about [-1, 1].
        dt: `[D]` text direction.
        spread: Spread along dt.
        region: `[H, W]` 0 to 1, where the picture may change; None: see Budget.outside.
        original: `[1, 3, H, W]` the picture before all edits, from which reach and identity count; None:
            `before`, from which change counts.
    """

    @on_worker
    def __init__(
        self,
        clip: Any,
        identity: Any,
        before: np.ndarray,
        dt: np.ndarray,
        spread: Spread,
        region: np.ndarray | None = None,
        original: np.ndarray | None = None,
    ):
        self._clip, self._identity, self._dt = clip, identity, np.asarray(dt, np.float32)
        self._before, self._region = _seen(before), region
        original = self._before if original is None else _seen(original)
        start, self._goal = float(self._along(original)[0]), spread.high
        missing = spread.high - start
        self.needed = max(missing, NEAR * spread.std, 1e-9) if missing > 0 else max(spread.std, 1e-9)
        self._who = None if identity is None else self._features(original)

    @on_worker
    def measure(self, images: np.ndarray) -> list[tuple[float, float | None, float]]:
        """(reach, identity, outside) of each picture of `[N, 3, H, W]`; see strength.Trial."""
        images = _seen(images)
        reach = 1 + (self._along(images) - self._goal) / self.needed
        alike = [None] * len(images)
        if self._who is not None:
            alike = (self._features(images) @ self._who[0]).tolist()
        outside = [change_outside(self._before[0], image, self._region) for image in images]
        return list(zip(reach.tolist(), alike, outside))

    @paddle.no_grad()
    def _along(self, images: np.ndarray) -> np.ndarray:
        """f . dt of each picture, `[N]`."""
        features = self._clip.encode_image(paddle.to_tensor(images)).numpy()
        return features @ self._dt / np.linalg.norm(features, axis=1)

    @paddle.no_grad()
    def _features(self, images: np.ndarray) -> np.ndarray:
        """Identity of each picture, `[N, D]` unit vectors."""
        return self._identity.identity_features(paddle.to_tensor(images)).numpy()


def _seen(images: np.ndarray) -> np.ndarray:
    """Pictures with the values that can be shown, -1 to 1."""
    return np.clip(np.asarray(images, np.float32), -1.0, 1.0)


def change_outside(before: np.ndarray, after: np.ndarray, region: np.ndarray | None = None) -> float:
    """Mean absolute change of a picture outside of a region, as a share of the range from black to white.

    Args:
        before, after: `[3, H, W]` in [-1, 1].
        region: `[H, W]` 0 to 1, the region; None: outside is that share QUIET of the picture that changes
            least, told by the smoothed change.
    """
    change = np.abs(after - before).mean(axis=0) / 2  # [H, W]
    if region is not None:
        outside = 1.0 - np.asarray(region, np.float32)
        return float((change * outside).sum() / max(float(outside.sum()), 1e-6))
    smooth = import_cv2().GaussianBlur(change, (0, 0), max(0.5, BLUR * max(change.shape)))
    quietest = np.argsort(smooth.reshape(-1), kind="stable")[: int(QUIET * change.size)]
    return float(change.reshape(-1)[quietest].mean()) if len(quietest) else 0.0
