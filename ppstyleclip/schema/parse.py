# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""JSON and YAML to plain values, in bounded time and memory, whoever wrote them.

Both are stricter than their parsers: a name may stand once, NaN and infinity are no numbers, a number has few
digits, values are nested a few levels deep. YAML has no aliases that unfold and no tags that make objects.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from ppstyleclip.errors import plain

MOST_JSON = 2**20  # bytes
MOST_YAML = 2**16  # bytes; PyYAML takes a second for ten times as much
MOST_DEPTH = 32  # lists and named values within each other
MOST_ITEMS = 200_000
MOST_ALIASES = 100
LONGEST_INT, LONGEST_FLOAT = 20, 100  # characters
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable(ValueError):
    """A text is not what may stand in a file; its message says why, without the file's name."""


def parse_json(data: bytes | str, *, most: int = MOST_JSON) -> Any:
    """Read JSON.

    Args:
        data: UTF-8, or text.
        most: bytes or characters that there may be.
    Returns:
        dicts with text keys, lists, texts, whole numbers of at most 19 digits, finite floats, bools, None.
    Raises:
        Unreadable: it is no JSON, or more than is allowed.
    """
    text = _decoded(data, most)
    if text.count(",") >= MOST_ITEMS:
        raise Unreadable(f"it holds more than {MOST_ITEMS} values")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_doubles,
            parse_int=_whole_number,
            parse_float=_finite_number,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise Unreadable(_too_deep()) from None
    except Unreadable:
        raise
    except ValueError as error:
        raise Unreadable(f"it is no JSON: {plain(error, 100)}") from None
    _check_depth(value)
    return value


def parse_yaml(data: bytes | str, *, most: int = MOST_YAML) -> Any:
    """Read plain values of YAML; all as parse_json, but that a key may be a number."""
    import yaml

    text = _decoded(data, most)
    try:
        value = yaml.load(text, Loader=_yaml_loader())  # noqa: S506  a SafeLoader that allows less
    except (RecursionError, MemoryError):
        raise Unreadable(_too_deep()) from None
    except Unreadable:
        raise
    except yaml.YAMLError as error:
        raise Unreadable(f"it is no YAML: {plain(' '.join(str(error).split()), 160)}") from None
    except (ValueError, TypeError, AttributeError, OverflowError, LookupError) as error:
        raise Unreadable(f"it is no YAML of plain values: {plain(error, 100)}") from None
    _check_depth(value)
    return value


def _decoded(data: bytes | str, most: int) -> str:
    if len(data) > most:
        raise Unreadable(f"it is {len(data)} bytes long, {most} are allowed")
    if isinstance(data, str):
        return data
    try:
        return bytes(data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is no text in UTF-8 (byte {error.start})") from None


def _too_deep() -> str:
    return f"its values are nested more than {MOST_DEPTH} deep"


def _check_depth(value: Any) -> None:
    """Refuse deep nesting, too many values (aliases counted as often as they stand) and half letters."""
    level, seen = [value], 0
    for _ in range(MOST_DEPTH + 1):
        inner: list = []
        for item in level:
            if isinstance(item, str) and _SURROGATE.search(item):
                raise Unreadable("a text in it has half a letter (a lone surrogate)")
            if isinstance(item, dict):
                inner += item
                inner += item.values()
            elif isinstance(item, (list, tuple, set)):
                inner += item
        seen += len(inner)
        if seen > 2 * MOST_ITEMS:
            raise Unreadable(f"it holds more than {MOST_ITEMS} values")
        if not inner:
            return
        level = inner
    raise Unreadable(_too_deep())


def _without_doubles(pairs: list) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        left = dict.fromkeys(found, 1)
        twice = next(name for name, _ in pairs if left.pop(name, None) is None)
        raise Unreadable(f"it names '{plain(twice)}' twice")
    return found


def _whole_number(text: str) -> int:
    if len(text) > LONGEST_INT:  # long ones take quadratic time
        raise Unreadable(f"it has an impossible number, of {len(text)} characters")
    return int(text)


def _finite_number(text: str) -> float:
    number = float(text) if len(text) <= LONGEST_FLOAT else math.inf
    if not math.isfinite(number):
        raise Unreadable(f"it has an impossible number, {plain(text, 40)}")
    return number


def _no_number(text: str) -> Any:
    raise Unreadable(f"it has {text}, which is no number")


_loader = None


def _yaml_loader() -> Any:
    """The class of the loader; made when first asked for, so that importing this imports no yaml."""
    global _loader
    if _loader is None:
        _loader = _make_yaml_loader()
    return _loader


def _make_yaml_loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        """SafeLoader with bounds; what it composes is judged before anything is constructed of it."""

        def __init__(self, text):
            super().__init__(text)
            self.depth, self.count, self.aliases = 0, 0, 0

        def compose_node(self, parent, index):
            self.depth, self.count = self.depth + 1, self.count + 1
            if self.depth > MOST_DEPTH:
                raise Unreadable(_too_deep())
            if self.check_event(yaml.AliasEvent):
                self.aliases += 1
                if self.aliases > MOST_ALIASES:
                    raise Unreadable(f"it has more than {MOST_ALIASES} aliases")
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node, deep=False):
            if isinstance(node, yaml.MappingNode):
                keys = [key for key, _ in node.value]
                if any(key.tag == "tag:yaml.org,2002:merge" for key in keys):  # merges of merges explode
                    raise Unreadable("it has a merge key (<<); write its values out")
                _without_doubles([(self.construct_object(key, deep=True), None) for key in keys])
            return super().construct_mapping(node, deep=deep)

        def construct_whole(self, node):
            if len(node.value) > LONGEST_INT:
                raise Unreadable(f"it has an impossible number, of {len(node.value)} characters")
            number = self.construct_yaml_int(node)
            if abs(number) >= 10**LONGEST_INT:
                raise Unreadable("it has an impossible number")
            return number

        def construct_finite(self, node):
            number = self.construct_yaml_float(node) if len(node.value) <= LONGEST_FLOAT else math.inf
            if not math.isfinite(number):
                raise Unreadable(f"it has an impossible number, {plain(node.value, 40)}")
            return number

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_whole)
    Loader.add_constructor("tag:yaml.org,2002:float", Loader.construct_finite)
    return Loader
