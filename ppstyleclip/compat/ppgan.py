# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""PaddleGAN's `ppgan.apps` for code that was written for it: one import before it, and nothing else changes.

    import ppstyleclip.compat.ppgan
    from ppgan.apps import Pixel2Style2PixelPredictor, StyleGANv2EditingPredictor

Or nothing at all: `python -m ppstyleclip.compat.ppgan script.py ...` runs a script with the names in place.

Where PaddleGAN is not installed, `ppgan`, `ppgan.apps` and `ppgan.models.generators` are made of what is
here. Where it is, its own names stay, and those that it lacks, or that cannot be imported on this machine
(its package pins old versions of others), come from here; a warning says which and why.
`register(replace=True)` takes all six predictors from here in any case.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import warnings
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

from ppstyleclip import apps
from ppstyleclip.errors import one_line

APPS = "ppgan.apps"
# Predictor -> the module of it, here and in PaddleGAN.
PREDICTORS = {
    "StyleGANv2Predictor": "styleganv2_predictor",
    "StyleGANv2FittingPredictor": "styleganv2fitting_predictor",
    "StyleGANv2MixingPredictor": "styleganv2mixing_predictor",
    "StyleGANv2EditingPredictor": "styleganv2editing_predictor",
    "Pixel2Style2PixelPredictor": "pixel2style2pixel_predictor",
    "StyleGANv2ClipPredictor": "styleganv2clip_predictor",
}
GENERATORS, GENERATOR = "ppgan.models.generators", "StyleGANv2Generator"


def register(*, replace: bool = False) -> None:
    """Make `from ppgan.apps import ...` find the predictors; a second call changes nothing.

    Args:
        replace: take the six predictors from here even where PaddleGAN's own can be imported.
    """
    folder = _paddlegan_folder()
    if folder is None:
        _build_package("ppgan", doc="PaddleGAN's names for what ppstyleclip has.")
        _build_package("ppgan.models")
        _build_package(GENERATORS, lookup=_own_generator)
    found = _paddlegan_apps(folder)
    for name, module in PREDICTORS.items():
        is_taken = replace or name not in vars(found)
        if is_taken:
            setattr(found, name, getattr(apps, name))
        if replace or folder is None or is_taken and not _can_import(f"{APPS}.{module}"):
            sys.modules[f"{APPS}.{module}"] = importlib.import_module(f"ppstyleclip.apps.{module}")
            setattr(found, module, sys.modules[f"{APPS}.{module}"])


def _paddlegan_folder() -> Path | None:
    """Folder of the installed package ppgan; None where there is none."""
    known = sys.modules.get("ppgan")
    spec = known.__spec__ if known is not None else importlib.util.find_spec("ppgan")
    places = spec.submodule_search_locations if spec is not None else None
    return next((Path(place) for place in places or () if Path(place, "apps").is_dir()), None)


def _paddlegan_apps(folder: Path | None) -> ModuleType:
    """The module ppgan.apps: PaddleGAN's, or one in its place where that cannot be imported."""
    if APPS in sys.modules:
        return sys.modules[APPS]
    if folder is None:
        return _build_package(APPS)
    try:
        return importlib.import_module(APPS)
    except Exception as error:  # whatever a package that PaddleGAN needs may raise
        reason = f"{type(error).__name__}: {one_line(error)}"
    module = _build_package(APPS, path=folder / "apps", lookup=_PaddleGANNames(folder / "apps").find)
    taken = [name for name in PREDICTORS if not _has(module, name)]
    warnings.warn(
        f"PaddleGAN's ppgan.apps cannot be imported here ({reason}); its names are imported one by one, and "
        f"{', '.join(taken) or 'none'} come from ppstyleclip",
        stacklevel=3,
    )
    return module


class _PaddleGANNames:
    """Names that PaddleGAN's ppgan/apps/__init__.py imports, each from its module alone."""

    def __init__(self, folder: Path):
        tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
        self.homes = {
            alias.asname or alias.name: (f"{APPS}.{node.module}", alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }

    def find(self, name: str) -> Any:
        """The name's value.

        Raises:
            AttributeError: there is none, or its module cannot be imported; says why.
        """
        if name not in self.homes:
            raise AttributeError(f"PaddleGAN's {APPS} has no '{name}'")
        module, inside = self.homes[name]
        try:
            return getattr(importlib.import_module(module), inside)
        except Exception as error:  # as above
            raise AttributeError(f"{module} cannot be imported: {one_line(error)}") from error


def _has(module: ModuleType, name: str) -> bool:
    """Whether a module brings a name; one that it brings stays."""
    value = getattr(module, name, None)
    if value is not None:
        setattr(module, name, value)
    return value is not None


def _can_import(name: str) -> bool:
    try:
        importlib.import_module(name)
    except Exception:  # as above
        return False
    return True


def _own_generator(name: str) -> Any:
    if name != GENERATOR:
        raise AttributeError(
            f"{GENERATORS} has no '{name}' here; of PaddleGAN's generators ppstyleclip has {GENERATOR}"
        )
    return importlib.import_module("ppstyleclip.models.stylegan2").StyleGANv2Generator


def _build_package(
    name: str, *, path: Path | None = None, doc: str = "", lookup: Callable[[str], Any] | None = None
) -> ModuleType:
    """Make an empty package, known to the import system, unless there is one; `lookup` finds its names."""
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name, doc)
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [] if path is None else [str(path)]
    module.__spec__, module.__path__, module.__file__ = spec, spec.submodule_search_locations, __file__
    if lookup is not None:
        module.__getattr__ = lookup  # type: ignore[method-assign]
    sys.modules[name] = module
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, module)
    return module


def main(argv: list[str]) -> None:
    """Run a script as `python script.py ...` does, with the names in place."""
    import runpy

    from ppstyleclip.errors import UserError
    from ppstyleclip.files import check_file

    if argv and argv[0] in ("-h", "--help"):
        print(f"usage: python -m ppstyleclip.compat.ppgan script.py ...\n\n{__doc__}")
        return
    if not argv:
        raise UserError("name a script: python -m ppstyleclip.compat.ppgan script.py ...")
    script = check_file(argv[0])
    sys.argv = [str(script), *argv[1:]]
    sys.path[0] = str(script.resolve().parent)
    runpy.run_path(str(script), run_name="__main__")


register()

if __name__ == "__main__":
    from ppstyleclip.cli.run import run_cli

    raise SystemExit(run_cli(main, sys.argv[1:]))
