# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""How commands end: a line and a code for what a user can cure, a traceback for a bug."""

import warnings

import pytest

from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import CannotWrite, MissingExtra, MissingFile, UserError


@pytest.mark.parametrize("error", [UserError, MissingFile, CannotWrite, MissingExtra])
def test_run_cli_turns_what_a_user_can_cure_into_one_line(error, capsys):
    def main():
        raise error("no such\n   thing")

    assert run_cli(main) == 2
    assert capsys.readouterr().err == "error: no such thing\n"


def test_run_cli_lets_bugs_keep_their_traceback():
    for error in (ValueError, FileNotFoundError, KeyError, ImportError):

        def main(error=error):
            raise error("a bug")

        with pytest.raises(error):
            run_cli(main)


def test_run_cli_names_what_the_machine_refuses(capsys, tmp_path):
    assert run_cli(lambda: open(tmp_path, "rb")) == 2
    assert capsys.readouterr().err == f"error: cannot use '{tmp_path}': Is a directory\n"


def test_run_cli_on_ctrl_c_codes_and_warnings(capsys):
    def interrupted():
        raise KeyboardInterrupt

    assert run_cli(interrupted) == 130
    assert run_cli(lambda code: code, 3) == 3
    assert run_cli(lambda: None) == 0
    shown = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run_cli(lambda: warnings.warn("mind\nthe step", stacklevel=1)) == 0
    assert capsys.readouterr().err.splitlines() == ["interrupted", "warning: mind the step"]
    assert warnings.showwarning is shown
