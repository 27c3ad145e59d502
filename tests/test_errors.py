# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What comes out of files is shown escaped and cut: in errors, in warnings, in lists."""

import pickle
import time
import warnings

import pytest

from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import (
    CannotWrite,
    MissingExtra,
    MissingFile,
    UserError,
    name_first,
    named,
    one_line,
    plain,
    shown,
)

HOSTILE = [
    ("a\x1b[31mb", "\\x1b[31m"),
    ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
    ("a\x9b2Jb", "\\x9b2J"),
    ("a\x00b", "\\x00"),
    ("a\x7fb", "\\x7f"),
    ("a\bb", "\\x08"),
    ("a\u202eb", "\\u202e"),
    ("a\u2066b", "\\u2066"),
    ("a\u200bb", "\\u200b"),
    ("a\ufeffb", "\\ufeff"),
    ("a\ud800b", "\\ud800"),
    ("a\U000e0041b", "\\U000e0041"),
]
ENDS = [
    "a\nwrote /etc/passwd",
    "a\rwrote x",
    "a\r\nb",
    "a\vb",
    "a\fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "a\tb",
]


@pytest.mark.parametrize("text, escaped", HOSTILE)
@pytest.mark.parametrize("show", [one_line, plain, shown, UserError, lambda text: named([text])])
def test_what_does_not_print_is_written_as_its_code(show, text, escaped):
    line = str(show(text))
    assert line.isprintable() and escaped in line
    line.encode()


@pytest.mark.parametrize("text", ENDS)
def test_line_ends_end_no_line(text):
    assert one_line(text) == str(UserError(text)) == " ".join(text.split())
    for show in (plain, shown, lambda text: named([text])):
        assert show(text).isprintable() and "\\" in show(text)


@pytest.mark.parametrize("kind", [UserError, MissingFile, CannotWrite, MissingExtra])
def test_errors_of_every_class_are_clean_and_keep_their_text(kind):
    error = kind("no file 'a\x1b[2J' there\nwrote x")
    assert str(error) == "no file 'a\\x1b[2J' there wrote x" == error.args[0]
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert isinstance(error, UserError) and isinstance(error, ValueError)


def test_plain_letters_of_all_writings_stay():
    for text in ("a  b", "g\u00fcnstig", "\u6f22\u5b57", "\u0639\u0631\u0628\u064a", "\U0001f600", "'\\n'"):
        assert one_line(text) == plain(text) == str(UserError(text)) == text


def test_long_texts_are_cut_at_once():
    for text in ("x" * 20_000_000, "\x1b[31m" * 5_000_000, "a\n" * 10_000_000, "\U0001f600" * 5_000_000):
        began = time.process_time()
        assert len(str(UserError(text))) < 12_500 and "characters)" in str(UserError(text))
        assert len(plain(text)) < 500 and len(shown(text)) < 500 and len(named([text] * 9)) < 4500
        assert len(name_first([text] * 5)) < 6000
        assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "value, line",
    [
        (None, "nothing"),
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        (float("inf"), "inf"),
        pytest.param(10**5000, "a number of 16610 bits", id="many digits"),
        ("a", "'a'"),
        ([1, 2], "[1, 2]"),
        ([1] * 7, "a list of 7"),
        (["a"], "a list of 1"),
        ({"a": 1}, "1 named value"),
        ({}, "0 named values"),
        (b"a", "a value of type bytes"),
    ],
)
def test_values_in_a_line(value, line):
    assert shown(value) == line


def test_the_first_names_of_many():
    assert named("abc") == "a, b, c"
    assert named(range(20), 3) == "0, 1, 2, ... (20 in all)"


def test_error_and_warning_lines_of_commands_are_clean(capsys):
    def fail():
        warnings.simplefilter("always")
        warnings.warn("odd \x1b[2J thing\nwrote a", stacklevel=1)
        raise UserError("bad \x1b[2J thing\nwrote b")

    assert run_cli(fail) == 2
    assert capsys.readouterr().err.splitlines() == [
        "warning: odd \\x1b[2J thing wrote a",
        "error: bad \\x1b[2J thing wrote b",
    ]
