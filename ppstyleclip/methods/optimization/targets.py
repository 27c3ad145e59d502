# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What CLIP should see: a text itself, or a face moved along the direction of a text."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from ppstyleclip.losses import clip_crop_features, clip_image_features
from ppstyleclip.methods.optimization.config import ObjectiveConfig
from ppstyleclip.worker import on_worker


@on_worker
@paddle.no_grad()
def anchor_features(clip: Any, images: np.ndarray, config: ObjectiveConfig) -> np.ndarray:
    """`[N, E]` unit vectors: what CLIP sees of pictures `[N, 3, H, W]` now, as config.anchor says."""
    pictures = paddle.to_tensor(images)
    if config.anchor == "picture":
        return clip_image_features(clip, pictures, "clip").numpy()
    return clip_crop_features(
        clip, pictures, view=config.view, crops=config.crops, margin=config.margin
    ).numpy()


@on_worker
def directed_features(
    clip: Any, images: np.ndarray, directions: np.ndarray, config: ObjectiveConfig
) -> np.ndarray:
    """What CLIP should see of each face: what it sees of it now, moved along the texts' directions.

    A text alone pulls a face towards all that CLIP has ever met with it; this asks only for the difference to
    a neutral text, and keeps the rest of what CLIP sees.

    Args:
        clip: ClipModel.
        images: `[N, 3, H, W]` float32, the faces now.
        directions: `[T, E]` unit vectors, text.text_direction of each text.
        config: directional_strength is the length of the move, where the picture's own feature has length 1.
    Returns:
        `[N, T, E]`, for optimize.
    """
    own = anchor_features(clip, images, config)
    strength = np.float32(config.directional_strength)
    return own[:, None] + strength * np.asarray(directions, np.float32)[None]
