# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What may stand in a file: every value that is read out of JSON, YAML or metadata goes through here.

A schema is a frozen dataclass whose annotations say what each field takes:

    @dataclass(frozen=True)
    class Words:
        name: Name
        steps: Annotated[int, Between(1, 10**9)] = 300
        layout: Optional[Layout] = None

    words = from_json(Words, text, path)

    parse.py    text to plain values: bounded size, depth and numbers, no name twice, no NaN or infinity
    kinds.py    the bounds of a field, and the common kinds: Name, Line, Mark, Count, ...
    check.py    plain values to a schema, or one line: file, field, what was got, what is allowed
"""

from __future__ import annotations

from ppstyleclip.schema.check import (
    check_fields,
    field_kinds,
    from_json,
    from_metadata,
    from_value,
    from_yaml,
    parsed_metadata,
)
from ppstyleclip.schema.kinds import (
    Between,
    Count,
    Finite,
    Like,
    Line,
    Mark,
    Name,
    OneOf,
    Open,
    Plain,
    Positive,
    Ratio,
    Seed,
    Size,
    check_name,
    is_name,
    name_of,
)
from ppstyleclip.schema.parse import MOST_JSON, MOST_YAML, Unreadable, parse_json, parse_yaml

__all__ = [
    "Between",
    "Count",
    "Finite",
    "Like",
    "Line",
    "MOST_JSON",
    "MOST_YAML",
    "Mark",
    "Name",
    "OneOf",
    "Open",
    "Plain",
    "Positive",
    "Ratio",
    "Seed",
    "Size",
    "Unreadable",
    "check_fields",
    "check_name",
    "field_kinds",
    "from_json",
    "from_metadata",
    "from_value",
    "from_yaml",
    "is_name",
    "name_of",
    "parse_json",
    "parse_yaml",
    "parsed_metadata",
]
