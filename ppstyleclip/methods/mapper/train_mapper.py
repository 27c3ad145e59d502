# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Training of a mapper in one call, with the signature of methods.optimization.optimize."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ppstyleclip.methods.mapper.config import TrainingConfig, network_config
from ppstyleclip.methods.mapper.data import LatentDataset
from ppstyleclip.methods.mapper.loss import ImageLoss
from ppstyleclip.methods.mapper.text_sets import TextSet, check_told_apart
from ppstyleclip.methods.mapper.training import Training, TrainingRecord, train
from ppstyleclip.worker import on_worker


@on_worker
def build_training(
    generator: Any, texts: TextSet, config: TrainingConfig, vectors: np.ndarray | None = None
) -> Training:
    """A mapper for a generator with its first weights, ready for `train`.

    Args:
        generator: for whose latents the mapper is.
        texts: TextSet.
        config: TrainingConfig.
        vectors: `[K, T]` of the texts, where the mapper takes them.
    Raises:
        UserError: the mapper cannot take texts of that width, or takes none and there are several.
    """
    check_told_apart(texts, config.mapper.embed)
    width = None if vectors is None else vectors.shape[1]
    layout = generator.layout
    shapes = network_config(
        config.mapper,
        generator.n_latent,
        generator.style_dim,
        layout.channels,
        width,
        levels=getattr(generator, "levels", None),
        idle=[k for k, is_editable in enumerate(layout.editable) if not is_editable],
    )
    return Training(shapes, vectors, texts, config)


@on_worker
def train_mapper(
    generator: Any,
    clip: Any,
    latents: np.ndarray,
    texts: TextSet,
    config: TrainingConfig,
    *,
    features: np.ndarray,
    vectors: np.ndarray | None = None,
    validation: np.ndarray | None = None,
    identity: Any = None,
) -> Iterator[TrainingRecord]:
    """Train a mapper that moves latents towards texts.

    Args:
        generator: in evaluation mode.
        clip: ClipModel.
        latents: `[N, ...]` to learn from, in the mapper's space.
        texts: TextSet.
        config: how.
        features: `[K, E]` of the texts, as ImageLoss takes them.
        vectors: `[K, T]` of the texts, where the mapper takes them.
        validation: `[N, ...]` latents to validate on; None for never.
        identity: network with `identity_features`, where a part of the loss needs it.
    Returns:
        iterator of TrainingRecord; the network is `record.value.network`.
    Raises:
        UserError: parts that do not fit; later, as `train`.
    """
    training = build_training(generator, texts, config, vectors)
    loss = ImageLoss(generator, clip, texts, features, config, identity=identity)
    held_out = None if validation is None else LatentDataset(validation, texts)
    return train(training, loss, LatentDataset(latents, texts), held_out)
