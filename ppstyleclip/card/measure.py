# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The numbers of a card, from the pictures before and after an edit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import paddle

from ppstyleclip.card.model import Numbers
from ppstyleclip.card.others import directions_of_others, moves_aside
from ppstyleclip.pictures import to_images
from ppstyleclip.regions.auto import masks_of_text
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import has_lpips, load_lpips

LARGE = 256  # pixels: from here on LPIPS is taken, where it is on this machine
VISIBLE = 4  # levels by which a pixel differs for certain


@on_worker
def measure_edits(
    bundle: Any, dt: np.ndarray, before: np.ndarray, after: np.ndarray, masks: np.ndarray | None = None
) -> list[Numbers]:
    """Measure what edits did.

    Args:
        bundle: of the model: its CLIP, and its identity network where it has one.
        dt: `[N, D]` unit vectors, the text directions.
        before, after: `[N, H, W, 3]` uint8.
        masks: `[N, H, W]` of 0 to 1, the edits' regions; None: where each text lives is looked for.
    Returns:
        N Numbers.
    """
    first, second = to_images(before), to_images(after)
    shares = masks_of_text(bundle.clip, dt, first, second) if masks is None else masks
    change = second - first
    inside = first + shares[:, None] * change
    outside = first + (1 - shares[:, None]) * change
    parts = [np.asarray(part, np.float32) for part in (first, second, inside, outside)]
    features = [_unit_features(bundle.clip, part) for part in parts]
    move = features[1] - features[0]
    along = (move * dt).sum(axis=1)
    across = np.linalg.norm(move - along[:, None] * dt, axis=1)
    aside = moves_aside(move, dt, directions_of_others(bundle.clip))
    name, apart = _likeness(parts, features)
    changed = (np.abs(np.int16(after) - np.int16(before)).max(3) > VISIBLE).mean(axis=(1, 2))
    alike = _identities(bundle.identity, parts[0], parts[1])
    return [
        Numbers(
            likeness=name,
            inside=round(float(apart[0][k]), 5),
            outside=round(float(apart[1][k]), 5),
            region="text" if masks is None else "own",
            along=round(float(along[k]), 5),
            across=round(float(across[k]), 5),
            aside=round(float(aside[k]), 5),
            changed=round(float(changed[k]), 4),
            identity=None if alike is None else round(float(alike[k]), 5),
        )
        for k in range(len(before))
    ]


@paddle.no_grad()
def _unit_features(clip: Any, pictures: np.ndarray) -> np.ndarray:
    features = clip.encode_image(paddle.to_tensor(pictures)).numpy()
    return features / np.linalg.norm(features, axis=1, keepdims=True)


@paddle.no_grad()
def _likeness(parts: list[np.ndarray], features: list[np.ndarray]) -> tuple[str, list[np.ndarray]]:
    """Its name, and how unlike the first pictures the third and the fourth are, `[N]` each."""
    if parts[0].shape[-1] >= LARGE and has_lpips():
        first, *others = (paddle.to_tensor(parts[k]) for k in (0, 2, 3))
        return "lpips", [_lpips()(other, first).numpy() for other in others]
    return "clip", [np.maximum(0, 1 - (features[0] * features[k]).sum(axis=1)) for k in (2, 3)]


@lru_cache(maxsize=1)
def _lpips() -> Any:
    return load_lpips()


@paddle.no_grad()
def _identities(network: Any, first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    if network is None:
        return None
    one, other = (network.identity_features(paddle.to_tensor(part)).numpy() for part in (first, second))
    return (one * other).sum(axis=1)
