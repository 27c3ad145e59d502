# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Where a text lives in a picture: the pixels by whose change CLIP sees the text come true.

With I before the edit and I' after it, and g the gradient of <CLIP(I), dt> in the picture, a pixel brings
g . (I' - I) to the move along the text. g is the mean over the way from I to I' (integrated gradients,
Sundararajan et al., 2017), so that the parts of all pixels add up to the whole move. What is smoothed and
positive is kept, strongest first, until it makes up SHARE of the move.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle

from ppstyleclip.files import import_cv2
from ppstyleclip.regions.masks import grown
from ppstyleclip.worker import on_worker

STEPS = (0.125, 0.375, 0.625, 0.875)  # of the way at which the gradient is taken
SMOOTH = 0.035  # of the picture's side: deviation of the blur
SHARE = 0.8
GROWTH = 0.03  # of the side, around what is kept


@on_worker
def masks_of_text(clip: Any, dt: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Masks of where a text lives in faces.

    Args:
        clip: ClipModel.
        dt: `[D]` or `[N, D]` unit vectors, the text direction of all faces or of each.
        before, after: images `[N, 3, S, S]` in [-1, 1] without the edit and with it, unbounded by a region.
    Returns:
        `[N, S, S]` float32, 0 to 1; all ones where the edit brings no pixel nearer to the text.
    """
    change = after - before
    along = paddle.to_tensor(np.asarray(dt, np.float32))
    gained = np.zeros([len(before), *before.shape[2:]], np.float32)
    for step in STEPS:
        images = paddle.to_tensor(before + np.float32(step) * change)
        images.stop_gradient = False
        features = clip.encode_image(images)
        features = features / paddle.linalg.norm(features, axis=1, keepdim=True)
        gradient = paddle.grad([(features * along).sum()], [images])[0].numpy()
        gained += (gradient * change).sum(axis=1) / len(STEPS)
    return np.stack([_kept(one) for one in gained])


def _kept(gained: np.ndarray) -> np.ndarray:
    """The mask `[S, S]` of what pixels bring."""
    cv2, side = import_cv2(), len(gained)
    smooth = np.maximum(cv2.GaussianBlur(gained, (0, 0), max(0.8, SMOOTH * side)), 0)
    total = float(smooth.sum())
    if not total > 0:
        return np.ones_like(smooth)
    ranked = np.sort(smooth, axis=None)[::-1]
    least = ranked[min(len(ranked) - 1, int(np.searchsorted(np.cumsum(ranked), SHARE * total)))]
    return grown((smooth >= least).astype(np.float32), GROWTH * side)
