# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Configurations by name: the YAML files that come with the package, or one of the user's.

A file has the fields of its configuration; those of a part of it stand under the part's name or by
themselves. Files with the names that fields had before 0.2 are read as well: see OLD_NAMES.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Optional

from ppstyleclip.errors import UserError, plain
from ppstyleclip.files import read_file
from ppstyleclip.methods.mapper import TrainingConfig
from ppstyleclip.methods.optimization import OptimizationConfig
from ppstyleclip.schema import (
    MOST_YAML,
    Between,
    Count,
    Plain,
    check_fields,
    field_kinds,
    from_value,
    from_yaml,
)

_HOME = Path(__file__).parents[1] / "presets"
# Names before 0.2; `every` of a mapper's file is another field than that of an optimisation's.
_OLD_OBJECTIVE = {
    "views": "crops",
    "reach": "margin",
    "toward": "directional_strength",
    "l2_over": "l2_reduction",
}
OLD_NAMES = {
    "optimize": {
        **_OLD_OBJECTIVE,
        "rate": "learning_rate",
        "up": "rampup",
        "down": "rampdown",
        "every": "step_size",
        "factor": "gamma",
        "nearby": "neighbours",
        "spread": "neighbour_std",
    },
    "mapper": {
        **_OLD_OBJECTIVE,
        "rate": "learning_rate",
        "optimiser": "optimizer",
        "every": "validate_every",
        "mixed": "mixed_precision",
        "held_out_faces": "val_faces",
    },
}
_OLD_SCHEDULES = {"ramped": "rampup_cosine", "stepped": "step_lr"}
_WEIGHTS = ("clip", "l2", "identity")  # may stand by themselves, outside of `weights`


@dataclass(frozen=True)
class RunConfig:
    """What a training's command does beside the training itself.

    Attributes:
        train_faces, val_faces: how many latents to train and to validate on, at most.
        pictures_every, save_every, board_every: steps from one to the next; 0 for never.
    """

    train_faces: Annotated[int, Between(1, 10**7)] = 5000
    val_faces: Annotated[int, Between(0, 10**7)] = 1000
    pictures_every: Count = 100
    save_every: Count = 2000
    board_every: Count = 50

    def __post_init__(self) -> None:
        check_fields(self)


def known_presets(method: str) -> tuple[str, ...]:
    """Names of the presets of a method, "optimize" or "mapper"."""
    return tuple(sorted(path.stem for path in (_HOME / method).glob("*.yaml")))


def read_optimization_preset(preset: str, **changes: Any) -> OptimizationConfig:
    """Read how latents are optimised from a preset, and change some of it.

    Args:
        preset: a name of known_presets("optimize"), or the path of a file of the same form.
        changes: fields that replace the preset's, `l2=0.1` and `crops=3` among them; None keeps the preset's.
    Raises:
        MissingFile: there is no such file.
        UserError: an unknown name, a file that holds no configuration, or a value that cannot be.
    """
    words = _read_words("optimize", preset, OptimizationConfig())
    _replaced_of(preset, OptimizationConfig(), words)
    return _replaced(OptimizationConfig(), _merged(words, _nested(OptimizationConfig(), changes)))


def read_training_preset(
    preset: str, changes: Mapping[str, Any] | None = None, run_changes: Mapping[str, Any] | None = None
) -> tuple[TrainingConfig, RunConfig]:
    """Read how a mapper is trained from a preset, and change some of it.

    Args:
        preset: a name of known_presets("mapper"), or the path of a file of the same form.
        changes, run_changes: fields that replace the preset's; None keeps the preset's.
    Raises:
        MissingFile, UserError: as read_optimization_preset.
    """
    words = _read_words("mapper", preset, TrainingConfig(), RunConfig())
    run = words.pop("run", {})
    for config, own in ((TrainingConfig(), words), (RunConfig(), run)):
        _replaced_of(preset, config, own)
    run = _merged(run, _given(run_changes or {}))
    words = _merged(words, _nested(TrainingConfig(), changes or {}))
    return _replaced(TrainingConfig(), words), _replaced(RunConfig(), run)


def current_names(method: str, words: Mapping[str, Any]) -> dict:
    """Named values of a file or of an old state with the names that fields have now."""
    names = OLD_NAMES[method]
    found = {names.get(name, name): value for name, value in words.items()}
    if isinstance(found.get("schedule"), str):
        found["schedule"] = _OLD_SCHEDULES.get(found["schedule"], found["schedule"])
    return found


def _read_words(method: str, preset: str, config: Any, run: Any = None) -> dict:
    """What a preset's file says, in the form of the configuration, each value of the right kind."""
    known = known_presets(method)
    path = _HOME / method / f"{preset}.yaml" if preset in known else Path(preset)
    if preset not in known and not path.suffix:
        raise UserError(
            f"unknown preset '{preset}', known: {', '.join(known)}; or give a file of settings (YAML)"
        )
    where, named_values = f"{path} holds no settings", dict[str, Plain]
    words = from_yaml(Optional[named_values], read_file(path, MOST_YAML), where) or {}
    words = current_names(method, words)
    own = (
        from_value(Optional[named_values], words.pop("run", None) if run else None, where, field="run") or {}
    )
    own = current_names(method, own)
    try:
        words = _nested(config, words)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    _check_kinds(config, words, where)
    _check_kinds(run, own, where)
    return {**words, "run": own} if run else words


def _replaced_of(preset: str, config: Any, words: Mapping[str, Any]) -> None:
    """See that a preset's own values go together, before others take their places."""
    try:
        _replaced(config, words)
    except UserError as error:
        raise UserError(f"{preset}: {error}") from None


def _given(changes: Mapping[str, Any]) -> dict:
    return {name: value for name, value in changes.items() if value is not None}


def _nested(config: Any, words: Mapping[str, Any]) -> dict:
    """Put each value under the part of the configuration that has it."""
    found: dict = {}
    for name, value in _given(words).items():
        for part in _path_of(config, name):
            value = {part: value}
        found = _merged(found, value)
    return found


def _path_of(config: Any, name: str) -> list[str]:
    """Where a field is, from the inside out, such as ["crops", "objective"].

    Raises:
        UserError: there is no such field.
    """
    if name in _WEIGHTS:
        return [name, "weights", "objective"]
    values = _fields(config)
    if name in values:
        return [name]
    for part, inner in values.items():
        if dataclasses.is_dataclass(inner) and name in _fields(inner):
            return [name, part]
    inner_names = [
        name for inner in values.values() if dataclasses.is_dataclass(inner) for name in _fields(inner)
    ]
    raise UserError(f"unknown '{plain(name)}', known: {', '.join([*values, *inner_names])}")


def _fields(config: Any) -> dict:
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}


def _check_kinds(config: Any, words: Mapping[str, Any], where: str) -> None:
    """Refuse a value that the configuration's field of that name does not take."""
    if config is None:
        return
    kinds = field_kinds(type(config))
    for name, value in words.items():
        if name not in kinds:
            raise UserError(f"{where}: unknown '{plain(name)}', known: {', '.join(kinds)}")
        if dataclasses.is_dataclass(usual := getattr(config, name)):
            _check_kinds(usual, from_value(dict[str, Plain], value, where, field=name), where)
        else:
            from_value(kinds[name], value, where, field=name)


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict:
    """Both, the other's values where both have one; what is nested is merged as well."""
    found = dict(one)
    for name, value in other.items():
        is_nested = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = _merged(found[name], value) if is_nested else value
    return found


def _replaced(config: Any, words: Mapping[str, Any]) -> Any:
    """A configuration with other values for some fields; weights that are not named stay."""
    changes = {}
    for name, value in words.items():
        usual = getattr(config, name)
        if dataclasses.is_dataclass(usual):
            value = _replaced(usual, value)
        elif isinstance(usual, dict):
            value = {**usual, **value}
        changes[name] = value
    return dataclasses.replace(config, **changes)
