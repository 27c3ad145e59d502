# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What stands on a command line: each number has bounds, and what is beyond them is one line."""

from __future__ import annotations

import argparse
import importlib

import pytest

from ppstyleclip.cli.argument_types import MOST_SEED, Number, Whole, is_seed, which_face, words
from ppstyleclip.cli.main import COMMANDS, run_command

FREE = (None, str, words, which_face)  # types of what is no number


class Caught(Exception):
    """Carries a command's parser out of its parse_args."""


def parser_of(command, monkeypatch):
    def catch(self, *args, **options):
        raise Caught(self)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", catch)
    with pytest.raises(Caught) as caught:
        importlib.import_module(f"ppstyleclip.cli.{COMMANDS[command][0]}").parse_args([])
    monkeypatch.undo()
    return caught.value.args[0]


def is_bounded(action):
    """Whether an option's type has bounds, and its defaults are numbers only where it is."""
    if isinstance(action.type, (Whole, Number)):
        defaults = action.default if isinstance(action.default, list) else [action.default]
        low, high = action.type.least, action.type.most
        kind = int if isinstance(action.type, Whole) else (int, float)
        return (
            all(value in (None, argparse.SUPPRESS) or low <= value <= high for value in defaults)
            and isinstance(low, kind)
            and low < high < 1e10
        )
    return action.type in FREE and not (
        isinstance(action.default, (int, float)) and not isinstance(action.default, bool)
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_number_of_every_command_has_bounds(command, monkeypatch):
    parser = parser_of(command, monkeypatch)
    assert [action.option_strings for action in parser._actions if not is_bounded(action)] == []


def test_an_option_without_bounds_would_be_found():
    parser = argparse.ArgumentParser()
    for options in ({"type": int}, {"type": float}, {"default": 3}, {"type": Whole(1, 9), "default": 0}):
        assert not is_bounded(parser.add_argument(f"--x{len(parser._actions)}", **options))
    assert is_bounded(parser.add_argument("--good", type=Whole(1, 9), default=1))


HOSTILE = ["", " ", "x", "-1", "1e400", "nan", "inf", "-inf", "0x10", "9" * 20, "9" * 5000, "1/2", "²", "\0"]


@pytest.mark.parametrize("command", COMMANDS)
def test_hostile_numbers_are_one_line_in_every_option(command, monkeypatch, capsys):
    parser = parser_of(command, monkeypatch)
    needed = [
        str(k)
        for k, action in enumerate(parser._actions)
        if not action.option_strings and action.nargs is None
    ]
    for action in parser._actions:
        if not isinstance(action.type, (Whole, Number)):
            continue
        for text in HOSTILE:
            if text == "-1" and action.type.least <= -1:
                continue
            if isinstance(action.nargs, int):  # argparse counts before it reads
                with pytest.raises(argparse.ArgumentTypeError, match="is needed, got"):
                    action.type(text)
                continue
            assert run_command(command, [*needed, f"{action.option_strings[0]}={text}"]) == 2
            said = capsys.readouterr().err
            assert said.startswith("error: argument ") and said.count("\n") == 1 and len(said) < 400, said
            assert "is needed, got" in said


def test_whole_numbers_and_numbers():
    assert Whole(0, 9)("9") == 9 and Number(0, 1)("0.25") == 0.25
    for kind, text in (
        (Whole(0, 9), "10"),
        (Whole(0, 9), "1.0"),
        (Number(0, 1), "1.01"),
        (Number(-1, 1), "nan"),
    ):
        with pytest.raises(argparse.ArgumentTypeError, match="is needed, got"):
            kind(text)
    assert Whole(0, MOST_SEED)("4294967295") == MOST_SEED


@pytest.mark.parametrize("text", ["", "\t", "\ud800", "a\x1b[31m", "x" * 1001])
def test_what_is_no_text(text):
    with pytest.raises(argparse.ArgumentTypeError):
        words(text)


@pytest.mark.parametrize("text", ["happy face", "笑脸", "two\nlines", "👩‍🦰"])
def test_texts_stay_as_they_are(text):
    assert words(text) == text


def test_digits_of_other_scripts_are_no_seeds_and_no_faces():
    assert (
        is_seed("12") and not is_seed("²") and not is_seed("١٢") and not is_seed(None) and not is_seed("-1")
    )
    assert which_face("2") == "2" and which_face("all") == "all"
    for text in ("0", "²", "99999", "left", ""):
        with pytest.raises(argparse.ArgumentTypeError):
            which_face(text)
