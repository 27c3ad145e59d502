# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A Layer as a function of arrays, compiled at its first call; its program is kept on disk."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.engine import program_cache
from ppstyleclip.engine.exporter import export
from ppstyleclip.engine.keys import layer_key, source_fingerprint
from ppstyleclip.engine.predictor import ALL_PASSES, PassConfig, Program, check_precision, on_gpu
from ppstyleclip.worker import on_worker

Arrays = dict  # {name: array}
_CURE = "; make room, or set HOME and PPSTYLECLIP_HOME to folders that can be written"


class Compiled:
    """A Layer as a function of arrays, compiled at its first call, or eager where that fails.

    Any thread may call it.

    Args:
        layer: its forward takes `{name: Tensor}`.
        shapes: `{name: shape}` of its inputs; -1 for the batch.
        key: fingerprint of its weights, values that JSON can hold. What else decides the program (the Layer's
            attributes, its source) is found in the Layer itself.
        precision: one of PRECISIONS.
        folder: where programs are kept; None is `engine` in the cache.
        passes: which of Paddle's passes run.
        wrt: names of the inputs with respect to which the first result is differentiated; those gradients
            follow the results.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """

    def __init__(
        self,
        layer: paddle.nn.Layer,
        shapes: dict[str, list[int]],
        key: Any,
        *,
        precision: str = "fp32",
        folder: str | Path | None = None,
        passes: PassConfig = ALL_PASSES,
        wrt: Sequence[str] = (),
    ) -> None:
        check_precision(precision)
        layer.eval()
        self.layer: paddle.nn.Layer | None = layer
        self.shapes, self.key, self.wrt = shapes, key, tuple(wrt)
        self.passes = passes
        self.precision, self.folder = precision, folder
        self._program: Program | None = None
        self._failed = False

    @on_worker
    def __call__(self, arrays: Arrays) -> list[np.ndarray]:
        """Run on `{name: array}`; a list of arrays."""
        self.compile()
        if self._program is None:
            return self._eager(arrays)
        return self._program(arrays) if self.layer is None else self._first_run(arrays)

    @on_worker
    def compile(self) -> bool:
        """Export or find the program, and load it, once; False, after a warning, where that fails."""
        if self._program is None and not self._failed:
            try:
                self._program = self._load_or_export()
            except Exception as error:  # whatever the exporter dislikes, eager mode is right, only slower
                self._give_up(error)
        return self._program is not None

    def _load_or_export(self) -> Program:
        layer, form = self.layer, self._form()
        assert layer is not None
        return program_cache.load_or_export(
            self.program_key(),
            self.folder,
            export=lambda place: export(layer, self.shapes, place, wrt=self.wrt, **form),
            load=lambda place: Program(place, self.precision, self.passes),
        )

    def _form(self) -> dict[str, bool]:
        bf16 = self.precision == "bf16" and self.passes.bf16 is None and not on_gpu()
        return {"bf16": bf16, "in_place": self.passes.onednn is not None}

    def program_key(self) -> list:
        """All that decides the program: weights, the Layer with its attributes, shapes, source, versions."""
        assert self.layer is not None
        return [
            self.key,
            layer_key(self.layer),
            [*self._form().values(), on_gpu()],
            sorted(self.shapes.items()),
            self.wrt,
            paddle.__version__,
            source_fingerprint(self.layer),
        ]

    def _first_run(self, arrays: Arrays) -> list[np.ndarray]:
        """Some programs are written and loaded, and only refuse to run."""
        assert self._program is not None
        try:
            results = self._program(arrays)
            self.layer = None  # its weights are in the program
            return results
        except Exception as error:
            self._give_up(error)
            return self._eager(arrays)

    def _give_up(self, error: Exception) -> None:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        cure = _CURE if isinstance(error, OSError) else ""
        warnings.warn(f"not compiled, runs in Paddle's eager mode: {reason}{cure}", stacklevel=4)
        self._program, self._failed = None, True

    def _eager(self, arrays: Arrays) -> list[np.ndarray]:
        assert self.layer is not None
        tensors = {name: paddle.to_tensor(np.asarray(arrays[name], np.float32)) for name in self.shapes}
        for name in self.wrt:
            tensors[name].stop_gradient = False
        with paddle.set_grad_enabled(bool(self.wrt)):
            results = self.layer(tensors)
            results = list(results) if isinstance(results, (list, tuple)) else [results]
            if self.wrt:
                results += paddle.grad(results[:1], [tensors[name] for name in self.wrt])
        return [result.numpy() for result in results]
