# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Recipes in YAML and JSON, edits on a command line: what is read, and one line for what is not."""

import json

import pytest
from hostile_values import DEEP, NO_FLAG, NO_LINE, NO_LIST, NO_NUMBER, RECIPE, cases, refused

from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.pipelines.recipe_files import (
    MOST_EDITS,
    UNITS,
    EditWords,
    RecipeWords,
    parse_edit,
    read_recipe,
)
from ppstyleclip.stylespace import UNITS as ALL_UNITS

SMILE = RECIPE["edits"][0]


def test_yaml_and_json_say_the_same(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(RECIPE))
    (tmp_path / "a.yaml").write_text(
        "orthogonal: true\nidentity: 0.7\nedits:\n"
        "  - {name: smile, target: smiling face, alpha: 3, beta: auto, region: mouth}\n"
        "  - target: face with gold hair\n    alpha: auto\n    pull: 0.5\n"
    )
    words = read_recipe(tmp_path / "a.json")
    assert words == read_recipe(tmp_path / "a.yaml")
    first, second = words.edits
    assert (first.alpha, first.beta, first.region, first.neutral) == (3.0, "auto", "mouth", "face")
    assert second == EditWords("face with gold hair", alpha="auto", pull=0.5) and words.orthogonal


def test_units_are_those_of_style_space():
    assert UNITS == ALL_UNITS


TEXTS = [value for value in NO_LINE if value is not None]
HOSTILE = {
    "edits": [[], [{}], [SMILE] * (MOST_EDITS + 1), [3], DEEP, None, *NO_LIST],
    "orthogonal": NO_FLAG,
    "identity": [1.5, -0.1, *(v for v in NO_NUMBER if v is not None)],
    "outside": [2, *(v for v in NO_NUMBER if v is not None)],
    "name": TEXTS,
    "strength": [1],
}
HOSTILE_EDIT = {
    "target": ["", None, *TEXTS],
    "neutral": ["", None, *TEXTS],
    "alpha": ["Auto", "3", True, [3], 1e7, {}],
    "beta": [-1, "x", True, [3], 1e7],
    "unit": ["other", 3],
    "templates": ["other", 3],
    "soft": [2, -1, "x", None],
    "pull": [2, -1, "x"],
    "region": ["", *TEXTS],
    "strength": [1],
}


@pytest.mark.parametrize("field, value", cases(HOSTILE))
def test_what_no_recipe_holds_is_one_line(field, value, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({**RECIPE, field: value}))
    assert "recipe.json" in refused(read_recipe, path)


@pytest.mark.parametrize("field, value", cases(HOSTILE_EDIT))
def test_what_no_edit_holds_is_one_line(field, value, tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"edits": [{**SMILE, field: value}]}))
    assert "recipe.json" in refused(read_recipe, path)


def test_unknown_keys_name_the_known_ones(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("edits:\n  - {target: happy face, strength: 3}\n")
    with pytest.raises(
        UserError, match=r"recipe.yaml: edits\[0\].strength is unknown; known: target, neutral"
    ):
        read_recipe(path)


def test_no_such_file(tmp_path):
    with pytest.raises(MissingFile, match="recipe.yaml"):
        read_recipe(tmp_path / "recipe.yaml")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("face -> smiling face @ 3", EditWords("smiling face", "face", alpha=3.0)),
        (
            "head with black hair->head with gold hair@-2.5",
            EditWords("head with gold hair", "head with black hair", alpha=-2.5),
        ),
        ("smiling face", EditWords("smiling face")),
        ("smiling face @ auto", EditWords("smiling face", alpha="auto")),
        ("脸 → 微笑的脸 @ 3", EditWords("微笑的脸", "脸", alpha=3.0)),
    ],
)
def test_an_edit_on_a_command_line(text, expected):
    assert parse_edit(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "@ 3",
        "-> x",
        "face ->",
        "face -> a -> b",
        "a @",
        "a @ x",
        "a @ nan",
        "a @ 1e400",
        "a @ 1e7",
        "a\nb",
    ],
)
def test_what_is_no_edit_is_one_line(text):
    with pytest.raises(UserError) as error:
        parse_edit(text)
    assert (
        "\n" not in str(error.value)
        and "face -> smiling face @ 3" in str(error.value)
        or "auto" in str(error.value)
    )


def test_a_recipe_of_one():
    assert RecipeWords((EditWords("happy face"),)).orthogonal is False
