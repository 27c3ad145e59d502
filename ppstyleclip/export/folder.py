# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""An exported model as a folder: its networks in other formats, and all that an edit with them needs.

onnx/PART.onnx         networks as ONNX
paddle/PART.json       and .pdiparams: as Paddle Inference programs (.pdmodel in the old form)
model.json             layout of s, what each part takes and gives, directions by name, defaults
statistics.npz         mean, std, below and above [S], mean_w [1, D]
directions.npz         ds [S] by name
relevance.npy          [E, D], where the model has it
run.py                 edits by these directions, without Paddle
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ppstyleclip import __version__
from ppstyleclip.editor import Edit, Editor
from ppstyleclip.edits import check_edit
from ppstyleclip.engine.exporter import save_plain, trace_legacy
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.export.networks import ExportedPart, build_parts
from ppstyleclip.export.onnx import to_onnx
from ppstyleclip.export.onnx.graph import import_onnx
from ppstyleclip.files import check_writable, write_atomic
from ppstyleclip.inputs import as_list
from ppstyleclip.provenance import Label
from ppstyleclip.zoo import TrainedMapper

FORMATS = ("onnx", "paddle", "paddle-legacy")
RUNNER = "run.py"
# Ten directions of the embedded model, for a first look; any model takes others.
FIRST_EDITS = (
    Edit("face", "smiling face"),
    Edit("face", "angry face"),
    Edit("face", "surprised face"),
    Edit("face", "face with long hair"),
    Edit("face", "face with curly hair"),
    Edit("face", "face with blond hair"),
    Edit("face", "face with glasses"),
    Edit("face", "face with a beard"),
    Edit("face", "old face"),
    Edit("face", "face with red lips"),
)


@dataclass(frozen=True)
class ExportConfig:
    """What is written.

    Attributes:
        parts: of networks.PARTS; None: all that the model has.
        formats: of FORMATS.
        half: ONNX weights are stored as float16; they are computed with in float32.
        edits: whose directions are computed; their alpha is not used.
        side: pixels at which pictures stop, as in build_parts.
    Raises:
        UserError: an unknown format, no format, or both forms of Paddle at once.
    """

    parts: tuple[str, ...] | None = None
    formats: tuple[str, ...] = ("onnx",)
    half: bool = False
    edits: tuple[Edit, ...] = ()
    side: int | None = None

    def __post_init__(self) -> None:
        for name in ("parts", "formats", "edits"):
            if getattr(self, name) is not None:  # one alone counts as a list of one
                object.__setattr__(self, name, tuple(as_list(getattr(self, name), name, least=0)))
        for edit in self.edits:
            check_edit(edit)
        unknown = sorted(set(self.formats) - set(FORMATS))
        if unknown or not self.formats:
            raise UserError(
                f"there is no format '{', '.join(unknown)}' to export to; known: {', '.join(FORMATS)}"
            )
        if {"paddle", "paddle-legacy"} <= set(self.formats):
            raise UserError("paddle and paddle-legacy are one folder; give one of them")


@dataclass(frozen=True, eq=False)
class ExportRecord:
    """How far an export is: tasks done, of all; what comes next; what is written so far."""

    done: int
    total: int
    stage: str
    written: tuple[Path, ...] = field(default_factory=tuple)


def export_model(
    editor: Editor, folder: str | Path, config: ExportConfig, *, mapper: TrainedMapper | None = None
) -> Iterator[ExportRecord]:
    """Write a model for other runtimes.

    Args:
        editor: of the model.
        folder: where; files of these names in it are replaced.
        config: what is written.
        mapper: TrainedMapper for the part "mapper", or None.
    Yields:
        ExportRecord for each file.
    Raises:
        UserError: a part that the model lacks, or a direction that cannot be found.
        MissingExtra: the package onnx is not installed.
        CannotWrite: the folder cannot be written.
    """
    if "onnx" in config.formats:
        import_onnx()
    folder = Path(check_writable(folder))
    bundle = editor.bundle
    parts = build_parts(bundle, config.parts, mapper=mapper, side=config.side)
    directions = {edit.target: editor.direction(edit) for edit in config.edits}
    if len(directions) < len(config.edits):
        raise UserError("two edits have the same target; directions are known by their targets")
    tasks = [(format, part) for part in parts for format in config.formats]
    written: list[Path] = []
    for done, (format, part) in enumerate(tasks):
        yield ExportRecord(done, len(tasks) + 1, f"{part.name} ({format})", tuple(written))
        written += _save_part(folder, part, format, config.half)
    yield ExportRecord(len(tasks), len(tasks) + 1, "data", tuple(written))
    written += _save_data(folder, editor, {name: found.ds for name, found in directions.items()})
    written.append(_save_description(folder, editor, parts, config))
    if "onnx" in config.formats and {"mapping", "affine", "synthesis"} <= {part.name for part in parts}:
        runner = Path(__file__).with_name("runner.py").read_bytes()
        write_atomic(folder / RUNNER, runner)
        written.append(folder / RUNNER)
    yield ExportRecord(len(tasks) + 1, len(tasks) + 1, "done", tuple(written))


def _save_part(folder: Path, part: ExportedPart, format: str, half: bool) -> list[Path]:
    if format == "onnx":
        path = folder / "onnx" / f"{part.name}.onnx"
        traced = trace_legacy(part.layer, part.inputs)
        about = {"part": part.name, "description": part.description, "version": __version__}
        write_atomic(path, to_onnx(traced, part.inputs, (part.output,), half=half, about=about))
        return [path]
    stem = folder / "paddle" / part.name
    check_writable(stem.parent)
    save_plain(part.layer, part.inputs, stem, legacy=format == "paddle-legacy")
    return sorted(path for path in stem.parent.glob(f"{part.name}.*") if path.suffix != ".draft")


def _save_data(folder: Path, editor: Editor, directions: Mapping[str, np.ndarray]) -> list[Path]:
    bundle = editor.bundle
    stats = editor.stats
    below, above = stats.sides()
    statistics = {
        "mean_w": editor.mean_w_plus()[:, 0],
        **{"mean": stats.mean, "std": stats.std, "below": below, "above": above},
    }
    paths = [
        _save_arrays(folder / "statistics.npz", statistics),
        _save_arrays(folder / "directions.npz", directions),
    ]
    relevance = _if_there(lambda: bundle.relevance)
    if relevance is not None:
        memory = io.BytesIO()
        np.save(memory, np.asarray(relevance.rows, np.float32))
        write_atomic(folder / "relevance.npy", memory.getvalue())
        paths.append(folder / "relevance.npy")
    return paths


def _if_there(load: Any) -> Any:
    """A part of a bundle; None where its file was never made."""
    try:
        return load()
    except MissingFile:
        return None


def _save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    memory = io.BytesIO()
    stored: dict[str, Any] = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    np.savez(memory, **stored)
    write_atomic(path, memory.getvalue())
    return path


def _save_description(
    folder: Path, editor: Editor, parts: Sequence[ExportedPart], config: ExportConfig
) -> Path:
    bundle = editor.bundle
    generator = bundle.generator
    described = {
        part.name: {
            "inputs": {
                name: {"shape": ["N" if side < 0 else side for side in shape], "dtype": dtype}
                for name, (shape, dtype) in part.inputs.items()
            },
            "output": part.output,
            "description": part.description,
        }
        for part in parts
    }
    model = {
        "name": bundle.name,
        "made_by": f"ppstyleclip {__version__}",
        "size": config.side or generator.size,
        "n_latent": generator.n_latent,
        "within": bundle.defaults.within,
        "style_dim": generator.style_dim,
        "truncation": bundle.defaults.truncation,
        "layout": bundle.layout.to_config(),
        "parts": described,
        "formats": list(config.formats),
        "directions": [_described(editor.resolve(edit)) for edit in config.edits],
        "fingerprints": bundle.fingerprints,
        "texts": Label().texts(),
    }
    path = folder / "model.json"
    write_atomic(path, json.dumps(model, indent=1, ensure_ascii=False).encode())
    return path


def _described(edit: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(edit).items() if value is not None}
