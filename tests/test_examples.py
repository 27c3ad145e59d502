# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The examples in docstrings run as they stand, and the names that people use each have one."""

from __future__ import annotations

import doctest
import importlib

import pytest
from edges import slow

from ppstyleclip.zoo.registry import PACK

NAMES = (
    "ppstyleclip.editor:Edit",
    "ppstyleclip.editor:Editor",
    "ppstyleclip.editor:Editor.from_pretrained",
    "ppstyleclip.editor:Editor.save_pretrained",
    "ppstyleclip.editor:Editor.sample",
    "ppstyleclip.editor:Editor.invert",
    slow("ppstyleclip.editor:Editor.direction"),
    slow("ppstyleclip.editor:Editor.apply"),
    slow("ppstyleclip.editor:Editor.render"),
    "ppstyleclip.editor:Editor.edit",
    "ppstyleclip.session:Session",
    "ppstyleclip.zoo.by_name:available_models",
    "ppstyleclip.zoo.by_name:load_generator",
    "ppstyleclip.zoo.load:load_bundle",
    slow("ppstyleclip.zoo.load:load_pack"),
    slow("ppstyleclip.text:text_direction"),
    "ppstyleclip.methods.global_directions.statistics:collect_statistics",
    "ppstyleclip.methods.global_directions.direction:style_direction",
    slow("ppstyleclip.methods.global_directions.relevance:compute_relevance"),
    slow("ppstyleclip.methods.optimization.optimize:optimize"),
    slow("ppstyleclip.pipelines.photo:edit_photo"),
    "ppstyleclip.worker:on_worker",
    "ppstyleclip.engine.keys:config_key",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def examples_of(name: str) -> list[doctest.DocTest]:
    """Examples of one name's own docstring, without those of its methods; `name` is "module:name.in.it"."""
    module_name, _, path = name.partition(":")
    module = importlib.import_module(module_name)
    value = module
    for part in path.split("."):
        value = getattr(value, part)
    found = doctest.DocTestFinder(recurse=False).find(value, name=path, module=module)
    return [test for test in found if test.examples]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(not list(PACK.glob("*.safetensors")), reason="the embedded pack is not there")
def test_a_name_that_people_use_has_an_example_that_runs(name, home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(home))
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    examples = examples_of(name)
    assert examples, f"{name} has no example"
    for example in examples:
        report: list[str] = []
        result = doctest.DocTestRunner().run(example, out=report.append)
        assert result.failed == 0, "".join(report)
