# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What stands for the objects of a pickle while it is read, and how plain values are made of it in the end.

Nothing here imports or calls what a file names. A name is answered by a Global out of a table, an object of a
class by an Instance that keeps its state, and `plain` turns both into dicts, lists, arrays, ... once the
pickle has ended. A Budget bounds what all of it may cost by the size of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np

from ppstyleclip.errors import UserError

MAX_STEPS = 500_000  # opcodes; a generator takes about 5,000, a training checkpoint of an encoder 60,000
MAX_DEPTH = 64


class RefusedPickle(UserError):
    """The file asks for something that weights have no need of."""


class Budget:
    """What reading one file may still cost: bytes that are copied or claimed, and opcodes of its pickles.

    Args:
        size: bytes of the file. Four times that many, and one MiB, may be claimed: bfloat16 widens to twice
            its size, and tensors may share their numbers, but not without an end.
    """

    def __init__(self, size: int):
        self.bytes = 4 * size + 2**20
        self.steps = MAX_STEPS

    def spend(self, count: int) -> None:
        """Pay for `count` bytes."""
        self.bytes -= count
        if self.bytes < 0:
            raise RefusedPickle("it unpacks to far more bytes than the file holds")

    def spend_items(self, count: int) -> None:
        """Pay for a copy of `count` entries of a container; in a file an entry takes some bytes at least."""
        self.spend(16 * count)

    def step(self) -> None:
        """Pay for one opcode."""
        self.steps -= 1
        if self.steps < 0:
            raise RefusedPickle(f"it has more than {MAX_STEPS:,} steps")


@dataclass(frozen=True)
class Global:
    """A name that a pickle may use.

    Attributes:
        name: as messages say it.
        build: answers when the name is called (None: it may not be).
        new: makes an empty object when the name is used as a class (None: it may not be).
    """

    name: str
    build: Callable | None = None
    new: Callable | None = None


@dataclass
class Unbuilt:
    """An object between its creation and its state; `build(state)` makes the value that replaces it."""

    build: Callable
    memo_keys: list = field(default_factory=list)


@dataclass
class Instance:
    """An object whose value is made at the end, `finish(state)`; an empty dict takes the state that comes."""

    finish: Callable
    state: Any = None


class NamedDict(dict):
    """A dict of a class of its own (OrderedDict, EasyDict): attributes that are set on it are dropped."""


def set_state(target, state) -> None:
    """Give an object the state that the pickle has for it, once.

    Raises:
        RefusedPickle: it is no object that has a state.
    """
    if type(target) is NamedDict:
        return
    if not isinstance(target, Instance) or target.state != {} or not isinstance(state, dict):
        raise RefusedPickle("it sets the state of something that has none")
    target.state = state


def plain(value, done=None, depth=0):
    """Copy what a pickle left on the stack: Instances finished, containers plain, no Instance left in.

    Args:
        value: any mixture of containers, numbers, texts, arrays and Instances.
        done: {id: result} of what was met before; None while it is being worked on.
        depth: levels above this one.
    Raises:
        RefusedPickle: it nests too deeply, holds itself, or a name or an unfinished object is left in it.
    """
    if isinstance(value, (str, bytes, int, float, np.ndarray, np.generic)) or value is None:
        return value
    done = {} if done is None else done
    if id(value) in done:
        if done[id(value)] is None:
            raise RefusedPickle("a container holds itself")
        return done[id(value)][0]
    if depth >= MAX_DEPTH:
        raise RefusedPickle(f"it nests more than {MAX_DEPTH} levels deep")
    done[id(value)] = None
    result = _plain_container(value, done, depth + 1)
    done[id(value)] = (result,)
    return result


def _plain_container(value, done, depth):
    if isinstance(value, dict):
        return {key: plain(item, done, depth) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([plain(item, done, depth) for item in value])
    if isinstance(value, (set, frozenset, bytearray)):
        return value
    if isinstance(value, Instance):
        return value.finish(plain(value.state, done, depth))
    raise RefusedPickle(f"it holds {getattr(value, 'name', 'an unfinished object')} as a value")


def said(value) -> str:
    """A name out of a file as a message may show it: short, printable."""
    return ascii(value[:80]).strip("'") if type(value) is str else f"a {type(value).__name__}"
