# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A pickle reader that runs nothing.

A pickle is a program for a small stack machine; Python's own reader lets it call any function. Here each
opcode is interpreted against tables: data opcodes push data, and a call is answered only by the builder
that stands in a table under that very name. Any other name is an error that says it. Memory and time are
bounded by the file's size: nothing is allocated on a length that the file merely claims, and no builder
copies what can be shared.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass, field
from typing import Any, Callable

from ppstyleclip.errors import UserError
from ppstyleclip.formats.pickle_values import Budget, Global, RefusedPickle, Unbuilt, plain, said, set_state

MAX_LINE = 4096  # names are shorter; the decimal numbers of protocol 0 would take quadratic time
# What pickletools and the stack below raise on bytes that are no pickle, or half of one.
_BROKEN = (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, MemoryError)


@dataclass
class _Machine:
    names: dict  # (module, name) -> Global, or a text that stands for it
    persistent: Callable | None
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
class Reader:
    """A place in bytes or an mmap, as pickletools wants it; never reads past the end or a long line."""

    data: Any
    position: int = 0

    def read(self, count):
        """The next `count` bytes, or as many as there are."""
        piece = self.data[self.position : self.position + count]
        self.position += len(piece)
        return piece

    def readline(self):
        """The rest of the line, which must end soon."""
        end = self.data.find(b"\n", self.position, self.position + MAX_LINE)
        if end < 0:
            raise ValueError("a line has no end")
        line = self.read(end + 1 - self.position)
        if b"\\" in line:  # only names stand in lines, and Python warns of escapes that it does not know
            raise ValueError("a name has a backslash")
        return line


def read_pickle(reader: Reader, names: dict, budget: Budget) -> Any:
    """Read one pickle of protocol 0 to 5 and leave the reader behind it; arguments and errors as run_pickle.

    Returns:
        dicts, lists, tuples, sets, texts, bytes, numbers, None, arrays and what Instances finish as.
    """
    return plain(run_pickle(reader, names, budget))


def run_pickle(reader: Reader, names: dict, budget: Budget, persistent: Callable | None = None) -> Any:
    """Interpret one pickle of protocol 0 to 5 and leave the reader behind it.

    Args:
        reader: where it begins.
        names: `{(module, name): Global}`, all that the pickle may mention.
        budget: pays for each step.
        persistent: called with each persistent id; its answer takes the id's place.
    Returns:
        what it leaves on the stack; `plain` makes the final value of it.
    Raises:
        RefusedPickle: it names something that is not in `names`, or has too many steps.
        ValueError: it is cut off or malformed.
    """
    machine = _Machine(names, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(reader):  # type: ignore[arg-type]  # it reads like a file
            budget.step()
            if opcode.name == "STOP":
                return machine.pop()
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
    try:
        known = machine.names[module, name]
    except KeyError:
        raise RefusedPickle(
            f"it asks for {said(module)}.{said(name)}, which weights have no need of; nothing was run"
        ) from None
    machine.stack.append(known)


def _reduce(machine, _):
    function, arguments = machine.pop_many(2)
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise RefusedPickle("it calls something that is not a name")
    if function.build is None:
        raise RefusedPickle(f"it calls {function.name}, which weights have no need of")
    machine.stack.append(function.build(*arguments))


def _new_object(machine, _):
    kind, arguments = machine.pop_many(2)
    if not isinstance(kind, Global) or kind.new is None or arguments != ():
        raise RefusedPickle("it makes an object of something that is no known class (opcode NEWOBJ)")
    machine.stack.append(kind.new())


def _build(machine, _):
    target, state = machine.pop_many(2)
    if not isinstance(target, Unbuilt):
        set_state(target, state)
        machine.stack.append(target)
        return
    value = target.build(state)
    for key in target.memo_keys:
        machine.memo[key] = value
    machine.stack.append(value)


def _persistent(machine, _):
    identity = machine.pop()
    if machine.persistent is None:
        raise RefusedPickle("it uses the pickle opcode BINPERSID, which a plain pickle has no need of")
    machine.stack.append(machine.persistent(identity))


def _set_items(target, items):
    if not isinstance(target, dict) or len(items) % 2:
        raise ValueError("items are set where there is no dict")
    for key, value in zip(items[::2], items[1::2]):
        target[checked_key(key)] = value


def _append(target, items):
    if type(target) is not list:
        raise ValueError("items are appended where there is no list")
    target.extend(items)


def _add(target, items):
    if type(target) is not set:
        raise ValueError("items are added where there is no set")
    target.update(checked_key(item) for item in items)


def checked_key(key):
    """The key of a dict or member of a set: texts and machine integers only, their hashes cannot collide."""
    if type(key) is str or type(key) in (int, bool) and abs(key) < 2**63:
        return key
    raise ValueError(f"a {type(key).__name__} is a key")


def _dict_of(items):
    target = {}
    _set_items(target, items)
    return target


def _frozen(items):
    return frozenset(checked_key(item) for item in items)


_PUSH_ARGUMENT = frozenset(
    (
        "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE "
        "SHORT_BINUNICODE BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8"
    ).split()
)
_CONSTANTS = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_FROM_STACK = {"TUPLE1": (1, tuple), "TUPLE2": (2, tuple), "TUPLE3": (3, tuple)}
_FROM_MARK = {"TUPLE": tuple, "LIST": list, "DICT": _dict_of, "FROZENSET": _frozen}
_EXTEND = {  # name -> (takes all above the mark, function)
    "APPEND": (False, _append),
    "APPENDS": (True, _append),
    "SETITEM": (False, _set_items),
    "SETITEMS": (True, _set_items),
    "ADDITEMS": (True, _add),
}
_STRUCTURE = {
    "PROTO": lambda machine, version: None,
    "FRAME": lambda machine, size: None,
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "POP": lambda machine, _: machine.pop(),
    "POP_MARK": lambda machine, _: machine.pop_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "GET": _get,
    "BINGET": _get,
    "LONG_BINGET": _get,
    "PUT": _put,
    "BINPUT": _put,
    "LONG_BINPUT": _put,
    "MEMOIZE": _put,
    "GLOBAL": _name,
    "STACK_GLOBAL": _name,
    "REDUCE": _reduce,
    "NEWOBJ": _new_object,
    "BUILD": _build,
    "BINPERSID": _persistent,
}
