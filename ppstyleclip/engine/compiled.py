# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A network as a function of arrays, compiled at its first call; its program is kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import paddle

from ppstyleclip.engine.program import ALL, WEIGHTS, Program, check_precision, on_gpu
from ppstyleclip.engine.tracing import export
from ppstyleclip.files import cache_home

KEEP_BYTES = 8 << 30  # programs on disk beyond this are deleted, those unused for longest first


class Compiled:
    """A network as a function of arrays, compiled at its first call, or eager where that fails.

    Args:
        layer: Layer whose forward takes `{name: Tensor}`.
        shapes: `{name: shape}` of its inputs; -1 for the batch.
        key: what tells its weights and settings from others', values that JSON can hold.
        precision: one of PRECISIONS.
        folder: where programs are kept; None is `engine` in the cache.
        arrangement: what Paddle may rearrange.
        wrt: names of the inputs with respect to which the first result is differentiated; those gradients
            follow the results.
    Raises:
        UserError: a precision that is unknown or that this machine does not have.
    """

    def __init__(self, layer, shapes, key, *, precision="fp32", folder=None, arrangement=ALL, wrt=()):
        check_precision(precision)
        layer.eval()
        self.arrangement, self.wrt = arrangement, tuple(wrt)
        self.layer, self.shapes, self.key = layer, shapes, key
        self.precision, self.folder = precision, folder
        self._program = None
        self._failed = False

    def __call__(self, arrays) -> list:
        """Run on `{name: array}`; a list of arrays."""
        self.compile()
        if self._program is None:
            return self._eager(arrays)
        return self._program(arrays) if self.layer is None else self._first_run(arrays)

    def compile(self) -> bool:
        """Export or find the program, and load it, once; False, after a warning, where that fails."""
        if self._program is None and not self._failed:
            try:
                self._program = _load_or_export(self)
            except Exception as error:  # whatever the exporter dislikes, the eager way is right, only slower
                self._give_up(error)
        return self._program is not None

    def _first_run(self, arrays):
        """Some programs are written and loaded, and only refuse to run."""
        try:
            results = self._program(arrays)
            self.layer = None  # its weights are in the program
            return results
        except Exception as error:
            self._give_up(error)
            return self._eager(arrays)

    def _give_up(self, error):
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        warnings.warn(f"not compiled, runs in Paddle's eager mode: {reason}", stacklevel=4)
        self._program, self._failed = None, True

    def _eager(self, arrays):
        tensors = {name: paddle.to_tensor(np.asarray(arrays[name], np.float32)) for name in self.shapes}
        for name in self.wrt:
            tensors[name].stop_gradient = False
        with paddle.set_grad_enabled(bool(self.wrt)):
            results = self.layer(tensors)
            results = list(results) if isinstance(results, (list, tuple)) else [results]
            if self.wrt:
                results += paddle.grad(results[:1], [tensors[name] for name in self.wrt])
        return [result.numpy() for result in results]


def _load_or_export(compiled) -> Program:
    """The program of a network: from the disk if it is there, else exported to it."""
    home = Path(compiled.folder) if compiled.folder is not None else cache_home() / "engine"
    bf16 = compiled.precision == "bf16" and compiled.arrangement.bf16 is None and not on_gpu()
    parts = [
        compiled.key,
        bf16,
        sorted(compiled.shapes.items()),
        paddle.__version__,
        compiled.wrt,
        _source_mark(),
    ]
    place = home / hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]
    if (place / WEIGHTS).is_file():
        with contextlib.suppress(Exception):  # a damaged program is exported again
            os.utime(place)
            return _program(compiled, place)
        shutil.rmtree(place, ignore_errors=True)
    with _draft_folder(home) as draft:
        export(
            compiled.layer,
            compiled.shapes,
            draft,
            wrt=compiled.wrt,
            bf16=bf16,
            in_place=compiled.arrangement.onednn is not None,
        )
        program = _program(compiled, draft)
        with contextlib.suppress(OSError):  # another process was first, or the disk is full
            os.rename(draft, place)
            program.folder = place
            _sweep(home)
    return program


def _program(compiled, folder) -> Program:
    return Program(folder, compiled.precision, compiled.arrangement)


@contextlib.contextmanager
def _draft_folder(home):
    """A new folder on the same disk as `home`, or a temporary one where that cannot be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
    except OSError:
        draft = Path(tempfile.mkdtemp(prefix="ppstyleclip-"))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sweep(home):
    """Delete the programs that were not used for longest until KEEP_BYTES are left."""
    places = sorted((p for p in home.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    kept = 0
    for place in places:
        kept += sum(file.stat().st_size for file in place.iterdir())
        if kept > KEEP_BYTES:
            shutil.rmtree(place, ignore_errors=True)


@lru_cache(maxsize=1)
def _source_mark() -> str:
    """Changes whenever the source that programs are traced from does."""
    here = Path(__file__).parents[1]
    files = [
        path
        for folder in ("engine", "methods", "models", "ops")
        for path in sorted(here.glob(f"{folder}/*.py"))
    ]
    files.append(here / "losses.py")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
