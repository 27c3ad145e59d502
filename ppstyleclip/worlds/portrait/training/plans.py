# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A fit's plan, a dataclass of numbers with defaults, changed on the command line."""

from __future__ import annotations

from dataclasses import fields


def changed_plan(parser, kind, pairs, changes=None):
    """A plan of a kind, changed by texts NAME=VALUE; the parser ends the command at an unknown name.

    `changes` are values by name in place of the kind's own.
    """
    kinds = {field.name: type(field.default) for field in fields(kind)}
    given = dict(pair.split("=", 1) for pair in pairs)
    unknown = sorted(set(given) - set(kinds))
    if unknown:
        parser.error(f"the plan has no {', '.join(unknown)}; it has {', '.join(kinds)}")
    return kind(**{**(changes or {}), **{name: kinds[name](value) for name, value in given.items()}})
