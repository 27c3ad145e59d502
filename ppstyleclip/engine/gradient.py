# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A loss and its gradients, compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.engine.compiled_layer import Compiled
from ppstyleclip.engine.keys import config_key, weights_fingerprint
from ppstyleclip.engine.predictor import PassConfig
from ppstyleclip.worker import on_worker

# The passes that leave the operators of a gradient alone.
_PASSES = PassConfig(passes=("constant_folding_pass", "operator_scale_onednn_fuse_pass"))


class CompiledGradient:
    """A loss and its gradients as a fast function of arrays; see compile_gradient."""

    def __init__(self, compiled: Compiled):
        self._compiled = compiled

    def __call__(self, arrays: dict) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Return (list of results, `{name: gradient}`) of `{name: array}`."""
        results, wrt = self._compiled(arrays), self._compiled.wrt
        return results[: -len(wrt)], dict(zip(wrt, results[-len(wrt) :]))

    def program_key(self) -> list:
        """All that decides the results, as values that JSON can hold; asked for before the first call."""
        return self._compiled.program_key()


@on_worker
def compile_gradient(
    layer: paddle.nn.Layer,
    shapes: dict[str, list[int]],
    wrt: Sequence[str],
    config: Any = None,
    *,
    folder: str | Path | None = None,
) -> CompiledGradient:
    """Make a loss and its gradients a fast function of arrays.

    Args:
        layer: Layer in evaluation mode; its forward takes `{name: Tensor}` and returns a list, a scalar loss
            first. Its weights are constants.
        shapes: `{name: shape}` of its inputs; -1 for the batch.
        wrt: names of the inputs whose gradients are wanted.
        config: what its forward depends on beside its weights and its own attributes, such as a dataclass:
            whatever config_key takes.
        folder: where programs are kept; None is `engine` in the cache.
    Returns:
        function of `{name: array}`; gives (list of results, `{name: gradient}`).
    """
    key = ["gradient", config_key(config), weights_fingerprint(layer)]
    return CompiledGradient(Compiled(layer, shapes, key, folder=folder, passes=_PASSES, wrt=tuple(wrt)))
