# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The table of layers, and a reading of every source file against it (docs: "imports go down only")."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "ppstyleclip"
SCRIPTS = ("tools", "applications", "benchmarks")

# Level of each part of the package. A part imports what stands on a lower level, nothing beside or above.
LEVELS = {
    "errors": -2, "wording": -2,
    "schema": -1, "drafts": -1, "inputs": -1, "memory": -1,
    "ops": 0, "files": 0, "threads": 0, "worker": 0, "progress": 0, "finite": 0, "provenance": 0,
    "translation": 0,
    "models": 1, "formats": 1, "pictures": 1, "video": 1, "curves": 1, "locks": 1, "labels": 1,
    "stylespace": 2, "text": 2, "align": 2, "losses": 2, "convert": 2, "video_join": 2,
    "engine": 3, "zoo": 3, "worlds": 3,
    "methods": 4, "regions": 4, "card": 4, "references": 4,
    "edits": 5, "editor": 5, "session": 5, "jobs": 5,
    "pipelines": 6, "environment": 6, "export": 6, "devices": 6, "verify": 6,
    "apps": 7, "cli": 7, "client": 7, "notebook": 7, "server": 7, "studio": 7, "training": 7,
    "compat": 8,
}  # fmt: skip
# Narrower than "everything below": networks arrive as arguments here.
ONLY_LEVELS = {"text": {-2, -1, 0}, "align": {-2, -1, 0}, "losses": {-2, -1, 0}}
BESIDE = {
    "align": {"pictures"},
    "apps": {"cli"},
    "cli": {"apps", "server", "studio"},
    "studio": {"cli", "server"},
    "training": {"cli"},
    "channels": {"models"},
    "card": {"regions", "references"},
    "editor": {"edits", "session"},
    "session": {"editor", "edits"},
}
EDGE = 7  # from here up a module may print, exit and see paths
FOREIGN_READERS = {"formats"}  # the one place that may subclass pickle's readers; it still may not call load


def _part(parts: tuple[str, ...]) -> str:
    """Name the layer entry of a file from its path relative to the repository."""
    if parts[0] != PACKAGE:
        return "scripts"
    if parts[1] == "worlds" and "training" in parts:
        return "training"  # how a world's networks were made: commands, beside the world that runs
    return "package" if parts[1] in ("__init__.py", "__main__.py") else parts[1].removesuffix(".py")


def _level(part: str) -> int:
    return LEVELS.get(part, EDGE + 1)  # scripts and the package's own front door stand above all


def _imported_modules(nodes: list[ast.AST], parts: tuple[str, ...]) -> list[tuple[int, str]]:
    """List (line, dotted module) of every import, lazy ones and relative ones included."""
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = list(parts[: len(parts) - node.level])
                base = ".".join(here + ([node.module] if node.module else []))
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "import_module" and node.args:
            if isinstance(node.args[0], ast.Constant):
                found.append((node.lineno, str(node.args[0].value)))
    return found


def _layer_faults(nodes: list[ast.AST], parts: tuple[str, ...]) -> list[str]:
    part, faults = _part(parts), []
    if part not in LEVELS and part not in ("scripts", "package"):
        return [f"'{part}' is not in the table of layers"]
    allowed = ONLY_LEVELS.get(part, set(range(-2, _level(part))))
    for line, module in _imported_modules(nodes, parts):
        names = module.split(".")
        if names[0] != PACKAGE:
            if names[0] in SCRIPTS + ("tests",):
                faults.append(f"line {line}: imports {module}; scripts are not a library")
            continue
        target = names[1] if len(names) > 1 else ""
        if target == "worlds" and "training" in names:
            target = "training"
        if target in (part, "__version__", *BESIDE.get(part, ())) or part in ("scripts", "package"):
            continue
        if target not in LEVELS:
            faults.append(f"line {line}: imports {module}, which is not in the table of layers")
        elif LEVELS[target] not in allowed:
            here, there = f"{part} (level {_level(part)})", f"{target} (level {LEVELS[target]})"
            faults.append(f"line {line}: {here} imports {there}")
    return faults


def _aliases(nodes: list[ast.AST]) -> dict[str, str]:
    """Map local names to the dotted things that they stand for, so `from pickle import load as l` is seen."""
    names = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, aliases)}.{node.attr}"
    return aliases.get(node.id, node.id) if isinstance(node, ast.Name) else ""


PICKLES = ("pickle", "cPickle", "_pickle", "dill", "joblib", "cloudpickle")
EXECUTING = {f"{module}.{reader}" for module in PICKLES for reader in ("load", "loads")}
EXECUTING |= {"paddle.load", "paddle.framework.io.load", "torch.load", "eval", "exec"}
# What reads JSON and YAML without bounds; `schema` has readers with them.
UNBOUNDED = {f"json.{reader}" for reader in ("load", "loads")}
# A program that Paddle wrote may hold any number; its size is bounded, and only names are looked for in it.
# The runner of an exported model is copied to where this package is not; it reads what lies beside it.
OWN_BOUNDS = {(PACKAGE, "engine", "operators.py"), (PACKAGE, "export", "runner.py")}
UNBOUNDED |= {f"yaml.{reader}" for reader in ("load", "load_all", "safe_load", "safe_load_all", "full_load")}
EXITING = {"exit", "quit", "sys.exit", "os._exit"}


def _habit_faults(nodes: list[ast.AST], parts: tuple[str, ...]) -> list[str]:
    """Find star imports, readers that execute what they read, and print or exit below the edges."""
    part, aliases, faults = _part(parts), _aliases(nodes), []
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            faults.append(f"line {node.lineno}: star import")
        if isinstance(node, (ast.Attribute, ast.Name)):
            name = _dotted(node, aliases)
            if name in EXECUTING:
                faults.append(f"line {node.lineno}: {name} executes what it reads; use {PACKAGE}.formats")
            if name in UNBOUNDED and part not in ("schema", "scripts") and parts not in OWN_BOUNDS:
                faults.append(f"line {node.lineno}: {name} has no bounds; use {PACKAGE}.schema")
            if name.endswith("pickle.Unpickler") and part not in FOREIGN_READERS:
                faults.append(f"line {node.lineno}: {name} outside {PACKAGE}/formats")
        if isinstance(node, ast.Call):
            name = _dotted(node.func, aliases)
            if any(k.arg == "allow_pickle" and getattr(k.value, "value", True) for k in node.keywords):
                faults.append(f"line {node.lineno}: {name}(allow_pickle=...) executes what it reads")
            if _level(part) < EDGE and (name == "print" or name in EXITING):
                faults.append(f"line {node.lineno}: {name}() below the edges; raise, return or log instead")
    return faults


def faults_of(source: str, relative: str) -> list[str]:
    """Judge one source text as if it stood at `relative` (a path from the repository's root)."""
    nodes, parts = list(ast.walk(ast.parse(source))), tuple(relative.split("/"))
    return _layer_faults(nodes, parts) + _habit_faults(nodes, parts)


def _sources() -> list[str]:
    found = [p for top in (PACKAGE,) + SCRIPTS for p in (ROOT / top).rglob("*.py")]
    return sorted(p.relative_to(ROOT).as_posix() for p in found if p.resolve() == p)


def test_sources_keep_the_layers():
    read = {relative: (ROOT / relative).read_text(encoding="utf-8") for relative in _sources()}
    assert read
    said = [f"{one}: {'; '.join(faults)}" for one, text in read.items() if (faults := faults_of(text, one))]
    assert not said, "\n".join(said)


def test_names_that_say_nothing_are_not_used():
    banned = {"utils.py", "helpers.py", "base.py", "common.py", "misc.py"}
    assert not [r for r in _sources() if r.rsplit("/", 1)[-1] in banned]


BAD = [
    ("ppstyleclip/ops/x.py", "from ..models import clip", "ops (level 0) imports models"),
    ("ppstyleclip/files.py", "import ppstyleclip.zoo", "files (level 0) imports zoo"),
    ("ppstyleclip/text.py", "def f():\n    from .models import clip", "text (level 2) imports models"),
    ("ppstyleclip/text.py", "from . import stylespace", "text (level 2) imports stylespace"),
    ("ppstyleclip/zoo.py", "from ppstyleclip.editor import Editor", "zoo (level 3) imports editor"),
    ("ppstyleclip/editor.py", "from .apps import StyleGANv2Predictor", "editor (level 5) imports apps"),
    ("ppstyleclip/apps/x.py", "from ..server import app", "apps (level 7) imports server"),
    ("ppstyleclip/zoo.py", "import importlib as i\ni.import_module('ppstyleclip.apps')", "imports apps"),
    ("ppstyleclip/zoo.py", "from ppstyleclip import load", "not in the table"),
    ("ppstyleclip/newthing.py", "import os", "'newthing' is not in the table"),
    ("ppstyleclip/zoo.py", "from tools import x", "scripts are not a library"),
    ("tools/x.py", "from ppstyleclip.editor import *", "star import"),
    ("ppstyleclip/formats/x.py", "import pickle as p\np.load(f)", "pickle.load executes"),
    ("ppstyleclip/zoo.py", "from pickle import loads as read\nread(b'')", "pickle.loads executes"),
    ("ppstyleclip/zoo.py", "import pickle\nclass R(pickle.Unpickler): pass", "outside ppstyleclip/formats"),
    ("ppstyleclip/zoo.py", "import json\njson.loads(text)", "json.loads has no bounds"),
    (
        "ppstyleclip/jobs/x.py",
        "from yaml import safe_load as read\nread(text)",
        "yaml.safe_load has no bounds",
    ),
    ("tools/x.py", "import paddle as pd\npd.load('a')", "paddle.load executes"),
    ("tools/x.py", "import numpy as np\nnp.load('a', allow_pickle=True)", "allow_pickle"),
    ("ppstyleclip/editor.py", "print('done')", "print() below"),
    ("ppstyleclip/zoo.py", "import sys\nsys.exit(2)", "sys.exit() below"),
]
GOOD = [
    ("ppstyleclip/models/stylegan2.py", "from ..ops import bias_act\nfrom .layers import x"),
    ("ppstyleclip/formats/pdparams.py", "import pickle\nfrom ..files import x\npickle.Unpickler"),
    ("ppstyleclip/zoo.py", "from .models.clip import build_clip\nfrom . import text, files"),
    ("ppstyleclip/apps/x.py", "from ..editor import Editor\nprint('wrote')"),
    ("tools/x.py", "import sys\nfrom ppstyleclip.apps import A\nsys.exit(0)"),
    ("ppstyleclip/zoo.py", "import numpy as np\nnp.load('a', allow_pickle=False)"),
    ("ppstyleclip/apps/x.py", "from ppstyleclip import __version__"),
]


@pytest.mark.parametrize("relative, source, words", BAD)
def test_the_reading_finds_a_made_up_fault(relative, source, words):
    assert any(words in fault for fault in faults_of(source, relative))


@pytest.mark.parametrize("relative, source", GOOD)
def test_the_reading_lets_good_sources_pass(relative, source):
    assert faults_of(source, relative) == []
