# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The numbers of a card, from the pictures before and after an edit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import paddle

from ppstyleclip.card.model import Numbers
from ppstyleclip.pictures import to_images
from ppstyleclip.regions.auto import masks_of_text
from ppstyleclip.worker import on_worker
from ppstyleclip.zoo import has_lpips, load_lpips

LARGE = 256  # pixels: from here on LPIPS is taken, where it is on this machine
VISIBLE = 4  # levels by which a pixel differs for certain


@on_worker
def measure_edit(
    bundle: Any, dt: np.ndarray, before: np.ndarray, after: np.ndarray, mask: np.ndarray | None = None
) -> Numbers:
    """Measure what an edit did.

    Args:
        bundle: of the model: its CLIP, and its identity network where it has one.
        dt: `[D]` unit vector, the text direction.
        before, after: `[H, W, 3]` uint8.
        mask: `[H, W]` of 0 to 1, the edit's region; None: where the text lives is looked for.
    Returns:
        Numbers.
    """
    images = to_images(np.stack([before, after]))
    first, second = images[:1], images[1:]
    region = "own" if mask is not None else "text"
    share = masks_of_text(bundle.clip, dt, first, second) if mask is None else mask[None]
    inside = first + share[:, None] * (second - first)
    outside = first + (1 - share[:, None]) * (second - first)
    pictures = np.concatenate([first, second, inside, outside]).astype(np.float32)
    features = _unit_features(bundle.clip, pictures)
    move = features[1] - features[0]
    along = float(move @ dt)
    name, apart = _likeness(pictures, features)
    return Numbers(
        likeness=name,
        inside=apart[0],
        outside=apart[1],
        region=region,
        along=round(along, 5),
        across=round(float(np.linalg.norm(move - along * dt)), 5),
        changed=round(float((np.abs(np.int16(after) - np.int16(before)).max(2) > VISIBLE).mean()), 4),
        identity=_identity(bundle.identity, pictures[:2]),
    )


@paddle.no_grad()
def _unit_features(clip: Any, pictures: np.ndarray) -> np.ndarray:
    features = clip.encode_image(paddle.to_tensor(pictures)).numpy()
    return features / np.linalg.norm(features, axis=1, keepdims=True)


@paddle.no_grad()
def _likeness(pictures: np.ndarray, features: np.ndarray) -> tuple[str, list[float]]:
    """Its name, and how unlike the first picture the third and the fourth are."""
    if pictures.shape[-1] >= LARGE and has_lpips():
        first, *others = (paddle.to_tensor(pictures[k : k + 1]) for k in (0, 2, 3))
        return "lpips", [round(float(_lpips()(other, first).numpy().item()), 5) for other in others]
    return "clip", [round(max(0.0, 1 - float(features[0] @ features[k])), 5) for k in (2, 3)]


@lru_cache(maxsize=1)
def _lpips() -> Any:
    return load_lpips()


@paddle.no_grad()
def _identity(network: Any, pictures: np.ndarray) -> float | None:
    if network is None:
        return None
    features = network.identity_features(paddle.to_tensor(pictures)).numpy()
    return round(float(features[0] @ features[1]), 5)
