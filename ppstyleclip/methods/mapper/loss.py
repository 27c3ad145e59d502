# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The loss of a mapper's training: that of the pictures of edited latents."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import paddle

from ppstyleclip.engine import compile_synthesis
from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper.config import TrainingConfig
from ppstyleclip.methods.mapper.data import LatentDataset
from ppstyleclip.methods.mapper.text_sets import TextSet
from ppstyleclip.methods.optimization.compiled_objective import compile_objective, reference_functions
from ppstyleclip.methods.optimization.objective import needed_networks
from ppstyleclip.methods.optimization.spaces import to_styles
from ppstyleclip.methods.optimization.targets import anchor_features
from ppstyleclip.worker import on_worker


class ImageLoss:
    """The loss of edited latents and its gradient there.

    Args:
        generator, clip: the networks.
        texts: TextSet.
        features: `[K, E]` of its K texts: CLIP's features; where the objective's directional_strength is
            above 0 the directions from a neutral text to each.
        config: TrainingConfig.
        identity: network with `identity_features`, where a part of the loss needs it.
        synthesize: function of the list of styles; gives images `[N, 3, H, W]`. None compiles the generator.
        evaluate: function as compile_objective gives it, in place of the compiled one.

    Attributes: `parts`, names of the parts of the loss.
    Raises:
        UserError: features of another CLIP, or a network is missing.
    """

    @on_worker
    def __init__(
        self,
        generator: Any,
        clip: Any,
        texts: TextSet,
        features: np.ndarray,
        config: TrainingConfig,
        *,
        identity: Any = None,
        synthesize: Callable | None = None,
        evaluate: Callable | None = None,
    ):
        features, count = np.asarray(features, np.float32), len(texts.names)
        if features.shape != (count, clip.dim):
            raise UserError(
                f"features of the texts have shape {list(features.shape)}, {count} "
                f"texts and this CLIP need [{count}, {clip.dim}]"
            )
        self.objective, self.space = config.measured, config.mapper.space
        self.networks = needed_networks(self.objective, generator, clip, identity)
        self.parts = self.objective.parts
        self._mixed_precision = config.mixed_precision
        self._synthesize = synthesize or compile_synthesis(generator)
        self._references = reference_functions(self.networks, self.objective)
        self._targets, self._weights = self._of_classes(texts, features)
        self._evaluate = evaluate

    @property
    def _is_directional(self) -> bool:
        return self.objective.directional_strength > 0

    def _of_classes(self, texts: TextSet, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Targets `[C, T, E]` of each class and the weights `[C, T]` of their losses."""
        weight, strength = self.objective.weights["clip"], self.objective.directional_strength
        if self._is_directional:
            moves = [strength * features[list(members)].sum(axis=0) for members in texts.classes]
            return np.stack(moves)[:, None], np.full([len(moves), 1], weight, np.float32)
        most = max(map(len, texts.classes))
        targets = np.zeros([len(texts.classes), most, features.shape[1]], np.float32)
        weights = np.zeros(targets.shape[:2], np.float32)
        targets[:] = _unit(features[0])  # where a class has fewer, of weight 0
        for k, members in enumerate(texts.classes):
            targets[k, : len(members)] = _unit(features[list(members)])
            weights[k, : len(members)] = weight / len(members)
        return targets, weights

    @on_worker
    def __call__(self, dataset: LatentDataset, rows: np.ndarray, latent: np.ndarray) -> tuple:
        """Measure edited latents.

        Args:
            dataset, rows: LatentDataset, and which of its latents were edited.
            latent: `[N, ...]` float32, the edited.
        Returns:
            ({name: [N]} parts of the loss, gradient of their sum `[N, ...]`).
        """
        classes = dataset.classes[rows]
        targets = self._targets[classes]
        if self._is_directional:
            targets = _unit(dataset.cached("anchor", rows, self._anchor)[:, None] + targets)
        arrays = {
            "latent": latent,
            "start": dataset.latents[rows],
            "texts": targets,
            "text_weights": self._weights[classes],
            **{name: dataset.cached(name, rows, self._computing(name)) for name in self._references},
        }
        if self._evaluate is None:
            self._evaluate = compile_objective(
                self.networks, self.objective, self.space, arrays, mixed_precision=self._mixed_precision
            )
        terms, gradient, _ = self._evaluate(arrays)
        return terms, gradient

    @on_worker
    def draw(self, latent: np.ndarray) -> np.ndarray:
        """Images `[N, 3, H, W]` of latents `[N, ...]`."""
        generator, layout = self.networks.generator, self.networks.layout
        with paddle.no_grad():
            styles = to_styles(generator, layout, paddle.to_tensor(latent), self.space)
        return self._synthesize([style.numpy() for style in styles])

    def _anchor(self, latent: np.ndarray) -> np.ndarray:
        return anchor_features(self.networks.clip, self.draw(latent), self.objective)

    def _computing(self, name: str) -> Callable:
        @paddle.no_grad()
        def compute(latent: np.ndarray) -> np.ndarray:
            return self._references[name](paddle.to_tensor(self.draw(latent))).numpy()

        return compute


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
