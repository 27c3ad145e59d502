# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Presets: the seeds' numbers, files of one's own with new and old names, and files of other words."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from tool_main import load_tool

from ppstyleclip.errors import UserError
from ppstyleclip.methods.mapper import TrainingConfig
from ppstyleclip.pipelines.optimization import default_preset
from ppstyleclip.pipelines.presets import (
    RunConfig,
    known_presets,
    read_optimization_preset,
    read_training_preset,
)

# Shipped presets as they were before 0.2: users have files of this form.
OLD_OPTIMIZE = {
    "official": """
        {space: w_plus, steps: 300, rate: 0.1, schedule: ramped, up: 0.05, down: 0.25, l2: 0.008,
        l2_over: sum, identity: 0.0, view: official}""",
    "seed001": """
        {space: w_plus, steps: 150, rate: 0.1, schedule: ramped, up: 0.05, down: 0.5, l2: 0.005, l2_over: sum,
        view: seed001}""",
    "seed004": """
        {space: w_plus, steps: 100, rate: 0.1, schedule: stepped, every: 50, factor: 0.5, l2: 0.008,
        l2_over: mean, identity: 0.005, view: seed004, adam: {weight_decay: 0.01, amsgrad: true}}""",
    "portrait": """
        {space: z, steps: 40, rate: 0.3, schedule: ramped, up: 0.05, down: 0.25, l2: 0.004, l2_over: sum,
        identity: 0.5, view: clip, toward: 1.5, nearby: 39, spread: 1.5, adam: {epsilon: 0.03}}""",
    "portrait_latent": """
        {space: w_plus, steps: 80, rate: 0.05, schedule: ramped, up: 0.05, down: 0.25, l2: 0.005,
        l2_over: sum, identity: 0.5, view: clip, toward: 2.0, nearby: 40, spread: 1.0}""",
}
OLD_MAPPER = {
    "conditioned": """
        {mapper_type: ConditionedMapper, embed: clip, scale: 1.0, fine: false, width: 112, depth: 2,
        steps: 1500, batch_size: 8, optimiser: adam, rate: 0.004, clip: 1.0, l2: 0.1, identity: 0.0,
        view: clip, views: 3, reach: 0.05, toward: 2.0, every: 250,
        run: {train_faces: 1000, held_out_faces: 64, pictures_every: 250, save_every: 50}}""",
    "official": """
        {mapper_type: LevelsMapper, mode: Mapper, scale: 0.1, steps: 50000, batch_size: 2, optimiser: ranger,
        rate: 0.5, clip: 1.0, l2: 0.8, identity: 0.1, view: official, every: 2000,
        run: {train_faces: 5000, held_out_faces: 1000, pictures_every: 100, save_every: 2000}}""",
    "seed000": """
        {mapper_type: LevelsMapper, mode: Mapper_sum, embed: table, scale: 0.1, steps: 100000, batch_size: 1,
        optimiser: ranger, rate: 0.5, clip: 1.0, l2: 0.8, identity: 0.1, view: official, every: 2000,
        run: {train_faces: 20000, held_out_faces: 1000, pictures_every: 1000, save_every: 2000}}""",
    "seed004": """
        {mapper_type: LevelsMapper, mode: Mapper, scale: 1.0, steps: 50000, batch_size: 2, optimiser: ranger,
        rate: 0.5, clip: 1.0, l2: 0.3, identity: 0.06, view: seed004, every: 2000,
        run: {train_faces: 5000, held_out_faces: 1000, pictures_every: 100, save_every: 2000}}""",
    "portrait": """
        {mapper_type: LevelsMapper, mode: Mapper, scale: 0.1, steps: 120, batch_size: 4, optimiser: adam,
        rate: 1.5, clip: 1.0, l2: 0.1, identity: 0.0, view: clip, views: 3, reach: 0.05, toward: 2.0,
        every: 30, run: {train_faces: 420, held_out_faces: 42, pictures_every: 30, save_every: 30}}""",
}


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("preset", known_presets("optimize"))
def test_every_preset_has_a_rate_for_each_step(preset):
    config = read_optimization_preset(preset)
    assert len(config.learning_rates()) == config.steps
    assert read_optimization_preset(preset, steps=7, learning_rate=None).steps == 7


def without_zeros(objective):
    """An objective whose parts of weight 0 are not named, which measures the same."""
    weights = {name: weight for name, weight in objective.weights.items() if weight}
    return dataclasses.replace(objective, weights=weights)


@pytest.mark.parametrize("preset", OLD_OPTIMIZE)
def test_files_with_the_old_names_still_read(preset):
    Path("mine.yaml").write_text(OLD_OPTIMIZE[preset])
    mine, shipped = read_optimization_preset("mine.yaml"), read_optimization_preset(preset)
    assert without_zeros(mine.objective) == without_zeros(shipped.objective)
    assert dataclasses.replace(mine, objective=shipped.objective) == shipped


@pytest.mark.parametrize("preset", known_presets("mapper"))
def test_mapper_files_with_the_old_names_still_read(preset):
    """But for `anchor`, which had no name: it is "picture" in the presets of the embedded world."""
    Path("mine.yaml").write_text(OLD_MAPPER[preset])
    (mine, run), (shipped, shipped_run) = read_training_preset("mine.yaml"), read_training_preset(preset)
    assert run == shipped_run
    assert mine.objective.anchor == "crops"
    anchor = "picture" if preset in ("portrait", "conditioned") else "crops"
    assert dataclasses.replace(mine, objective=dataclasses.replace(mine.objective, anchor=anchor)) == shipped


def test_a_file_may_name_parts_with_their_fields_or_fields_by_themselves():
    Path("parts.yaml").write_text("objective: {crops: 3, weights: {l2: 0.1}}\nadam: {beta1: 0.5}\n")
    Path("fields.yaml").write_text("crops: 3\nweights: {l2: 0.1}\nbeta1: 0.5\n")
    parts, fields = read_optimization_preset("parts.yaml"), read_optimization_preset("fields.yaml")
    assert parts == fields and parts.objective.crops == 3 and parts.adam.beta1 == 0.5
    assert parts.objective.weights == {"clip": 1.0, "l2": 0.1}
    assert read_optimization_preset("parts.yaml", l2=0.2).objective.weights["l2"] == 0.2


@pytest.mark.parametrize(
    "words",
    [
        "rate: fast",
        "nearby: few",
        "steps: [1]",
        "- rate",
        "colour: 1",
        "objective: {crops: two}",
        "weights: {l2: x}",
    ],
)
def test_a_file_of_other_words_is_one_line(words, capsys):
    Path("mine.yaml").write_text(words)
    assert load_tool("optimize")(["--description", "happy face", "--preset", "mine.yaml"]) == 2
    line = capsys.readouterr().err.strip()
    assert line.startswith("error: mine.yaml holds no settings") and "\n" not in line


def test_presets_are_the_seeds_numbers():
    official, first, last = (read_optimization_preset(name) for name in ("official", "seed001", "seed004"))
    assert (official.steps, official.learning_rate) == (300, 0.1)
    assert (official.objective.weights["l2"], official.objective.l2_reduction) == (0.008, "sum")
    rates = official.learning_rates()
    assert rates[0] == 0 and rates[15] == pytest.approx(0.1) and rates[225] == pytest.approx(0.1)
    assert rates[262] == pytest.approx(0.1 * (0.5 - 0.5 * np.cos(np.pi * (1 - 262 / 300) / 0.25)))
    assert (first.steps, first.objective.weights["l2"], first.rampdown) == (150, 0.005, 0.5)
    assert first.objective.view == "seed001"
    assert last.adam.amsgrad and last.learning_rates()[49] == 0.1 and last.learning_rates()[50] == 0.05


@pytest.mark.parametrize("name, space, l2", [("seed004_w", "w_plus", 0.008), ("seed004_z", "z", 0.001)])
def test_presets_of_seed_004s_notebook(name, space, l2):
    """Its server's but for these."""
    config, server = read_optimization_preset(name), read_optimization_preset("seed004")
    assert config == dataclasses.replace(
        server,
        space=space,
        learning_rate=0.01,
        gamma=0.2,
        objective=dataclasses.replace(
            server.objective, weights={**server.objective.weights, "l2": l2, "identity": 0.005}
        ),
    )
    rates = config.learning_rates()
    assert len(rates) == 100 and rates[49] == 0.01 and rates[50] == pytest.approx(0.002)


def test_mapper_presets_are_the_seeds_numbers():
    assert read_training_preset("official") == (TrainingConfig(), RunConfig())
    many, run = read_training_preset("seed000", {}, {"train_faces": 7, "save_every": None})
    assert (many.mapper.mode, many.mapper.embed) == ("Mapper_sum", "table")
    assert (many.batch_size, many.steps) == (1, 100000)
    assert (run.train_faces, run.save_every) == (7, 2000)
    assert read_training_preset("seed004")[0].mapper.scale == 1.0
    assert read_training_preset("portrait", {"learning_rate": 0.2})[0].learning_rate == 0.2


def test_presets_by_model_and_by_face():
    assert default_preset("portrait", is_sampled=True) == "portrait"
    assert default_preset("portrait", is_sampled=False) == "portrait_latent"
    assert default_preset("ffhq-config-f", is_sampled=True) == "official"
    assert {read_optimization_preset(name).space for name in ("portrait_latent", "official")} == {"w_plus"}


def test_the_warm_up_of_the_official_code_works():
    """run_optimization.py reads --lr_rampup and passes it to nothing; here it counts."""

    def rates(rampup):
        return read_optimization_preset("official", steps=20, rampup=rampup).learning_rates()

    assert rates(0.05)[:2] == [0.0, pytest.approx(0.1)]
    assert rates(0.5)[:11] == pytest.approx([0.01 * k for k in range(11)])
    assert rates(0.0)[0] == 0.1


@pytest.mark.parametrize("field", ["train_faces", "val_faces", "pictures_every", "save_every", "board_every"])
def test_counts_of_a_run_below_zero_are_refused(field):
    with pytest.raises(UserError, match=f"{field} must be a whole number from"):
        read_training_preset("official", {}, {field: -1})
