# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What a compiled program depends on, as keys: configurations, layers with their attributes, source code.

Nothing is listed by hand. A configuration is walked by its fields, a Layer by its sublayers and their
attributes, source by what each module imports inside its own package.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import json
import marshal
import os
import re
import secrets
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import paddle

from ppstyleclip.files import fingerprint

_PACKAGE = __name__.partition(".")[0]
_EXPORTER = f"{_PACKAGE}.engine.exporter"  # its source decides every program
_LIBRARIES = ("paddle", "numpy", "builtins")
_LAYER_ATTRIBUTES = frozenset(vars(paddle.nn.Layer()))  # Paddle's own, such as counted names
# Code that was typed in, or whose file has changed since the start, belongs to this process alone.
_NO_SOURCE, _STARTED = secrets.token_hex(8), time.time_ns()


def config_key(config: Any) -> Any:
    """Turn a configuration into values that JSON can hold, different for different configurations.

    Args:
        config: a dataclass (walked by all of its fields), a list, tuple, dict or set of configurations, a
            number, string, path, enum, array, tensor, function or class, or None.
    Returns:
        lists, strings and numbers.
    Raises:
        TypeError: a value of another type, with the name of its field.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Descent:
    ...     steps: int = 40
    ...     rates: tuple = (0.1, 0.02)
    >>> config_key(Descent())
    ['Descent', [['steps', 40], ['rates', [0.1, 0.02]]]]
    """
    if isinstance(config, enum.Enum):
        return [type(config).__qualname__, config.name]
    if config is None or isinstance(config, (bool, int, float, str)):
        return config
    if isinstance(config, (list, tuple)):
        return [config_key(part) for part in config]
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return [type(config).__qualname__, _fields_key(config)]
    if isinstance(config, dict):
        return ["dict", sorted(([config_key(k), config_key(v)] for k, v in config.items()), key=json.dumps)]
    if isinstance(config, (set, frozenset)):
        return ["set", sorted((config_key(part) for part in config), key=json.dumps)]
    if isinstance(config, np.generic):
        return config.item()
    if isinstance(config, (np.ndarray, paddle.Tensor)):
        return ["array", fingerprint({"": np.asarray(config)})]
    if isinstance(config, os.PathLike):
        return os.fspath(config)
    if isinstance(config, functools.partial):
        return [config_key(config.func), config_key(config.args), config_key(config.keywords)]
    if callable(config) and hasattr(config, "__qualname__"):
        return _function_key(config)
    raise TypeError(f"a {type(config).__qualname__} cannot be part of a program's key")


def _function_key(function: Any) -> str:
    """A function or class by its name; with its code where no file holds its source, as at a prompt."""
    name = f"{function.__module__}.{function.__qualname__}"
    code = getattr(function, "__code__", None)
    if code is None or os.path.isfile(code.co_filename):
        return name
    return f"{name} {hashlib.sha256(marshal.dumps(code)).hexdigest()[:20]}"


def _fields_key(config: Any) -> list:
    parts = []
    for field in dataclasses.fields(config):
        try:
            parts.append([field.name, config_key(getattr(config, field.name))])
        except TypeError as error:
            raise TypeError(f"{type(config).__qualname__}.{field.name}: {error}") from None
    return parts


def layer_key(layer: paddle.nn.Layer) -> list:
    """Name the class and the attributes of a Layer and of all its sublayers; weights are not among them."""
    return _layer_key(layer, {id(layer)})


def _layer_key(layer: paddle.nn.Layer, seen: set[int]) -> list:
    return [
        [name, _class_name(part), _attributes_key(part, seen)]
        for name, part in layer.named_sublayers(include_self=True)
    ]


def _attributes_key(owner: Any, seen: set[int]) -> list:
    return [[name, _attribute_key(value, seen)] for name, value in _attributes(owner)]


def _attribute_key(value: Any, seen: set[int]) -> Any:
    """As config_key; objects of other classes by their attributes, Paddle's by their class alone."""
    if isinstance(value, paddle.nn.Layer) and id(value) not in seen:
        seen.add(id(value))
        return _layer_key(value, seen)
    if isinstance(value, (list, tuple)):
        return [_attribute_key(part, seen) for part in value]
    if isinstance(value, dict):
        return [[str(name), _attribute_key(part, seen)] for name, part in value.items()]
    try:
        return config_key(value)
    except (TypeError, ValueError):
        pass
    if id(value) in seen or _top(type(value).__module__) in _LIBRARIES:
        return _class_name(value)
    seen.add(id(value))
    return [_class_name(value), _attributes_key(value, seen)]


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    """Attributes of an object, without those that all Layers have and without cached properties."""
    foreign = _top(type(owner).__module__) == "paddle"
    for name, value in sorted(getattr(owner, "__dict__", {}).items()):
        if isinstance(owner, paddle.nn.Layer) and (name in _LAYER_ATTRIBUTES or name == "forward"):
            continue
        if isinstance(getattr(type(owner), name, None), functools.cached_property):
            continue
        if foreign and not isinstance(value, (bool, int, float, str, list, tuple, type(None))):
            continue
        yield name, value


def _class_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _top(module: str) -> str:
    return module.partition(".")[0]


def weights_fingerprint(layer: Any) -> str:
    """Fingerprint of a Layer's parameters and buffers."""
    tensors = {**dict(layer.named_buffers()), **layer.state_dict()}  # the former names buffers not saved, too
    return fingerprint({name: value.numpy() for name, value in tensors.items()})


def source_fingerprint(layer: paddle.nn.Layer) -> str:
    """Fingerprint of the source that a program of this Layer is made from.

    That is the modules of the classes of the Layer, of its sublayers and of their attributes, the exporter,
    and all that these import inside their packages, be it inside a function.
    """
    modules: set[str] = {_EXPORTER}
    seen: set[int] = set()
    for part in layer.sublayers(include_self=True):
        modules |= _defining_modules(part, seen)
    return fingerprint_modules(modules)


def _defining_modules(value: Any, seen: set[int]) -> set[str]:
    """Modules of an object's classes, and of those of its attributes, but for libraries."""
    if id(value) in seen:
        return set()
    seen.add(id(value))
    if isinstance(value, (list, tuple)):
        return set().union(*(_defining_modules(part, seen) for part in value))
    if isinstance(value, dict):
        return set().union(*(_defining_modules(part, seen) for part in value.values()))
    if isinstance(value, functools.partial):
        return _defining_modules([value.func, value.args, value.keywords], seen)
    if callable(value) and hasattr(value, "__qualname__"):
        return {value.__module__} if _is_ours(value.__module__) else set()
    modules = {owner.__module__ for owner in type(value).__mro__ if _is_ours(owner.__module__)}
    if not modules:
        return set()
    for _, attribute in _attributes(value):
        modules |= _defining_modules(attribute, seen)
    return modules


def _is_ours(module: str | None) -> bool:
    """Whether the source of a module plays a part; of Paddle it is the version."""
    return module is not None and _top(module) not in _LIBRARIES


def fingerprint_modules(modules: Iterable[str]) -> str:
    """Fingerprint of the source of modules and of all that they import inside their own packages.

    Args:
        modules: dotted names of imported modules.
    """
    digests: dict[str, str] = {}
    found = list(modules)
    while found:
        name = found.pop()
        if name in digests:
            continue
        path = _path_of(name)
        if path is None:
            digests[name] = "" if _is_binary(name) else _NO_SOURCE
            continue
        digests[name], imports = _read_module(name, path)
        found += imports
    text = json.dumps(sorted(digests.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


_MODULES: dict[str, tuple] = {}  # path -> (its state, digest, imports)


def _read_module(name: str, path: Path) -> tuple[str, list[str]]:
    """Digest of a module's source, and the modules that it imports; read again when the file changes."""
    status = path.stat()
    state = name, status.st_mtime_ns, status.st_size
    known = _MODULES.get(str(path))
    if known is None or known[0] != state:
        source = _read(path)
        imports = imported_modules(source.decode("utf-8"), name, path.name == "__init__.py")
        digest = hashlib.sha256(source).hexdigest()
        if status.st_mtime_ns > _STARTED:
            digest += _NO_SOURCE
        known = _MODULES[str(path)] = (state, digest, imports)
    return known[1], known[2]


def _read(path: Path) -> bytes:
    return path.read_bytes()


# Both forms at the start of a line; a sentence in a docstring that looks like one does no harm.
_IMPORT = re.compile(r"^[ \t]*(?:from\s+([.\w]+)\s+import\s*(\([^)]*\)|[^\n;]+)|import\s+([^\n;]+))", re.M)


def imported_modules(source: str, name: str, is_package: bool) -> list[str]:
    """Modules of this package, and of the module's own, that a source imports anywhere.

    Read by a pattern, which takes a hundredth of the time of Python's parser.

    Args:
        source: its text.
        name: the module that it is the source of.
        is_package: whether that is the `__init__` of a package.
    """
    tops, found = (_PACKAGE, _top(name)), set()
    text = re.sub(r"#[^\n]*", "", source).replace("\\\n", " ")
    for base, names, modules in _IMPORT.findall(text):
        if base:
            base = _absolute(base, name, is_package)
            inner = {f"{base}.{part}" for part in _names(names)} if _top(base) in tops else set()
            found |= {module if _path_of(module) is not None else base for module in inner}
        found |= {module for module in _names(modules) if _top(module) in tops}
    if is_package and "\ndef __getattr__(" in source:
        found |= set(_modules_in(name))  # they are imported when they are asked for
    return sorted(found)


def _names(text: str) -> list[str]:
    """Names of an import, without `as ...`."""
    return [part.split()[0] for part in text.strip("() \t\n").split(",") if part.split()]


def _absolute(base: str, name: str, is_package: bool) -> str:
    """The module that `from ... import` names, relative ones made absolute."""
    inner = base.lstrip(".")
    level = len(base) - len(inner)
    if not level:
        return base
    parents = name.split(".") if is_package else name.split(".")[:-1]
    return ".".join(parents[: len(parents) - level + 1] + ([inner] if inner else []))


def _modules_in(package: str) -> list[str]:
    path = _path_of(package)
    assert path is not None
    return [f"{package}.{file.stem}" for file in path.parent.glob("*.py") if file.name != "__init__.py"]


def _is_binary(module: str) -> bool:
    file = getattr(sys.modules.get(module), "__file__", None)
    return module in sys.builtin_module_names or file is not None


def _path_of(module: str) -> Path | None:
    """The source file of a module, imported or not; None if there is none."""
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded is not None:
        return Path(loaded) if loaded.endswith(".py") else None
    top, _, rest = module.partition(".")
    root = getattr(sys.modules.get(top), "__file__", None)
    if root is None or not rest:
        return None
    place = Path(root).parent.joinpath(*rest.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
