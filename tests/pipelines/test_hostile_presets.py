# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Hostile presets: one line with file and field, at once, whatever was meant."""

import pytest
import yaml
from edges import edges
from hostile_values import (
    DEEP,
    MAPPER_PRESET,
    NO_FLAG,
    NO_NAMED,
    NO_NUMBER,
    NO_TEXT,
    OPTIMIZE,
    cases,
    changed,
    refused,
)
from tool_main import load_tool

from ppstyleclip.pipelines.presets import read_optimization_preset, read_training_preset

NO_COUNT = [-1, 1.5, "3", True, [3], {"a": 3}, 10**18]
NUMBERS = [-1, *(value for value in NO_NUMBER if value is not None)]
TEXTS = [value for value in NO_TEXT if value is not None]
OPTIMIZATION = {
    "space": ["other", *TEXTS],
    "steps": [0, 10**7, *NO_COUNT],
    "learning_rate": [1e39, *NUMBERS],
    "schedule": ["other", *TEXTS],
    "rampdown": [0, *NUMBERS],
    "step_size": [0, *NO_COUNT],
    "gamma": NUMBERS,
    "neighbours": [10**9, *NO_COUNT],
    "neighbour_std": NUMBERS,
    "objective": NO_NAMED,
    "objective.crops": [0, 6, *NO_COUNT],
    "objective.margin": [1, *NUMBERS],
    "objective.view": ["other", *TEXTS],
    "objective.anchor": ["other", *TEXTS],
    "objective.weights": [*NO_NAMED, {"clip": DEEP}, {f"w{k}": 1.0 for k in range(101)}],
    "objective.weights.l2": [1e10, *NUMBERS],
    "adam": NO_NAMED,
    "adam.beta1": [1, *NUMBERS],
    "adam.weight_decay": NUMBERS,
    "adam.amsgrad": [value for value in NO_FLAG if value is not None],
    "more": [1],
}
TRAINING = {
    "steps": [0, 10**10, *NO_COUNT],
    "batch_size": [0, 10**9, *NO_COUNT],
    "optimizer": ["other", *TEXTS],
    "validate_every": [0, *NO_COUNT],
    "patience": NO_COUNT,
    "seed": [-1, 1.5, "3", True, [3]],
    "mixed_precision": [1, "yes", []],
    "mapper": NO_NAMED,
    "mapper.mapper_type": ["Other", *TEXTS],
    "mapper.mode": ["other", *TEXTS],
    "mapper.scale": NUMBERS,
    "mapper.coarse": [1, "yes", []],
    "run": NO_NAMED,
    "run.train_faces": [0, 10**9, *NO_COUNT],
    "run.save_every": NO_COUNT,
    "run.more": [1],
}
WHOLE = ["- a", "a", "3", "[" * 200, "9" * 5000, ".inf", "steps: .inf", "steps: 1e999", "&a [*a]"]
WHOLE += ["steps: 3\nsteps: 4", "!!python/object:os.system x", "learning_rate: .nan", "{1: 2}", "[1, 2]"]
WHOLE += ["x: y" * 20_000, "every: 0"]


def written(value, name="mine.yaml"):
    with open(name, "w") as file:
        file.write(value if isinstance(value, str) else yaml.safe_dump(value))
    return name


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("field, value", cases(OPTIMIZATION))
def test_an_optimization_preset(field, value):
    line = refused(read_optimization_preset, written(changed(OPTIMIZE, field, value)))
    assert "mine.yaml" in line and (field.rpartition(".")[2] in line or "cannot be read" in line)


@pytest.mark.parametrize("field, value", cases(TRAINING))
def test_a_mapper_preset(field, value):
    line = refused(read_training_preset, written(changed(MAPPER_PRESET, field, value)))
    assert "mine.yaml" in line and (field.rpartition(".")[2] in line or "cannot be read" in line)


@pytest.mark.parametrize("text", edges(WHOLE, 6))
@pytest.mark.parametrize("read", [read_optimization_preset, read_training_preset])
def test_a_file_of_something_else(read, text):
    assert "mine.yaml" in refused(read, written(text))


def test_the_valid_ones_are_read_and_nothing_is_a_preset_too():
    assert read_optimization_preset(written(OPTIMIZE)).steps == OPTIMIZE["steps"]
    assert read_training_preset(written(MAPPER_PRESET))[1].val_faces == 42
    assert read_optimization_preset(written("")).steps == 300


def test_a_command_says_it_in_one_line(capsys):
    assert load_tool("optimize")(["--description", "a", "--preset", written("every: 0")]) == 2
    assert capsys.readouterr().err == (
        "error: mine.yaml holds no settings: step_size is 0; allowed: a whole number from 1 to 1000000000\n"
    )
