# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""From pictures to the latents that draw them.

With an encoder: one pass as in pSp (Richardson et al. 2021) and e4e (Tov et al. 2021), or ReStyle's several
(Alaluf et al. 2021), in which the encoder sees its last result beside the picture and gives a correction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

import paddle
import paddle.nn.functional as F

from ppstyleclip.errors import UserError
from ppstyleclip.progress import last
from ppstyleclip.worker import on_worker

RESTYLE_ITERATIONS = 5  # as ReStyle's and seed 004's inference run it
Draw = Callable[[paddle.Tensor], paddle.Tensor]


@dataclass(frozen=True, eq=False)
class EncoderStep:
    """What one pass of an encoder found.

    Attributes:
        done, total: passes.
        w_plus: `[N, L, D]` so far.
    """

    done: int
    total: int
    w_plus: paddle.Tensor


@on_worker
def invert(
    encoder: Any,
    images: paddle.Tensor,
    *,
    latent_avg: Any,
    draw: Draw | None = None,
    n_iters: int = RESTYLE_ITERATIONS,
) -> paddle.Tensor:
    """Find the latents of pictures with an encoder.

    Args:
        encoder: StyleEncoder, in evaluation mode. With 3 input channels it is asked once; with 6 (ReStyle)
            `n_iters` times, each time with what it found so far.
        images: `[N, 3, S, S]`, RGB in [-1, 1], of the encoder's input size; aligned as in its training.
        latent_avg: mean latent of the encoder's generator, `[D]`, `[1, D]`, `[L, D]` or `[1, L, D]`.
        draw: only for ReStyle: w_plus `[M, L, D]` to pictures `[M, 3, H, W]`, of any size.
        n_iters: only for ReStyle: number of passes.
    Returns:
        w_plus `[N, L, D]`. Gradients flow where the encoder's weights ask for them.
    Raises:
        ValueError: shapes disagree, or a ReStyle encoder has no `draw` or no pass.
    """
    steps = inversion_steps(encoder, images, latent_avg=latent_avg, draw=draw, n_iters=n_iters)
    return last(steps).w_plus


@on_worker
def inversion_steps(
    encoder: Any,
    images: paddle.Tensor,
    *,
    latent_avg: Any,
    draw: Draw | None = None,
    n_iters: int = RESTYLE_ITERATIONS,
) -> Iterator[EncoderStep]:
    """Yield an EncoderStep after each pass of `invert`, which has the same arguments."""
    if images.ndim != 4 or images.shape[1] != 3:
        raise UserError(f"images have shape {list(images.shape)}, expected [N, 3, S, S]")
    mean = _mean_latent(latent_avg, encoder)
    if encoder.input_channels == 3:
        yield EncoderStep(1, 1, mean + encoder(images))
        return
    if draw is None or n_iters < 1:
        raise ValueError(
            "a ReStyle encoder looks at its own results: give it draw, w_plus to images, and at "
            f"least one of n_iters; got draw={draw}, n_iters={n_iters}"
        )
    side = images.shape[2:]
    seen = F.adaptive_avg_pool2d(draw(mean), side).expand([images.shape[0], 3, *side])
    w_plus = mean
    for done in range(1, n_iters + 1):
        if done > 1:
            seen = F.adaptive_avg_pool2d(draw(w_plus), side)
        w_plus = w_plus + encoder(paddle.concat([images, seen], axis=1))
        yield EncoderStep(done, n_iters, w_plus)


def _mean_latent(latent_avg: Any, encoder: Any) -> paddle.Tensor:
    """Bring a mean latent of any of its published shapes to `[1, L, D]`."""
    count, dim = encoder.num_styles, encoder.style_dim
    mean = paddle.to_tensor(latent_avg, dtype="float32")
    if list(mean.shape) not in ([dim], [1, dim], [count, dim], [1, count, dim]):
        raise ValueError(
            f"latent_avg has shape {list(mean.shape)}, the encoder gives [{count}, {dim}]; "
            f"it must be [{dim}] or [{count}, {dim}], of the same generator"
        )
    return mean.reshape([1, -1, dim]).expand([1, count, dim])
