# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Keys of compiled programs change with every field of a configuration and every traced source file."""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import json
import pkgutil
import warnings
from pathlib import Path

import numpy as np
import paddle
import pytest
from engine_world import Step
from tiny_world import tiny_clip, tiny_generator

import ppstyleclip
from ppstyleclip import Edit, Editor, engine
from ppstyleclip.engine import keys
from ppstyleclip.engine.keys import config_key, fingerprint_modules, layer_key, source_fingerprint
from ppstyleclip.models.stylegan2.inference import InferenceSynthesis
from ppstyleclip.zoo import load_pack

PACKAGE = Path(ppstyleclip.__file__).parent


def configurations():
    """Every dataclass of the methods that can be made without arguments."""
    methods = importlib.import_module("ppstyleclip.methods")
    found = {}
    for info in pkgutil.walk_packages(methods.__path__, "ppstyleclip.methods."):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # modules of earlier names say so
            module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, type) and dataclasses.is_dataclass(value):
                try:
                    found[value] = value()
                except TypeError:
                    continue
    return list(found.values())


def changed(value):
    """Another value of the same sort."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return f"{value} else"
    if isinstance(value, tuple):
        return (*value, "else")
    if dataclasses.is_dataclass(value):
        return with_changed(value, dataclasses.fields(value)[0])
    return "else"


def with_changed(config, field):
    """A copy with another value in one field; the checks of the configuration itself are passed over."""
    other = object.__new__(type(config))
    for one in dataclasses.fields(config):
        value = getattr(config, one.name)
        object.__setattr__(other, one.name, changed(value) if one.name == field.name else value)
    return other


@pytest.mark.parametrize("config", configurations(), ids=lambda config: type(config).__name__)
def test_each_field_of_a_configuration_changes_the_key(config):
    known = json.dumps(config_key(config))
    for field in dataclasses.fields(config):
        assert json.dumps(config_key(with_changed(config, field))) != known, field.name
    assert json.dumps(config_key(dataclasses.replace(config))) == known


def test_there_are_configurations_to_test():
    assert len(configurations()) >= 2


@dataclasses.dataclass(frozen=True)
class Inner:
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Other:
    rate: float = 0.1


@pytest.mark.parametrize(
    "one, other",
    [
        (Inner(), Other()),
        ([Inner()], [Inner(0.2)]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        (np.float32([1, 2]), np.float32([1, 3])),
        (np.float32([1, 2]), np.float32([[1, 2]])),
        (None, "None"),
        (1, "1"),
        (Path("a"), Path("b")),
        (functools.partial(changed, 1), functools.partial(changed, 2)),
        (changed, configurations),
        (float("nan"), float("inf")),
    ],
)
def test_different_values_have_different_keys(one, other):
    assert json.dumps(config_key(one)) != json.dumps(config_key(other))


def test_a_value_that_says_nothing_is_refused_by_its_fields_name():
    @dataclasses.dataclass
    class Config:
        handle: object

    with pytest.raises(TypeError, match="Config.handle: a object cannot be part of a program's key"):
        config_key(Config(object()))


class Scaled(paddle.nn.Layer):
    """A layer whose attributes decide what it computes."""

    def __init__(self, factor, inner):
        super().__init__()
        self.factor, self.inner, self.linear = factor, inner, paddle.nn.Linear(2, 2)

    def forward(self, tensors):
        return [tensors["x"].sum() * self.factor + self.inner.rate * self.linear(tensors["x"]).sum()]


def test_attributes_of_a_layer_change_its_key_and_weights_do_not():
    known = layer_key(Scaled(2.0, Inner()))
    assert layer_key(Scaled(2.0, Inner())) == known
    assert layer_key(Scaled(3.0, Inner())) != known
    assert layer_key(Scaled(2.0, Inner(0.3))) != known
    outer = Scaled(2.0, Inner())
    outer.linear = paddle.nn.Sequential(paddle.nn.Linear(2, 2), paddle.nn.ReLU())
    assert layer_key(outer) != known
    json.dumps(known)


def test_what_networks_remember_of_their_use_is_in_no_key(encoder_world, encoder_pack):
    """Else each text, and each process, would compile a CLIP anew."""
    editor = Editor(load_pack(encoder_pack))
    networks = [editor.bundle.generator, editor.bundle.clip, editor.bundle.encoder.network]
    known = [layer_key(network) for network in networks]
    before, _ = editor.edit(editor.sample(1), Edit("face", "happy face"))
    editor.invert(before[None])
    editor.bundle.clip.encode_image(paddle.zeros([1, 3, 16, 16]))
    assert [layer_key(network) for network in networks] == known


def test_a_function_that_was_typed_in_is_known_by_its_code():
    """There is no source to look at, and a notebook's cell is run again under the same name."""
    typed = []
    for factor in (2, 3, 2):
        room = {"__name__": "__main__"}
        exec(f"def measure(x):\n    return x * {factor}", room)
        typed.append(config_key({"measure": room["measure"]}))
    assert typed[0] == typed[2] != typed[1]


def test_layers_of_two_settings_are_two_programs(tmp_path):
    x = {"x": np.ones([1, 2], np.float32)}
    paddle.seed(0)
    one = Scaled(2.0, Inner(0.0))
    other = Scaled(5.0, Inner(0.0))
    other.set_state_dict(one.state_dict())
    losses = [
        engine.compile_gradient(layer, {"x": [-1, 2]}, ["x"], folder=tmp_path)(x)[0][0].item()
        for layer in (one, other)
    ]
    np.testing.assert_allclose(losses, [4.0, 10.0])
    assert len(list(tmp_path.iterdir())) == 2


def objective():
    return Step(tiny_generator(), tiny_clip())


def test_every_imported_source_file_changes_the_key(monkeypatch):
    layer, read = objective(), keys._read
    monkeypatch.setattr(keys, "_MODULES", {})
    known = source_fingerprint(layer)
    files = [Path(path) for path in keys._MODULES]
    names = {path.relative_to(PACKAGE).as_posix() for path in files if PACKAGE in path.parents}
    assert {"engine/exporter.py", "engine/graph_passes.py", "ops/__init__.py", "models/clip.py"} <= names
    for touched in files:
        monkeypatch.setattr(keys, "_MODULES", {})
        monkeypatch.setattr(keys, "_read", lambda path, t=touched: read(path) + b"#" * (path == t))
        assert source_fingerprint(layer) != known, touched
    monkeypatch.setattr(keys, "_MODULES", {})
    monkeypatch.setattr(keys, "_read", read)
    assert source_fingerprint(layer) == known


def test_the_styles_layout_is_part_of_what_an_optimisation_is_traced_from():

    layer = InferenceSynthesis(tiny_generator())
    known = keys._defining_modules(layer, set())
    layer.layout = tiny_generator().layout
    assert keys._defining_modules(layer, set()) > known


def parsed_imports(path, name, is_package):
    """Oracle: the modules that Python's own parser finds."""
    tree, found = ast.parse(path.read_text("utf-8")), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = keys._absolute("." * node.level + (node.module or ""), name, is_package)
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found |= {module if keys._path_of(module) else base for module in inner}
    return {module for module in found if module.split(".")[0] == "ppstyleclip"}


@pytest.mark.slow
def test_imports_are_read_as_pythons_parser_reads_them():
    paths = sorted(PACKAGE.rglob("*.py"))
    assert len(paths) > 50
    for path in paths:
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found = set(keys.imported_modules(path.read_text("utf-8"), name, is_package))
        assert parsed_imports(path, name, is_package) <= found, path


def test_what_a_package_imports_on_demand_is_part_of_it():
    found = keys.imported_modules(
        (PACKAGE / "zoo" / "__init__.py").read_text("utf-8"), "ppstyleclip.zoo", True
    )
    assert "ppstyleclip.zoo.load" in found


def test_a_file_that_changes_is_read_again(tmp_path, monkeypatch):
    (tmp_path / "traced_here.py").write_text("FACTOR = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("traced_here")
    known = fingerprint_modules(["traced_here"])
    (tmp_path / "traced_here.py").write_text("FACTOR = 22\n")
    assert fingerprint_modules(["traced_here"]) != known


def test_source_that_changed_after_the_start_is_known_in_this_process_alone(tmp_path, monkeypatch):
    (tmp_path / "edited_here.py").write_text("FACTOR = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("edited_here")
    found = set()
    for process in ("one", "other"):
        monkeypatch.setattr(keys, "_MODULES", {})
        monkeypatch.setattr(keys, "_NO_SOURCE", process)
        found.add(fingerprint_modules(["edited_here"]))
    assert len(found) == 2
    monkeypatch.setattr(keys, "_STARTED", (tmp_path / "edited_here.py").stat().st_mtime_ns)
    found = set()
    for process in ("one", "other"):
        monkeypatch.setattr(keys, "_MODULES", {})
        monkeypatch.setattr(keys, "_NO_SOURCE", process)
        found.add(fingerprint_modules(["edited_here"]))
    assert len(found) == 1


def test_layers_that_hold_each_other_have_a_key():
    one, other = Scaled(1.0, Inner()), Scaled(2.0, Inner())
    one.friends, other.friends = [other], [one]
    json.dumps(layer_key(one))
