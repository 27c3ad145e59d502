# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Generator families by name: how each is built from its configuration and how weights are loaded into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from ..errors import UserError, shown
from .generator import Generator
from .state import load_state
from .stylegan2.generator import FAMILY as STYLEGAN2
from .stylegan2.generator import build_generator as build_stylegan2
from .stylegan2.state import load_generator_state
from .stylegan3.generator import FAMILY as STYLEGAN3
from .stylegan3.generator import build_generator as build_stylegan3
from .stylegan3.state import load_generator_state as load_stylegan3_state

DEFAULT_FAMILY = STYLEGAN2  # of configurations that name none: files of earlier versions, and foreign ones


@dataclass(frozen=True)
class Family:
    """How generators of a family come to be.

    Attributes:
        name: what `config()["family"]` says.
        build: makes the network, with random weights, from what its `config()` returns.
        load_state: loads a state dict `{key: array}` into it, strictly (ValueError), all or nothing.
    """

    name: str
    build: Callable[[Mapping[str, Any]], Generator]
    load_state: Callable[[Any, Mapping[str, Any]], None]


_FAMILIES: dict[str, Family] = {}


def register_family(
    name: str,
    build: Callable[[Mapping[str, Any]], Generator],
    load_state: Callable[[Any, Mapping[str, Any]], None] | None = None,
) -> None:
    """Make a generator family known by its name; an earlier one of that name is replaced.

    Args:
        name: what the generators' `family` and `config()["family"]` say.
        build: function of that configuration; gives a Generator.
        load_state: function of a generator and a state dict; None loads the keys that the network has.
    """
    _FAMILIES[name] = Family(name, build, load_state or _load_own_keys(name))


def known_families() -> tuple[str, ...]:
    """Names of the families that build_generator knows."""
    return tuple(_FAMILIES)


def family_of(config: Mapping[str, Any]) -> Family:
    """The family of a generator's configuration.

    Raises:
        UserError: it is not known; lists those that are.
    """
    if not isinstance(config, Mapping):
        raise UserError(f"a generator's config is {shown(config)}; allowed: named values")
    name = config.get("family", DEFAULT_FAMILY)
    if not isinstance(name, str) or name not in _FAMILIES:
        raise UserError(
            f"unknown generator family {shown(name)}, known: {', '.join(known_families())}; import the "
            "module that registers it first"
        )
    return _FAMILIES[name]


def build_generator(config: Mapping[str, Any]) -> Generator:
    """Build a generator, with random weights, from what its `config()` returned.

    Raises:
        UserError: the family is not known.
        ValueError: a number that the family cannot build.
    """
    return family_of(config).build(config)


def _load_own_keys(name: str) -> Callable[[Any, Mapping[str, Any]], None]:
    return lambda generator, state: load_state(generator, state, f"{name} generator")


register_family(STYLEGAN2, build_stylegan2, load_generator_state)
register_family(STYLEGAN3, build_stylegan3, load_stylegan3_state)
