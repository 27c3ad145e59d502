# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Numbers that cannot be computed with are refused at the border: arrays, options, configurations."""

import argparse
import ast
from pathlib import Path

import numpy as np
import pytest

from ppstyleclip.cli.main import run_command
from ppstyleclip.errors import UserError
from ppstyleclip.finite import check_finite, finite_number, is_finite
from ppstyleclip.methods.checks import check_number, check_signed
from ppstyleclip.methods.global_directions import RelevanceConfig, StatisticsConfig
from ppstyleclip.methods.inversion import FittingConfig, TuningConfig
from ppstyleclip.methods.inversion.fitting import FittingLoss
from ppstyleclip.methods.latents import mix, move
from ppstyleclip.methods.mapper.config import MapperConfig, TrainingConfig
from ppstyleclip.methods.optimization import OptimizationConfig
from ppstyleclip.methods.optimization.config import ObjectiveConfig
from ppstyleclip.pictures import to_pixels

ROOT = Path(__file__).resolve().parents[1]
BAD = (float("nan"), float("inf"), -float("inf"), 1e308)
W_PLUS = np.zeros((1, 4, 3), np.float32)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_bad_number_is_found(dtype, bad):
    array = np.ones((50, 40), dtype)
    assert is_finite(array) and is_finite(array.T) and is_finite(array[::3, ::2])
    array[31, 17] = bad
    assert not is_finite(array) and not is_finite(array.T)
    assert is_finite(array[:31])


def test_finite_in_float32_is_what_counts():
    assert is_finite(np.full(3, 3e38, np.float32))  # its square overflows
    assert not is_finite(np.full(3, 1e300))
    assert is_finite(np.zeros((0, 4))) and is_finite(np.float32(3)) and not is_finite(np.float32(np.nan))
    assert is_finite(np.array([2**60])) and is_finite(np.array(["text"]))


def test_one_number_seen_many_times_is_looked_at_once():
    assert is_finite(np.broadcast_to(np.float32(1), (10**6, 10**6)))
    assert not is_finite(np.broadcast_to(np.float32([1, np.nan]), (10**6, 2)))


def test_the_array_is_named():
    arrays = {"a": np.ones(2), "b": np.array([1, np.nan]), "c": np.array([np.inf])}
    with pytest.raises(UserError, match=r"^x\.pt: b \(and 1 more\) holds NaN or infinity"):
        check_finite(arrays, "x.pt")
    check_finite({"a": np.ones(2)}, "x.pt")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e308", "-1e7"])
def test_an_option_that_is_no_finite_number(text):
    with pytest.raises(argparse.ArgumentTypeError, match="finite number up to 1,000,000"):
        finite_number(text)


def test_options_that_are_numbers():
    assert finite_number("-3.5") == -3.5 and finite_number("1e6") == 1e6


def test_no_command_reads_a_number_by_float_alone():
    places = []
    for source in [p for top in ("ppstyleclip", "tools", "benchmarks") for p in (ROOT / top).rglob("*.py")]:
        text = source.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "type=float" in text else ():  # as ruff writes it
            if (
                isinstance(node, ast.keyword)
                and node.arg == "type"
                and getattr(node.value, "id", "") == "float"
            ):
                places.append(f"{source.name}:{node.value.lineno}")
    assert not places, "options read by float, which takes nan; use finite.finite_number: " + ", ".join(
        places
    )


@pytest.mark.parametrize("bad", ["nan", "1e308"])
@pytest.mark.parametrize(
    "command, option",
    [
        ("relevance", "--alpha"),
        ("statistics", "--truncation"),
        ("edit", "--direction_offset"),
        ("edit", "--beta_threshold"),
        ("edit", "--soft_threshold"),
        ("edit", "--pull"),
        ("photo", "--direction_offset"),
        ("move", "--direction_offset"),
        ("mix", "--weights"),
        ("map", "--strength"),
        ("optimize", "--lr"),
        ("optimize", "--weights"),
        ("train-mapper", "--learning_rate"),
        ("split-latents", "--least"),
        ("fit", "--start_lr"),
    ],
)
def test_commands_refuse_such_options_at_once(command, option, bad, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = {"edit": ["--target", "x"], "photo": ["x.png", "--target", "x"], "split-latents": ["x"]}
    assert run_command(command, [*arguments.get(command, []), option, bad]) == 2
    said = capsys.readouterr().err
    assert "finite number" in said and option in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    "build",
    [
        lambda bad: RelevanceConfig(alpha=bad),
        lambda bad: StatisticsConfig(truncation=bad),
        lambda bad: FittingConfig(start_rate=bad),
        lambda bad: FittingConfig(last_rate=bad),
        lambda bad: FittingLoss(mse_weight=bad),
        lambda bad: TuningConfig(rate=bad),
        lambda bad: TuningConfig(mse_weight=bad),
        lambda bad: MapperConfig(scale=bad),
        lambda bad: TrainingConfig(learning_rate=bad),
        lambda bad: OptimizationConfig(learning_rate=bad),
        lambda bad: ObjectiveConfig(weights={"clip": bad}),
        lambda bad: ObjectiveConfig(directional_strength=bad),
        lambda bad: mix(W_PLUS, W_PLUS, bad),
        lambda bad: move(W_PLUS, np.ones(3), bad),
        lambda bad: check_signed("alpha", 1.0, bad),
        lambda bad: check_number("rate", bad),
    ],
)
def test_configurations_refuse_such_numbers(build, bad):
    with pytest.raises(UserError, match="(?i)nan|inf|1e\\+308") as error:
        build(bad)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("bad", [True, "3", None, 1j])
def test_what_is_no_number_at_all(bad):
    for check in (check_number, check_signed):
        with pytest.raises(UserError, match="alpha must be a"):
            check("alpha", bad)


def test_too_large_says_what_is_the_most():
    with pytest.raises(
        UserError, match="rate must be a number from 0 on and at most 1,000,000, got 10000000"
    ):
        check_number("rate", 1e7)


def test_a_picture_of_no_colours_is_refused():
    images = np.zeros((1, 3, 4, 4), np.float32)
    images[0, 1, 2, 3] = np.nan
    with pytest.raises(UserError, match="NaN or infinity"):
        to_pixels(images)
    assert to_pixels(np.zeros_like(images)).shape == (1, 4, 4, 3)
