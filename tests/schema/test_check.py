# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The checker: what a schema takes becomes its value, anything else a line: file, field, got, allowed."""

# No `from __future__ import annotations`: the annotations are read by the checker, on Python 3.9 too.
import json
from dataclasses import dataclass, field
from typing import Annotated, Optional, Union

import numpy as np
import pytest
from hostile_values import DEEP, NO_FLAG, NO_LINE, NO_MARK, NO_NAME, NO_NUMBER, cases, changed, refused

from ppstyleclip.errors import UserError
from ppstyleclip.schema import (
    Between,
    Count,
    Finite,
    Line,
    Mark,
    Name,
    OneOf,
    Open,
    Plain,
    Size,
    check_fields,
    from_json,
    from_metadata,
    from_value,
    from_yaml,
)


@dataclass(frozen=True)
class Inner:
    """A schema in a schema."""

    rate: Annotated[float, Between(0, 1, below=True)]


@dataclass(frozen=True)
class Words:
    """Every kind of field."""

    name: Name
    count: Count
    number: Finite
    flag: bool
    line: Line
    mark: Mark
    word: Annotated[str, OneOf(("one", "two"))]
    inner: Inner
    items: Annotated[tuple[Inner, ...], Size(1, 3)]
    table: dict[str, Annotated[int, Between(0, 9)]]
    either: Union[Annotated[int, Between(1, 9)], Annotated[tuple[int, ...], Size(2, 2)]]
    maybe: Optional[int] = None
    free: Plain = None
    made: dict[str, int] = field(default_factory=dict)


VALID = {
    "name": "a model (2)",
    "count": 3,
    "number": -0.5,
    "flag": True,
    "line": "words, and more",
    "mark": "0" * 16,
    "word": "one",
    "inner": {"rate": 0.5},
    "items": [{"rate": 0}, {"rate": 0.25}],
    "table": {"a": 9},
    "either": [1, 2],
}
BAD = {
    "name": NO_NAME,
    "count": [-1, 2**31, 1.0, "3", True, None, [], {}],
    "number": [1e31, *NO_NUMBER],
    "flag": NO_FLAG,
    "line": NO_LINE,
    "mark": NO_MARK,
    "word": ["three", "ONE", "", 1, None, ["one"]],
    "inner": [None, [], "x", 3, {}, {"rate": 1}, {"rate": 0.5, "more": 1}, DEEP],
    "inner.rate": [1, -1e-9, "0.5", None, [0.5], {}],
    "items": [[], [{"rate": 0}] * 4, {"rate": 0}, "abc", 3, None, [None], [[]], [{"rate": 0}, {}]],
    "items.1.rate": [2, None, "x"],
    "table": [[], "a", 3, None, {"a": 10}, {"a": "1"}, {"a": None}, {"a": {"b": 1}}],
    "either": [0, 10, "1", [1], [1, 2, 3], ["a", 2], None, {}],
    "maybe": ["3", 1.5, [], {}],
    "made": [[], {"a": 1.5}],
}


@pytest.mark.parametrize("name, value", cases(BAD))
def test_a_wrong_value_is_one_line(name, value):
    line = refused(from_value, Words, changed(VALID, name, value), "f.json", field=name.partition(".")[0])
    assert line.startswith("f.json: ") and ("allowed: " in line or "needed: " in line or "known: " in line)


@pytest.mark.parametrize("name", VALID)
def test_a_missing_value_is_one_line(name):
    value = {key: inner for key, inner in VALID.items() if key != name}
    line = refused(from_value, Words, value, "f.json")
    assert line.startswith(f"f.json: {name} is missing; needed: ")


@pytest.mark.parametrize("value", [None, [], "x", 3, True, DEEP, [VALID], {1: 2}])
def test_what_is_no_named_values_is_one_line(value):
    refused(from_value, Words, value, "f.json", field="its content")


def test_what_fits_becomes_the_schemas_value():
    made = from_value(Words, VALID, "f.json")
    assert made.items == (Inner(0.0), Inner(0.25)) and made.either == (1, 2) and made.table == {"a": 9}
    assert type(made.inner.rate) is float and type(made.items[0].rate) is float
    assert from_json(Words, json.dumps(VALID), "f.json") == made == from_yaml(Words, json.dumps(VALID), "f")


def test_lines_say_file_field_value_and_what_is_allowed():
    def line(name, value):
        return refused(from_value, Words, changed(VALID, name, value), "f.json")

    assert line("count", -3) == "f.json: count is -3; allowed: a whole number from 0 to 2147483647"
    assert line("items.1.rate", "x") == "f.json: items[1].rate is 'x'; allowed: a number from 0 to below 1"
    assert line("word", "three") == "f.json: word is 'three'; allowed: a text out of one, two"
    assert line("flag", 1) == "f.json: flag is 1; allowed: true or false"
    assert line("either", [1]) == (
        "f.json: either is [1]; allowed: a whole number from 1 to 9 or a list of 2"
    )
    assert line("inner", {"rate": 0, "\x1b[2J": 1}) == "f.json: inner.\\x1b[2J is unknown; known: rate"


def test_unknown_names_pass_where_a_schema_is_open():
    @dataclass(frozen=True)
    class Some(Open):
        a: int = 0

    assert from_value(Some, {"a": 1, "b": DEEP}, "f") == Some(1)
    assert from_metadata(Some, {"a": "7", "b": "{"}, "f") == Some(7)


def test_metadata_are_texts_or_json():
    @dataclass(frozen=True)
    class Some(Open):
        name: Optional[Name] = None
        count: Count = 0
        inner: Optional[Inner] = None

    made = from_metadata(Some, {"name": "12", "count": "12", "inner": '{"rate": 0}'}, "f")
    assert made == Some("12", 12, Inner(0.0))
    for metadata in (
        {"name": "a/b"},
        {"count": "x"},
        {"count": "1e999"},
        {"inner": "[" * 99_999},
        {"inner": ""},
    ):
        refused(from_metadata, Some, metadata, "f", field=next(iter(metadata)))


def test_a_dataclass_checks_its_own_fields():
    check_fields(Inner(0.5))
    check_fields(Inner(np.float32(0.5)))
    for rate in (1, -1, float("nan"), float("inf"), "x", None, True, np.float64("nan"), 10**400):
        with pytest.raises(UserError, match="rate must be a number from 0 to below 1, got "):
            check_fields(Inner(rate))
