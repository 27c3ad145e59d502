# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Latent optimisation (StyleCLIP, section 4): a latent goes downhill until CLIP sees the text in its picture.

    loss = sum_t weight_t (1 - cos(CLIP(G(latent)), text_t))
         + l2 |latent - start|^2 + identity (1 - cos(R(G(latent)), R(G(start))))

Several faces, and several texts, go in one run, each the way it would go alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np

from ppstyleclip.errors import UserError
from ppstyleclip.methods.checks import check_numbers
from ppstyleclip.methods.optimization.adam import DescentRecord, adam_steps
from ppstyleclip.methods.optimization.compiled_objective import (
    compile_objective,
    region_inputs,
    start_references,
)
from ppstyleclip.methods.optimization.config import OptimizationConfig
from ppstyleclip.methods.optimization.objective import needed_networks
from ppstyleclip.methods.optimization.spaces import check_start, moving_mask, neighbour_offsets
from ppstyleclip.wording import counted
from ppstyleclip.worker import on_worker


@on_worker
def optimize(
    generator: Any,
    clip: Any,
    start: np.ndarray,
    texts: np.ndarray,
    config: OptimizationConfig,
    *,
    weights: Any = None,
    identity: Any = None,
    masks: np.ndarray | None = None,
) -> Iterator[DescentRecord]:
    """Move latents towards texts.

    Args:
        generator: in evaluation mode.
        clip: ClipModel.
        start: `[N, ...]` latents in the configuration's space: z `[N, D]`, w `[N, D]`, w_plus `[N, L, D]` or
            s `[N, S]`; in s only editable channels move.
        texts: `[N or 1, T, E]` CLIP features of T texts for each, or for all; of any length. With neighbours
            also `[1 + neighbours, N or 1, T, E]`, what CLIP should see of each of them.
        config: how.
        weights: `[T]` of the texts; None is 1 each.
        identity: network with `identity_features`, where a part of the loss needs it.
        masks: `[N or 1, H, W]` of 0 to 1, where the pictures may change: the loss sees them pasted over those
            of the start. None: everywhere.
    Yields:
        DescentRecord of each step; its terms are those of config.objective.parts.
    Raises:
        UserError: parts that do not fit; later, a loss that is not finite.

    Examples:
        >>> from ppstyleclip import Editor
        >>> from ppstyleclip.methods.optimization import OptimizationConfig, optimize
        >>> from ppstyleclip.text import text_embedding
        >>> editor = Editor.from_pretrained()
        >>> generator, clip = editor.bundle.generator, editor.bundle.clip
        >>> start = editor.sample(seed=58).numpy()  # w_plus
        >>> texts = text_embedding(clip, "happy face")[None, None]  # [1, T, E]
        >>> for record in optimize(generator, clip, start, texts, OptimizationConfig(steps=2)):
        ...     print(record.done, "of", record.total, sorted(record.terms), record.value.shape)
        1 of 2 ['clip', 'l2'] (1, 14, 128)
        2 of 2 ['clip', 'l2'] (1, 14, 128)
    """
    start, texts = np.asarray(start, np.float32), np.asarray(texts, np.float32)
    check_start(generator, start, config.space)
    networks = needed_networks(config.objective, generator, clip, identity)
    _check_texts(texts, start, clip, config)
    offsets = neighbour_offsets(generator, config)
    texts = texts / np.linalg.norm(texts, axis=-1, keepdims=True)
    texts = np.broadcast_to(texts, [len(offsets), len(start), *texts.shape[-2:]])
    count = texts.shape[2]
    text_weights = np.ones(count) if weights is None else np.asarray(check_numbers("weights", weights))
    if len(text_weights) not in (1, count):
        raise UserError(
            f"{counted(len(text_weights), 'weight')} came for {counted(count, 'text')}; give as many"
        )
    text_weights = np.broadcast_to(text_weights, [count])
    text_weights = config.objective.weights["clip"] * text_weights
    fixed = {"text_weights": np.tile(np.float32(text_weights), [len(start), 1])}
    places = [
        {
            "start": start + offset,
            "texts": wanted,
            **start_references(networks, config.objective, config.space, start + offset),
            **region_inputs(networks, config.space, start + offset, masks),
        }
        for offset, wanted in zip(offsets, texts)
    ]
    inputs = {"latent": start, **fixed, **places[0]}
    run = compile_objective(networks, config.objective, config.space, inputs)
    mask, turns = moving_mask(networks.layout, config.space), cycle(zip(offsets, places))

    def evaluate(latent: np.ndarray) -> tuple:
        offset, place = next(turns)
        terms, gradient, images = run({"latent": latent + offset, **fixed, **place})
        return terms, gradient * mask, images

    return adam_steps(evaluate, start, config.learning_rates(), config.adam)


def _check_texts(texts: np.ndarray, start: np.ndarray, clip: Any, config: OptimizationConfig) -> None:
    count = 1 + config.neighbours
    is_known = texts.ndim == 3 or (texts.ndim == 4 and len(texts) == count)
    if not is_known or texts.shape[-1] != clip.dim or texts.shape[-3] not in (1, len(start)):
        raise UserError(
            f"texts have shape {list(texts.shape)}, {len(start)} latents and this CLIP need "
            f"[{len(start)} or 1, texts, {clip.dim}]"
            + (f", or one of those for each of {count} places" if config.neighbours else "")
        )
