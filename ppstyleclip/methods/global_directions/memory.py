# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How much memory and work a picture takes, from the shapes of the networks; bytes and multiplications.

    memory = 550 MiB + 3.3 x weights + columns + 3 x cache + batch x picture
    picture = max(7 x largest activation of the generator, 8 x largest of CLIP + 4 x the picture itself)

`columns` is what Paddle's CPU convolution unfolds, one picture at a time: 9 values for each of an activation.
The cache counts three times because it is there twice while it moves on, and once more in parts. The factors
are fitted to peaks of resident memory at 256 to 1024 px, batches of 1 to 8, and are meant as upper bounds.
Weights count three times: the network's, a compiled program's, and those that oneDNN has laid out anew.
"""

from __future__ import annotations

import math
from typing import Any

import paddle

from ppstyleclip.errors import UserError
from ppstyleclip.methods.global_directions.relevance import CACHE_BYTES
from ppstyleclip.models.forms import count_tensors, prefix_drawing_of

MAX_BATCH, BATCH_PIXELS = 50, 2**20  # pictures drawn at once: 50 up to 128 px, 16 at 256 px, 2 at 1024


def default_batch(generator: Any) -> int:
    """Pictures drawn at once where nobody says how many."""
    return max(2, min(MAX_BATCH, BATCH_PIXELS // generator.size**2))


def plan_memory(
    generator: Any, clip: Any, num_images: int, limit: int, batch_size: int | None = None
) -> tuple[int, int]:
    """Pick batch and cache so that the module's model stays within a limit.

    Args:
        generator, clip: the networks.
        num_images: base pictures, which the cache holds.
        limit: bytes of the whole process.
        batch_size: pictures drawn at once if that is fixed; else as many as half of what is free allows.
    Returns:
        (batch_size, cache_bytes).
    Raises:
        UserError: the limit is too small for one pair of pictures, or for `batch_size`; names the least.
    """
    picture, fixed = _picture_bytes(generator, clip), _fixed_bytes(generator, clip)
    least = fixed + (batch_size or 2) * picture
    if limit < least:
        what = "one pair of pictures" if batch_size is None else f"a batch of {batch_size}"
        raise UserError(
            f"a memory limit of {limit / 2**20:.0f}M is too little: this generator and CLIP need "
            f"{math.ceil(least / 2**20)}M for {what}"
        )
    free = limit - fixed
    if batch_size is None:
        batch_size = max(2, min(MAX_BATCH, int(free / 2 / picture) // 2 * 2))
    useful = num_images * _largest_cache(generator)
    return batch_size, int(min(CACHE_BYTES, useful, max(0, (free - batch_size * picture) // 3)))


def _largest_cache(generator: Any) -> float:
    """Bytes of one picture's largest cached convolution; endless where a layer's cannot be kept."""
    drawing = prefix_drawing_of(generator)
    layers = generator.layout.editable_layers
    return max(drawing.cached_bytes(k) if k in drawing.cacheable else math.inf for k in layers)


def _fixed_bytes(generator: Any, clip: Any) -> int:
    weights = sum(parameter.size for net in (generator, clip) for parameter in net.parameters())
    columns = 9 * _largest_activation(generator)
    return int(550 * 2**20 + 3.3 * 4 * weights + columns)


def _picture_bytes(generator: Any, clip: Any) -> int:
    seen = 8 * _survey(clip)[1] + 4 * 4 * 3 * generator.size**2
    return max(7 * _largest_activation(generator), seen)


def _largest_activation(generator: Any) -> int:
    drawing = prefix_drawing_of(generator)
    return max(drawing.state_bytes(k + 1) for k in range(count_tensors(drawing)))


def channel_work(generator: Any, clip: Any, k: int, end: int) -> float:
    """Multiplications for one picture that differs from style tensor k on; the first `end` draw it early."""
    return prefix_drawing_of(generator).work(k, end if k < end else None) + clip_work(clip)


def clip_work(clip: Any) -> float:
    """Multiplications that CLIP needs for one picture."""
    return _survey(clip)[0]


@paddle.no_grad()
def _survey(clip: Any) -> tuple[float, int]:
    """(multiplications, bytes of the largest activation) of CLIP's image side, by watching one picture."""
    work, largest = [0], [0]

    def watch(layer, inputs, output):
        if not isinstance(output, paddle.Tensor):
            return
        largest[0] = max(largest[0], 4 * output.size)
        weight = getattr(layer, "weight", None)
        if isinstance(layer, paddle.nn.Conv2D):
            work[0] += weight.size * output.shape[2] * output.shape[3]
        elif isinstance(layer, paddle.nn.Linear):
            work[0] += weight.size * (output.size // output.shape[-1])

    hooks = [layer.register_forward_post_hook(watch) for layer in clip.sublayers()]
    try:
        clip.encode_image(paddle.zeros([1, 3, 32, 32]))
    finally:
        for hook in hooks:
            hook.remove()
    visual = clip.net.visual
    if hasattr(visual, "transformer"):  # whose first layer is computed as a product, which no hook sees
        kernel = visual.conv1.weight
        work[0] += kernel.size * (clip.image_size // kernel.shape[2]) ** 2
    return float(work[0]), largest[0]
