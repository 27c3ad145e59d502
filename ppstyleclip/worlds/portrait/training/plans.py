# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What stands on the fits' command lines: a plan, a dataclass of numbers with defaults, changed by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from ppstyleclip.cli.argument_types import Number, Whole
from ppstyleclip.errors import UserError, shown
from ppstyleclip.files import check_target, check_writable
from ppstyleclip.schema import Between, Plain, from_json, from_value

THREADS = Whole(1, 1024)
LIMIT = Whole(1, 10**9)  # pictures of a fit
LASTING = Number(0, 1e9)  # minutes of a fit, or seconds from one report to the next
RATE = Number(1e-12, 1e6)
Rate = Annotated[float, Between(1e-12, 1e6)]  # of learning; 0 would learn nothing
Weight = Annotated[float, Between(0, 1e6)]  # of a loss


def changed_plan(kind: Any, pairs: Iterable[str], changes: Mapping[str, Any] | None = None) -> Any:
    """A plan of a kind, changed by texts NAME=VALUE.

    Args:
        kind: dataclass whose annotations say what each value may be.
        pairs: the texts.
        changes: values by name in place of the kind's own.
    Raises:
        UserError: a text is no pair, a name is unknown, or a value cannot be.
    """
    types = {field.name: type(field.default) for field in fields(kind)}
    given = {name: _read(types.get(name, str), text) for name, text in named_texts(pairs).items()}
    return from_value(kind, {**(changes or {}), **given}, "--set")


def named_texts(pairs: Iterable[str]) -> dict[str, str]:
    """`{name: text}` of texts NAME=VALUE.

    Raises:
        UserError: one has no "=".
    """
    found = {}
    for pair in pairs:
        name, sign, found[name] = pair.partition("=")
        if not sign:
            raise UserError(f"--set takes NAME=VALUE, such as steps=100, got {shown(pair)}")
    return found


def _read(kind, text):
    """The number in a text; what is none stays, to be refused by its name."""
    try:
        return kind(text)
    except ValueError:
        return text


def network_config(kind: Any, text: str, known: Collection[str], **fixed: Any) -> dict[str, Any]:
    """The config of a network out of a plan's JSON.

    Args:
        kind: of models/configs.py, which it has to be of.
        text: the JSON.
        known: names that it has to have, and no others.
        fixed: what else belongs to the config, and nobody chooses.
    Raises:
        UserError: it is none, or has other names.
    """
    given = from_json(dict[str, Plain], text, "--set", field="config")
    if set(given) != set(known):
        raise UserError(f"--set: config has {', '.join(given) or 'nothing'}; needed: {', '.join(known)}")
    from_value(kind, {**given, **fixed}, "--set", field="config")
    return {**given, **fixed}


def check_output(path: str | Path) -> None:
    """Prove that a file can be written, before hours are spent on it.

    Raises:
        CannotWrite: it cannot.
    """
    check_writable(check_target(path).parent)
