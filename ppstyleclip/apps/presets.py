# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Settings by name: the YAML files that come with the package, or one of the user's."""

from __future__ import annotations

from pathlib import Path

import yaml

from ppstyleclip.errors import UserError
from ppstyleclip.files import read_file

_HOME = Path(__file__).parents[1] / "presets"


def known_presets(method: str) -> tuple:
    """Names of the presets of a method, "optimize" or "mapper"."""
    return tuple(sorted(path.stem for path in (_HOME / method).glob("*.yaml")))


def read_preset(method: str, preset: str, build):
    """Read a preset and build settings of it.

    Args:
        method: as for known_presets.
        preset: a name of known_presets, or the path of a file of the same form.
        build: function of the file's dict.
    Returns:
        what build gives.
    Raises:
        MissingFile: there is no such file.
        UserError: an unknown name, or a file of which build cannot make settings.
    """
    known = known_presets(method)
    path = _HOME / method / f"{preset}.yaml" if preset in known else Path(preset)
    if preset not in known and not path.suffix:
        raise UserError(
            f"unknown preset '{preset}', known: {', '.join(known)}; or give a file of settings (YAML)"
        )
    try:
        return build(yaml.safe_load(read_file(path)) or {})
    except (yaml.YAMLError, TypeError, AttributeError) as error:
        raise UserError(f"{path} holds no settings: {' '.join(str(error).split())[:160]}") from None


def given(changes: dict) -> dict:
    """Those of some options that were given: not None."""
    return {name: value for name, value in changes.items() if value is not None}
