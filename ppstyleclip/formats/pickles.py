# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A pickle reader that runs nothing.

A pickle is a program for a small stack machine; Python's own reader lets it call any function. Here each
opcode is interpreted against tables: data opcodes push data, and a call is answered only by the inert builder
that stands in a table under that very name. Any other name is an error that says it. Memory and time are
bounded by the file's size: nothing is allocated on a length that the file merely claims, and no builder
copies what can be shared.
"""
from __future__ import annotations

import pickletools
from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np

from ppstyleclip.errors import UserError

MAX_OPCODES = 1_000_000  # a generator's state dict takes about 5,000
MAX_DEPTH = 64
MAX_LINE = 4096  # names are shorter; the decimal numbers of protocol 0 would take quadratic time
# What pickletools and the stack below raise on bytes that are no pickle, or half of one.
_BROKEN = (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, MemoryError)


class RefusedPickle(UserError):
    """The pickle asks for something that weights have no need of."""


@dataclass(frozen=True)
class Global:
    """A name that the pickle may use, and what answers when it is called (None: it may only be mentioned)."""

    name: str
    build: Callable | None = None


@dataclass
class Unbuilt:
    """An object between its creation and its state; `build(state)` makes the value that replaces it."""

    build: Callable
    memo_keys: list = field(default_factory=list)


@dataclass
class _Machine:
    names: dict  # (module, name) -> Global
    stack: list = field(default_factory=list)
    marks: list = field(default_factory=list)
    memo: dict = field(default_factory=dict)

    def pop(self):
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise ValueError("a value is taken from behind a mark")
        return self.stack.pop()

    def pop_many(self, count):
        return [self.pop() for _ in range(count)][::-1]

    def pop_mark(self):
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items


@dataclass
class _Reader:
    """What pickletools needs of a file, over bytes or an mmap; never reads past the end or a long line."""

    data: Any
    position: int = 0

    def read(self, count):
        piece = self.data[self.position:self.position + count]
        self.position += len(piece)
        return piece

    def readline(self):
        end = self.data.find(b"\n", self.position, self.position + MAX_LINE)
        if end < 0:
            raise ValueError("a line has no end")
        line = self.read(end + 1 - self.position)
        if b"\\" in line:  # only names stand in lines, and Python warns of escapes that it does not know
            raise ValueError("a name has a backslash")
        return line


def read_pickle(data, names: dict, *, convert_tuple: Callable = tuple) -> Any:
    """Read one pickle of protocol 0 to 5; what lies behind it is ignored.

    Args:
        data: bytes, or an mmap of a file.
        names: `{(module, name): Global}`, all that the pickle may mention.
        convert_tuple: called with each tuple of the result; its answer takes the tuple's place.
    Returns:
        dicts, lists, tuples, sets, texts, bytes, numbers, None, arrays: nothing else.
    Raises:
        RefusedPickle: the pickle names something that is not in `names`, or nests too deeply.
        ValueError: it is cut off or malformed.
    """
    machine = _Machine(names)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(_Reader(data))):
            if count >= MAX_OPCODES:
                raise RefusedPickle(f"it has more than {MAX_OPCODES:,} steps")
            if opcode.name == "STOP":
                return _plain(machine.pop(), convert_tuple, {}, 0)
            _step(machine, opcode.name, argument)
    except UserError:
        raise
    except _BROKEN as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(f"it is cut off or damaged: {reason}") from None
    raise ValueError("it is cut off")


def _step(machine, name, argument):
    stack = machine.stack
    if name in _PUSH_ARGUMENT:
        stack.append(argument)
    elif name in _CONSTANTS:
        stack.append(_CONSTANTS[name]())
    elif name in _FROM_STACK:
        count, make = _FROM_STACK[name]
        stack.append(make(machine.pop_many(count)))
    elif name in _FROM_MARK:
        stack.append(_FROM_MARK[name](machine.pop_mark()))
    elif name in _EXTEND:
        many, extend = _EXTEND[name]
        items = machine.pop_mark() if many else machine.pop_many(2 if name == "SETITEM" else 1)
        extend(stack[-1], items)
    elif name in _STRUCTURE:
        _STRUCTURE[name](machine, argument)
    else:
        raise RefusedPickle(f"it uses the pickle opcode {name}, which weights have no need of")


def _get(machine, key):
    machine.stack.append(machine.memo[key])


def _put(machine, key):
    key = len(machine.memo) if key is None else key
    machine.memo[key] = machine.stack[-1]
    if isinstance(machine.stack[-1], Unbuilt):
        machine.stack[-1].memo_keys.append(key)


def _name(machine, argument):
    module, name = argument.split(" ", 1) if argument is not None else machine.pop_many(2)
    known = machine.names.get((module, name))
    if known is None:
        raise RefusedPickle(f"it asks for {said(module)}.{said(name)}, which weights have no need of; "
                            "nothing was run")
    machine.stack.append(known)


def _reduce(machine, _):
    function, arguments = machine.pop_many(2)
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise RefusedPickle("it calls something that is not a name")
    if function.build is None:
        raise RefusedPickle(f"it calls {function.name}, which weights have no need of")
    machine.stack.append(function.build(*arguments))


def _build(machine, _):
    unbuilt, state = machine.pop_many(2)
    if not isinstance(unbuilt, Unbuilt):
        raise RefusedPickle("it sets the state of something that has none")
    value = unbuilt.build(state)
    for key in unbuilt.memo_keys:
        machine.memo[key] = value
    machine.stack.append(value)


def _set_items(target, items):
    if type(target) is not dict or len(items) % 2:
        raise ValueError("items are set where there is no dict")
    for key, value in zip(items[::2], items[1::2]):
        target[_checked_key(key)] = value


def _append(target, items):
    if type(target) is not list:
        raise ValueError("items are appended where there is no list")
    target.extend(items)


def _add(target, items):
    if type(target) is not set:
        raise ValueError("items are added where there is no set")
    target.update(_checked_key(item) for item in items)


def _checked_key(key):
    # Texts and machine integers only: their hashes cannot be made to collide.
    if type(key) is str or type(key) in (int, bool) and abs(key) < 2 ** 63:
        return key
    raise ValueError(f"a {type(key).__name__} is a key")


def _dict_of(items):
    target = {}
    _set_items(target, items)
    return target


def _frozen(items):
    return frozenset(_checked_key(item) for item in items)


_PUSH_ARGUMENT = frozenset((
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE "
    "SHORT_BINUNICODE BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8").split())
_CONSTANTS = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set,
}
_FROM_STACK = {"TUPLE1": (1, tuple), "TUPLE2": (2, tuple), "TUPLE3": (3, tuple)}
_FROM_MARK = {"TUPLE": tuple, "LIST": list, "DICT": _dict_of, "FROZENSET": _frozen}
_EXTEND = {  # name -> (takes all above the mark, function)
    "APPEND": (False, _append), "APPENDS": (True, _append),
    "SETITEM": (False, _set_items), "SETITEMS": (True, _set_items), "ADDITEMS": (True, _add),
}
_STRUCTURE = {
    "PROTO": lambda machine, version: None, "FRAME": lambda machine, size: None,
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "POP": lambda machine, _: machine.pop(), "POP_MARK": lambda machine, _: machine.pop_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "GET": _get, "BINGET": _get, "LONG_BINGET": _get,
    "PUT": _put, "BINPUT": _put, "LONG_BINPUT": _put, "MEMOIZE": _put,
    "GLOBAL": _name, "STACK_GLOBAL": _name, "REDUCE": _reduce, "BUILD": _build,
}


def _plain(value, convert_tuple, done, depth):
    """Copy containers with their tuples converted; refuse names and unbuilt objects that were left in."""
    if isinstance(value, (str, bytes, int, float, np.ndarray, np.generic)) or value is None:
        return value
    if id(value) in done:
        if done[id(value)] is None:
            raise RefusedPickle("a container holds itself")
        return done[id(value)]
    if depth >= MAX_DEPTH:
        raise RefusedPickle(f"it nests more than {MAX_DEPTH} levels deep")
    done[id(value)] = None
    if isinstance(value, dict):
        plain = {key: _plain(item, convert_tuple, done, depth + 1) for key, item in value.items()}
    elif isinstance(value, list):
        plain = [_plain(item, convert_tuple, done, depth + 1) for item in value]
    elif isinstance(value, tuple):
        plain = convert_tuple(tuple(_plain(item, convert_tuple, done, depth + 1) for item in value))
    elif isinstance(value, (set, frozenset, bytearray)):
        plain = value
    else:
        raise RefusedPickle(f"it holds {getattr(value, 'name', 'an unfinished object')} as a value")
    done[id(value)] = plain
    return plain


def said(value) -> str:
    """A name out of a file as a message may show it: short, printable."""
    return ascii(value[:80]).strip("'") if type(value) is str else f"a {type(value).__name__}"
