# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A bank of latents sorted by what CLIP sees in their pictures, as seed 000 splits its faces by gender."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.checks import check_count, check_number
from ppstyleclip.text import text_embedding
from ppstyleclip.worker import on_worker


@dataclass(frozen=True, eq=False)
class SharesRecord:
    """What CLIP thinks of some of the latents.

    Attributes:
        done, total: number of latents so far, these included, and of all.
        first: number of the first of these.
        shares: `[N, T]` of each text, 0 to 1; a row adds up to 1.
    """

    done: int
    total: int
    first: int
    shares: np.ndarray


@on_worker
def text_shares(
    draw: Callable,
    clip: Any,
    latents: np.ndarray,
    texts: Sequence[str],
    *,
    templates: str = "plain",
    batch_size: int = 8,
) -> Iterator[SharesRecord]:
    """Let CLIP say, for each face, how well each of some texts fits it, as it was trained to choose.

    Args:
        draw: function of latents `[N, ...]`; gives images `[N, 3, H, W]` in [-1, 1].
        clip: ClipModel.
        latents: `[N, L, D]` or `[N, S]`.
        texts: two or more, such as ("a man", "a woman").
        templates: of text.text_embedding.
        batch_size: faces at a time.
    Returns:
        iterator of SharesRecord, one for each batch.
    Raises:
        UserError: fewer than two texts, or the same twice; a batch of none.
    """
    check_count("batch_size", batch_size, least=1)
    if len(texts) < 2 or len({text.strip().lower() for text in texts}) < len(texts):
        raise UserError(f"faces are sorted by two texts or more, which differ; got: {', '.join(texts)}")
    features = np.stack([text_embedding(clip, text, templates) for text in texts])  # [T, E]
    return _by_batches(draw, clip, latents, features * np.exp(clip.logit_scale.numpy()), batch_size)


def _by_batches(
    draw: Callable, clip: Any, latents: np.ndarray, features: np.ndarray, batch_size: int
) -> Iterator[SharesRecord]:
    for first in range(0, len(latents), batch_size):
        images = paddle.to_tensor(draw(latents[first : first + batch_size]))
        with paddle.no_grad():
            seen = clip.encode_image(images).numpy()
        logits = seen @ features.T / np.linalg.norm(seen, axis=1, keepdims=True)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        done = first + len(images)
        yield SharesRecord(done, len(latents), first, odds / odds.sum(axis=1, keepdims=True))


def groups_of(shares: np.ndarray, least: float = 0.0) -> list[np.ndarray]:
    """Which faces belong to each text.

    Args:
        shares: `[N, T]`.
        least: a face whose largest share is below it belongs to none.
    Returns:
        T arrays of indices, in rising order.
    Raises:
        UserError: `least` is no share.
    """
    check_number("least", least, most=1.0)
    best = np.where(shares.max(axis=1) >= least, shares.argmax(axis=1), -1)
    return [np.flatnonzero(best == k) for k in range(shares.shape[1])]
