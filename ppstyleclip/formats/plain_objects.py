# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Objects of Python's own library, and NVIDIA's EasyDict, that lie beside weights: options, paths, sets."""

from __future__ import annotations

from ppstyleclip.formats.pickle_values import Budget, Global, Instance, NamedDict, RefusedPickle
from ppstyleclip.formats.pickles import checked_key

_BUILTINS = ("builtins", "__builtin__")  # Python 3, and what protocol 2 calls it


def plain_names(budget: Budget) -> dict:
    """Names of containers, namespaces and paths; they become dicts, sets and texts.

    `budget` pays for each item that is copied, so that one memoised list cannot be copied over and over.
    """

    def ordered_dict(items=()):
        if type(items) not in (list, tuple):
            raise RefusedPickle("it makes an OrderedDict of something that is no list of pairs")
        budget.spend_items(len(items))
        return NamedDict((checked_key(key), value) for key, value in items)

    def make_set(items=()):
        if type(items) not in (list, tuple):
            raise RefusedPickle("it makes a set of something that is no list")
        budget.spend_items(len(items))
        return {checked_key(item) for item in items}

    def path(separator):
        def join(*parts):
            budget.spend(sum(len(part) + 1 for part in parts))
            first = parts[0] if parts else "."
            root = first if first.endswith(separator) else first + separator
            return root + separator.join(parts[1:]) if len(parts) > 1 else first

        return join

    names = {
        ("collections", "OrderedDict"): Global("collections.OrderedDict", ordered_dict, NamedDict),
        ("dnnlib.util", "EasyDict"): Global("dnnlib.util.EasyDict", new=NamedDict),
        ("argparse", "Namespace"): Global("argparse.Namespace", new=lambda: Instance(_itself, {})),
    }
    for builtins in _BUILTINS:
        names[builtins, "set"] = Global("builtins.set", make_set)
    for module in ("pathlib", "pathlib._local"):  # the latter is what Python 3.13 writes
        for kind in ("Path", "PosixPath", "PurePath", "PurePosixPath"):
            names[module, kind] = Global(f"pathlib.{kind}", path("/"))
        for kind in ("WindowsPath", "PureWindowsPath"):
            names[module, kind] = Global(f"pathlib.{kind}", path("\\"))
    return names


def _itself(state):
    return state
