# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Plain values against the annotations of a schema: its value, or one line on the first that is wrong."""

from __future__ import annotations

import collections.abc
import dataclasses
import math
import numbers
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ppstyleclip.errors import UserError, plain, shown
from ppstyleclip.schema.kinds import Open
from ppstyleclip.schema.parse import MOST_JSON, Unreadable, parse_json, parse_yaml

Schema = TypeVar("Schema")
_MISSING = dataclasses.MISSING
_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "nothing",
}


class _Unfit(Exception):
    """A value that is not of its kind: where it is, what it is, and in words what may be there."""

    def __init__(self, field: str, got: str, allowed: str, *, verb: str = "allowed"):
        super().__init__(field, got, allowed, verb)
        self.field, self.got, self.allowed, self.verb = field, got, allowed, verb

    def line(self) -> str:
        """Field, what was got, what is allowed."""
        return f"{plain(self.field, 200)} is {self.got}; {self.verb}: {plain(self.allowed, 400)}"


class _Refused(Exception):
    """What the __post_init__ of a schema refused."""

    def line(self) -> str:
        """Field and reason."""
        return str(self)


def from_value(kind: Any, value: Any, where: Any, *, field: str = "its content") -> Any:
    """Check a plain value, and make what its kind says: dataclasses of dicts, tuples of lists.

    Args:
        kind: a schema, or any kind of kinds.py.
        value: plain values, as the parsers give them.
        where: the file, for the message.
        field: what the value is called in the message.
    Raises:
        UserError: it is not of the kind; one line.
    """
    try:
        return _checked(kind, value, field)
    except (_Unfit, _Refused) as error:
        raise UserError(f"{where}: {error.line()}") from None


def from_json(
    kind: Any, data: bytes | str, where: Any, *, field: str = "its content", most: int = MOST_JSON
) -> Any:
    """Read JSON as a kind; arguments and errors as from_value's, `most` as parse_json's."""
    return from_value(kind, _parsed(parse_json, data, where, field, most=most), where, field=field)


def from_yaml(kind: Any, data: bytes | str, where: Any, *, field: str = "its content") -> Any:
    """Read YAML as a kind; arguments and errors as from_value's."""
    return from_value(kind, _parsed(parse_yaml, data, where, field), where, field=field)


def _parsed(parse: Any, data: bytes | str, where: Any, field: str, **limits: int) -> Any:
    try:
        return parse(data, **limits)
    except Unreadable as error:
        raise UserError(f"{where}: {field} cannot be read: {error}") from None


def from_metadata(kind: type[Schema], metadata: Mapping[str, str], where: Any) -> Schema:
    """Read the metadata of a file: texts as they are, everything else as JSON; what has no field is left out.

    Args:
        kind: a schema.
        metadata: `{name: text}`.
        where: the file, for the message.
    Raises:
        UserError: a value is missing, no JSON, or not of its kind; one line.
    """
    return from_value(kind, parsed_metadata(kind, metadata, where), where, field="its metadata")


def parsed_metadata(kind: Any, metadata: Mapping[str, str], where: Any) -> dict[str, Any]:
    """The plain values of those names in the metadata that a schema has; errors as from_metadata."""
    found: dict[str, Any] = {}
    for name, inner in _hints(kind).items():
        if name in metadata:
            is_text = _base(inner) is str
            found[name] = metadata[name] if is_text else _parsed(parse_json, metadata[name], where, name)
    return found


def check_fields(value: Any) -> None:
    """Check the fields of a dataclass's instance by its annotations, as its __post_init__ may ask.

    Raises:
        UserError: names the field, what was got and what is allowed.
    """
    schema: Any = type(value)
    for name, kind in _hints(schema).items():
        got = getattr(value, name)
        base: Any = _base(kind)
        try:
            if not (dataclasses.is_dataclass(base) and type(got) is base):
                _checked(kind, got, name)
        except _Unfit as unfit:
            allowed = plain(unfit.allowed, 400)
            raise UserError(f"{plain(unfit.field, 200)} must be {allowed}, got {unfit.got}") from None


def _checked(kind: Any, value: Any, field: str) -> Any:
    base, limits = _split(kind)
    origin = get_origin(base)
    if base is Any:
        return value
    if origin is Union:
        return _checked_union(get_args(base), value, field)
    if dataclasses.is_dataclass(base):
        return _checked_schema(base, value, field)
    if not _is_of_type(base, origin, value) or not all(limit.accepts(value) for limit in limits):
        raise _Unfit(field, shown(value), words_of(kind))
    if origin in (tuple, list):
        inner = get_args(base)[0]
        return tuple(_checked(inner, item, f"{field}[{n}]") for n, item in enumerate(value))
    if origin in _MAPPINGS:
        inner = get_args(base)[1]
        return {name: _checked(inner, item, f"{field}.{plain(name)}") for name, item in value.items()}
    return float(value) if base is float else value


_MAPPINGS = (dict, collections.abc.Mapping)


def _split(kind: Any) -> tuple[Any, tuple]:
    """A kind without its bounds, and the bounds; those of a kind in a kind come along."""
    if get_origin(kind) is not Annotated:
        return kind, ()
    base, *limits = get_args(kind)
    return base, tuple(limit for limit in limits if limit is not None)


def _base(kind: Any) -> Any:
    """The type of a kind, without bounds; of one that may be nothing, the type that it has else."""
    base, _ = _split(kind)
    if get_origin(base) is Union:
        rest = [one for one in get_args(base) if one is not type(None)]
        return _base(rest[0]) if len(rest) == 1 else base
    return base


def _is_of_type(base: Any, origin: Any, value: Any) -> bool:
    if base is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool) and _is_finite(value)
    if base is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if origin in (tuple, list):
        return isinstance(value, (list, tuple))
    if origin in _MAPPINGS:
        return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
    return isinstance(value, base)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _checked_union(kinds: tuple, value: Any, field: str) -> Any:
    rest = [kind for kind in kinds if kind is not type(None)]
    if value is None and len(rest) < len(kinds):
        return None
    failures = []
    for kind in rest:
        try:
            return _checked(kind, value, field)
        except _Unfit as unfit:
            failures.append(unfit)
    deepest = max(failures, key=lambda unfit: len(unfit.field))
    if len(failures) == 1 or deepest.field != field:
        raise deepest
    raise _Unfit(field, shown(value), " or ".join(words_of(kind) for kind in rest))


def _checked_schema(kind: Any, value: Any, field: str) -> Any:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _Unfit(field, shown(value), words_of(kind))
    hints, found = _hints(kind), {}
    inside = "" if field in _WHOLE else f"{field}."
    unknown = [name for name in value if name not in hints]
    if unknown and not issubclass(kind, Open):
        raise _Unfit(f"{inside}{unknown[0]}", "unknown", ", ".join(hints), verb="known")
    for name, inner in hints.items():
        if name in value:
            found[name] = _checked(inner, value[name], f"{inside}{name}")
        elif _is_needed(kind, name):
            raise _Unfit(f"{inside}{name}", "missing", words_of(inner), verb="needed")
    try:
        return kind(**found)
    except (ValueError, TypeError) as error:
        raise _Refused(f"{field}: {error}") from None


_WHOLE = ("its content", "its metadata")


@lru_cache(maxsize=256)
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}


def field_kinds(kind: Any) -> dict[str, Any]:
    """The kinds of the fields of a schema, `{name: kind}`."""
    return dict(_hints(kind))


@lru_cache(maxsize=1024)
def _is_needed(kind: Any, name: str) -> bool:
    field = next(field for field in dataclasses.fields(kind) if field.name == name)
    return field.default is _MISSING and field.default_factory is _MISSING


def words_of(kind: Any) -> str:
    """What a kind allows, in words, such as "a whole number from 1 to 9"."""
    base, limits = _split(kind)
    origin = get_origin(base)
    if origin is Union:
        return " or ".join(words_of(one) for one in get_args(base))
    if origin in (tuple, list):
        word = "a list"
    elif origin in _MAPPINGS or dataclasses.is_dataclass(base):
        word = "named values"
    else:
        word = _WORDS.get(base, "a value")
    return " ".join([word, *(limit.words for limit in limits)])
