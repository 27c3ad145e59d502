# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A bank of latents sorted by what CLIP sees in their pictures, as seed 000 splits its faces by gender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.text import text_embedding


@dataclass(frozen=True, eq=False)
class Sorted:
    """What CLIP thinks of the latents from `first` on.

    Attributes:
        first, total: number of the first, and of all.
        shares: `[N, T]` of each text, 0 to 1; a row adds up to 1.
    """

    first: int
    total: int
    shares: np.ndarray


def text_shares(draw, clip, latents, texts, *, templates="plain", batch_size=8):
    """Let CLIP say, for each face, how well each of some texts fits it, as it was trained to choose.

    Args:
        draw: function of latents `[N, ...]`; gives images `[N, 3, H, W]` in [-1, 1].
        clip: ClipModel.
        latents: `[N, L, D]` or `[N, S]`.
        texts: two or more, such as ("a man", "a woman").
        templates: of text.text_embedding.
        batch_size: faces at a time.
    Returns:
        iterator of Sorted, one for each batch.
    Raises:
        UserError: fewer than two texts, or the same twice.
    """
    if len(texts) < 2 or len({text.strip().lower() for text in texts}) < len(texts):
        raise UserError(f"faces are sorted by two texts or more, which differ; got: {', '.join(texts)}")
    features = np.stack([text_embedding(clip, text, templates) for text in texts])  # [T, E]
    return _by_batches(draw, clip, latents, features * np.exp(clip.logit_scale.numpy()), batch_size)


def _by_batches(draw, clip, latents, features, batch_size):
    for first in range(0, len(latents), batch_size):
        images = paddle.to_tensor(draw(latents[first : first + batch_size]))
        with paddle.no_grad():
            seen = clip.encode_image(images).numpy()
        logits = seen @ features.T / np.linalg.norm(seen, axis=1, keepdims=True)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        yield Sorted(first, len(latents), odds / odds.sum(axis=1, keepdims=True))


def groups_of(shares, least=0.0) -> list:
    """Which faces belong to each text.

    Args:
        shares: `[N, T]`.
        least: a face whose largest share is below it belongs to none.
    Returns:
        T arrays of indices, in rising order.
    """
    best = np.where(shares.max(axis=1) >= least, shares.argmax(axis=1), -1)
    return [np.flatnonzero(best == k) for k in range(shares.shape[1])]
